//! Who does the store's work: two threads, because whoever writes to a disk waits for it.
//!
//! Each has a small runtime of its own, for its queue and its time. In a simulation the same work is done on the
//! simulation's own runtime, whose time stands still meanwhile, and so in the same order each time.

use std::thread::JoinHandle;

use tokio::runtime::{Builder, Handle};

use crate::StoreError;

pub(crate) enum Workers {
    Threads(Vec<JoinHandle<()>>),
    Runtime(Handle),
}

impl Workers {
    pub(crate) fn on_threads() -> Self {
        Self::Threads(Vec::new())
    }

    /// # Panics
    /// When this is called outside of a runtime.
    pub(crate) fn on_this_runtime() -> Self {
        Self::Runtime(Handle::current())
    }

    pub(crate) fn start(
        &mut self,
        name: &str,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), StoreError> {
        match self {
            Self::Threads(threads) => {
                let failed = |error| StoreError::from_io(format!("starting the thread {name}"), &error);
                let runtime = Builder::new_current_thread().enable_time().build().map_err(failed)?;
                let thread = std::thread::Builder::new().name(name.into());
                threads.push(thread.spawn(move || runtime.block_on(work)).map_err(failed)?);
            }
            Self::Runtime(runtime) => drop(runtime.spawn(work)),
        }
        Ok(())
    }

    /// Waits until threads have ended.
    pub(crate) fn join(&mut self) {
        let Self::Threads(threads) = self else { return };
        for thread in threads.drain(..) {
            // One that panicked has been reported by the panic itself.
            let _ = thread.join();
        }
    }
}
