//! Work on large zones, which takes seconds, where it holds nobody up.

use std::io;
use std::sync::Arc;

use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinHandle, spawn_blocking};

/// How much later than others these threads have their turns (`nice(2)`): while there are as many others as processors they
/// have a quarter of the time, and whoever has a question to answer does not wait for their turn to end.
const NICENESS: i32 = 5;

/// Who does long work: threads of their own that let all others go first; by default those that the runtime has for what blocks,
/// as in a simulation. There are as many as there is work, like those: the zones of one must not wait for the zones of another.
#[derive(Clone, Debug, Default)]
pub struct LongWork(Option<Arc<Threads>>);

/// A runtime that nobody drives: its threads are all that is wanted of it.
#[derive(Debug)]
struct Threads(Option<Runtime>);

impl LongWork {
    /// # Errors
    /// When the system gives us nothing to wake threads with.
    pub fn on_threads_of_its_own() -> io::Result<Self> {
        let mut builder = Builder::new_current_thread();
        builder.thread_name("long-work");
        // Where that is forbidden they go on like all others.
        builder.on_thread_start(|| {
            let _ = rustix::process::nice(NICENESS);
        });
        Ok(Self(Some(Arc::new(Threads(Some(builder.build()?))))))
    }

    /// Begins at once. It ends by itself, whether somebody waits for it or not.
    pub fn begin<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
        match self.0.as_deref() {
            Some(Threads(Some(runtime))) => runtime.spawn_blocking(work),
            _ => spawn_blocking(work),
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // To wait for threads is forbidden on a runtime's, where the last one may let go of this.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use rustix::process::getpriority_process;

    use super::{LongWork, NICENESS};

    #[tokio::test]
    async fn long_work_lets_all_others_go_first_and_the_runtimes_own_threads_do_not() {
        let niceness = || getpriority_process(None).unwrap();
        let before = niceness();
        let beside = LongWork::on_threads_of_its_own().unwrap();
        assert_eq!(beside.begin(niceness).await.unwrap(), (before + NICENESS).min(19));
        assert_eq!(LongWork::default().begin(niceness).await.unwrap(), before);
        assert_eq!(niceness(), before);
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_ends_when_the_last_one_lets_go() {
        let beside = LongWork::on_threads_of_its_own().unwrap();
        let (went_on, goes_on) = std::sync::mpsc::channel::<()>();
        let (says, mut said) = tokio::sync::mpsc::channel(1);
        drop(beside.begin(move || {
            says.blocking_send("begun").unwrap();
            goes_on.recv().unwrap();
            says.blocking_send("done").unwrap();
        }));
        assert_eq!(said.recv().await, Some("begun"));
        drop(beside);
        went_on.send(()).unwrap();
        assert_eq!(said.recv().await, Some("done"));
    }
}
