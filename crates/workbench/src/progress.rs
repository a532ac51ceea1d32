//! How a long task tells where it is. The library never prints: the binary decides what a person sees.

/// Listens to a long task.
pub trait Progress {
    /// A part of the task begins. `total` is how much there is to do, in the unit of the following [`Progress::at`].
    fn begin(&self, what: &str, total: u64);

    /// So much of the part is done.
    fn at(&self, done: u64);

    /// The part is done.
    fn end(&self);
}

/// Nobody listens.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unseen;

impl Progress for Unseen {
    fn begin(&self, _: &str, _: u64) {}
    fn at(&self, _: u64) {}
    fn end(&self) {}
}
