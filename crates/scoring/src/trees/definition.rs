//! An ensemble as a model declares it: nodes, leaves and sets by their numbers. Nothing of it is checked yet but that numbers exist.

/// How the trees' values become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aggregate {
    Sum,
    Average,
    Min,
    Max,
}

/// What a node asks of its value. A missing value fails every test but `NotEqual`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Test {
    AtMost(f32),
    Below(f32),
    AtLeast(f32),
    Above(f32),
    Equal(f32),
    NotEqual(f32),
    /// One of the values of the set with this number.
    Member(usize),
}

/// A node or a leaf.
#[derive(Clone, Debug)]
pub(super) enum Item {
    Split {
        feature: usize,
        test: Test,
        /// A missing value passes, whatever the test says.
        missing_passes: bool,
        /// Where to go on, as numbers of items.
        yes: usize,
        no: usize,
    },
    /// Pairs of target and weight, usually one.
    Leaf(Vec<(usize, f32)>),
}

/// All trees of one operator.
#[derive(Debug)]
pub(super) struct Definition {
    pub(super) items: Vec<Item>,
    /// The items that trees begin with.
    pub(super) roots: Vec<usize>,
    pub(super) sets: Vec<Vec<f32>>,
    pub(super) targets: usize,
    pub(super) aggregate: Aggregate,
    /// Empty, or one for each target.
    pub(super) base: Vec<f32>,
}

/// The largest float32 that is not above a bound: `value <= bound` means the same with it for every float32.
pub(super) fn at_most(bound: f64) -> f32 {
    let near = bound as f32;
    if f64::from(near) > bound { near.next_down() } else { near }
}

/// The smallest float32 that is not below a bound: `value < bound` means the same with it for every float32.
pub(super) fn below(bound: f64) -> f32 {
    let near = bound as f32;
    if f64::from(near) < bound { near.next_up() } else { near }
}

/// The float32 that equals a number, or one that nothing equals.
pub(super) fn equal(number: f64) -> f32 {
    let near = number as f32;
    if f64::from(near) == number { near } else { f32::NAN }
}
