//! The names of a pipeline's topics, and which sources read which.

use std::sync::Arc;

use pipeline::{Pipeline, SourceKind};
use ports::TopicSpec;

/// The partition of a key: what producers choose by default, murmur2 of the key's bytes without the sign.
pub fn partition_of(key: &[u8], partitions: u32) -> u32 {
    (murmur2(key) & 0x7FFF_FFFF) % partitions.max(1)
}

fn murmur2(bytes: &[u8]) -> u32 {
    const M: u32 = 0x5BD1_E995;
    let mix = |word: u32| {
        let word = word.wrapping_mul(M);
        (word ^ (word >> 24)).wrapping_mul(M)
    };
    let mut hash = 0x9747_B28C ^ bytes.len() as u32;
    let mut words = bytes.chunks_exact(4);
    for word in &mut words {
        let word = u32::from_le_bytes([word[0], word[1], word[2], word[3]]);
        hash = hash.wrapping_mul(M) ^ mix(word);
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        let word = rest.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte));
        hash = (hash ^ word).wrapping_mul(M);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(M);
    hash ^ (hash >> 15)
}

/// The names of one pipeline's topics.
#[derive(Clone, Debug)]
pub struct Topics {
    prefix: String,
    /// Topics of events, in order of name, each with the sources that read it.
    inputs: Vec<(Arc<str>, Vec<usize>)>,
    /// Topics of absences.
    absences: Vec<Arc<str>>,
}

impl Topics {
    /// The topics of a pipeline.
    pub fn new(pipeline: &Pipeline) -> Self {
        let prefix = format!("headway.{}.", pipeline.id);
        let mut inputs: Vec<(Arc<str>, Vec<usize>)> = Vec::new();
        for (source, declared) in pipeline.sources.iter().enumerate() {
            let SourceKind::Stream(stream) = &declared.kind else { continue };
            let name = format!("{prefix}{}", stream.topic);
            match inputs.iter_mut().find(|(other, _)| **other == *name) {
                Some((_, sources)) => sources.push(source),
                None => inputs.push((name.into(), vec![source])),
            }
        }
        inputs.sort();
        let told = pipeline.sources.iter().filter_map(|source| match &source.kind {
            SourceKind::Absence(absence) => Some(format!("{prefix}{}", absence.topic.as_ref()?).into()),
            _ => None,
        });
        let mut absences: Vec<Arc<str>> = told.collect();
        absences.sort();
        absences.dedup();
        Self { prefix, inputs, absences }
    }

    /// Topics of events with the sources that read them.
    pub fn inputs(&self) -> &[(Arc<str>, Vec<usize>)] {
        &self.inputs
    }

    /// The full name of a topic that the pipeline declares.
    pub fn input(&self, declared: &str) -> String {
        format!("{}{declared}", self.prefix)
    }

    /// Blocks of partials between the partitions of one generation.
    pub fn partials(&self, generation: u32) -> Arc<str> {
        format!("{}partials.{generation}", self.prefix).into()
    }

    /// Records that could not be taken, with the reason.
    pub fn dead_letters(&self) -> Arc<str> {
        format!("{}dead-letters", self.prefix).into()
    }

    /// Events that came too late, and parts of events that found no place.
    pub fn late(&self) -> Arc<str> {
        format!("{}late", self.prefix).into()
    }

    /// The group that makes the features of one generation.
    pub fn features_group(&self, generation: u32) -> String {
        format!("{}features.{generation}", self.prefix)
    }

    /// All topics that the feature role needs, as they should be when they are created.
    pub fn specs(&self, generation: u32, partitions: u32, retention: domain::Span) -> Vec<TopicSpec> {
        let own = [self.partials(generation), self.dead_letters(), self.late()];
        let names = self.inputs.iter().map(|(name, _)| name.clone()).chain(self.absences.iter().cloned()).chain(own);
        let spec = |name| TopicSpec { name, partitions, retention: Some(retention), retention_bytes: None };
        names.map(spec).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_go_where_the_clients_of_others_send_them() {
        // Published with the Java client's own tests.
        for (key, hash) in [("21", -973_932_308), ("foobar", -790_332_482), ("a-little-bit-long-string", -985_981_536)] {
            assert_eq!(murmur2(key.as_bytes()).cast_signed(), hash, "{key}");
        }
        assert_eq!(partition_of(b"21", 1), 0);
        assert!((0..100u32).map(|key| partition_of(&key.to_le_bytes(), 7)).all(|partition| partition < 7));
    }
}
