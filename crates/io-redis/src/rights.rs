//! Which commands a user may not run. Each is asked in a form that changes nothing whatever is answered: of a key that is never there,
//! or with an argument that makes no sense, which a server finds out only after it has looked at the user's rights.

use redis::Pipeline;

use crate::{Error, names::Names, node::Node};

/// What calls of the library do inside of it, and what is asked beside it.
fn always(key: &str) -> Vec<Vec<&str>> {
    vec![
        vec!["hget", key, "f"],
        vec!["hmget", key, "f"],
        vec!["hgetall", key],
        vec!["hdel", key, "f"],
        vec!["pttl", key],
        vec!["expireat", key, "1"],
        // A value is missing.
        vec!["hset", key, "f", "v", "g"],
        vec!["scan", "0", "count", "1"],
        vec!["time"],
        vec!["info", "replication"],
    ]
}

/// Two ways to have a library; one of them is enough.
const FUNCTIONS: [&[&str]; 2] = [&["fcall", "nowhere", "0"], &["function", "load", "nothing"]];
const SCRIPTS: [&[&str]; 2] = [&["evalsha", "0000000000000000000000000000000000000000", "0"], &["script", "load", "("]];

/// The commands that are missing, as an access list spells them.
pub(crate) async fn missing(node: &Node, names: &Names) -> Result<Vec<String>, Error> {
    let key = names.nowhere();
    let always = always(&key);
    let mut missing = refused(node, &always.iter().map(|words| &words[..]).collect::<Vec<_>>()).await?;
    let functions = if node.uses_scripts() { Vec::new() } else { refused(node, &FUNCTIONS).await? };
    if (node.uses_scripts() || !functions.is_empty()) && !refused(node, &SCRIPTS).await?.is_empty() {
        missing.extend(functions);
    }
    Ok(missing)
}

async fn refused(node: &Node, commands: &[&[&str]]) -> Result<Vec<String>, Error> {
    let mut pipeline = Pipeline::new();
    for words in commands {
        pipeline.cmd(words[0]).arg(&words[1..]);
    }
    let answers = node.read_each(&pipeline).await?;
    let is_refused = |answer: &Result<_, Error>| matches!(answer, Err(Error::Denied { why, .. }) if why.starts_with("NOPERM"));
    let refused = commands.iter().zip(&answers).filter(|(_, answer)| is_refused(answer));
    Ok(refused.map(|(words, _)| name(words)).collect())
}

fn name(words: &[&str]) -> String {
    let container = ["function", "script"].contains(&words[0]);
    if container { format!("{}|{}", words[0], words[1]) } else { words[0].to_owned() }
}
