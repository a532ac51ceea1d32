//! Work that is done beside the worker and that it waits for no longer than it can afford: on other threads, one piece at a time for
//! each name. What is not done in time is given up, and whoever still does it is not asked for more. Knows nothing of models.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use tokio::{
    sync::oneshot::{Receiver, Sender, channel},
    task::{JoinHandle, spawn_blocking},
    time::{Instant, timeout_at},
};

/// Whoever works beside.
#[derive(Debug, Default)]
pub(super) struct Beside {
    /// The last piece of each.
    last: BTreeMap<String, JoinHandle<()>>,
    /// Those who broke down are not asked again: what breaks once breaks at the next step as well, and each time somebody is told.
    broken: BTreeSet<String>,
}

/// Why there is no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Silence {
    /// It was not done in time.
    Late,
    /// A piece from before is not done yet.
    Busy,
    /// It broke down, now or before.
    Broken,
}

/// A piece of work that was begun.
#[derive(Debug)]
pub(super) struct Begun<T>(Result<Receiver<T>, Silence>);

/// Whether the result is still waited for.
#[derive(Debug)]
pub(super) struct Wanted<T>(Sender<T>);

impl<T> Wanted<T> {
    /// Long work asks now and then, and ends when nobody wants it.
    pub(super) fn is_wanted(&self) -> bool {
        !self.0.is_closed()
    }
}

impl Beside {
    /// Begins a piece of work of whoever has this name. Work that nobody waits for any longer gives none.
    pub(super) fn begin<T: Send + 'static>(
        &mut self,
        name: &str,
        work: impl FnOnce(&Wanted<T>) -> Option<T> + Send + 'static,
    ) -> Begun<T> {
        if self.broken.contains(name) {
            return Begun(Err(Silence::Broken));
        }
        if self.last.get(name).is_some_and(|last| !last.is_finished()) {
            return Begun(Err(Silence::Busy));
        }
        let (tell, hear) = channel();
        let done = spawn_blocking(move || {
            let wanted = Wanted(tell);
            if let Some(result) = work(&wanted) {
                // It may have become late in the end.
                let _ = wanted.0.send(result);
            }
        });
        self.last.insert(name.to_owned(), done);
        Begun(Ok(hear))
    }

    /// The result, if it is there by then.
    pub(super) async fn result<T>(&mut self, name: &str, begun: Begun<T>, by: Instant) -> Result<T, Silence> {
        match timeout_at(by, begun.0?).await {
            Ok(Ok(result)) => {
                // It has nothing left to do, whether or not its thread has ended.
                self.last.remove(name);
                Ok(result)
            }
            Ok(Err(_)) => {
                self.broken.insert(name.to_owned());
                Err(Silence::Broken)
            }
            Err(_) => Err(Silence::Late),
        }
    }

    /// Forgets whoever has none of these names.
    pub(super) fn keep<'n>(&mut self, names: impl IntoIterator<Item = &'n str>) {
        let names: BTreeSet<&str> = names.into_iter().collect();
        self.last.retain(|name, _| names.contains(&**name));
        self.broken.retain(|name| names.contains(&**name));
    }
}

/// By when something has to be done that may take so long from now on.
pub(super) fn by(patience: Duration) -> Instant {
    Instant::now() + patience
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Long enough for a thread to answer on any machine.
    const LONG: Duration = Duration::from_secs(60);
    const SHORT: Duration = Duration::from_millis(1);

    async fn said(beside: &mut Beside, number: u32) -> Result<u32, Silence> {
        let begun = beside.begin("a", move |_| Some(number));
        beside.result("a", begun, by(LONG)).await
    }

    #[tokio::test]
    async fn what_is_done_in_time_is_heard() {
        let mut beside = Beside::default();
        let [first, second] = [("a", 1), ("b", 2)].map(|(name, number)| beside.begin(name, move |_| Some(number)));
        assert_eq!(beside.result("a", first, by(LONG)).await, Ok(1));
        assert_eq!(beside.result("b", second, by(LONG)).await, Ok(2));
    }

    #[tokio::test]
    async fn whoever_is_late_is_not_waited_for_and_not_asked_until_it_is_done() {
        let (mut beside, (release, released)) = (Beside::default(), mpsc::channel::<()>());
        let (tell, told) = mpsc::channel();
        let slow = beside.begin("a", move |wanted: &Wanted<u32>| {
            released.recv().expect("it is released in the end");
            tell.send(wanted.is_wanted()).expect("somebody looks");
            Some(1)
        });
        assert_eq!(beside.result("a", slow, by(SHORT)).await, Err(Silence::Late));
        assert_eq!(said(&mut beside, 2).await, Err(Silence::Busy));
        let other = beside.begin("b", |_| Some(3));
        assert_eq!(beside.result("b", other, by(LONG)).await, Ok(3), "the others are asked as before");
        release.send(()).expect("it waits");
        assert_eq!(told.recv(), Ok(false), "it hears that nobody waits");
        let last = beside.last.remove("a").expect("it was asked");
        last.await.expect("it is done");
        assert_eq!(said(&mut beside, 4).await, Ok(4));
    }

    #[tokio::test]
    async fn whoever_breaks_down_harms_nobody_and_is_not_asked_again() {
        let mut beside = Beside::default();
        let begun = beside.begin("a", |_| -> Option<u32> { panic!("this is a test of what a panic does") });
        assert_eq!(beside.result("a", begun, by(LONG)).await, Err(Silence::Broken));
        assert_eq!(said(&mut beside, 1).await, Err(Silence::Broken));
        beside.keep(["b"]);
        assert_eq!(said(&mut beside, 1).await, Ok(1), "chosen anew it may try again");
    }
}
