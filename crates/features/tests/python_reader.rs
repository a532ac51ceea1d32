//! The reader that `docs/reference/packed-vector.md` shows, run on vectors that the engine packed.
//!
//! The page is what readers in other languages are written from, so its example has to be right: it is taken out of the page,
//! given to python3 as it stands, and must read every value, and refuse what `domain::unpack` refuses.

use std::{
    io::Write,
    process::{Command, Stdio},
    sync::Arc,
};

use domain::{FeatureVector, NEVER, Schema, Timestamp, Value, ValueKind, unpack};
use features::{Config, Engine, Record};
use pipeline::Pipeline;
use serde_json::{Map, json};
use testkit::{generate, pipelines};

const PAGE: &str = include_str!("../../../docs/reference/packed-vector.md");

/// Reads requests from standard input, one a line, and answers each with a line. Floats travel as text that reads back exactly.
const DRIVER: &str = r#"
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    try:
        vector = read_vector(bytes.fromhex(asked["packed"]), asked["schema"], asked["columns"])
        values = vector["values"]
        vector["values"] = {name: value.hex() if isinstance(value, float) else value for name, value in values.items()}
        print(json.dumps(vector))
    except ValueError as error:
        print(json.dumps({"error": str(error)}))
"#;

/// A packed vector and what it was packed under.
struct Packed {
    bytes: Vec<u8>,
    schema: Schema,
}

