//! Clients that others wrote, beside a running Headway on a real Kafka, Redis and schema registry: kcat, confluent-kafka and
//! kafka-python, a producer in Java with a partitioner of its own, redis-cli. What they write counts, in JSON, Avro and Protobuf
//! alike, and what Headway writes they can read.

#![expect(clippy::disallowed_methods, reason = "real processes are driven in real time")]

#[path = "../driven/mod.rs"]
mod driven;
mod orders;
mod scene;

use std::{collections::BTreeMap, process::Command};

use io_registry::{Definition, Encoder, Format, SchemaId};
use orders::{Order, features, file, keyed_file, orders};
use scene::{ID, Scene, Told, here, now, run, told, topic, until};
use serde_json::{Value, json};
use testkit::{Mode, Oracle};

const AVRO: &str = include_str!("order.avsc");
const PROTOBUF: &str = include_str!("order.proto");
const GROUPS: [&str; 3] = ["of_plain", "of_avro", "of_protobuf"];
/// Not a schema of any topic.
const UNKNOWN: SchemaId = SchemaId(999_999);

#[test]
fn what_others_write_counts_and_what_is_written_they_read() {
    let mut scene = Scene::new();
    starts_are_refused(&scene);
    let avro = scene.register("avro", Format::Avro, AVRO);
    scene.register("protobuf", Format::Protobuf, PROTOBUF);
    scene.start();
    let mut all = orders(0..400, now());
    others_write(&scene, &all);
    scene.settle();
    is_counted(&mut scene, &all);
    the_oracle_agrees(&mut scene);
    the_guide_s_producer_is_counted(&mut scene);
    readers_of_redis_find_the_same(&mut scene);
    poison_is_told_as_it_came(&mut scene, avro);
    others_read_what_is_written(&mut scene);
    is_counted(&mut scene, &all);
    all.extend(a_registry_that_is_away_loses_nothing(&mut scene, all[0].at));
    is_counted(&mut scene, &all);
    scene.kill();
    scene.start();
    scene.settle();
    is_counted(&mut scene, &all);
    scene.stop();
}

fn starts_are_refused(scene: &Scene) {
    let (code, words) = scene.refused(false);
    assert_eq!(code, Some(78), "{words}");
    assert!(words.contains("the source `avro` is encoded in avro (and 1 more), and no schema registry is named"), "{words}");
    assert!(words.contains("--registry URL"), "{words}");
    let (code, words) = scene.refused(true);
    assert_eq!(code, Some(78), "{words}");
    for name in ["avro", "protobuf"] {
        assert!(words.contains(&format!("{}-value: the registry has no such subject", topic(name))), "{words}");
    }
    let lacking =
        r#"{"type":"record","name":"Order","fields":[{"name":"id","type":"string"},{"name":"store_id","type":"long"}]}"#;
    scene.register("avro", Format::Avro, lacking);
    let (code, words) = scene.refused(true);
    assert_eq!(code, Some(78), "{words}");
    for fault in [
        "avro-value, field `basket`: the latest schema does not have it",
        "avro-value, field `occurred_at`: the latest schema does not have it",
        "avro-value, field `store_id`: it is a whole number in the schema and a string in the source",
        "protobuf-value: the registry has no such subject",
    ] {
        assert!(words.contains(fault), "{fault}: {words}");
    }
}

