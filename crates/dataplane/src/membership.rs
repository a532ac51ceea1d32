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
        let Some(member) = unless_stopped(&mut stop, insist(|| log.join(membership.clone()))).await else { return Ok(()) };
        let mut member = member?;
        if let Some(together) = together.take()
            && unless_stopped(&mut stop, together.wait()).await.is_none()
        {
            return Ok(member.leave().await?);
        }
        let end = work(&mut member, &membership, role, &mut stop).await;
        role.drop_all();
        match end {
            Ok(End::Stopped) => return Ok(member.leave().await?),
            Ok(End::Rejoin) => {
                if unless_stopped(&mut stop, backoff.wait()).await.is_none() {
                    return Ok(());
                }
            }
            Err(error) => return Err(error),
        }
    }
}

/// What comes of a wait, or nothing when it is cut short because there is nothing left to wait for.
async fn unless_stopped<T>(stop: &mut Receiver<bool>, wait: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        _ = stop.wait_for(|stop| *stop) => None,
        done = wait => Some(done),
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
        let event = unless_stopped(stop, member.next(wait)).await;
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

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use ports::{TopicSpec, clock_fn};
    use testkit::fake::{LogFault as Fault, MemoryLog, Operation};
    use tokio::{
        sync::watch::channel,
        time::{Instant, sleep},
    };

    use super::*;

    /// Waits for longer than anybody has, or loses its place whenever something comes.
    struct Waits {
        loses: bool,
    }

    impl<L: Log> Role<L> for Waits {
        fn wait(&self) -> Duration {
            Duration::from_secs(3600)
        }

        async fn handle(&mut self, _: &mut L::Member, _: Result<Event, ports::Error>) -> Result<(), Error> {
            match self.loses {
                true => Err(ports::Error::new(ErrorKind::Transient, "a server is away").into()),
                false => Ok(()),
            }
        }

        fn drop_all(&mut self) {}
    }

    /// That somebody who waits like this ends at once when told to.
    async fn check(loses: bool, together: Option<Arc<Barrier>>, plan: impl FnMut(&Operation<'_>) -> Fault + Send + 'static) {
        let log = MemoryLog::with_faults(clock_fn(1.0, || Timestamp(0)), plan);
        let topic = TopicSpec { name: "orders".into(), partitions: 1, retention: None, retention_bytes: None };
        log.create(&[topic]).await.expect("created");
        let membership = Membership::new("all", "one", vec!["orders".into()]);
        let (stop, stopped) = channel(false);
        let worker = tokio::spawn(async move { belong(&log, membership, together, &mut Waits { loses }, stopped).await });
        // By now every wait between two attempts is the longest.
        sleep(Duration::from_secs(9)).await;
        assert!(!worker.is_finished());
        let told_at = Instant::now();
        stop.send_replace(true);
        worker.await.expect("no panic").expect("an end");
        assert_eq!(told_at.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_cuts_every_wait_short() {
        check(false, None, |_| Fault::None).await;
        check(true, None, |_| Fault::None).await;
        check(false, Some(Arc::new(Barrier::new(2))), |_| Fault::None).await;
        let away = |operation: &Operation<'_>| match operation {
            Operation::Join { .. } => Fault::ErrorBefore,
            _ => Fault::None,
        };
        check(false, None, away).await;
    }
}
