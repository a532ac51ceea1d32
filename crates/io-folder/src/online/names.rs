//! Numbers for pairs of entity type and group, so that no vector has to carry their names. Never forgets one: there are as many
//! as a pipeline declares.

#[derive(Debug, Default)]
pub(super) struct Names {
    /// A pair's place is its number. Few, so a look at each is quicker than a hash of two texts.
    pairs: Vec<(Box<str>, Box<str>)>,
}

impl Names {
    pub(super) fn get(&self, entity: &str, group: &str) -> Option<u32> {
        let place = self.pairs.iter().position(|pair| *pair.1 == *group && *pair.0 == *entity)?;
        u32::try_from(place).ok()
    }

    pub(super) fn get_or_new(&mut self, entity: &str, group: &str) -> u32 {
        // Another writer may have been here between the two locks.
        self.get(entity, group).unwrap_or_else(|| {
            let number = u32::try_from(self.pairs.len()).unwrap_or_else(|_| panic!("a pipeline has few groups"));
            self.pairs.push((entity.into(), group.into()));
            number
        })
    }

    /// The numbers of a group, one for each entity type under which it was written.
    pub(super) fn of_group(&self, group: &str) -> Vec<u32> {
        let all = (0..).zip(&self.pairs);
        all.filter(|(_, pair)| *pair.1 == *group).map(|(number, _)| number).collect()
    }
}
