//! What is weighed beside what the decoder makes of it: no field of any message is forgotten, and no file that decodes is refused.

use prost::Message as _;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tract_onnx::pb::*;

use super::{NUMBER_BYTES, TEXT_BYTES, weigh};

/// The fields that lead to each message of the format from the outermost on.
const WAYS: [&[u64]; 19] = [
    &[],
    &[7],
    &[7, 1],
    &[7, 1, 5],
    &[7, 5],
    &[7, 15],
    &[7, 11],
    &[7, 11, 2],
    &[7, 11, 2, 1],
    &[7, 11, 2, 1, 2],
    &[7, 11, 2, 1, 2, 1],
    &[7, 14],
    &[20],
    &[25],
    &[8],
    &[14],
    &[7, 5, 3],
    &[7, 5, 13],
    &[7, 14, 2],
];
const FIELD_MAX: u64 = 40;
const COUNT: u64 = 1_000;
/// No message is smaller; whatever weighs less was taken for a text.
const MESSAGE_BYTES: u64 = 41;

#[test]
fn every_field_that_takes_memory_is_weighed() {
    let mut found = [0; 3];
    for way in WAYS {
        for field in 1..=FIELD_MAX {
            let empty = within(way, &length_delimited(field, &[]).repeat(COUNT as usize));
            if let Ok(model) = ModelProto::decode(&empty[..]) {
                let messages = format!("{model:?}").matches('{').count() as u64;
                let weight = weigh(&empty, u64::MAX).unwrap();
                if messages > COUNT {
                    found[0] += 1;
                    assert!(weight >= COUNT * MESSAGE_BYTES, "{field} behind {way:?} makes messages and weighs {weight}");
                } else if model.encoded_len() as u64 > COUNT {
                    found[1] += 1;
                    assert!(weight >= COUNT * TEXT_BYTES, "{field} behind {way:?} makes texts and weighs {weight}");
                }
            }
            let ones = [varint(field << 3), vec![1]].concat().repeat(COUNT as usize);
            let keeps_all = |bytes: &[u8]| ModelProto::decode(bytes).is_ok_and(|model| model.encoded_len() as u64 > COUNT);
            if keeps_all(&within(way, &ones)) {
                found[2] += 1;
                let packed = within(way, &length_delimited(field, &vec![1; COUNT as usize]));
                for bytes in [within(way, &ones), packed] {
                    let weight = weigh(&bytes, u64::MAX).unwrap();
                    assert!(weight >= COUNT * NUMBER_BYTES, "{field} behind {way:?} makes numbers and weighs {weight}");
                }
            }
        }
    }
    // So that it is known to have looked: lists of messages, of texts and of whole numbers.
    assert!(found[0] >= 20 && found[1] >= 6 && found[2] >= 5, "{found:?}");
}

#[test]
fn damaged_files_are_weighed_as_they_are_decoded() {
    let mut decoded = 0;
    for seed in 0..20_000 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut bytes = sound().encode_to_vec();
        for _ in 0..random.random_range(1..4) {
            let at = random.random_range(0..bytes.len());
            bytes[at] = random.random();
        }
        bytes.truncate(random.random_range(1..=2 * bytes.len()).min(bytes.len()));
        let weight = weigh(&bytes, u64::MAX);
        if let Ok(model) = ModelProto::decode(&bytes[..]) {
            decoded += 1;
            let weight = weight.unwrap_or_else(|reason| panic!("seed {seed} decodes: {reason}"));
            assert!(weight >= model.encoded_len() as u64 / 2, "seed {seed}: {weight} for {}", model.encoded_len());
        }
    }
    assert!(decoded > 1_000, "only {decoded} were decoded");
}

#[test]
fn what_is_nested_deeper_than_anybody_nests_is_refused() {
    let mut graph = Vec::new();
    for _ in 0..1_000 {
        graph = [6, 5, 1].into_iter().fold(graph, |within, field| length_delimited(field, &within));
    }
    assert!(weigh(&length_delimited(7, &graph), u64::MAX).unwrap_err().contains("more than 12 deep"));
}

fn sound() -> ModelProto {
    let attribute = AttributeProto {
        name: "values".into(),
        floats: vec![1.0, 2.0],
        ints: vec![3, 400, -5],
        strings: vec![b"LEAF".to_vec(), b"".to_vec()],
        t: Some(TensorProto { dims: vec![2], raw_data: vec![0; 8], name: "t".into(), ..Default::default() }),
        ..Default::default()
    };
    let node = NodeProto { input: vec!["x".into()], op_type: "Relu".into(), attribute: vec![attribute], ..Default::default() };
    let port = ValueInfoProto { name: "x".into(), ..Default::default() };
    let graph = GraphProto { node: vec![node.clone(), node], input: vec![port], name: "graph".into(), ..Default::default() };
    let opset_import = vec![OperatorSetIdProto { domain: String::new(), version: 18 }];
    ModelProto { ir_version: 8, graph: Some(graph), opset_import, ..Default::default() }
}

/// A content, behind the fields that lead to its message.
fn within(way: &[u64], content: &[u8]) -> Vec<u8> {
    way.iter().rev().fold(content.to_vec(), |content, field| length_delimited(*field, &content))
}

fn length_delimited(field: u64, content: &[u8]) -> Vec<u8> {
    [varint(field << 3 | 2), varint(content.len() as u64), content.to_vec()].concat()
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}
