//! What the latest prediction of a case is made of: what was said, and what is said again of the same instant, with every input and what
//! it mattered. What was said is read from the log; what it was made of is made again.

mod told;

use std::sync::Arc;

use domain::{Timestamp, Value, ValueKind, unpack_header};
use ports::{OnlineStore, VectorKey};
use scoring::{Answer, Influence, Origin, Predictor, Question, Work};
use workbench::{LastSaid, last_said};

use self::told::{Explained, Input, Learned, Vector};
use super::{Host, Hosted, models::Speaker};
use crate::failure::Failure;

impl Host {
    /// Explains the latest prediction of a case.
    pub(super) async fn explain_case(&self, pipeline: Option<&str>, entity: &str, key: &str) -> Result<Explained, Failure> {
        let hosted = self.predicting(pipeline)?;
        let predictor = hosted.speaker.as_ref().map(Speaker::predictor);
        let Some(predictor) = predictor.filter(|predictor| predictor.case().entity == entity) else {
            return Err(Failure::usage_of(&format!(
                "{entity} is no case of {}: say by --feature which value of it is meant",
                hosted.id
            )));
        };
        let LastSaid { prediction, life } = last_said(&self.parts.log, hosted.pipeline(), self.partitions, key).await?;
        let at = prediction["at"].as_str().and_then(Timestamp::parse).unwrap_or_else(|| self.clock().now());
        let mut question = Question { facts: life.facts(), at, vectors: Vec::new(), origin: Origin::Store };
        let vectors = hosted.vectors(&predictor, &mut question).await?;
        let mut work = Work::default();
        let answer = predictor.answer(std::slice::from_ref(&question), &mut work).pop();
        let answer = answer.ok_or_else(|| Failure::failed("a question had no answer, which is a fault of Headway"))?;
        let influences = predictor.influences(&answer, &mut work);
        Ok(Explained {
            pipeline: hosted.id.clone(),
            case: entity.to_owned(),
            key: key.to_owned(),
            ended: life.ending().is_some(),
            learned: Learned::of(&prediction),
            prediction,
            model: predictor.model().map(|package| package.digest().to_string()),
            fallback: answer.degraded.clone().filter(|_| influences.is_empty()),
            seconds: answer.said.seconds(),
            seconds_learned: answer.left.seconds(),
            inputs: inputs(&predictor, &answer, influences),
            vectors,
        })
    }
}

impl Hosted {
    /// Fetches what a question needs, and says what of it is there.
    async fn vectors(&self, predictor: &Predictor, question: &mut Question) -> Result<Vec<Vector>, Failure> {
        let serving = self.online.serving().await?;
        let keys = predictor.keys(&question.facts);
        let groups = self.pipeline().groups.iter().zip(keys);
        let places: Vec<Option<VectorKey<'_>>> =
            groups.map(|(group, key)| VectorKey::served(&serving, &group.entity, key?, &group.name)).collect();
        let mut packed = self.online.read(&places.iter().flatten().copied().collect::<Vec<_>>()).await?.into_iter();
        let (mut told, mut vectors) = (Vec::new(), Vec::new());
        for place in places {
            let vector: Option<Arc<[u8]>> = place.and_then(|_| packed.next().flatten()).map(Arc::from);
            if let Some(VectorKey { entity, key, group, .. }) = place {
                let header = vector.as_deref().and_then(|packed| unpack_header(packed).ok());
                let age_seconds = header.map(|(header, _)| question.at.0.saturating_sub(header.as_of.0) as f64 / 1000.0);
                told.push(Vector { group: group.to_owned(), of: format!("{entity}:{key}"), age_seconds });
            }
            vectors.push(vector);
        }
        question.vectors = vectors;
        Ok(told)
    }
}

/// Every input with its value, those that mattered most first; without a model in the order of the pipeline.
fn inputs(predictor: &Predictor, answer: &Answer, influences: Vec<Influence>) -> Vec<Input> {
    // The model knows nothing of what outcomes have taught.
    let said = answer.said.seconds()[1];
    let kind = |name: &str| predictor.columns().iter().find(|(column, _)| column == name).map(|(_, kind)| kind);
    let mut inputs: Vec<Input> = influences
        .into_iter()
        .map(|influence| Input {
            value: shown(influence.value, kind(&influence.input)),
            matters_seconds: influence.median_without.map(|without| said - without),
            name: influence.input,
        })
        .collect();
    if inputs.is_empty() {
        let declared = predictor.case().model.iter().flat_map(|model| &model.inputs);
        inputs.extend(declared.map(|column| {
            let (name, kind) = &predictor.columns()[*column];
            Input { name: name.clone(), value: shown(answer.row[*column], Some(kind)), matters_seconds: None }
        }));
    }
    let by = |input: &Input| input.matters_seconds.map_or(-1.0, f64::abs);
    inputs.sort_by(|one, other| by(other).total_cmp(&by(one)));
    inputs
}

/// A category by its name.
fn shown(value: Option<Value>, kind: Option<&ValueKind>) -> serde_json::Value {
    match (value, kind) {
        (None, _) => serde_json::Value::Null,
        (Some(Value::Integer(place)), Some(ValueKind::Category(labels))) => {
            let label = usize::try_from(place).ok().and_then(|place| labels.get(place));
            label.map_or_else(|| place.into(), |label| label.as_str().into())
        }
        (Some(Value::Integer(number)), _) => number.into(),
        (Some(Value::Float(number)), _) => number.into(),
    }
}
