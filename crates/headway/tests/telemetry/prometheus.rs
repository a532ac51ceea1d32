//! Reads Prometheus's text format as strictly as Prometheus does, and a little more: what a family says it is, it has to be.

use std::collections::{BTreeMap, BTreeSet};

/// A page of metrics.
#[derive(Debug)]
pub(crate) struct Page {
    kinds: BTreeMap<String, String>,
    samples: Vec<Sample>,
}

/// One line.
#[derive(Debug)]
pub(crate) struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}

impl Page {
    pub(crate) fn parse(text: &str) -> Self {
        assert!(text.ends_with('\n'), "the last line has no end");
        let (mut kinds, mut helped, mut samples) = (BTreeMap::new(), BTreeSet::new(), Vec::new());
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').expect("a name and a kind");
                assert!(helped.contains(name), "{name} is not explained");
                assert!(kinds.insert(name.to_owned(), kind.to_owned()).is_none(), "{name} comes twice");
            } else if let Some(rest) = line.strip_prefix("# HELP ") {
                helped.insert(rest.split_once(' ').expect("a name and words").0.to_owned());
            } else {
                samples.push(sample(line));
            }
        }
        let page = Self { kinds, samples };
        page.check();
        page
    }

    /// Names and kinds, in the order of names.
    pub(crate) fn families(&self) -> Vec<(String, String)> {
        self.kinds.clone().into_iter().collect()
    }

    pub(crate) fn samples<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Sample> {
        assert!(self.kinds.contains_key(family(name, &self.kinds)), "there is no {name}");
        self.samples.iter().filter(move |sample| sample.name == name)
    }

    pub(crate) fn sum(&self, name: &str) -> f64 {
        self.samples(name).map(|sample| sample.value).sum()
    }

    /// The one sample with exactly these labels.
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let found: Vec<&Sample> = self.samples(name).filter(|sample| sample.labels == labels).collect();
        assert_eq!(found.len(), 1, "{name} {labels:?}: {found:?}");
        found[0].value
    }

    /// Bounds with the number of observations at or below each.
    pub(crate) fn buckets(&self, name: &str, labels: &[(&str, &str)]) -> Vec<(f64, f64)> {
        let name = format!("{name}_bucket");
        let mine = |sample: &&Sample| labels.iter().all(|(name, value)| sample.labels.get(*name).is_some_and(|own| own == value));
        let bound = |sample: &Sample| sample.labels["le"].parse::<f64>().expect("a bound");
        self.samples
            .iter()
            .filter(|sample| sample.name == name)
            .filter(mine)
            .map(|sample| (bound(sample), sample.value))
            .collect()
    }

    pub(crate) fn has_no_label_like(&self, like: impl Fn(&str) -> bool) {
        let found = self.samples.iter().find(|sample| sample.labels.values().any(|value| like(value)));
        assert!(found.is_none(), "{found:?}");
    }

    fn check(&self) {
        let mut seen = BTreeSet::new();
        for sample in &self.samples {
            let family = family(&sample.name, &self.kinds);
            let kind = self.kinds.get(family).unwrap_or_else(|| panic!("{} has no type", sample.name));
            assert_eq!(kind == "counter", sample.name.ends_with("_total"), "{}", sample.name);
            assert!(kind != "counter" || sample.value >= 0.0, "{sample:?}");
            assert!(seen.insert((&sample.name, &sample.labels)), "{sample:?} comes twice");
        }
        for (name, _) in self.kinds.iter().filter(|(_, kind)| *kind == "histogram") {
            for count in self.samples.iter().filter(|sample| sample.name == format!("{name}_count")) {
                let labels: Vec<(&str, &str)> = count.labels.iter().map(|(name, value)| (&**name, &**value)).collect();
                let buckets = self.buckets(name, &labels);
                assert!(buckets.is_sorted_by(|one, other| one.0 < other.0 && one.1 <= other.1), "{buckets:?}");
                assert_eq!(buckets.last(), Some(&(f64::INFINITY, count.value)));
            }
        }
    }
}

/// Which family a sample belongs to.
fn family<'a>(name: &'a str, kinds: &BTreeMap<String, String>) -> &'a str {
    let of_histogram = ["_bucket", "_sum", "_count"].iter().find_map(|ending| name.strip_suffix(ending));
    of_histogram.filter(|family| kinds.get(*family).is_some_and(|kind| kind == "histogram")).unwrap_or(name)
}

fn sample(line: &str) -> Sample {
    let (head, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no value: {line}"));
    let value = if value == "+Inf" { f64::INFINITY } else { value.parse().unwrap_or_else(|_| panic!("no number: {line}")) };
    let (name, labels) = match head.split_once('{') {
        None => (head, BTreeMap::new()),
        Some((name, rest)) => (name, labels(rest.strip_suffix('}').unwrap_or_else(|| panic!("no end of labels: {line}")))),
    };
    let sound = |name: &str| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    assert!(sound(name) && labels.keys().all(|name| sound(name)), "{line}");
    Sample { name: name.to_owned(), labels, value }
}

fn labels(text: &str) -> BTreeMap<String, String> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once("=\"").unwrap_or_else(|| panic!("no label: {pair}"));
        (name.to_owned(), value.trim_end_matches('"').to_owned())
    };
    text.split("\",").map(pair).collect()
}
