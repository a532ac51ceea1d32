//! Pipeline specs: what a business declares. Reads TOML, reports every fault with its line, and hands out resolved types.
//! Never evaluates an expression and knows nothing of polars.
//!
//! The way of a spec: `document` (TOML with places), `structure` (held against the JSON Schema of `raw`), `resolve` (names,
//! types, defaults; expressions by `sql`), `resolved`. Faults of all stages meet in one `report`.

mod document;
mod expression;
mod fault;
mod literal;
mod load;
mod local;
mod memory;
mod parameter;
mod quantities;
mod raw;
mod reach;
mod report;
mod resolve;
mod resolved;
mod schema;
mod sql;
mod structure;
mod suggestion;

pub use expression::{Arithmetic, Comparison, Expr, Function, Type};
pub use fault::{Fault, Faults};
pub use load::{load, parse};
pub use local::{HOLIDAYS_MAX, day, time_of_day, time_zone};
pub use memory::{MemoryItem, MemoryPlan, memory};
pub use parameter::OutOfRange;
pub use quantities::span;
pub use reach::{Reach, reach};
pub use resolved::{
    Absence, AbsenceRule, Aggregator, Attribute, CalibrationRules, Case, Column, CorrectorRules, Encoding, Example, Fallback,
    Feature, Field, FieldKind, Group, Input, InputKind, LocalTime, Model, Move, Pair, Pipeline, PromiseRules, Source, SourceKind,
    Stream, Table, ToldAbsence, Transform, Triggers, WhenOutdated, Window, Zone,
};
pub use schema::json_schema;
