//! From the row of a case to how long it will take: inputs are computed, the model is asked, and where there is none, or it has nothing
//! to say, the first fallback whose value is known answers in its place. Which one did is part of the answer.
//!
//! The same for a case that is under way and for one that is only asked about. Never knows where a row comes from.

mod influence;

use std::sync::Arc;

use domain::{Value, ValueKind};
use pipeline::{Case, Fallback, Transform};

pub use self::influence::Influence;
use crate::{Error, Kind, Package, Quantiles, Scratch, Transforms};

/// What a model of arrival times says, in the order of [`crate::LEVELS`].
pub const OUTPUTS: [&str; 4] = ["p10", "p50", "p80", "p90"];

/// The values of a row, none being null.
pub type Row = Vec<Option<Value>>;

/// Who says how long a case will take. A copy costs next to nothing, and may ask another model.
#[derive(Clone, Debug)]
pub struct Estimator {
    declared: Arc<Declared>,
    model: Option<Arc<Model>>,
}

/// What does not depend on the model.
#[derive(Debug)]
struct Declared {
    /// Of [`Case::inputs`], over the columns before them.
    inputs: Transforms,
    /// The median of each fallback, over all columns.
    medians: Transforms,
    fallbacks: Vec<Fallback>,
    columns: Vec<(String, ValueKind)>,
}

/// A model that fits.
#[derive(Debug)]
struct Model {
    package: Arc<Package>,
    /// The column of each input.
    columns: Vec<usize>,
    /// For each level, the place among the model's outputs and what its package adds.
    levels: [(usize, f64); 4],
}

/// How long a case will take from now on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The time that is left.
    pub left: Quantiles,
    /// The place of the fallback that said so; none for the model.
    pub fallback: Option<usize>,
}

/// What a thread keeps from one call to the next.
#[derive(Debug, Default)]
pub struct Work {
    seen: Vec<f32>,
    said: Vec<f32>,
    scratch: Scratch,
    medians: Row,
}

impl Estimator {
    /// For a case whose row has these columns, the inputs last. Without a model yet.
    pub fn new(case: &Case, columns: Vec<(String, ValueKind)>) -> Self {
        let kinds: Vec<ValueKind> = columns.iter().map(|(_, kind)| kind.clone()).collect();
        let before = kinds.len() - case.inputs.len();
        let median = |fallback: &Fallback| Transform {
            name: fallback.name.clone(),
            expr: fallback.seconds.clone(),
            kind: ValueKind::Float,
        };
        let medians: Vec<Transform> = case.fallbacks.iter().map(median).collect();
        let declared = Declared {
            inputs: Transforms::new(&kinds[..before], &case.inputs),
            medians: Transforms::new(&kinds, &medians),
            fallbacks: case.fallbacks.clone(),
            columns,
        };
        Self { declared: Arc::new(declared), model: None }
    }

    /// The same, with a model that is asked first.
    ///
    /// # Errors
    ///
    /// When it takes other inputs than the case declares, or says something else than the time that is left.
    pub fn with_model(self, case: &Case, package: Arc<Package>) -> Result<Self, Error> {
        let refuse = |reason: String| Err(Error::Misfit { reason });
        let Some(declared) = &case.model else {
            return refuse("the pipeline declares no model: write [case.model] with the inputs of this one.".into());
        };
        let manifest = package.manifest();
        if manifest.name != declared.name {
            return refuse(format!("it is called {:?}, and the pipeline asks for {:?}.", manifest.name, declared.name));
        }
        if manifest.inputs.len() != declared.inputs.len() {
            let (has, expected) = (manifest.inputs.len(), declared.inputs.len());
            return refuse(format!("it takes {has} inputs, and the pipeline declares {expected}."));
        }
        for (place, (input, column)) in manifest.inputs.iter().zip(&declared.inputs).enumerate() {
            let (name, kind) = &self.declared.columns[*column];
            if input.name != *name {
                return refuse(format!("its input {place} is {:?}, where the pipeline declares {name:?}.", input.name));
            }
            let labels = match kind {
                ValueKind::Category(labels) => Some(labels.len()),
                _ => None,
            };
            let categories = input.categories.filter(|_| input.kind == Kind::Category).map(|count| count as usize);
            if labels.is_some() && categories.is_some() && labels != categories {
                let (has, expected) = (categories.unwrap_or_default(), labels.unwrap_or_default());
                return refuse(format!("its input {name:?} has {has} categories, and the pipeline's has {expected}."));
            }
        }
        let mut levels = [(0, 0.0); 4];
        for (level, name) in levels.iter_mut().zip(OUTPUTS) {
            let Some(place) = manifest.outputs.iter().position(|output| output == name) else {
                return refuse(format!(
                    "it does not say {name:?}: a model of arrival times has the outputs {}.",
                    OUTPUTS.join(", ")
                ));
            };
            let offset = manifest.calibration.as_ref().and_then(|calibration| calibration.offsets.get(name));
            *level = (place, offset.copied().unwrap_or(0.0));
        }
        let columns = declared.inputs.clone();
        Ok(Self { model: Some(Arc::new(Model { package, columns, levels })), ..self })
    }

