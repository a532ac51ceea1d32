//! The models that a pipeline knows, which of them speaks, and which are asked beside it. Their files are artifacts; here they are names.

use domain::Timestamp;

/// The models of one pipeline. Counts its own changes, beside those of the deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Models {
    /// The pipeline's id.
    pub pipeline: String,
    /// Counts the changes, from 1.
    pub revision: u64,
    /// Those that are kept, in the order in which they came.
    pub known: Vec<KnownModel>,
    /// The digest of the one that speaks; none for the estimates that need no model.
    pub champion: Option<String>,
    /// The digests of those that are asked beside it and never speak, in the order in which they were chosen.
    pub challengers: Vec<String>,
    /// Who spoke before, the latest one last.
    pub before: Vec<Option<String>>,
    /// When it was decided.
    pub at: Timestamp,
}

/// A model that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownModel {
    /// Of the package.
    pub digest: String,
    /// The same for all versions.
    pub name: String,
    /// Which version.
    pub version: String,
    /// The public key that its signature was found to be of.
    pub key: String,
    /// When it came.
    pub added_at: Timestamp,
    /// Who brought it: a role or a person.
    pub added_by: String,
}

impl Models {
    /// Nothing is known of any model, and nobody has decided anything.
    pub fn none(pipeline: &str) -> Self {
        let (pipeline, at) = (pipeline.to_owned(), Timestamp(0));
        let (known, challengers, before) = (Vec::new(), Vec::new(), Vec::new());
        Self { pipeline, revision: 0, known, champion: None, challengers, before, at }
    }

    /// A model that is kept.
    pub fn known(&self, digest: &str) -> Option<&KnownModel> {
        self.known.iter().find(|known| known.digest == digest)
    }
}
