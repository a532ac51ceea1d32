//! A prediction as its record says it. The counterpart of `scorer::Prediction`, for readers of another version, too: members that are
//! not known are passed over, and those that an older scorer did not write have the value that it meant.

use domain::Timestamp;
use pipeline::Case;
use scoring::{LEVELS, Slot};
use serde::Deserialize;

/// What was said of one case at one instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// Names the prediction.
    pub id: String,
    /// Key of the case.
    pub key: String,
    /// Name of the stage that made it fall due, or `time`.
    pub trigger: String,
    /// The last stage that the case had reached.
    pub stage: Option<usize>,
    /// When.
    pub at: Timestamp,
    /// The seconds that were left, at each of [`LEVELS`].
    pub left: [f64; 4],
    /// The same before anything was applied.
    pub said: [f64; 4],
    /// What was promised.
    pub promise_at: Timestamp,
    /// Of the model that was asked.
    pub digest: Option<String>,
    /// Why it is not the model that speaks.
    pub degraded: Option<String>,
    /// Where.
    pub area: Option<String>,
    /// The adjustments that were applied, and what they added.
    pub corrector: Option<String>,
    /// In seconds.
    pub corrector_seconds: f64,
    /// The calibration that was applied.
    pub calibration: Option<String>,
}

/// The members that have the same name in every pipeline.
#[derive(Deserialize)]
struct Members {
    id: String,
    trigger: String,
    stage: Option<String>,
    at: String,
    promise_at: String,
    p10: f64,
    p50: f64,
    p80: f64,
    p90: f64,
    said: Option<[f64; 4]>,
    digest: Option<String>,
    degraded: Option<String>,
    area: Option<String>,
    corrector: Option<String>,
    #[serde(default)]
    corrector_seconds: f64,
    calibration: Option<String>,
}

impl Said {
    /// Reads a record of a case with this key; none when it is no prediction.
    pub fn read(case: &Case, key: &[u8], value: &[u8]) -> Option<Self> {
        const { assert!(LEVELS.len() == 4, "the members are named by level") };
        let members: Members = serde_json::from_slice(value).ok()?;
        let left = [members.p10, members.p50, members.p80, members.p90];
        let said = members.said.unwrap_or(left);
        let is_sound = left.iter().chain(&said).all(|seconds| seconds.is_finite()) && members.corrector_seconds.is_finite();
        let stage = |name: &str| case.stages.iter().position(|stage| stage.name == name);
        is_sound.then_some(Self {
            id: members.id,
            key: String::from_utf8(key.to_vec()).ok()?,
            trigger: members.trigger,
            stage: members.stage.as_deref().and_then(stage),
            at: Timestamp::parse(&members.at)?,
            left,
            said,
            promise_at: Timestamp::parse(&members.promise_at)?,
            digest: members.digest,
            degraded: members.degraded,
            area: members.area,
            corrector: members.corrector,
            corrector_seconds: members.corrector_seconds,
            calibration: members.calibration,
        })
    }

    /// Who spoke when; none when nobody knows.
    pub fn slot(&self, case: &Case) -> Option<Slot> {
        Slot::new(case, self.digest.as_deref(), self.degraded.as_deref(), self.stage)
    }
}
