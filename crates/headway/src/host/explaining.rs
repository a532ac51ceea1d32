//! What the latest prediction of a case is made of: the row that was served, as the feature log has it, the model that was asked, what each
//! of its inputs mattered, and what outcomes had taught by then. Nothing of it is fetched or computed anew but the influence of inputs.

mod told;

use std::sync::Arc;

use domain::{Value, ValueKind};
use pipeline::{Case, Pipeline};
use scoring::{Influence, Predictor, Row, Work};
use workbench::{LastSaid, columns_of, last_said};

use self::told::{Column, Explained, Input, Learned};
use super::{
    Host, Hosted,
    models::{Speaker, predictor},
};
use crate::failure::Failure;

/// Which row was served, and by whom it was asked about.
struct Made {
    predictor: Arc<Predictor>,
    row: Row,
}

impl Host {
    /// Explains the latest prediction of a case.
    pub(super) async fn explain_case(&self, pipeline: Option<&str>, entity: &str, key: &str) -> Result<Explained, Failure> {
        let hosted = self.predicting(pipeline)?;
        let speaking = hosted.speaker.as_ref().map(Speaker::predictor);
        let Some(speaking) = speaking.filter(|predictor| predictor.case().entity == entity) else {
            return Err(Failure::usage_of(&format!(
                "{entity} is no case of {}: say by --feature which value of it is meant",
                hosted.id
            )));
        };
        let last = last_said(&self.parts.log, hosted.pipeline(), self.partitions, key).await?;
        let made = self.made(&hosted, &speaking, &last).await;
        let (inputs, columns, missing) = match &made {
            Ok(Made { predictor, row }) => (inputs(predictor, row, &last), columns(predictor.columns(), row), None),
            Err(why) => (Vec::new(), self.columns_told(hosted.pipeline(), key, &last).await?, Some(why.clone())),
        };
        let LastSaid { prediction, served, life } = last;
        Ok(Explained {
            pipeline: hosted.id.clone(),
            case: entity.to_owned(),
            key: key.to_owned(),
            ended: life.ending().is_some(),
            learned: Learned::of(&prediction),
            prediction,
            read: served.map(|served| served.read.into()),
            missing,
            inputs,
            columns,
        })
    }

    /// The row of a prediction by what the log says of its columns, whoever declared them; nothing where it says that no longer.
    async fn columns_told(&self, pipeline: &Pipeline, key: &str, last: &LastSaid) -> Result<Vec<Column>, Failure> {
        let Some(served) = &last.served else { return Ok(Vec::new()) };
        let told = columns_of(&self.parts.log, pipeline, self.partitions, key, served).await?;
        let row = told.as_ref().and_then(|told| served.values(told));
        Ok(told.zip(row).map_or(Vec::new(), |(told, row)| columns(&told, &row)))
    }

    /// What a prediction was made of, or why nobody can say it any longer.
    async fn made(&self, hosted: &Hosted, speaking: &Arc<Predictor>, last: &LastSaid) -> Result<Made, String> {
        let served = last.served.as_ref().ok_or("the feature log has its row no longer")?;
        let row = served.row(speaking).ok_or("the pipeline declared other columns then")?;
        let asked = last.prediction["digest"].as_str();
        let speaks = speaking.model().map(|package| package.digest().to_string());
        if asked.is_none() || asked == speaks.as_deref() {
            return Ok(Made { predictor: speaking.clone(), row });
        }
        let package = self.registry().load(hosted.pipeline(), asked.unwrap_or_default()).await;
        match package.and_then(|package| predictor(hosted.pipeline(), Some(package), Vec::new())) {
            Ok(Some(predictor)) => Ok(Made { predictor: Arc::new(predictor), row }),
            Ok(None) => Err("the pipeline predicts nothing any longer".to_owned()),
            Err(failure) => Err(format!("the model that was asked cannot be asked again: {}", failure.message)),
        }
    }
}

/// Every input with its value, those that mattered most first; where no model spoke in the order of the pipeline.
fn inputs(predictor: &Predictor, row: &Row, last: &LastSaid) -> Vec<Input> {
    let kind = |name: &str| predictor.columns().iter().find(|(column, _)| column == name).map(|(_, kind)| kind);
    if !model_spoke(predictor.case(), &last.prediction) {
        let declared = predictor.case().model.iter().flat_map(|model| &model.inputs);
        let input = |column: &usize| {
            let (name, kind) = &predictor.columns()[*column];
            Input { name: name.clone(), value: shown(row[*column], Some(kind)), matters_seconds: None }
        };
        return declared.map(input).collect();
    }
    let said = last.prediction["said"][1].as_f64();
    let input = |Influence { input, value, median_without }: Influence| Input {
        value: shown(value, kind(&input)),
        matters_seconds: said.zip(median_without).map(|(said, without)| said - without),
        name: input,
    };
    let mut inputs: Vec<Input> = predictor.influences(row, &mut Work::default()).into_iter().map(input).collect();
    let by = |input: &Input| input.matters_seconds.map_or(-1.0, f64::abs);
    inputs.sort_by(|one, other| by(other).total_cmp(&by(one)));
    inputs
}

fn model_spoke(case: &Case, prediction: &serde_json::Value) -> bool {
    let degraded = prediction["degraded"].as_str();
    !prediction["digest"].is_null() && case.fallbacks.iter().all(|fallback| Some(&*fallback.name) != degraded)
}

/// Everything that was known, by its name.
fn columns(named: &[(String, ValueKind)], row: &Row) -> Vec<Column> {
    let column = |((name, kind), value): (&(String, ValueKind), &Option<Value>)| Column {
        name: name.clone(),
        value: shown(*value, Some(kind)),
    };
    named.iter().zip(row).map(column).collect()
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