/// A quarter of the plain events each, and all of them in Avro and in Protobuf.
fn others_write(scene: &Scene, all: &[Order]) {
    let (brokers, registry) = (scene.servers.address("kafka"), scene.servers.address("registry"));
    let folder = scene.folder.path();
    let text = |path: std::path::PathBuf| path.to_str().expect("text").to_owned();
    let plain = topic("plain");
    let [kcat, python, java, rest, whole] = [
        keyed_file(folder, "kcat", &all[..100]),
        file(folder, "python", &all[100..200]),
        file(folder, "java", &all[200..300]),
        file(folder, "rest", &all[300..]),
        file(folder, "whole", all),
    ]
    .map(text);
    let schema = text(here("order.avsc"));
    // Side by side, as producers are.
    std::thread::scope(|scope| {
        scope.spawn(|| scene.kcat(&["-P", "-t", &plain, "-K", "\t", "-l", &kcat]));
        scope.spawn(|| scene.kafka_python(&["write", &brokers, &plain, &python]));
        scope.spawn(|| scene.java(&[&brokers, &plain, &java]));
        for (how, name, events) in [("json", "plain", &rest), ("avro", "avro", &whole), ("protobuf", "protobuf", &whole)] {
            let (brokers, registry, schema) = (&brokers, &registry, &schema);
            scope.spawn(move || scene.confluent(&["write", how, brokers, registry, &topic(name), events, schema]));
        }
    });
}

/// Each group has of each store what the orders say.
fn is_counted(scene: &mut Scene, all: &[Order]) {
    for (store, expected) in features(all) {
        let found = scene.features(&store);
        for group in GROUPS {
            assert_eq!(found.get(group), Some(&expected), "{group} of {store}");
        }
    }
}

/// The same of the plain group by the naive oracle, bit by bit, over what the log has.
fn the_oracle_agrees(scene: &mut Scene) {
    let pipeline = pipeline::load(&here(ID)).expect("a pipeline");
    let source = pipeline.sources.iter().position(|source| source.name == "plain").expect("the source");
    let place = pipeline.groups.iter().position(|group| group.name == GROUPS[0]).expect("the group");
    let of_record =
        |record: ports::Record| testkit::Record { source, append_at: record.append_at, payload: record.value.to_vec() };
    let partitions = scene.records_by_partition("plain").into_iter().map(|all| all.into_iter().map(of_record).collect());
    let partitions: Vec<Vec<testkit::Record>> = partitions.collect();
    let oracle = Oracle::new(&pipeline);
    for store in ["s0", "s1", "s2", "s3"] {
        let answer = scene.ask(&json!({ "read": { "entity": "store", "key": store, "pipeline": null } }));
        let groups = answer["reading"]["groups"].as_array().expect("groups");
        let group = groups.iter().find(|group| group["group"] == GROUPS[0]).expect("the group");
        let as_of = domain::Timestamp::parse(group["as_of"].as_str().expect("an instant")).expect("an instant");
        let vectors = oracle.vectors(&partitions, as_of, Mode::Available);
        let expected = &vectors[&(place, store.to_owned())];
        let found = group["features"].as_array().expect("values");
        assert_eq!(found.len(), expected.values.len());
        for (expected, found) in expected.values.iter().zip(found) {
            assert!(driven::same(*expected, &found[1]), "{store}: {expected:?}, {found}");
        }
    }
}

/// The program that the guide shows, with the addresses of this scene and the topic that it has.
fn the_guide_s_producer_is_counted(scene: &mut Scene) {
    const GUIDE: &str = include_str!("../../../../docs/guides/avro-from-python.md");
    assert!(GUIDE.contains(AVRO.trim()), "the guide shows another schema");
    let (_, rest) = GUIDE.split_once("```python\n").expect("a block");
    let (program, _) = rest.split_once("```").expect("a block that ends");
    let program = program
        .replace("http://registry:8081", &scene.servers.address("registry"))
        .replace("kafka:9092", &scene.servers.address("kafka"))
        .replace("headway.shop.orders", &topic("avro"));
    run(Command::new(testkit::servers::python()).args(["-c", &program]).current_dir(here("")));
    scene.settle();
    let found = scene.features("42");
    assert_eq!(found[GROUPS[1]][..5], [1.0, 0.0, 25.9, 25.9, 25.9]);
    assert!(!found.contains_key(GROUPS[0]), "{found:?}");
}

