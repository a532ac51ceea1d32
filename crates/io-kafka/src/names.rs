//! What things are called in the cluster: as inside, with the prefix of the installation.

use std::borrow::Cow;

/// Gives names.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    prefix: String,
}

impl Names {
    pub(crate) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    /// The name in the cluster of a topic or a group.
    pub(crate) fn outside<'a>(&self, inside: &'a str) -> Cow<'a, str> {
        if self.prefix.is_empty() { Cow::Borrowed(inside) } else { Cow::Owned(format!("{}{inside}", self.prefix)) }
    }

    /// The transactions of one member of a group.
    pub(crate) fn transactions(&self, group: &str, member: &str) -> String {
        format!("{}{group}.{member}", self.prefix)
    }
}
