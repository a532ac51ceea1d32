//! Protobuf: `.proto` texts compiled at run time, messages read as JSON, and JSON written as messages. Never asks anybody for a schema.

mod compile;
mod forms;
mod known;
mod read;
mod write;

use prost_reflect::FileDescriptor;

/// A `.proto` file with everything that it imports.
#[derive(Debug)]
pub(crate) struct Schema {
    file: FileDescriptor,
}

#[cfg(test)]
mod tests;