/// The reader that the page about packed vectors shows, and redis-cli.
fn readers_of_redis_find_the_same(scene: &mut Scene) {
    const PAGE: &str = include_str!("../../../../docs/reference/packed-vector.md");
    let pipeline = pipeline::load(&here(ID)).expect("a pipeline");
    let schemas = features::schemas(&pipeline);
    let place = pipeline.groups.iter().position(|group| group.name == GROUPS[1]).expect("the group");
    let kind = |kind: &domain::ValueKind| if *kind == domain::ValueKind::Float { "float" } else { "integer" };
    let columns = schemas[place].columns.iter().map(|(name, of)| format!("({name:?}, {:?})", kind(of)));
    let columns = columns.collect::<Vec<_>>().join(", ");
    let address = scene.servers.address("redis");
    let port = address.rsplit(':').next().expect("a port");
    let blocks = PAGE.split("```python\n").skip(1).map(|rest| rest.split_once("```").expect("a block that ends").0);
    let driver = format!(
        "import json\nfound = fetch(('127.0.0.1', {port}), '{ID}', 'store', 's1', ['{0}'])\n\
         print(json.dumps(list(read_vector(found['{0}'], {1}, [{columns}])['values'].values())))\n",
        GROUPS[1], schemas[place].id
    );
    let program = blocks.chain([driver.as_str()]).collect::<Vec<_>>().join("\n");
    let values: Vec<f64> = serde_json::from_str(&run(Command::new("python3").args(["-c", &program]))).expect("numbers");
    assert_eq!(values, scene.features("s1")[GROUPS[1]]);
    let keys = scene.redis_cli(&["HKEYS", &format!("{ID}:{{store:s1}}")]);
    let mut keys: Vec<&str> = keys.lines().collect();
    keys.sort_unstable();
    assert_eq!(keys, ["of_avro:1", "of_plain:1", "of_protobuf:1"]);
}

/// What cannot be decoded is put aside with its bytes and the reason, and the rest goes on.
fn poison_is_told_as_it_came(scene: &mut Scene, avro: SchemaId) {
    let framed = |id: SchemaId, rest: &[u8]| [&[0][..], &id.0.to_be_bytes(), rest].concat();
    let poison = [
        (b"{\"id\":\"e1\",\"store_id\":\"s1\"}".to_vec(), "not_framed"),
        (framed(UNKNOWN, b"whatever"), "unknown_schema"),
        (framed(avro, &[200, 1, 2]), "undecodable"),
        (Vec::new(), "not_framed"),
    ];
    scene.append("avro", 0, &poison.clone().map(|(bytes, _)| bytes));
    scene.settle();
    let expected: BTreeMap<String, Vec<u8>> =
        poison.into_iter().enumerate().map(|(place, (bytes, reason))| (format!("{place} {reason}"), bytes)).collect();
    let letters = scene.confluent(&["read", &scene.servers.address("kafka"), &topic("dead-letters"), "4"]);
    let found = told(&letters).into_iter().enumerate().map(|(place, letter)| {
        let Told { value, headers } = letter;
        assert_eq!((&*headers["source"], &*headers["topic"]), ("avro", &*topic("avro")));
        assert!(!headers["fault"].is_empty() && headers["offset"].parse::<u64>().is_ok(), "{headers:?}");
        (format!("{place} {}", headers["reason"]), value)
    });
    assert_eq!(found.collect::<BTreeMap<_, _>>(), expected);
    let status = scene.ask(&json!("doctor"));
    let findings = status["findings"].as_array().expect("findings");
    let registry = findings.iter().find(|finding| finding["subject"] == "registry").expect("a finding");
    assert_eq!(registry["level"], "ok", "{registry}");
}

/// Dead letters, late events and absences.
fn others_read_what_is_written(scene: &mut Scene) {
    let late = Order { at: domain::Timestamp(now().0 - 3 * 3_600_000), ..orders(5000..5001, now()).remove(0) };
    scene.append("plain", 1, &[late.json().to_string().into_bytes()]);
    scene.settle();
    let scene = &*scene;
    std::thread::scope(|scope| {
        for name in ["dead-letters", "late", "absences"] {
            scope.spawn(move || all_clients_read(scene, name));
        }
    });
    let letters = scene.records("late");
    assert_eq!(serde_json::from_slice::<Value>(&letters[0].value).expect("JSON"), late.json());
}

