//! The reader that `docs/reference/packed-vector.md` shows, run by python3 against a real server in which this adapter wrote.

mod servers;

use std::process::Command;

use ports::{OnlineStore, Serving, VectorKey};
use servers::{KEY, SHARE, Server, store, vector, write};

const PAGE: &str = include_str!("../../../docs/reference/packed-vector.md");

#[tokio::test]
async fn the_page_s_reader_finds_what_was_written() {
    let server = Server::start();
    let store = store(&server.url());
    let (old, new) = (vector(5, 7, 2), vector(6, 8, 3));
    let next = VectorKey { generation: 2, ..KEY };
    let odd = VectorKey { entity: "a:b%", key: "c:}d", group: "riders", generation: 3 };
    store.write(SHARE, &[write(KEY, &old), write(next, &new), write(odd, &old)]).await.expect("a write");
    let serving = |group: &str, generation| Serving { group: group.into(), generation };
    store.serve(&[serving("orders", 2), serving("riders", 3)]).await.expect("readers are switched");

    let blocks = PAGE.split("```python\n").skip(1).map(|rest| rest.split_once("```").expect("a block that ends").0);
    let driver = format!(
        "address = ('127.0.0.1', {})\n\
         found = fetch(address, 'eta', 'store', '42', ['orders', 'riders', 'nobody'])\n\
         columns = [('a', 'integer'), ('b', 'integer'), ('c', 'integer')]\n\
         print(found['riders'], found['nobody'], read_vector(found['orders'], 1, columns))\n\
         print(fetch(address, 'eta', 'a:b%', 'c:}}d', ['riders'])['riders'].hex())\n\
         print(fetch(address, 'eta', 'store', '42', ['nobody']), fetch(address, 'other', 'store', '42', ['orders']))\n",
        server.port
    );
    let program = blocks.chain([driver.as_str()]).collect::<Vec<_>>().join("\n");
    let output = Command::new("python3").args(["-c", &program]).output().expect("python3: install the Debian package python3");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let hexadecimal: String = old.iter().map(|byte| format!("{byte:02x}")).collect();
    let expected = format!(
        "None None {{'generation': 1, 'position': 6, 'as_of': 8, 'valid_until': None, 'source_seen_at': None, 'source_silent': False, \
         'values': {{'a': 6, 'b': 6, 'c': 6}}}}\n{hexadecimal}\n{{'nobody': None}} {{'orders': None}}\n"
    );
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
}
