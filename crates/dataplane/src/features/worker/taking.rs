//! What a worker takes when: records into the inboxes of their partitions, and out of them in their turn.

use std::{collections::BTreeSet, time::Duration};

use domain::{EARLIEST, Timestamp};
use ports::{Artifacts, Assignment, Event as LogEvent, Log, Member, OnlineStore};

use super::{Owned, WAIT_FOR_OTHERS, Work, Worker};
use crate::{Error, features::inbox::Inbox};

impl<L: Log, O: OnlineStore, A: Artifacts> Worker<L, O, A> {
    /// What else came by now goes into the same step, up to a bound.
    pub(super) async fn take(&mut self, member: &mut L::Member, first: LogEvent) -> Result<(), Error> {
        let mut given = BTreeSet::new();
        let (mut count, mut bytes, mut next) = (0, 0, first);
        let last = loop {
            match next {
                LogEvent::Records { topic, partition, records, more } => {
                    count += records.len();
                    bytes += records.iter().map(|record| record.key.len() + record.value.len()).sum::<usize>();
                    // A log delivers what was asked for and nothing else.
                    let place = self.reads.iter().position(|read| *read == topic);
                    if let (Some(place), Some(owned)) = (place, self.shards.get_mut(&partition)) {
                        owned.inbox.give(place, records, more);
                        given.insert(partition);
                    }
                }
                LogEvent::Idle => break None,
                other => break Some(other),
            }
            if count >= self.settings.batch_max || bytes >= self.settings.fetch_bytes_max {
                break None;
            }
            next = member.next(Duration::ZERO).await?;
        };
        self.take_waiting(member, given.into_iter().collect()).await?;
        match last {
            Some(other) => self.change(member, other).await,
            None => Ok(()),
        }
    }

    /// Takes what has its turn, all partitions side by side, and has the log hold back the rest.
    async fn take_waiting(&mut self, member: &mut L::Member, partitions: Vec<u32>) -> Result<(), Error> {
        let most = self.settings.batch_max;
        loop {
            let mut work = Vec::new();
            for partition in &partitions {
                let Some(owned) = self.shards.get_mut(partition) else { continue };
                let (chunks, now) = owned.inbox.take(self.parts.clock.now(), self.convoy.limit(), most);
                // Time passes with records, or by itself while there are none: then it has to be said.
                let passes = owned.inbox.wants(now).is_some() && now > owned.shard.clock().max(EARLIEST);
                if passes || !chunks.is_empty() {
                    work.push(Work { partition: *partition, chunks, now });
                }
            }
            if work.is_empty() {
                break;
            }
            self.step(member, work).await?;
        }
        for partition in partitions {
            for (topic, pause) in self.shards.get_mut(&partition).into_iter().flat_map(|owned| owned.inbox.changes()) {
                if pause { member.pause(&self.reads[topic], partition) } else { member.resume(&self.reads[topic], partition) }
            }
        }
        Ok(())
    }

    /// Nothing delivered yet; what is behind the committed positions is known to come.
    pub(super) async fn inbox(&self, assignment: &Assignment) -> Result<Inbox, Error> {
        let mut more = Vec::with_capacity(self.reads.len());
        for topic in &*self.reads {
            let bounds = crate::retry::insist(|| self.parts.log.bounds(topic, assignment.partition)).await?;
            more.push(bounds.next > assignment.next(topic).unwrap_or(0).max(bounds.first));
        }
        Ok(Inbox::new(more))
    }

    /// Lets those go on who have not caught up, as far as the others allow.
    pub(super) async fn go_on(&mut self, member: &mut L::Member) -> Result<(), Error> {
        let wall = self.parts.clock.now();
        let wants = |(partition, owned): (&u32, &Owned)| Some((owned.inbox.wants(wall)?, *partition));
        let behind: Vec<(Timestamp, u32)> = self.shards.iter().filter_map(wants).collect();
        let Some((wanted, _)) = behind.iter().max() else { return Ok(()) };
        if *wanted > self.convoy.limit() {
            self.convoy.look(&self.parts.log, &self.plan, *wanted, WAIT_FOR_OTHERS).await?;
        }
        self.take_waiting(member, behind.into_iter().map(|(_, partition)| partition).collect()).await
    }
}