/// What three clients see of a topic is one and the same, and all that there is.
fn all_clients_read(scene: &Scene, name: &str) {
    let (brokers, written) = (scene.servers.address("kafka"), scene.records(name));
    assert!(!written.is_empty(), "{name} is empty");
    let (name, count) = (topic(name), written.len().to_string());
    let read = ["read", &brokers, &name, &count];
    let sorted = |mut all: Vec<Told>| {
        all.sort();
        all
    };
    let written = sorted(written.iter().map(Told::of).collect());
    assert_eq!(sorted(told(&scene.confluent(&read))), written);
    assert_eq!(sorted(told(&scene.kafka_python(&read))), written);
    let committed = ["-e", "-X", "isolation.level=read_committed", "-f", "%k %S %h\n"];
    let lines = scene.kcat(&[&["-C", "-q", "-t", &name, "-o", "beginning"], &committed[..]].concat());
    assert_eq!(lines.lines().count(), written.len(), "{lines}");
}

/// Records of a new schema wait for it, in Avro and in Protobuf with the other spelling of the first message.
fn a_registry_that_is_away_loses_nothing(scene: &mut Scene, at: domain::Timestamp) -> Vec<Order> {
    let newer =
        AVRO.replace(r#"{"name": "id","#, r#"{"name": "note", "type": ["null", "string"], "default": null}, {"name": "id","#);
    let avro = (scene.register("avro", Format::Avro, &newer), Definition::new(Format::Avro, newer));
    let newer = PROTOBUF.replace("double basket = 6;", "double basket = 6;\n  string note = 7;");
    let protobuf = (scene.register("protobuf", Format::Protobuf, &newer), Definition::new(Format::Protobuf, newer));
    let letters = scene.records("dead-letters").len();
    scene.servers.kill("registry");
    let more: Vec<Order> = orders(1000..1020, now()).into_iter().map(|order| Order { at, ..order }).collect();
    let encoded = |(id, definition): (SchemaId, Definition), time: &dyn Fn(&Order) -> Value| -> Vec<Vec<u8>> {
        let encoder = Encoder::new(id, &definition).expect("a schema");
        let object = |order: &Order| {
            let mut object = order.json();
            object["occurred_at"] = time(order);
            object["note"] = json!("new");
            object
        };
        more.iter().map(|order| encoder.encode(&object(order)).expect("it fits")).collect()
    };
    scene.append("plain", 2, &more.iter().map(|order| order.json().to_string().into_bytes()).collect::<Vec<_>>());
    scene.append("avro", 2, &encoded(avro, &|order| json!(order.at.0)));
    let spelled_out = encoded(protobuf, &|order| json!(order.at.to_string())).into_iter().map(|record| {
        assert_eq!(record[5], 0, "one zero for the first message");
        [&record[..5], &[2, 0], &record[6..]].concat()
    });
    scene.append("protobuf", 2, &spelled_out.collect::<Vec<_>>());
    let waits = |scene: &mut Scene| scene.ask(&json!("status"))["status"]["lag_records"].as_u64().is_some_and(|lag| lag > 0);
    assert!(waits(scene), "nobody knows the schema");
    until("a finding about the registry", || {
        let answer = scene.ask(&json!("doctor"));
        let findings = answer["findings"].as_array().expect("findings");
        findings.iter().any(|finding| finding["subject"] == "registry" && finding["level"] == "fault")
    });
    assert!(waits(scene), "they wait for as long as the registry is away");
    scene.servers.revive("registry");
    scene.settle();
    assert_eq!(scene.records("dead-letters").len(), letters, "nothing was put aside meanwhile");
    more
}
