//! Why a command could not be done, and the code with which the process ends.

use std::{io, path::Path};

use serde_json::{Value, json};

use crate::plain::plain;

/// Tests failed, or a task could not be done.
pub(crate) const FAILED: u8 = 1;
/// The command line was not understood.
const USAGE_CODE: u8 = 2;
/// A pipeline or setting has faults: `EX_CONFIG`.
pub(crate) const BAD_CONFIGURATION: u8 = 78;
/// A plan that was only shown would change something.
pub(crate) const WOULD_CHANGE: u8 = 3;

/// All was done.
pub(crate) const SUCCESS: ExitNumber = ExitNumber(0);
/// The exit code for a command line that was not understood.
pub(crate) const USAGE: ExitNumber = ExitNumber(USAGE_CODE);

/// A number with which a process may end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ExitNumber(pub(crate) u8);

/// What is told to a person or a program at the end.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: ExitNumber,
    pub(crate) message: String,
    /// More than the message, for programs.
    details: Option<Value>,
    closed_pipe: bool,
    /// Of a part outside, if that is what failed.
    kind: Option<ports::ErrorKind>,
    /// What is wrong with a model, in a word, if that is what failed.
    flaw: Option<&'static str>,
}

impl Failure {
    /// A command line that was not understood.
    pub(crate) fn usage(error: &clap::Error) -> Self {
        let text = error.render().to_string();
        Self::new(USAGE_CODE, text.trim().trim_start_matches("error: ").to_owned())
    }

    /// A command line that says too little.
    pub(crate) fn usage_of(message: &str) -> Self {
        Self::new(USAGE_CODE, message.to_owned())
    }

    /// A file that cannot be written.
    pub(crate) fn writing(path: &Path, error: &io::Error) -> Self {
        Self::new(FAILED, format!("cannot write {}: {error}; name an existing folder that may be written to", path.display()))
    }

    /// A task that could not be done.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(FAILED, message.into())
    }

    /// A pipeline or setting that can never work.
    pub(crate) fn configuration(message: impl Into<String>) -> Self {
        Self::new(BAD_CONFIGURATION, message.into())
    }

    /// A file that cannot be read.
    pub(crate) fn reading(path: &Path, error: &io::Error) -> Self {
        Self::new(FAILED, format!("cannot read {}: {error}", path.display()))
    }

    /// Whether whoever read the output went away, as `head` does.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        self.closed_pipe
    }

    /// Whether a server was away that may be back in a moment.
    pub(crate) fn is_transient(&self) -> bool {
        self.kind == Some(ports::ErrorKind::Transient)
    }

    /// Whether somebody has to change something before it can ever work.
    pub(crate) fn is_setting(&self) -> bool {
        self.code.0 == BAD_CONFIGURATION
    }

    /// What is wrong with a model that could not be loaded, for counts.
    pub(crate) fn flaw(&self) -> &'static str {
        self.flaw.unwrap_or("unavailable")
    }

    /// The same for this flaw of a model.
    pub(crate) fn of_model(self, flaw: &'static str) -> Self {
        Self { flaw: Some(flaw), ..self }
    }

    /// Whether a model was refused.
    pub(crate) fn is_of_model(&self) -> bool {
        self.flaw.is_some()
    }

    /// Whether somebody else was faster, so that it has to be looked at again.
    pub(crate) fn is_overtaken(&self) -> bool {
        self.kind == Some(ports::ErrorKind::Fenced)
    }

    /// One object for `--json`.
    pub(crate) fn to_json(&self) -> Value {
        let mut error = json!({ "message": self.message, "exit_code": self.code.0 });
        if let (Some(details), Some(members)) = (&self.details, error.as_object_mut()) {
            members.insert("faults".into(), details.clone());
        }
        json!({ "error": error })
    }

    fn new(code: u8, message: String) -> Self {
        Self { code: ExitNumber(code), message, details: None, closed_pipe: false, kind: None, flaw: None }
    }
}

impl From<ports::Error> for Failure {
    fn from(error: ports::Error) -> Self {
        let code = if error.kind() == ports::ErrorKind::Invalid { BAD_CONFIGURATION } else { FAILED };
        Self { kind: Some(error.kind()), ..Self::new(code, error.to_string()) }
    }
}

impl From<scoring::Error> for Failure {
    fn from(error: scoring::Error) -> Self {
        let (code, kind) = match &error {
            scoring::Error::Rows { .. } => (FAILED, ports::ErrorKind::Bug),
            _ => (BAD_CONFIGURATION, ports::ErrorKind::Invalid),
        };
        let message = match &error {
            scoring::Error::Unreadable { source, .. } => format!("{error} The system says: {source}."),
            _ => error.to_string(),
        };
        // Names in a package are words of whoever made it.
        Self { kind: Some(kind), flaw: Some(error.code()), ..Self::new(code, plain(&message)) }
    }
}

impl From<sim::Error> for Failure {
    fn from(error: sim::Error) -> Self {
        Self::new(BAD_CONFIGURATION, error.to_string())
    }
}

impl From<workbench::Error> for Failure {
    fn from(error: workbench::Error) -> Self {
        match error {
            workbench::Error::Faults(faults) => faults.into(),
            workbench::Error::Setting { .. } | workbench::Error::Engine(_) => Self::new(BAD_CONFIGURATION, error.to_string()),
            other => Self::new(FAILED, other.to_string()),
        }
    }
}

impl From<pipeline::Faults> for Failure {
    fn from(faults: pipeline::Faults) -> Self {
        let details = serde_json::to_value(faults.all()).ok();
        Self { details, ..Self::new(BAD_CONFIGURATION, faults.to_string()) }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let closed_pipe = error.kind() == io::ErrorKind::BrokenPipe;
        Self { closed_pipe, ..Self::new(FAILED, format!("cannot write the output: {error}; check where it goes")) }
    }
}
