//! Looking after a database that may come and go: whether it is there is known also when nobody asks for anything.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::connections::WeakConnections;

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(5);

/// Looks again and again, and says when the database is gone and when it is back, until nobody has the inventory any
/// more. Rises `changes` when it is back: what has been missed meanwhile is to be made up for.
pub(super) async fn keep(writer: WeakConnections, changes: watch::Sender<u64>) {
    let mut missed: Option<Arc<str>> = None;
    loop {
        tokio::time::sleep(EVERY).await;
        let Some(writer) = writer.upgrade() else { return };
        match writer.lend().await {
            Ok(_) => {
                if missed.take().is_some() {
                    tracing::info!("the inventory is available again");
                    changes.send_modify(|count| *count += 1);
                }
            }
            Err(sqlx::Error::PoolClosed) => return,
            // Who has the connection finds out about it.
            Err(sqlx::Error::PoolTimedOut) => {}
            Err(error) => {
                let words: Arc<str> = super::in_words(&error).into();
                if missed.as_ref() != Some(&words) {
                    tracing::error!(
                        "zones go on being served and followed, but nothing can be added or removed: {words}"
                    );
                }
                missed = Some(words);
            }
        }
    }
}
