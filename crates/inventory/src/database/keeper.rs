//! Looking after a database that may come and go: whether it is there is known also when nobody asks for anything.

use std::sync::Arc;
use std::time::Duration;

use super::connections::WeakConnections;

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(5);

/// Has the connection that writes, and with it the lock, whenever that is possible, and one that reads, and says when that
/// is not so and when it is again; until nobody has the inventory any more.
pub(super) async fn keep(writer: WeakConnections, readers: WeakConnections) {
    let mut said: Option<Arc<str>> = None;
    loop {
        tokio::time::sleep(EVERY).await;
        let (Some(writer), Some(readers)) = (writer.upgrade(), readers.upgrade()) else { return };
        let (written, _) = tokio::join!(writer.lend(), readers.lend());
        if let Err(sqlx::Error::PoolClosed) = written {
            return;
        }
        let trouble = writer.trouble().or_else(|| readers.trouble());
        if trouble == said {
            continue;
        }
        match &trouble {
            Some(words) => {
                tracing::error!(
                    "zones go on being served and followed, but nothing can be added or removed: {words}"
                );
            }
            None => tracing::info!("the inventory is available again"),
        }
        said = trouble;
    }
}
