//! How a role belongs to a group of the log: it joins, takes what comes until it is told to stop, and joins again when it has lost
//! its place. Knows nothing of what a role does with its partitions.

use std::{sync::Arc, time::Duration};

use ports::{ErrorKind, Event, Log, Member, Membership, Record};
use tokio::sync::{Barrier, watch::Receiver};
use tracing::warn;

use crate::{Backoff, Error, retry::insist};

/// What a role does while it belongs to a group. A step that was begun is finished: between two of them nothing is half done, so the
/// membership may end at any of its waits.
pub(crate) trait Role<L: Log>: Send {
    /// How long nothing has to be done although nothing comes.
    fn wait(&self) -> Duration;

    /// Takes what came. What it cannot do because its partitions are somebody else's, or for now, ends the membership and no more.
    fn handle(
        &mut self,
        member: &mut L::Member,
        event: Result<Event, ports::Error>,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Does what is left to do before it goes because it was told to. What fails now is done by whoever comes after it.
    fn finish(&mut self, _member: &mut L::Member) -> impl Future<Output = Result<(), Error>> + Send {
        async { Ok(()) }
    }

    /// Forgets all partitions, which are its own no longer.
    fn drop_all(&mut self);
}

/// Records that came of one partition of one topic, and whether there are more of them.
pub(crate) struct Taken {
    pub(crate) topic: Arc<str>,
    pub(crate) partition: u32,
    pub(crate) records: Vec<Record>,
    pub(crate) more: bool,
}

/// Takes an event and the records that are there by now, up to about so many. What is not records ends it, and is given back.
pub(crate) async fn gather<M: Member>(
    member: &mut M,
    first: Result<Event, ports::Error>,
    records_max: usize,
    mut take: impl FnMut(Taken),
) -> Result<Event, ports::Error> {
    let (mut count, mut next) = (0, first?);
    loop {
        let Event::Records { topic, partition, records, more } = next else { return Ok(next) };
        count += records.len();
        take(Taken { topic, partition, records, more });
        if count >= records_max {
            return Ok(Event::Idle);
        }
        next = member.next(Duration::ZERO).await?;
    }
}

/// Why a membership ended.
enum End {
    Stopped,
    /// Somebody else has some of the partitions, or nobody knows whether a commit happened.
    Rejoin,
}

/// Belongs to a group until it is told to stop. Whoever names others joins for the first time together with them, so that each
/// begins with its share: who begins with everything restores what it gives away.
pub(crate) async fn belong<L: Log>(
    log: &L,
    membership: Membership,
    mut together: Option<Arc<Barrier>>,
    role: &mut impl Role<L>,
    mut stop: Receiver<bool>,
) -> Result<(), Error> {
    let mut backoff = Backoff::default();
    loop {
        let mut member = insist(|| log.join(membership.clone())).await?;
        if let Some(together) = together.take() {
            let stopped = tokio::select! {
                _ = together.wait() => false,
                _ = stop.wait_for(|stop| *stop) => true,
            };
            if stopped {
                return Ok(member.leave().await?);
            }
        }
        let end = work(&mut member, &membership, role, &mut stop).await;
        role.drop_all();
        match end {
            Ok(End::Stopped) => return Ok(member.leave().await?),
            Ok(End::Rejoin) => backoff.wait().await,
            Err(error) => return Err(error),
        }
    }
}

async fn work<L: Log>(
    member: &mut L::Member,
    membership: &Membership,
    role: &mut impl Role<L>,
    stop: &mut Receiver<bool>,
) -> Result<End, Error> {
    loop {
        let wait = role.wait();
        let event = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => None,
            event = member.next(wait) => Some(event),
        };
        let is_stopped = event.is_none();
        let done = match event {
            Some(event) => role.handle(member, event).await,
            None => role.finish(member).await,
        };
        match done {
            Ok(()) if is_stopped => return Ok(End::Stopped),
            Ok(()) => {}
            Err(Error::Port(error)) if matches!(error.kind(), ErrorKind::Fenced | ErrorKind::Transient) => {
                if is_stopped {
                    return Ok(End::Stopped);
                }
                warn!(member = membership.member, group = membership.group, %error, "joins the group again");
                return Ok(End::Rejoin);
            }
            Err(error) => return Err(error),
        }
    }
}
