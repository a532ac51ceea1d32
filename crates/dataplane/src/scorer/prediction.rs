//! A prediction as it goes out: one JSON object for each trigger, under the key of its case. Its id is the same whoever makes it, and
//! however often: the case, what triggered it, and who said it.

use bytes::Bytes;
use domain::{Span, Timestamp};
use pipeline::Case;
use ports::Outgoing;
use scoring::{Applied, OUTPUTS, Package, Quantiles, Read};
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_128;

use super::Trigger;
use crate::json::quoted;

/// What only a prediction has.
const PROMISE: &str = "promise_at";

/// What is said of one case at one instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// Key of the case.
    pub key: String,
    /// Why it is made.
    pub trigger: Trigger,
    /// The last stage that the case has reached.
    pub stage: Option<usize>,
    /// When it was made, by the clock of the log.
    pub at: Timestamp,
    /// Where; empty when the case has no area.
    pub area: String,
    /// The time that is left from then on.
    pub left: Quantiles,
    /// What the model or the fallback said, before what outcomes have taught was applied.
    pub said: Quantiles,
    /// What was applied.
    pub applied: Applied,
    /// What is promised.
    pub promise_at: Timestamp,
    /// The model that was asked; none when there is none.
    pub model: Option<Model>,
    /// Why it is not the model that speaks.
    pub degraded: Option<String>,
    /// What was read for it.
    pub read: Read,
}

/// Which model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// The same for all versions.
    pub name: String,
    /// Which version.
    pub version: String,
    /// Of the package.
    pub digest: String,
}

impl Model {
    /// Names the model of a package.
    pub fn of(package: &Package) -> Self {
        let manifest = package.manifest();
        Self { name: manifest.name.clone(), version: manifest.version.clone(), digest: package.digest().to_string() }
    }
}

impl Prediction {
    /// Names it: 32 hexadecimal digits.
    pub fn id(&self) -> String {
        format!("{:032x}", self.number())
    }

    /// The same as a number.
    pub fn number(&self) -> u128 {
        let trigger = match self.trigger {
            Trigger::Reached { stage, identity } => format!("stage {stage} {identity:032x}"),
            Trigger::Time(at) => format!("time {}", at.0),
        };
        let digest = self.model.as_ref().map_or("", |model| &model.digest);
        // The key comes last, since it may be any text.
        xxh3_128(format!("{trigger} {digest} {}", self.key).as_bytes())
    }

    /// When the last stage is expected: the median.
    pub fn arrives_at(&self) -> Timestamp {
        let [_, median, ..] = self.left.seconds();
        self.at.plus(Span((median * 1000.0).round() as i64))
    }

    /// The record of it.
    pub fn outgoing(&self, case: &Case, topic: Arc<str>, partition: u32) -> Outgoing {
        let key = Bytes::copy_from_slice(self.key.as_bytes());
        Outgoing { topic, partition, key, value: self.json(case).into(), headers: Vec::new() }
    }

    /// As an object of JSON.
    pub fn json(&self, case: &Case) -> String {
        object(&self.members(case))
    }

    /// The same for what a challenger says in the place of the prediction with this id: nothing is promised by it.
    pub(super) fn shadow_json(&self, of: &str, case: &Case) -> String {
        let mut members = self.members(case);
        members.retain(|(name, _)| *name != PROMISE);
        members.insert(1, ("prediction", quoted(of)));
        object(&members)
    }

    fn members<'c>(&self, case: &'c Case) -> Vec<(&'c str, String)> {
        let stage = |stage: usize| quoted(&case.stages[stage].name);
        let text = |text: Option<&str>| text.map_or("null".to_owned(), quoted);
        let trigger = match self.trigger {
            Trigger::Reached { stage: reached, .. } => stage(reached),
            Trigger::Time(_) => quoted("time"),
        };
        let seconds = self.left.seconds();
        let mut members = vec![
            ("id", quoted(&self.id())),
            (&*case.entity, quoted(&self.key)),
            ("trigger", trigger),
            ("stage", self.stage.map_or("null".to_owned(), stage)),
            ("at", quoted(&self.at.to_string())),
            ("arrives_at", quoted(&self.arrives_at().to_string())),
            (PROMISE, quoted(&self.promise_at.to_string())),
        ];
        members.extend(OUTPUTS.into_iter().zip(seconds).map(|(name, seconds)| (name, format!("{seconds:.1}"))));
        let model = self.model.as_ref();
        let said: Vec<String> = self.said.seconds().iter().map(|seconds| format!("{seconds:.1}")).collect();
        let [corrector, calibration] = [self.applied.corrector, self.applied.calibration].map(|id| id.map(|id| id.to_string()));
        let as_of = self.read.as_of.map(|at| at.to_string());
        members.extend([
            ("model", text(model.map(|model| &*model.name))),
            ("version", text(model.map(|model| &*model.version))),
            ("digest", text(model.map(|model| &*model.digest))),
            ("degraded", text(self.degraded.as_deref())),
            ("area", text(Some(&*self.area).filter(|area| !area.is_empty()))),
            ("said", format!("[{}]", said.join(","))),
            ("corrector", text(corrector.as_deref())),
            ("corrector_seconds", format!("{:.1}", self.applied.seconds)),
            ("calibration", text(calibration.as_deref())),
            ("features_as_of", text(as_of.as_deref())),
            ("oldest_feature_seconds", self.read.oldest.map_or("null".to_owned(), |age| format!("{:.3}", age.0 as f64 / 1000.0))),
        ]);
        members
    }
}