    /// The model that is asked.
    pub fn model(&self) -> Option<&Arc<Package>> {
        self.model.as_ref().map(|model| &model.package)
    }

    /// The columns of a row with its inputs.
    pub fn columns(&self) -> &[(String, ValueKind)] {
        &self.declared.columns
    }

    /// Adds the inputs to each row, and says how long each case will take. The model is not asked about a row that is not `usable`.
    ///
    /// # Panics
    ///
    /// When a row has another number of values than there are columns before the inputs.
    pub fn estimate(&self, rows: &mut [Row], usable: &[bool], work: &mut Work) -> Vec<Estimate> {
        let mut inputs = self.declared.inputs.evaluator();
        let mut added = Row::new();
        for row in &mut *rows {
            inputs.append(row, &mut added);
            row.append(&mut added);
        }
        self.estimate_complete(rows, usable, work)
    }

    /// The same for rows that have their inputs.
    ///
    /// # Panics
    ///
    /// When a row has another number of values than there are columns.
    pub fn estimate_complete(&self, rows: &[Row], usable: &[bool], work: &mut Work) -> Vec<Estimate> {
        let said = self.ask(rows, work);
        let mut medians = self.declared.medians.evaluator();
        let each = rows.iter().zip(said).zip(usable).map(|((row, said), usable)| match said {
            Some(left) if *usable => Estimate { left, fallback: None },
            _ => {
                work.medians.clear();
                medians.append(row, &mut work.medians);
                self.fall_back(&work.medians)
            }
        });
        each.collect()
    }

    /// What the model says of each row; none where that is no number.
    fn ask(&self, rows: &[Row], work: &mut Work) -> Vec<Option<Quantiles>> {
        let Some(model) = &self.model else { return vec![None; rows.len()] };
        let Model { package, columns, levels } = &**model;
        let Work { seen, said, scratch, .. } = work;
        seen.clear();
        for row in rows {
            seen.extend(columns.iter().map(|column| number(row[*column])));
        }
        let outputs = package.manifest().outputs.len();
        said.clear();
        // Where the model cannot be computed nothing is written, and that is no number either.
        said.resize(rows.len() * outputs, f32::NAN);
        let asked = package.session().predict(seen, said, scratch);
        if let Err(Error::Rows { .. }) = asked {
            panic!("rows are as wide as the model's signature was found to be when it was taken");
        }
        let quantiles = |said: &[f32]| {
            let raw = levels.map(|(place, offset)| f64::from(said[place]) + offset);
            raw.iter().all(|seconds| seconds.is_finite()).then(|| Quantiles::rearranged(raw)).flatten()
        };
        said.chunks_exact(outputs).map(quantiles).collect()
    }

    fn fall_back(&self, medians: &[Option<Value>]) -> Estimate {
        let known = |(place, value): (usize, &Option<Value>)| match value {
            Some(Value::Float(seconds)) if seconds.is_finite() && *seconds >= 0.0 => Some((place, *seconds)),
            _ => None,
        };
        let found = medians.iter().enumerate().find_map(known);
        let (place, seconds) = found.unwrap_or_else(|| panic!("the last fallback of a case looks at nothing and is a number"));
        let spread = self.declared.fallbacks[place].spread.map(|factor| factor * seconds);
        let left = Quantiles::rearranged(spread).unwrap_or_else(|| panic!("multiples of a finite number are numbers"));
        Estimate { left, fallback: Some(place) }
    }
}

/// As a model sees it.
fn number(value: Option<Value>) -> f32 {
    match value {
        Some(Value::Float(number)) => number as f32,
        Some(Value::Integer(number)) => number as f32,
        None => f32::NAN,
    }
}
