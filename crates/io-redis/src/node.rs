//! One server: sends commands, and calls the library there, which it loads when it is missing.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use redis::{Cmd, Pipeline, Value};

use crate::{
    Error, Host,
    dial::{Dial, Endpoint},
    lane::Lane,
    library::{Library, Task},
    reply,
};

/// Calls that are sent in one go: 8 of at most 512 vectors keep a server busy for 12 ms, and more than that would have to be
/// answered within one time limit.
pub(crate) const CALLS_AT_ONCE_MAX: usize = 8;
/// To load once, to go over to scripts, to load that; and once more when somebody else flushes them meanwhile.
const ATTEMPTS_MAX: usize = 4;

/// What the library is asked.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) task: Task,
    pub(crate) arguments: Vec<Vec<u8>>,
}

/// A server. Two connections, so that a reader does not wait behind a batch.
#[derive(Debug)]
pub(crate) struct Node {
    dial: Arc<Dial>,
    library: Arc<Library>,
    endpoint: Endpoint,
    at: String,
    writes: Lane,
    reads: Lane,
    /// It has no functions, or does not let us use them.
    scripts: AtomicBool,
    /// By which the script is called, once it was loaded.
    script: std::sync::Mutex<Option<String>>,
}

impl Node {
    pub(crate) fn new(dial: Arc<Dial>, library: Arc<Library>, endpoint: Endpoint) -> Arc<Self> {
        let scripts = AtomicBool::new(dial.settings().scripts_only);
        let (writes, reads, at) = (Lane::default(), Lane::default(), endpoint.label());
        Arc::new(Self { dial, library, endpoint, at, writes, reads, scripts, script: std::sync::Mutex::default() })
    }

    /// For messages.
    pub(crate) fn at(&self) -> &str {
        &self.at
    }

    /// Its address, unless it is found by sentinels.
    pub(crate) fn host(&self) -> Option<&Host> {
        match &self.endpoint {
            Endpoint::Host(host) => Some(host),
            Endpoint::Master { .. } => None,
        }
    }

    pub(crate) fn uses_scripts(&self) -> bool {
        self.scripts.load(Ordering::Relaxed)
    }

    /// Answers of reading commands, in order; the first error among them is the error of all.
    pub(crate) async fn read(&self, pipeline: &Pipeline) -> Result<Vec<Value>, Error> {
        self.send(&self.reads, pipeline).await
    }

    /// Answers of reading commands, in order, each with its own error.
    pub(crate) async fn read_each(&self, pipeline: &Pipeline) -> Result<Vec<Result<Value, Error>>, Error> {
        self.send_each(&self.reads, pipeline).await
    }

    /// Answers of one command that writes.
    pub(crate) async fn write(&self, command: Cmd) -> Result<Value, Error> {
        let mut pipeline = Pipeline::new();
        pipeline.add_command(command);
        let answers = self.send(&self.writes, &pipeline).await?;
        answers.into_iter().next().ok_or_else(|| Error::Broken("a pipeline of one command had no answer".into()))
    }

    /// Calls the library, some calls in one go. Whatever fails is called again from the beginning: calls may be repeated.
    pub(crate) async fn call(&self, calls: &[Call]) -> Result<Vec<Value>, Error> {
        let mut answers = Vec::with_capacity(calls.len());
        for some in calls.chunks(CALLS_AT_ONCE_MAX) {
            answers.extend(self.call_some(some).await?);
        }
        Ok(answers)
    }

    async fn call_some(&self, calls: &[Call]) -> Result<Vec<Value>, Error> {
        let mut last = Error::Broken("no attempt was made".into());
        for _ in 0..ATTEMPTS_MAX {
            let sent = match self.pipeline(calls) {
                Some(pipeline) => self.send(&self.writes, &pipeline).await,
                None => Err(Error::Missing { at: self.at.clone(), why: "nothing was loaded yet".into() }),
            };
            match sent {
                Err(Error::Missing { .. }) => {
                    if let Err(error) = self.load().await {
                        self.fall_back(error)?;
                    }
                }
                Err(error) => self.fall_back(error)?,
                done => return done,
            }
            last = Error::Missing { at: self.at.clone(), why: "somebody removes it".into() };
        }
        Err(last)
    }

    /// Goes over to scripts when it is functions that the server refuses; returns every other error.
    fn fall_back(&self, error: Error) -> Result<(), Error> {
        let refused = match &error {
            Error::Denied { why, .. } => why.contains("'fcall'") || why.contains("'function"),
            Error::Unfit { why, .. } => {
                let why = why.to_ascii_lowercase();
                why.contains("unknown command") && (why.contains("fcall") || why.contains("function"))
            }
            _ => false,
        };
        if refused && !self.scripts.swap(true, Ordering::Relaxed) { Ok(()) } else { Err(error) }
    }

    /// None as long as it is not known by what name to call.
    fn pipeline(&self, calls: &[Call]) -> Option<Pipeline> {
        let script = self.script();
        let mut pipeline = Pipeline::with_capacity(calls.len());
        for call in calls {
            let bytes = call.arguments.iter().map(Vec::len).sum::<usize>() + 128;
            let mut command = Cmd::with_capacity(call.arguments.len() + 4, bytes);
            if self.uses_scripts() {
                command.arg("EVALSHA").arg(script.as_ref()?).arg(0).arg(call.task.name());
            } else {
                command.arg("FCALL").arg(self.library.function(call.task)).arg(0);
            }
            for argument in &call.arguments {
                command.arg(&argument[..]);
            }
            pipeline.add_command(command);
        }
        Some(pipeline)
    }

    async fn load(&self) -> Result<(), Error> {
        if self.uses_scripts() {
            let mut command = redis::cmd("SCRIPT");
            command.arg("LOAD").arg(&self.library.script);
            let name = reply::text(&self.at, self.write(command).await?)?;
            *self.script.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(name);
        } else {
            let mut command = redis::cmd("FUNCTION");
            // Whoever loaded the same name loaded the same code: it is made of it.
            command.arg("LOAD").arg("REPLACE").arg(&self.library.functions);
            self.write(command).await?;
        }
        Ok(())
    }

    fn script(&self) -> Option<String> {
        self.script.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    async fn send(&self, lane: &Lane, pipeline: &Pipeline) -> Result<Vec<Value>, Error> {
        self.send_each(lane, pipeline).await?.into_iter().collect()
    }

    async fn send_each(&self, lane: &Lane, pipeline: &Pipeline) -> Result<Vec<Result<Value, Error>>, Error> {
        let (answers, number) = lane.request(&self.dial, &self.endpoint, pipeline).await?;
        let each: Vec<_> = answers.into_iter().map(|answer| reply::sound(&self.at, answer)).collect();
        if each.iter().filter_map(|answer| answer.as_ref().err()).any(Error::ends_connection) {
            lane.drop(number).await;
        }
        Ok(each)
    }
}
