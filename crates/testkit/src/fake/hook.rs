//! Faults on demand: a fake asks before each operation what is to go wrong with it. Never decides anything by chance or time of
//! its own.

use std::{fmt, sync::Arc, time::Duration};

use ports::{Error, ErrorKind};

/// What goes wrong with an operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// `Transient`, and it did not happen.
    Before,
    /// `Transient`, although it did happen.
    After,
    /// It happens and works, this much later by tokio's clock.
    Late(Duration),
    /// A volatile store is emptied, then the operation works on the empty one. Durable ports take it for [`Fault::None`].
    Emptied,
}

/// Somebody who is asked before each operation, by its name such as `online.write`. Cheap to clone.
#[derive(Clone, Default)]
pub struct Hook(Option<Arc<dyn Fn(&'static str) -> Fault + Send + Sync>>);

impl Hook {
    /// Asks this function.
    pub fn new(decide: impl Fn(&'static str) -> Fault + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(decide)))
    }

    /// Runs an operation as the hook decides. `happen` is called at most once and hears whether everything is to be emptied
    /// first.
    pub(super) async fn run<T>(&self, name: &'static str, happen: impl FnOnce(bool) -> Result<T, Error>) -> Result<T, Error> {
        let fault = self.0.as_ref().map_or(Fault::None, |decide| decide(name));
        match fault {
            Fault::Before => return Err(transient(name, "before")),
            Fault::Late(delay) => tokio::time::sleep(delay).await,
            Fault::None | Fault::After | Fault::Emptied => {}
        }
        let happened = happen(fault == Fault::Emptied)?;
        if fault == Fault::After { Err(transient(name, "after")) } else { Ok(happened) }
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.0.is_some() { "Hook(set)" } else { "Hook(none)" })
    }
}

fn transient(name: &str, when: &str) -> Error {
    Error::new(ErrorKind::Transient, format!("{name} was made to fail {when} it took effect: try again"))
}
