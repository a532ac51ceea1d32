//! Forgetting the vectors of a generation: page by page through the keys of each node, so that a server never stands still for it.

use std::sync::Arc;

use futures_util::future::try_join_all;
use ports::Serving;

use crate::{
    Error,
    library::Task,
    map::{Map, Maps, Place},
    names::Names,
    node::Call,
    reply,
};

/// Keys that one page looks at: about half a millisecond of a server.
const PAGE_KEYS: usize = 500;
/// Keys that move to another node while its pages are turned may be missed, so everything is looked at once more; a cluster that is
/// changed for longer than three times through is told to be.
const TURNS_MAX: usize = 3;

/// All vectors of the generation of a group.
pub(crate) async fn forget(maps: &Maps, names: &Names, serving: &Serving) -> Result<(), Error> {
    let field = Names::field(&serving.group, serving.generation);
    for _ in 0..TURNS_MAX {
        let map = maps.get().await?;
        let pages = map.places.iter().map(|place| pages(place, names, &field));
        try_join_all(pages).await.inspect_err(|error| doubt(maps, error))?;
        if same(&map, &maps.get().await?) {
            return Ok(());
        }
    }
    Err(Error::Away { at: "the cluster".into(), why: "slots move while a generation is being forgotten".into() })
}

async fn pages(place: &Place, names: &Names, field: &str) -> Result<(), Error> {
    let mut cursor = "0".to_owned();
    loop {
        let arguments = [cursor, names.every_key(), PAGE_KEYS.to_string(), field.to_owned()];
        let call = Call { task: Task::Forget, arguments: arguments.map(String::into_bytes).into() };
        let answer = place.node.call(&[call]).await?.pop().unwrap_or(redis::Value::Nil);
        cursor = reply::text(place.node.at(), answer)?;
        if cursor == "0" {
            return Ok(());
        }
    }
}

fn doubt(maps: &Maps, error: &Error) {
    if error.doubts_map() {
        maps.doubt();
    }
}

/// Whether every node still has the slots that it had.
fn same(before: &Arc<Map>, after: &Arc<Map>) -> bool {
    let slots = |map: &Map| {
        let mut slots: Vec<String> = map.places.iter().map(|place| format!("{} {}", place.node.at(), place.slots)).collect();
        slots.sort_unstable();
        slots
    };
    Arc::ptr_eq(before, after) || slots(before) == slots(after)
}
