//! Scoring: from the values of a row to what is predicted from them. Pure: bytes and numbers in, numbers out; never reads a clock,
//! talks to a network, or draws a random number. The only files it knows are those of a model package.

mod calendar;
mod calibration;
mod corrector;
mod error;
mod estimator;
mod graph;
mod limits;
mod network;
pub mod package;
mod predictor;
mod promise;
mod quantiles;
mod remembered;
mod rows;
mod session;
mod signature;
pub mod state;
mod transform;
mod trees;
mod tuning;

pub use calendar::{Calendar, CalendarFault};
pub use calibration::Calibration;
pub use corrector::{Adjustments, Corrector};
pub use error::Error;
pub use estimator::{Estimate, Estimator, Influence, OUTPUTS, Row, Work};
pub use limits::Limits;
pub use package::Package;
pub use pipeline::{CalibrationRules, CorrectorRules, OutOfRange, PromiseRules};
pub use predictor::{Answer, Facts, Opinion, Origin, Predictor, Question};
pub use promise::PromisePolicy;
pub use quantiles::{LEVELS, Quantiles, SECONDS_MAX};
pub use remembered::Remembered;
pub use rows::{Joining, Known, Own, Read, Rows};
pub use session::{Makeup, Scratch, Session};
pub use signature::{Input, Kind, Signature};
pub use state::{StateFault, StateId};
pub use transform::{Evaluator, Transforms};
pub use tuning::{Applied, Lesson, Slot, Tuner, Tuning};
