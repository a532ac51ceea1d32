//! The tree of an expression before names and types are known.

use std::ops::Range;

/// One node and its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Syntax {
    pub(super) node: Node,
    pub(super) span: Range<usize>,
    /// Nesting below this node, itself included.
    pub(super) height: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Name { name: String, quoted: bool },
    Number(f64),
    Text(String),
    Boolean(bool),
    Null,
    Negate(Box<Syntax>),
    Not(Box<Syntax>),
    Binary(Operator, Box<Syntax>, Box<Syntax>),
    In { value: Box<Syntax>, list: Vec<Syntax>, negated: bool },
    Between { value: Box<Syntax>, low: Box<Syntax>, high: Box<Syntax>, negated: bool },
    IsNull { value: Box<Syntax>, negated: bool },
    Case { subject: Option<Box<Syntax>>, arms: Vec<(Syntax, Syntax)>, otherwise: Option<Box<Syntax>> },
    Call { name: String, name_span: Range<usize>, arguments: Vec<Syntax> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
}

impl Syntax {
    pub(super) fn new(node: Node, span: Range<usize>) -> Self {
        let mut below = 0;
        node.each_child(&mut |child| below = below.max(child.height));
        Self { node, span, height: below + 1 }
    }

    /// Every name that the expression uses and its place, as often as it does.
    pub(crate) fn names(&self) -> Vec<(&str, Range<usize>)> {
        let mut names = Vec::new();
        self.collect_names(&mut names);
        names
    }

    fn collect_names<'s>(&'s self, names: &mut Vec<(&'s str, Range<usize>)>) {
        if let Node::Name { name, .. } = &self.node {
            names.push((name, self.span.clone()));
        }
        self.node.each_child(&mut |child| child.collect_names(names));
    }
}

impl Node {
    fn each_child<'s>(&'s self, visit: &mut dyn FnMut(&'s Syntax)) {
        match self {
            Self::Name { .. } | Self::Number(_) | Self::Text(_) | Self::Boolean(_) | Self::Null => {}
            Self::Negate(value) | Self::Not(value) | Self::IsNull { value, .. } => visit(value),
            Self::Binary(_, left, right) => [left, right].into_iter().for_each(|side| visit(side)),
            Self::In { value, list, .. } => std::iter::once(&**value).chain(list).for_each(visit),
            Self::Between { value, low, high, .. } => [value, low, high].into_iter().for_each(|side| visit(side)),
            Self::Case { subject, arms, otherwise } => {
                subject.iter().chain(otherwise).for_each(|inner| visit(inner));
                arms.iter().flat_map(|(when, then)| [when, then]).for_each(visit);
            }
            Self::Call { arguments, .. } => arguments.iter().for_each(visit),
        }
    }
}
