//! What a model takes and what it says: named inputs in their order, and named outputs. Checked once; never changes afterwards.

use serde::{Deserialize, Serialize};

use crate::{Error, Limits};

/// Categories are whole numbers that a float32 holds exactly.
const CATEGORIES_MAX: u32 = 1 << 24;

/// Inputs and outputs of a model, in their order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// The values of a row.
    pub inputs: Vec<Input>,
    /// The names of what is predicted.
    pub outputs: Vec<String>,
}

/// One value of a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The column or transform that it comes from.
    pub name: String,
    /// What it may be.
    #[serde(default)]
    pub kind: Kind,
    /// What stands in for a missing value, and for a category that does not exist; without it the model sees that there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<f32>,
    /// How many categories there are: 0, 1, … up to this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub categories: Option<u32>,
}

/// What a value may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Any number.
    #[default]
    Number,
    /// A whole number that stands for one of several things.
    Category,
}

impl Signature {
    /// A signature of plain numbers.
    pub fn of_numbers(inputs: &[&str], outputs: &[&str]) -> Self {
        let input = |name: &&str| Input { name: (*name).into(), kind: Kind::Number, default: None, categories: None };
        Self { inputs: inputs.iter().map(input).collect(), outputs: outputs.iter().map(|name| (*name).into()).collect() }
    }

    pub(crate) fn check(&self, limits: &Limits) -> Result<(), Error> {
        let fault = |reason: String| Err(Error::Manifest { reason });
        for (what, count, count_max) in
            [("inputs", self.inputs.len(), limits.inputs_max), ("outputs", self.outputs.len(), limits.outputs_max)]
        {
            if count == 0 || count > count_max {
                return fault(format!("a model has 1 to {count_max} {what}, and this one declares {count}."));
            }
        }
        let inputs = self.inputs.iter().map(|input| &input.name);
        for (what, mut names) in [("inputs", inputs.collect::<Vec<_>>()), ("outputs", self.outputs.iter().collect())] {
            names.sort_unstable();
            if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
                return fault(format!("two {what} are called {:?}: give each a name of its own.", pair[0]));
            }
            if names[0].is_empty() {
                return fault(format!("one of the {what} has no name: give it one."));
            }
        }
        self.inputs.iter().try_for_each(Input::check)
    }
}

impl Input {
    fn check(&self) -> Result<(), Error> {
        let fault = |reason: String| Err(Error::Manifest { reason: format!("input {:?} {reason}", self.name) });
        match (self.kind, self.categories) {
            (Kind::Number, Some(_)) => return fault("has categories and is a number: write kind = \"category\".".into()),
            (Kind::Category, None | Some(0)) => return fault("is a category: say how many there are, categories = 12.".into()),
            (Kind::Category, Some(count)) if count > CATEGORIES_MAX => {
                return fault(format!("has {count} categories, and {CATEGORIES_MAX} is the most: hash them into fewer."));
            }
            _ => {}
        }
        match self.default {
            Some(default) if !default.is_finite() => fault(format!("has the default {default}: write a finite number, or none.")),
            Some(default) if self.kind == Kind::Category && !self.takes(default) => {
                fault(format!("has the default {default}, which is none of its categories: write one of them, or none."))
            }
            _ => Ok(()),
        }
    }

    /// Whether it means something to the model.
    fn takes(&self, value: f32) -> bool {
        match self.categories {
            None => !value.is_nan(),
            Some(count) => value >= 0.0 && value < count as f32 && value.fract() == 0.0,
        }
    }

    /// The value that the model sees.
    #[inline]
    pub(crate) fn seen(&self, value: f32) -> f32 {
        match self.default {
            Some(default) if !self.takes(value) => default,
            _ => value,
        }
    }
}