fn object(members: &[(&str, String)]) -> String {
    let members: Vec<String> = members.iter().map(|(name, value)| format!("{}:{value}", quoted(name))).collect();
    format!("{{{}}}", members.join(","))
}

#[cfg(test)]
mod tests {
    use pipeline::Move;
    use scoring::StateId;

    use super::*;

    fn case() -> Case {
        let stage = |name: &str| Move { name: name.into(), source: 0, filter: None, key: 0 };
        Case { entity: "order".into(), stages: ["placed", "delivered"].map(stage).into(), ..Case::default() }
    }

    fn prediction() -> Prediction {
        let quantiles = |seconds| Quantiles::rearranged(seconds).expect("numbers");
        let left = quantiles([600.0, 900.04, 1200.0, 1500.0]);
        Prediction {
            key: "o\"1".into(),
            trigger: Trigger::Reached { stage: 0, identity: 7 },
            stage: Some(0),
            at: Timestamp(1_795_348_800_000),
            area: "a1".into(),
            left,
            said: quantiles([500.0, 800.0, 1100.0, 1400.0]),
            applied: Applied { left, seconds: 95.0, corrector: Some(StateId(10)), calibration: None },
            promise_at: Timestamp(1_795_350_000_000),
            model: None,
            degraded: Some("store".into()),
            read: Read { as_of: Some(Timestamp(1_795_348_799_500)), oldest: Some(Span(500)), ..Read::default() },
        }
    }

    #[test]
    fn it_says_everything_that_a_consumer_may_rely_on() {
        let value: serde_json::Value = serde_json::from_str(&prediction().json(&case())).expect("JSON");
        let expected = serde_json::json!({
            "id": prediction().id(), "order": "o\"1", "trigger": "placed", "stage": "placed",
            "at": "2026-11-22T12:00:00.000Z", "arrives_at": "2026-11-22T12:15:00.040Z", "promise_at": "2026-11-22T12:20:00.000Z",
            "p10": 600.0, "p50": 900.0, "p80": 1200.0, "p90": 1500.0,
            "model": null, "version": null, "digest": null, "degraded": "store",
            "area": "a1", "said": [500.0, 800.0, 1100.0, 1400.0],
            "corrector": "000000000000000a", "corrector_seconds": 95.0, "calibration": null,
            "features_as_of": "2026-11-22T11:59:59.500Z", "oldest_feature_seconds": 0.5,
        });
        assert_eq!(value, expected);
    }

    #[test]
    fn an_opinion_is_about_a_prediction_and_promises_nothing() {
        let model = Some(Model { name: "eta".into(), version: "2".into(), digest: "d".into() });
        let opinion = Prediction { model, ..prediction() };
        let value: serde_json::Value = serde_json::from_str(&opinion.shadow_json("32 digits", &case())).expect("JSON");
        let mut expected: serde_json::Value = serde_json::from_str(&opinion.json(&case())).expect("JSON");
        let members = expected.as_object_mut().expect("an object");
        members.remove("promise_at").expect("what a person is told");
        members.insert("prediction".into(), "32 digits".into());
        assert_eq!(value, expected);
        assert_eq!(value["id"], opinion.id());
    }

    #[test]
    fn it_is_the_same_whoever_makes_it_and_another_one_otherwise() {
        let model = |digest: &str| Some(Model { name: "eta".into(), version: "1".into(), digest: digest.into() });
        let later = Prediction { at: Timestamp(0), left: Quantiles::rearranged([0.0; 4]).expect("numbers"), ..prediction() };
        assert_eq!(later.id(), prediction().id(), "what it says is no part of its name");
        let others = [
            Prediction { key: "o2".into(), ..prediction() },
            Prediction { trigger: Trigger::Reached { stage: 0, identity: 8 }, ..prediction() },
            Prediction { trigger: Trigger::Time(Timestamp(7)), ..prediction() },
            Prediction { model: model("a"), ..prediction() },
            Prediction { model: model("b"), ..prediction() },
        ];
        let mut ids: Vec<String> = others.iter().chain([&prediction()]).map(Prediction::id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 6);
        assert!(ids.iter().all(|id| id.len() == 32));
    }
}
