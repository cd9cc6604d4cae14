//! Deadlines for what a server far away may never answer.
//!
//! A file has none: what SQLite waits for is another program's lock, and that wait has its own end.

use std::future::Future;
use std::io;
use std::task::{Poll, ready};
use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt};
use sqlx::Error;

/// What `work` comes to, or that it took too long.
pub(super) async fn within<T>(
    limit: Option<Duration>,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    match limit {
        None => work.await,
        Some(limit) => tokio::time::timeout(limit, work).await.unwrap_or_else(|_| Err(late())),
    }
}

/// All that comes within `limit` from now, and after that an error as the last thing.
pub(super) fn limited<T: 'static>(
    limit: Option<Duration>,
    mut steps: BoxStream<'_, Result<T, Error>>,
) -> BoxStream<'_, Result<T, Error>> {
    let Some(limit) = limit else { return steps };
    let mut end = Box::pin(tokio::time::sleep(limit));
    let mut is_over = false;
    let next = move |context: &mut std::task::Context<'_>| {
        if is_over {
            return Poll::Ready(None);
        }
        if let Poll::Ready(step) = steps.poll_next_unpin(context) {
            return Poll::Ready(step);
        }
        ready!(end.as_mut().poll(context));
        is_over = true;
        Poll::Ready(Some(Err(late())))
    };
    stream::poll_fn(next).boxed()
}

fn late() -> Error {
    Error::Io(io::Error::new(io::ErrorKind::TimedOut, "it did not answer in time"))
}
