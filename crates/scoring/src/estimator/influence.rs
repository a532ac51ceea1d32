//! How much each input matters for what a model says of one row: what it would say if that input were not known. Each is taken away
//! alone, so what two inputs say together is seen in both or in neither, and the changes do not add up to anything. Right for every kind
//! of model, and as cheap as a batch of rows.

use domain::Value;

use super::{Estimator, Row, Work};

/// One input, and the answer without it.
#[derive(Clone, Debug, PartialEq)]
pub struct Influence {
    /// Its name.
    pub input: String,
    /// Its value in the row.
    pub value: Option<Value>,
    /// The seconds that would be in the middle if the value were missing: then the model
    /// sees what its package says that stands in for it, or nothing. None where it has no answer then.
    pub median_without: Option<f64>,
}

impl Estimator {
    /// For each input of the model in its order; empty where there is no model. The row is one that has its inputs.
    ///
    /// # Panics
    ///
    /// When the row has another number of values than there are columns.
    pub fn influences(&self, row: &Row, work: &mut Work) -> Vec<Influence> {
        assert_eq!(row.len(), self.declared.columns.len(), "a row has all columns before anybody asks why");
        let Some(model) = &self.model else { return Vec::new() };
        let without = |column: &usize| {
            let mut row = row.clone();
            row[*column] = None;
            row
        };
        let rows: Vec<Row> = model.columns.iter().map(without).collect();
        let said = self.ask(&rows, work);
        let influence = |(column, said): (&usize, Option<crate::Quantiles>)| Influence {
            input: self.declared.columns[*column].0.clone(),
            value: row[*column],
            median_without: said.map(|said| said.seconds()[1]),
        };
        model.columns.iter().zip(said).map(influence).collect()
    }
}
