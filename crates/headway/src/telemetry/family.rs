//! Metrics as they are gathered: families of points with labels, before anybody writes them down in some format.

/// How the values of a metric behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Never falls while the process lives.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Observations, sorted into buckets.
    Histogram,
}

/// A metric that exists, by OpenTelemetry's rules for names and units.
#[derive(Debug)]
pub(super) struct Declared {
    pub(super) name: &'static str,
    /// By the Unified Code for Units of Measure; what is counted stands in braces.
    pub(super) unit: &'static str,
    pub(super) kind: Kind,
    /// What its points differ in.
    pub(super) labels: &'static [&'static str],
    /// A sentence.
    pub(super) says: &'static str,
}

/// A metric with its points.
#[derive(Debug)]
pub(crate) struct Family {
    pub(super) declared: &'static Declared,
    pub(super) points: Vec<Point>,
}

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Point {
    /// In the order of the declaration.
    pub(super) labels: Vec<String>,
    pub(super) value: Value,
}

/// What was measured.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Integer(u64),
    Float(f64),
    Buckets {
        /// Upper bounds, inclusive.
        bounds: Vec<f64>,
        /// One more than there are bounds: the last one is for what is beyond them.
        counts: Vec<u64>,
        sum: f64,
    },
}

impl Value {
    /// Numbers are summed up; of times the longest one stays.
    pub(super) fn merge(&mut self, other: &Self) {
        match (self, other) {
            (Self::Integer(value), Self::Integer(other)) => *value += other,
            (Self::Float(value), Self::Float(other)) => *value = value.max(*other),
            (Self::Buckets { counts, sum, .. }, Self::Buckets { counts: others, sum: more, .. }) => {
                counts.iter_mut().zip(others).for_each(|(count, other)| *count += other);
                *sum += more;
            }
            // One metric has one type of values.
            (value, other) => *value = other.clone(),
        }
    }
}

impl Family {
    pub(super) fn of(declared: &'static Declared) -> Self {
        Self { declared, points: Vec::new() }
    }

    pub(super) fn push(&mut self, labels: Vec<String>, value: Value) {
        debug_assert_eq!(labels.len(), self.declared.labels.len(), "{} has other labels", self.declared.name);
        self.points.push(Point { labels, value });
    }

    /// Names and values of a point's labels. An empty one says nothing and is left out.
    pub(super) fn labels<'a>(&self, point: &'a Point) -> impl Iterator<Item = (&'static str, &'a str)> {
        let names = self.declared.labels.iter().copied();
        names.zip(point.labels.iter().map(String::as_str)).filter(|(_, value)| !value.is_empty())
    }
}
