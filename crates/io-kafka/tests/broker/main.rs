//! What only a real broker does: dies, hangs, forgets, refuses and is shared with strangers. The contract suite is beside this.

mod audit;
mod faults;
mod fencing;
mod records;
mod scene;
mod security;
mod topics;
