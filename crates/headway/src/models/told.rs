//! What is told about models: a decision that was made, and what is kept, for people and for programs.

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
    /// Who spoke until then.
    pub(crate) before: Option<String>,
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
    /// How often it has begun to ask another one.
    pub(crate) switched: u64,
    /// How often one could not be loaded.
    pub(crate) failed: u64,
}

impl Chosen {
    /// In one line, for the trail.
    pub(crate) fn words(&self) -> String {
        let now = named(&self.models, self.models.champion.as_deref());
        format!("{now} speaks, in place of {}", named(&self.models, self.before.as_deref()))
    }

    pub(crate) fn object(&self, voice: Option<&Voice>) -> Value {
        json!({
            "pipeline": self.models.pipeline,
            "changed": self.changed,
            "revision": self.models.revision,
            "model": self.models.champion.as_deref().map(|digest| object(&self.models, digest)),
            "before": self.before.as_deref().map(|digest| object(&self.models, digest)),
            "process": voice.map(process),
        })
    }

    /// For a person; `voice` is that of the process that runs.
    pub(crate) fn text(&self, voice: Option<&Voice>) -> String {
        let models = &self.models;
        let now = named(models, models.champion.as_deref());
        let mut text = match self.changed {
            true => format!("{now} speaks for {}\n  before  {}\n", models.pipeline, named(models, self.before.as_deref())),
            false => format!("{now} speaks for {} already; nothing was changed\n", models.pipeline),
        };
        text.push_str(&match voice {
            None => "  now     no process runs in this folder: it is so from the next start on\n".to_owned(),
            Some(Voice { fault: Some(fault), .. }) => format!("  now     NOT in the process that runs here: {fault}\n"),
            Some(_) => "  now     it is so in the process that runs here\n".to_owned(),
        });
        if self.changed {
            text.push_str("  back    headway models use --back\n");
        }
        text
    }
}

/// Everything that is kept, for a program.
pub(crate) fn list_object(models: &Models, voice: Option<&Voice>) -> Value {
    json!({
        "pipeline": models.pipeline,
        "revision": models.revision,
        "champion": models.champion,
        "since": (models.revision > 0).then(|| models.at.to_string()),
        "before": models.before.iter().rev().collect::<Vec<_>>(),
        "models": models.known.iter().rev().map(|known| object(models, &known.digest)).collect::<Vec<Value>>(),
        "process": voice.map(process),
    })
}

/// The same for a person, the newest first.
pub(crate) fn list_text(models: &Models, voice: Option<&Voice>) -> String {
    let mut text = format!("{}: {} speaks", models.pipeline, named(models, models.champion.as_deref()));
    if models.revision > 0 {
        text.push_str(&format!(", since {}", models.at));
    }
    text.push('\n');
    if let Some(Voice { fault: Some(fault), digest, .. }) = voice {
        text.push_str(&format!("In the process that runs here {} speaks: {fault}\n", named(models, digest.as_deref())));
    }
    if models.known.is_empty() {
        return text + "No model is kept: `headway models use FOLDER` brings one.\n";
    }
    let row = |known: &KnownModel| {
        let speaks = if models.champion.as_ref() == Some(&known.digest) { "speaks" } else { "" };
        let (added, by) = (known.added_at.to_string(), plain_line(&known.added_by));
        vec![speaks.to_owned(), known.name.clone(), known.version.clone(), short(&known.digest).to_owned(), added, by]
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

fn process(voice: &Voice) -> Value {
    let Voice { digest, fault, switched, failed } = voice;
    json!({ "digest": digest, "fault": fault, "switched": switched, "failed": failed })
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
