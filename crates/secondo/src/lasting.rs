//! Tasks that last as long as the program.

use std::future::Future;
use std::time::Duration;

use tokio::task::JoinHandle;

/// Before a task that ended begins again, so that a fault that comes at once does not spin.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Runs a task, and again if it ends, which only a bug of ours makes it: without its timers a zone would never expire,
/// and nobody would know why. Aborting the handle ends it.
pub(crate) fn lasting<F>(what: &'static str, mut task: impl FnMut() -> F + Send + 'static) -> JoinHandle<()>
where
    F: Future<Output = ()> + Send + 'static,
{
    tokio::spawn(async move {
        loop {
            let ended = Watched(tokio::spawn(task())).ended().await;
            tracing::error!("{what} ended by a fault of ours and begins again: {ended}");
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    })
}

/// A running task that does not outlive its watcher.
struct Watched(JoinHandle<()>);

impl Watched {
    async fn ended(mut self) -> String {
        match (&mut self.0).await {
            Ok(()) => "it had nothing left to do".to_owned(),
            Err(error) => error.to_string(),
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::lasting;

    #[tokio::test(start_paused = true)]
    async fn a_task_that_panics_begins_again_and_ends_with_its_handle() {
        let (begun, mut begins) = mpsc::unbounded_channel();
        let mut times = 0;
        let task = lasting("a test", move || {
            times += 1;
            let (times, begun) = (times, begun.clone());
            async move {
                begun.send(times).unwrap();
                assert!(times != 1, "as a bug would");
                std::future::pending::<()>().await;
            }
        });
        assert_eq!((begins.recv().await, begins.recv().await), (Some(1), Some(2)));
        task.abort();
        assert_eq!(begins.recv().await, None, "the task inside has ended too");
    }
}