/// Every vector that an engine writes over a generated stream, several instants of silence included.
fn packed(pipeline: Pipeline) -> Vec<Packed> {
    let records = generate::records(&pipeline, &generate::Stream::default(), 7);
    let mut engine = Engine::new(Arc::new(pipeline), Config { generation: 3, ..Config::default() }).expect("a sound pipeline");
    let last = records.last().expect("a stream that is not empty").append_at.0;
    let mut outputs = Vec::new();
    for batch in records.chunks(50) {
        let views = batch.iter().map(|record| Record {
            source: record.source,
            offset: 0,
            append_at: record.append_at,
            payload: &record.payload,
        });
        let now = batch.last().map_or(last, |record| record.append_at.0) + 1;
        outputs.push(engine.ingest(&views.collect::<Vec<Record<'_>>>(), Timestamp(now)));
    }
    outputs.extend([60_000, 1_800_000, 7_200_000].map(|later| engine.tick(Timestamp(last + later))));
    let of = |output: &features::Output| {
        let packed = |vector: features::VectorRef<'_>| Packed {
            bytes: vector.packed.to_vec(),
            schema: engine.schema(vector.group).expect("a group of the pipeline").clone(),
        };
        output.vectors.iter().map(packed).collect::<Vec<Packed>>()
    };
    outputs.iter().flat_map(of).collect()
}

/// Runs the page's reader on all of these.
fn read(all: &[Packed]) -> Vec<serde_json::Value> {
    let (_, rest) = PAGE.split_once("```python\n").expect("docs/reference/packed-vector.md has a block of Python");
    let (block, _) = rest.split_once("```").expect("the block of Python ends");
    let missing = "python3 could not be started: install the Debian package python3 (`./dev setup` does), then repeat";
    let mut python = Command::new("python3")
        .args(["-c", &format!("{block}{DRIVER}")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{missing} ({error})"));
    let mut stdin = python.stdin.take().expect("a piped standard input");
    let requests: String = all.iter().map(|one| format!("{}\n", request(one))).collect();
    // From a thread of its own: both pipes are finite, and python answers while it reads.
    let writer = std::thread::spawn(move || stdin.write_all(requests.as_bytes()));
    let output = python.wait_with_output().expect("python3 ends");
    assert!(output.status.success(), "the reader ended with {}", output.status);
    writer.join().expect("a writer without a panic").expect("python3 reads all requests");
    let text = String::from_utf8(output.stdout).expect("python3 writes text");
    let answers: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    assert_eq!(answers.len(), all.len(), "one answer for each vector");
    answers
}

fn request(packed: &Packed) -> serde_json::Value {
    let kind = |kind: &ValueKind| match kind {
        ValueKind::Float => json!("float"),
        ValueKind::Integer => json!("integer"),
        ValueKind::Boolean => json!("boolean"),
        ValueKind::Time => json!("time"),
        ValueKind::Category(labels) => json!(labels),
    };
    let columns: Vec<serde_json::Value> = packed.schema.columns.iter().map(|(name, of)| json!([name, kind(of)])).collect();
    let hexadecimal: String = packed.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({ "packed": hexadecimal, "schema": packed.schema.id, "columns": columns })
}

/// What the reader has to answer.
fn expected(vector: &FeatureVector, schema: &Schema) -> serde_json::Value {
    let mut values = Map::new();
    for ((name, kind), value) in schema.columns.iter().zip(&vector.values) {
        let shown = match (value, kind) {
            (None, _) => json!(null),
            (Some(Value::Float(number)), _) => json!(hexadecimal(*number)),
            (Some(Value::Integer(number)), ValueKind::Boolean) => json!(*number == 1),
            (Some(Value::Integer(number)), ValueKind::Category(labels)) => json!(labels[*number as usize]),
            (Some(Value::Integer(number)), _) => json!(number),
        };
        values.insert(name.clone(), shown);
    }
    json!({
        "generation": vector.generation,
        "position": vector.position,
        "as_of": vector.as_of.0,
        "valid_until": Some(vector.valid_until).filter(|until| *until != NEVER).map(|until| until.0),
        "source_seen_at": vector.source_seen_at.map(|seen| seen.0),
        "source_silent": vector.source_silent,
        "values": values,
    })
}

/// A double as Python's `float.hex` writes it: every bit of it, and a sign that zero has too.
fn hexadecimal(number: f64) -> String {
    let bits = number.to_bits();
    let (sign, exponent, fraction) = (if bits >> 63 == 1 { "-" } else { "" }, bits >> 52 & 0x7FF, bits & ((1 << 52) - 1));
    match (exponent, fraction) {
        (0, 0) => format!("{sign}0x0.0p+0"),
        (0, _) => format!("{sign}0x0.{fraction:013x}p-1022"),
        _ => format!("{sign}0x1.{fraction:013x}p{:+}", exponent as i64 - 1023),
    }
}

#[test]
fn the_page_s_reader_reads_every_value() {
    let all: Vec<Packed> = [pipelines::every_aggregator(), pipelines::orders()].into_iter().flat_map(packed).collect();
    let mut kinds = [0; 5];
    let (mut nulls, mut silent) = (0, 0);
    for (packed, answer) in all.iter().zip(read(&all)) {
        let vector = unpack(&packed.bytes, &packed.schema).expect("what the engine packed");
        assert_eq!(answer, expected(&vector, &packed.schema));
        nulls += vector.values.iter().filter(|value| value.is_none()).count();
        silent += usize::from(vector.source_silent);
        for ((_, kind), _) in packed.schema.columns.iter().zip(&vector.values).filter(|(_, value)| value.is_some()) {
            kinds[place(kind)] += 1;
        }
    }
    assert!(kinds.iter().all(|count| *count > 0), "the streams show every kind of value: {kinds:?}");
    assert!(nulls > 0 && silent > 0, "the streams show nulls ({nulls}) and silence ({silent})");
}

#[test]
fn the_page_s_reader_refuses_what_is_damaged() {
    let Some(whole) = packed(pipelines::minimal()).pop() else { panic!("the stream makes vectors") };
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = whole.bytes.clone();
        change(&mut bytes);
        Packed { bytes, schema: whole.schema.clone() }
    };
    let mut damaged: Vec<Packed> = (0..whole.bytes.len()).map(|length| with(&|bytes| bytes.truncate(length))).collect();
    damaged.push(with(&|bytes| bytes.push(0)));
    // Version, flags, count, schema.
    damaged.extend([0, 1, 2, 4].map(|at| with(&|bytes| bytes[at] ^= 0x80)));
    for (packed, answer) in damaged.iter().zip(read(&damaged)) {
        assert!(unpack(&packed.bytes, &packed.schema).is_err(), "{} bytes", packed.bytes.len());
        assert!(answer.get("error").is_some(), "{} bytes were read as {answer}", packed.bytes.len());
    }
}

fn place(kind: &ValueKind) -> usize {
    match kind {
        ValueKind::Float => 0,
        ValueKind::Integer => 1,
        ValueKind::Boolean => 2,
        ValueKind::Time => 3,
        ValueKind::Category(_) => 4,
    }
}
