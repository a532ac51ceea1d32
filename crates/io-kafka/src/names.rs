//! What things are called in the cluster: as inside, with the prefix of the installation; topics of others as these call them.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use crate::Settings;

/// Gives names.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    prefix: String,
    foreign: Arc<BTreeMap<String, String>>,
}

impl Names {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self { prefix: settings.prefix.clone(), foreign: Arc::new(settings.foreign.clone()) }
    }

    /// The name in the cluster of a topic or a group.
    pub(crate) fn outside<'a>(&self, inside: &'a str) -> Cow<'a, str> {
        match self.foreign.get(inside) {
            Some(name) => Cow::Owned(name.clone()),
            None if self.prefix.is_empty() => Cow::Borrowed(inside),
            None => Cow::Owned(format!("{}{inside}", self.prefix)),
        }
    }

    /// Whether a topic belongs to somebody else.
    pub(crate) fn is_foreign(&self, inside: &str) -> bool {
        self.foreign.contains_key(inside)
    }

    /// The transactions of one member of a group.
    pub(crate) fn transactions(&self, group: &str, member: &str) -> String {
        format!("{}{group}.{member}", self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_others_has_their_name_and_no_prefix() {
        let foreign = BTreeMap::from([("headway.eta.orders".to_owned(), "shop.orders.v2".to_owned())]);
        let names = Names::new(&Settings { prefix: "staging.".into(), foreign, ..Settings::new("h:1") });
        assert_eq!(names.outside("headway.eta.orders"), "shop.orders.v2");
        assert_eq!(names.outside("headway.eta.late"), "staging.headway.eta.late");
        assert!(names.is_foreign("headway.eta.orders") && !names.is_foreign("headway.eta.late"));
    }
}
