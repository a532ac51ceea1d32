//! Some entities of a group, for people who look: page by page through the keys, and no further than a bound. Never for readers who
//! are in a hurry.

use ports::Serving;
use redis::{Cmd, Pipeline};

use crate::{
    Error,
    map::{Map, Place},
    names::Names,
    read::vector,
    reply,
};

/// Keys that one page looks at: about half a millisecond of a server.
const PAGE_KEYS: usize = 500;
/// Pages after which the search ends, however little was found: a screen waits for it.
const PAGES_MAX: usize = 40;

/// Keys and vectors, at most so many, in no order.
pub(crate) async fn sample(
    map: &Map,
    names: &Names,
    entity: &str,
    serving: &Serving,
    most: usize,
) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let mut found = Vec::new();
    for place in &map.places {
        of_node(place, names, entity, serving, most, &mut found).await?;
    }
    Ok(found)
}

async fn of_node(
    place: &Place,
    names: &Names,
    entity: &str,
    serving: &Serving,
    most: usize,
    found: &mut Vec<(String, Vec<u8>)>,
) -> Result<(), Error> {
    let at = place.node.at();
    let begin = names.beginning(entity);
    let mut cursor = "0".to_owned();
    for _ in 0..PAGES_MAX {
        let mut scan = Cmd::new();
        scan.arg("SCAN").arg(&cursor).arg("MATCH").arg(pattern(&begin)).arg("COUNT").arg(PAGE_KEYS);
        let mut pipeline = Pipeline::new();
        pipeline.add_command(scan);
        let answer = place.node.read(&pipeline).await?.pop().unwrap_or(redis::Value::Nil);
        let mut parts = reply::list(at, answer)?.into_iter();
        cursor = reply::text(at, parts.next().unwrap_or(redis::Value::Nil))?;
        let mut keys = Vec::new();
        for key in reply::list(at, parts.next().unwrap_or(redis::Value::Nil))? {
            keys.push(reply::bytes(at, key)?);
        }
        found.extend(values(place, &keys, &begin, serving).await?);
        if found.len() >= most || cursor == "0" {
            break;
        }
    }
    found.truncate(most);
    Ok(())
}

async fn values(place: &Place, keys: &[Vec<u8>], begin: &str, serving: &Serving) -> Result<Vec<(String, Vec<u8>)>, Error> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let mut pipeline = Pipeline::new();
    for key in keys {
        pipeline.cmd("HGET").arg(&key[..]).arg(Names::field(&serving.group, serving.generation));
    }
    let mut found = Vec::new();
    for (key, value) in keys.iter().zip(place.node.read(&pipeline).await?) {
        let name = key.strip_prefix(begin.as_bytes()).and_then(|rest| rest.strip_suffix(b"}"));
        if let (Some(name), Some(packed)) = (name, vector(place.node.at(), value)?) {
            found.push((String::from_utf8_lossy(name).into_owned(), packed));
        }
    }
    Ok(found)
}

/// What matches every key that begins so, whatever signs there are in it.
fn pattern(begin: &str) -> String {
    let mut pattern = String::with_capacity(begin.len() + 8);
    for sign in begin.chars() {
        if ['*', '?', '[', ']', '\\'].contains(&sign) {
            pattern.push('\\');
        }
        pattern.push(sign);
    }
    pattern.push('*');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_of_a_pattern_stand_for_themselves() {
        assert_eq!(pattern("p:{a*[b]:"), r"p:{a\*\[b\]:*");
    }
}
