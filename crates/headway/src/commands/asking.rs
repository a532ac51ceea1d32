//! Who answers a question about a folder: the process that holds it, or the folder itself, opened for the answer.

use std::{path::Path, sync::Arc, time::Duration};

use crate::{
    failure::Failure,
    host::{
        Host, Options,
        control::{Answer, Client, Request, answer},
    },
};

/// How long a stopped folder may take until it can answer.
const PATIENCE: Duration = Duration::from_secs(120);

/// Who answers.
pub(super) enum Asking {
    Running(Client),
    /// Nobody held the folder.
    Opened(Arc<Host>),
}

impl Asking {
    pub(super) async fn of(folder: &Path) -> Result<Self, Failure> {
        if let Some(client) = Client::connect(folder).await {
            return Ok(Self::Running(client));
        }
        if !folder.join("log").is_dir() {
            let folder = folder.display();
            return Err(Failure::failed(format!(
                "{folder} holds nothing yet: start `headway run` first, or name another --folder."
            )));
        }
        let host = Host::open(Options::of_stopped(folder)).await?;
        host.settled(PATIENCE).await?;
        Ok(Self::Opened(host))
    }

    pub(super) async fn ask(&mut self, request: Request) -> Result<Answer, Failure> {
        match self {
            Self::Running(client) => client.ask(&request).await,
            Self::Opened(host) => answer(host, request).await,
        }
    }

    pub(super) async fn close(self) -> Result<(), Failure> {
        match self {
            Self::Opened(host) => host.stop().await,
            Self::Running(_) => Ok(()),
        }
    }
}

/// An answer that does not fit its question: the other process is of another version.
pub(super) fn unexpected(answer: &Answer) -> Failure {
    Failure::failed(format!("an answer to another question came: {answer:?}"))
}
