//! One contract suite for each port, the same for every adapter: what the documentation of the port says, clause by clause.

pub mod log;
