//! Partial aggregates of variable size. Like the fixed ones they merge to the same bytes in any order.

mod bins;
mod distinct;
mod path;
mod top;

pub(crate) use self::{
    bins::Bins,
    distinct::{Distinct, text_hash, units_hash},
    path::{Path, Scale},
    top::Top,
};
use crate::{
    codec::{Broken, Reader, Writer},
    partial::Occurrence,
};

/// One partial of any of these kinds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sketch {
    Bins(Bins),
    Distinct(Distinct),
    Top(Top),
    Path(Path),
}

/// Which kind of sketch an operation keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SketchKind {
    Bins,
    Distinct,
    Top,
    Path,
}

impl SketchKind {
    /// The sketch of no values.
    pub(crate) fn empty(self) -> Sketch {
        match self {
            Self::Bins => Sketch::Bins(Bins::default()),
            Self::Distinct => Sketch::Distinct(Distinct::default()),
            Self::Top => Sketch::Top(Top::default()),
            Self::Path => Sketch::Path(Path::default()),
        }
    }
}

impl Sketch {
    /// Adds one value; `second` is the longitude of a position.
    pub(crate) fn add(&mut self, one: Occurrence, second: i64, scale: Scale) {
        match self {
            Self::Bins(bins) => bins.add(one.value),
            Self::Distinct(distinct) => distinct.add(one.value),
            Self::Top(top) => top.add(one.value),
            Self::Path(path) => {
                let Occurrence { time, identity, value } = one;
                path.add(path::Point { time, identity, latitude: value, longitude: second }, scale);
            }
        }
    }

    /// Merges a sketch of the same tile.
    pub(crate) fn merge(&mut self, other: &Self, scale: Scale) {
        match (self, other) {
            (Self::Path(path), Self::Path(other)) => path.merge(other, scale),
            (one, other) => one.join_older(other, scale),
        }
    }

    /// Merges the sketch of an older tile into that of a window.
    pub(crate) fn join_older(&mut self, older: &Self, scale: Scale) {
        match (self, older) {
            (Self::Bins(bins), Self::Bins(older)) => bins.merge(older),
            (Self::Distinct(distinct), Self::Distinct(older)) => distinct.merge(older),
            (Self::Top(top), Self::Top(older)) => top.merge(older),
            (Self::Path(path), Self::Path(older)) => path.join_older(older, scale),
            (one, other) => panic!("a layout gives both sides one kind and not {one:?} and {other:?}"),
        }
    }

    /// Heap bytes, for the memory account.
    pub(crate) fn heap_bytes(&self) -> usize {
        match self {
            Self::Bins(bins) => bins.heap_bytes(),
            Self::Distinct(distinct) => distinct.heap_bytes(),
            Self::Top(top) => top.heap_bytes(),
            Self::Path(path) => path.heap_bytes(),
        }
    }

    pub(crate) fn write(&self, out: &mut Writer<'_>) {
        match self {
            Self::Bins(bins) => bins.write(out),
            Self::Distinct(distinct) => distinct.write(out),
            Self::Top(top) => top.write(out),
            Self::Path(path) => path.write(out),
        }
    }

    pub(crate) fn read(kind: SketchKind, reader: &mut Reader<'_>) -> Result<Self, Broken> {
        Ok(match kind {
            SketchKind::Bins => Self::Bins(Bins::read(reader)?),
            SketchKind::Distinct => Self::Distinct(Distinct::read(reader)?),
            SketchKind::Top => Self::Top(Top::read(reader)?),
            SketchKind::Path => Self::Path(Path::read(reader)?),
        })
    }
}
