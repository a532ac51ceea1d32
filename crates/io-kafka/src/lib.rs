//! The log port on Apache Kafka: transactions, cooperative rebalances, and a consumer on a thread of its own.
//!
//! A commit is one transaction with the positions of the group in it. What Kafka numbers beside records - the ends of
//! transactions - is seen by nobody: offsets have gaps there, and a partition ends behind its last record.

mod append;
mod asking;
mod client;
mod committed;
mod create;
mod deadline;
mod error;
mod inspection;
mod log;
mod member;
mod names;
mod note;
mod plan;
mod read;
mod records;
mod settings;
mod tail;
mod transactions;

pub use error::Error;
pub use inspection::Inspection;
pub use log::KafkaLog;
pub use member::KafkaMember;
pub use plan::{PlannedTopic, TopicChange, TopicPlan, TopicThere};
pub use settings::{Owner, Sasl, Secret, Security, Settings};
