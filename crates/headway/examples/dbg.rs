use ports::{Log, clock_fn};
fn main() {
    let folder = std::path::PathBuf::from(std::env::args().nth(1).unwrap());
    let needle = std::env::args().nth(2).unwrap();
    let log =
        io_log::EmbeddedLog::open(io_log::Settings::new(folder.join("log")), clock_fn(1.0, || domain::Timestamp(0))).unwrap();
    let rt = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for topic in [
        "headway.scooter-fleet.positions",
        "headway.scooter-fleet.partials.1",
        "headway.scooter-fleet.dead-letters",
        "headway.scooter-fleet.late",
    ] {
        for p in 0..4u32 {
            let b = rt.block_on(log.bounds(topic, p)).unwrap();
            let mut from = b.first;
            let mut n = 0;
            let mut hits = 0;
            let mut last = None;
            let mut gaps = 0;
            let mut tail = Vec::new();
            while from < b.next {
                let rs = rt.block_on(log.read(topic, p, from, 1 << 20)).unwrap();
                if rs.is_empty() {
                    println!("EMPTY at {from}");
                    break;
                }
                for r in rs {
                    if r.offset != from {
                        gaps += 1;
                    }
                    from = r.offset + 1;
                    n += 1;
                    if r.value.windows(needle.len()).any(|w| w == needle.as_bytes()) {
                        hits += 1;
                        last = Some((r.offset, r.append_at));
                    }
                    if topic.contains("letters") {
                        tail.push(
                            r.headers
                                .iter()
                                .map(|h| format!("{}={}", h.name, String::from_utf8_lossy(&h.value)))
                                .collect::<Vec<_>>()
                                .join(" "),
                        );
                    }
                }
            }
            println!("{topic} {p}: {b:?} n={n} gaps={gaps} hits={hits} last={last:?}");
            for t in tail.iter().rev().take(3) {
                println!("   {t}");
            }
        }
    }
    for a in rt.block_on(log.committed("headway.scooter-fleet.features.1")).unwrap() {
        println!("{a:?}");
    }
}
