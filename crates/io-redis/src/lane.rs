//! One connection that comes back by itself. Never waits longer than the settings say.

use redis::{Pipeline, Value, aio::MultiplexedConnection};
use tokio::{sync::Mutex, time::timeout};

use crate::{Error, dial::Dial, dial::Endpoint};

/// Opened when it is needed, dropped when it fails.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    live: Mutex<Live>,
}

#[derive(Debug, Default)]
struct Live {
    connection: Option<MultiplexedConnection>,
    /// Which of the connections so far: whoever saw an older one fail must not drop its successor.
    number: u64,
}

impl Lane {
    /// Sends the commands in one go and returns an answer for each, errors of single commands included; and the number of the
    /// connection that they came by. When the connection was cut they are sent once more by another one: servers and what is between
    /// cut those that were idle, and whatever is sent here may be repeated.
    pub(crate) async fn request(
        &self,
        dial: &Dial,
        endpoint: &Endpoint,
        pipeline: &Pipeline,
    ) -> Result<(Vec<Value>, u64), Error> {
        let (connection, number, is_new) = self.connection(dial, endpoint).await?;
        match self.send(dial, endpoint, connection, number, pipeline).await {
            Err(Error::Unreachable { .. }) if !is_new => {
                let (connection, number, _) = self.connection(dial, endpoint).await?;
                Ok((self.send(dial, endpoint, connection, number, pipeline).await?, number))
            }
            sent => Ok((sent?, number)),
        }
    }

    async fn send(
        &self,
        dial: &Dial,
        endpoint: &Endpoint,
        mut connection: MultiplexedConnection,
        number: u64,
        pipeline: &Pipeline,
    ) -> Result<Vec<Value>, Error> {
        match connection.send_packed_commands(pipeline, 0, pipeline.len()).await {
            Ok(values) => Ok(values),
            Err(source) => {
                // Whatever it was: its answers may no longer be in step with what was asked.
                self.drop(number).await;
                Err(dial.unanswered(&endpoint.label(), source))
            }
        }
    }

    /// The next request opens another one.
    pub(crate) async fn drop(&self, number: u64) {
        let mut live = self.live.lock().await;
        if live.number == number {
            live.connection = None;
        }
    }

    /// A connection, its number, and whether it was opened for this request.
    async fn connection(&self, dial: &Dial, endpoint: &Endpoint) -> Result<(MultiplexedConnection, u64, bool), Error> {
        let within = dial.settings().connect_within;
        // Others may be trying, one after the other, each for as long as it may take.
        let Ok(mut live) = timeout(within, self.live.lock()).await else {
            return Err(Error::Slow { at: endpoint.label(), what: "connect", within_ms: within.as_millis() });
        };
        if let Some(connection) = &live.connection {
            return Ok((connection.clone(), live.number, false));
        }
        let connection = dial.connect(endpoint).await?;
        live.number += 1;
        live.connection = Some(connection.clone());
        Ok((connection, live.number, true))
    }
}
