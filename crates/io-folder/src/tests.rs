//! The contracts, and the bad days.

mod contracts;
