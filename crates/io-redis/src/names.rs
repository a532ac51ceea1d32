//! What keys and fields are called. Part of the contract with readers, see `docs/reference/packed-vector.md`.

use std::borrow::Cow;

use ports::{Share, VectorKey};

use crate::Error;

/// The names of one pipeline.
#[derive(Debug)]
pub(crate) struct Names {
    pipeline: String,
}

impl Names {
    /// An id with a colon or a brace in it would meet the keys of another pipeline.
    pub(crate) fn new(pipeline: &str) -> Result<Self, Error> {
        let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if pipeline.is_empty() || !pipeline.bytes().all(sound) {
            return Err(Error::Unusable(format!(
                "keys in Redis begin with the pipeline's id, and {pipeline:?} is none: use letters, digits, `.`, `_` and `-`"
            )));
        }
        Ok(Self { pipeline: pipeline.to_owned() })
    }

    /// `delivery-eta:{store:42}`: all groups of an entity in one slot of a cluster.
    pub(crate) fn key(&self, out: &mut Vec<u8>, at: &VectorKey<'_>) {
        out.extend_from_slice(self.pipeline.as_bytes());
        out.extend_from_slice(b":{");
        out.extend_from_slice(escaped(at.entity).as_bytes());
        out.push(b':');
        out.extend_from_slice(at.key.as_bytes());
        out.push(b'}');
    }

    /// What the keys of all entities of a type begin with.
    pub(crate) fn beginning(&self, entity: &str) -> String {
        format!("{}:{{{}:", self.pipeline, escaped(entity))
    }

    /// `store_orders:1`.
    pub(crate) fn field(group: &str, generation: u32) -> String {
        format!("{group}:{generation}")
    }

    /// The epoch and the marks of one node; the number chooses a slot.
    pub(crate) fn marks(&self, number: usize) -> String {
        format!("{}:marks:{{{number}}}", self.pipeline)
    }

    /// Within the marks.
    pub(crate) fn mark(share: Share) -> String {
        format!("{}:{}", share.generation, share.partition)
    }

    /// Which generation of each group readers read.
    pub(crate) fn serving(&self) -> String {
        format!("{}:serving", self.pipeline)
    }

    /// A key that is never there.
    pub(crate) fn nowhere(&self) -> String {
        format!("{}:nowhere", self.pipeline)
    }

    /// What the keys of all entities look like to `SCAN`.
    pub(crate) fn every_key(&self) -> String {
        format!("{}:{{*", self.pipeline)
    }
}

/// So that `a:b` with the key `c` is not `a` with the key `b:c`.
fn escaped(entity: &str) -> Cow<'_, str> {
    if entity.contains([':', '%']) { entity.replace('%', "%25").replace(':', "%3A").into() } else { entity.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(entity: &str, key: &str) -> String {
        let mut out = Vec::new();
        let at = VectorKey { entity, key, group: "orders", generation: 1 };
        Names::new("eta").expect("an id").key(&mut out, &at);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn no_two_entities_share_a_key() {
        assert_eq!(key("store", "42"), "eta:{store:42}");
        assert_eq!(key("store", "4:2"), "eta:{store:4:2}");
        assert_eq!(key("store:4", "2"), "eta:{store%3A4:2}");
        assert_eq!(key("store%3A4", "2"), "eta:{store%253A4:2}");
    }

    #[test]
    fn an_id_that_would_meet_others_is_refused() {
        for id in ["", "a:b", "a{b", "a*", "ü", "a b"] {
            assert!(Names::new(id).is_err(), "{id:?}");
        }
    }
}
