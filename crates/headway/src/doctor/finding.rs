//! What was found about one subject.

use serde::{Deserialize, Serialize};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// As it should be.
    Ok,
    /// It works, and somebody should look after it.
    Warning,
    /// It does not work, or will not for long.
    Fault,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Finding {
    /// What was looked at, in a word.
    pub(crate) subject: String,
    pub(crate) level: Level,
    /// What is so.
    pub(crate) says: String,
    /// What to do about it; none when there is nothing to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) todo: Option<String>,
    /// More of the same, a line for each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) lines: Vec<String>,
}

impl Finding {
    pub(crate) fn ok(subject: &str, says: impl Into<String>) -> Self {
        Self { subject: subject.to_owned(), level: Level::Ok, says: says.into(), todo: None, lines: Vec::new() }
    }

    pub(crate) fn warning(subject: &str, says: impl Into<String>) -> Self {
        Self { level: Level::Warning, ..Self::ok(subject, says) }
    }

    pub(crate) fn fault(subject: &str, says: impl Into<String>) -> Self {
        Self { level: Level::Fault, ..Self::ok(subject, says) }
    }

    /// The same with what to do.
    pub(crate) fn with(self, todo: impl Into<String>) -> Self {
        Self { todo: Some(todo.into()), ..self }
    }
}
