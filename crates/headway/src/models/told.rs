//! What is told about models: a decision that was made, and what is kept, for people and for programs.

use std::collections::BTreeMap;

use ports::{KnownModel, Models};
use serde_json::{Value, json};

use crate::{plain::plain_line, table::table};

/// As many digits of a digest as are told apart at a glance, and more than enough for `models use`.
const DIGEST_SHOWN: usize = 12;
/// Who speaks where no model does.
const NOBODY: &str = "no model";

/// What was decided.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    /// As it is now.
    pub(crate) models: Models,
    /// As it was until then.
    pub(crate) before: Models,
    /// Whether that changed anything.
    pub(crate) changed: bool,
}

/// What a running process makes of what was decided.
#[derive(Clone, Debug, Default)]
pub(crate) struct Voice {
    /// The digest of the model that it asks; none for the estimates that need none.
    pub(crate) digest: Option<String>,
    /// Why it does not ask the one that was decided for.
    pub(crate) fault: Option<String>,
    /// The digests of the challengers that it asks.
    pub(crate) challengers: Vec<String>,
    /// Why it does not ask others, by digest.
    pub(crate) refused: BTreeMap<String, String>,
    /// How often it has begun to ask another one.
    pub(crate) switched: u64,
    /// How often one could not be loaded or was refused, by what is wrong with it.
    pub(crate) failed: BTreeMap<&'static str, u64>,
}

impl Chosen {
    /// In one line, for the trail.
    pub(crate) fn words(&self) -> String {
        let Self { models, before, .. } = self;
        let mut words = Vec::new();
        if models.champion != before.champion {
            words.push(format!("{} speaks, in place of {}", champion(models), champion(before)));
        }
        let joined = |these: &Models, those: &Models, does: &str| {
            let others = these.challengers.iter().filter(|digest| !those.challengers.contains(digest));
            others.map(|digest| format!("{} {does}", named(models, Some(digest)))).collect::<Vec<String>>()
        };
        words.extend(joined(models, before, &format!("challenges {}", champion(models))));
        words.extend(joined(before, models, "challenges nobody any longer"));
        if words.is_empty() {
            // Somebody else has signed what is known already.
            words.push(format!("{} speaks, as before", champion(models)));
        }
        words.join("; ")
    }

    pub(crate) fn object(&self, voice: Option<&Voice>) -> Value {
        let Self { models, before, changed } = self;
        json!({
            "pipeline": models.pipeline,
            "changed": changed,
            "revision": models.revision,
            "model": models.champion.as_deref().map(|digest| object(models, digest)),
            "before": before.champion.as_deref().map(|digest| object(models, digest)),
            "challengers": challengers(models),
            "process": voice.map(process),
        })
    }

    /// For a person; `voice` is that of the process that runs.
    pub(crate) fn text(&self, voice: Option<&Voice>) -> String {
        let Self { models, before, changed } = self;
        let begin = match changed {
            true if models.champion == before.champion => format!("{}: {}\n", models.pipeline, self.words()),
            true => format!("{} speaks for {}\n  before  {}\n", champion(models), models.pipeline, champion(before)),
            false => format!("{} speaks for {} already; nothing was changed\n", champion(models), models.pipeline),
        };
        let beside = match &models.challengers[..] {
            [] => String::new(),
            some => {
                let names: Vec<String> = some.iter().map(|digest| named(models, Some(digest))).collect();
                format!("  beside  {}\n", names.join(", "))
            }
        };
        let now = match voice {
            None => "  now     no process runs in this folder: it is so from the next start on\n".to_owned(),
            Some(Voice { fault: Some(fault), .. }) => format!("  now     NOT in the process that runs here: {fault}\n"),
            Some(voice) => match voice.refused.values().next() {
                Some(fault) => format!("  now     it is so in the process that runs here, but for one: {fault}\n"),
                None => "  now     it is so in the process that runs here\n".to_owned(),
            },
        };
        let back = if models.champion == before.champion { "" } else { "  back    headway models use --back\n" };
        begin + &beside + &now + back
    }
}

/// Everything that is kept, for a program.
pub(crate) fn list_object(models: &Models, voice: Option<&Voice>) -> Value {
    json!({
        "pipeline": models.pipeline,
        "revision": models.revision,
        "champion": models.champion,
        "challengers": models.challengers,
        "since": (models.revision > 0).then(|| models.at.to_string()),
        "before": models.before.iter().rev().collect::<Vec<_>>(),
        "models": models.known.iter().rev().map(|known| object(models, &known.digest)).collect::<Vec<Value>>(),
        "process": voice.map(process),
    })
}

/// The same for a person, the newest first.
pub(crate) fn list_text(models: &Models, voice: Option<&Voice>) -> String {
    let mut text = format!("{}: {} speaks", models.pipeline, champion(models));
    if models.revision > 0 {
        text.push_str(&format!(", since {}", models.at));
    }
    text.push('\n');
    if let Some(Voice { fault: Some(fault), digest, .. }) = voice {
        text.push_str(&format!("In the process that runs here {} speaks: {fault}\n", named(models, digest.as_deref())));
    }
    for fault in voice.iter().flat_map(|voice| voice.refused.values()) {
        text.push_str(&format!("Not so in the process that runs here: {fault}\n"));
    }
    if models.known.is_empty() {
        return text + "No model is kept: `headway models use FOLDER` brings one.\n";
    }
    let row = |known: &KnownModel| {
        let does = match &known.digest {
            digest if models.champion.as_ref() == Some(digest) => "speaks",
            digest if models.challengers.contains(digest) => "challenges",
            _ => "",
        };
        let (added, by) = (known.added_at.to_string(), plain_line(&known.added_by));
        vec![does.to_owned(), known.name.clone(), known.version.clone(), short(&known.digest).to_owned(), added, by]
    };
    let rows: Vec<Vec<String>> = models.known.iter().rev().map(row).collect();
    text.push_str(&format!("\n{}", table(&["", "model", "version", "digest", "added", "by"], &rows)));
    if let Some(before) = models.before.last() {
        text.push_str(&format!("\n`headway models use --back` returns to {}.\n", named(models, before.as_deref())));
    }
    text
}

fn object(models: &Models, digest: &str) -> Value {
    let mut object = json!({ "digest": digest });
    if let Some(known) = models.known(digest) {
        object = json!({
            "digest": digest, "name": known.name, "version": known.version, "key": known.key,
            "added_at": known.added_at.to_string(), "added_by": known.added_by,
        });
    }
    object
}

fn challengers(models: &Models) -> Vec<Value> {
    models.challengers.iter().map(|digest| object(models, digest)).collect()
}

fn process(voice: &Voice) -> Value {
    let Voice { digest, fault, challengers, refused, switched, failed } = voice;
    json!({
        "digest": digest, "fault": fault, "challengers": challengers, "refused": refused, "switched": switched,
        "failed": failed.values().sum::<u64>(),
    })
}

fn champion(models: &Models) -> String {
    named(models, models.champion.as_deref())
}

/// A model by name, version and the begin of its digest.
pub(crate) fn named(models: &Models, digest: Option<&str>) -> String {
    let Some(digest) = digest else { return NOBODY.to_owned() };
    match models.known(digest) {
        Some(known) => format!("{} {} ({})", known.name, known.version, short(digest)),
        None => format!("the model {}", short(digest)),
    }
}

fn short(digest: &str) -> &str {
    digest.get(..DIGEST_SHOWN).unwrap_or(digest)
}
