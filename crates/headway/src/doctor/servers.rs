//! Servers in place of embedded parts: whether they answer, and whether they are as Headway needs them.
//!
//! A server is a file beside this one, and a line in each of the two lists.

use io_folder::FolderArtifacts;
use ports::Deployment;

use super::{Finding, Level, kafka, redis};
use crate::settings::Servers;

/// What findings about servers are called.
pub(super) const SUBJECTS: [&str; 3] = [kafka::SUBJECT, kafka::TOPICS, redis::SUBJECT];

/// Nothing where no server is named.
pub(super) async fn findings(servers: &Servers, deployments: &[Deployment], artifacts: Option<&FolderArtifacts>) -> Vec<Finding> {
    let mut findings = kafka::findings(servers, deployments, artifacts).await;
    findings.extend(redis::findings(servers, deployments).await);
    findings
}

/// Something that an adapter says in one sentence: what is so, a colon, what to do.
pub(super) fn split(subject: &str, level: Level, sentence: &str) -> Finding {
    let (says, todo) = match sentence.rsplit_once(": ") {
        Some((says, todo)) => (says, Some(format!("{}.", capitalised(todo.trim_end_matches('.'))))),
        None => (sentence, None),
    };
    Finding { level, todo, ..Finding::ok(subject, says) }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_do_follows_the_last_colon() {
        let finding = split("redis", Level::Warning, "Redis at h:1 has too little: raise `maxmemory`");
        assert_eq!((&*finding.says, finding.todo.as_deref()), ("Redis at h:1 has too little", Some("Raise `maxmemory`.")));
    }
}
