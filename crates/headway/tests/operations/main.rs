//! What an operator does and reads around real servers: topics that are compared, made and refused, topics of others, what `doctor`
//! finds, events that are written to Kafka, measurements, and whoever is not let in or may not do enough.

#![expect(clippy::disallowed_methods, reason = "real processes are driven in real time")]

mod access;
mod bench;
mod doctor;
mod scene;
mod simulate;
mod topics;
