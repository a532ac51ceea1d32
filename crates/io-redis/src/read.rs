//! Reading vectors: one question for each run of keys of one entity, all of a node in one go, all nodes at once. Keys whose slot
//! is on its way to another node are asked for once more, there.

use futures_util::future::try_join_all;
use ports::VectorKey;
use redis::{Cmd, Pipeline, Value};

use crate::{Error, batch::TRAILER_BYTES, map::Map, names::Names, node::Node, reply};

/// Neighbours among the keys that are asked for of one entity, and where their answers go.
struct Run {
    first: usize,
    count: usize,
}

/// One answer for each key.
pub(crate) async fn read(map: &Map, names: &Names, keys: &[VectorKey<'_>]) -> Result<Vec<Option<Vec<u8>>>, Error> {
    let mut pipelines: Vec<Pipeline> = map.places.iter().map(|_| Pipeline::new()).collect();
    let mut runs: Vec<Vec<Run>> = map.places.iter().map(|_| Vec::new()).collect();
    let mut key = Vec::with_capacity(64);
    let mut first = 0;
    for neighbours in keys.chunk_by(|left, right| (left.entity, left.key) == (right.entity, right.key)) {
        key.clear();
        names.key(&mut key, &neighbours[0]);
        let place = map.place(&key)?;
        let mut command = Cmd::with_capacity(neighbours.len() + 2, key.len() + 32 * neighbours.len());
        command.arg("HMGET").arg(&key[..]);
        for neighbour in neighbours {
            command.arg(Names::field(neighbour.group, neighbour.generation));
        }
        pipelines[place].add_command(command);
        runs[place].push(Run { first, count: neighbours.len() });
        first += neighbours.len();
    }
    let asked = pipelines.iter().zip(&map.places).zip(&runs).filter(|(_, runs)| !runs.is_empty());
    let answers = asked.map(|((pipeline, place), runs)| async move {
        let mut answers = Vec::with_capacity(runs.len());
        for (answer, command) in place.node.read_each(pipeline).await?.into_iter().zip(pipeline.cmd_iter()) {
            answers.push(match answer {
                Err(Error::Moved { ask: Some(host), at, why }) => {
                    let elsewhere = map.node(&host).ok_or(Error::Moved { at, why, ask: None })?;
                    elsewhere_asked(elsewhere, command).await?
                }
                answer => answer?,
            });
        }
        Ok((place.node.at(), runs, answers))
    });
    let mut found = vec![None; keys.len()];
    for (at, runs, answers) in try_join_all(answers).await? {
        for (run, answer) in runs.iter().zip(answers) {
            let values = reply::list(at, answer)?;
            for (slot, value) in found[run.first..run.first + run.count].iter_mut().zip(values) {
                *slot = vector(at, value)?;
            }
        }
    }
    Ok(found)
}

/// Of a node to which the slot of the key is on its way.
async fn elsewhere_asked(node: &Node, command: &Cmd) -> Result<Value, Error> {
    let mut pipeline = Pipeline::new();
    pipeline.cmd("ASKING").add_command(command.clone());
    Ok(node.read(&pipeline).await?.pop().unwrap_or(Value::Nil))
}

/// Without what was written after it.
pub(crate) fn vector(at: &str, value: Value) -> Result<Option<Vec<u8>>, Error> {
    if value == Value::Nil {
        return Ok(None);
    }
    let mut bytes = reply::bytes(at, value)?;
    bytes.truncate(bytes.len().saturating_sub(TRAILER_BYTES));
    Ok(Some(bytes))
}
