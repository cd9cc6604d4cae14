//! Opening the database, and what else is SQLite's own.
//!
//! One connection writes and a few read, so that writers queue here rather than fail at SQLite's lock. The log is
//! write-ahead and synced at every commit (`synchronous=FULL`): what the API has confirmed survives a power cut.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use sqlx::Connection;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use tokio::sync::watch;
use zone::ZoneId;

use crate::error::InventoryError;
use crate::ledger::Ledger;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// How long a statement waits for another program's lock.
const BUSY_WAIT: Duration = Duration::from_secs(5);
/// How long a caller waits for a connection: a few long imports in a row.
const CONNECTION_WAIT: Duration = Duration::from_secs(20);
/// Readers never wait for the writer, and hardly for each other.
const READERS: u32 = 4;

/// A transaction that may write.
pub(crate) type Transaction = sqlx::Transaction<'static, sqlx::Sqlite>;

/// The inventory: cheap to clone, one database.
#[derive(Clone)]
pub struct Inventory {
    writer: SqlitePool,
    readers: SqlitePool,
    changes: watch::Sender<u64>,
    ledger: Ledger,
}

impl Inventory {
    /// Opens the database at `path`, and makes it if there is none; must be called within a Tokio runtime.
    ///
    /// # Errors
    /// When the file is locked, damaged, written by a newer version, or cannot be made.
    pub async fn open(path: &Path) -> Result<Self, InventoryError> {
        create_private(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_WAIT)
            .foreign_keys(true)
            // A removed key's secret is overwritten, not just let go of.
            .pragma("secure_delete", "ON");
        let pool =
            |connections| SqlitePoolOptions::new().max_connections(connections).acquire_timeout(CONNECTION_WAIT);
        let writer = pool(1)
            .before_acquire(|connection, _| Box::pin(is_clean(connection)))
            .connect_with(options.clone())
            .await?;
        migrate(&writer).await?;
        let readers = pool(READERS).connect_with(options).await?;
        let ledger = Ledger::start(writer.clone());
        Ok(Self { writer, readers, changes: watch::Sender::new(0), ledger })
    }

    /// Rises with every change of what should exist: what reconcile waits for. The numbers mean nothing else.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Where attempts are put on record.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// No zone added from now on gets an id up to and including `highest`.
    ///
    /// For a store that knows more zones than the inventory, because the inventory was lost: an id used twice would
    /// give one zone the contents of another.
    pub async fn reserve_zone_ids(&self, highest: ZoneId) -> Result<(), InventoryError> {
        let highest = to_i64(highest.0);
        let mut transaction = self.begin().await?;
        // SQLite's own table for AUTOINCREMENT; its row appears with the first zone.
        sqlx::query(
            "INSERT INTO sqlite_sequence (name, seq) SELECT 'zones', 0 \
             WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'zones')",
        )
        .execute(&mut *transaction)
        .await?;
        sqlx::query("UPDATE sqlite_sequence SET seq = $1 WHERE name = 'zones' AND seq < $1")
            .bind(highest)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Puts what is waiting on record and closes the database; afterwards every call fails.
    pub async fn close(&self) {
        self.ledger.flush().await;
        self.readers.close().await;
        self.writer.close().await;
    }

    pub(crate) fn reader(&self) -> &SqlitePool {
        &self.readers
    }

    pub(crate) async fn begin(&self) -> Result<Transaction, sqlx::Error> {
        begin(&self.writer).await
    }

    /// Commits a change of what should exist and wakes reconcile.
    pub(crate) async fn commit_change(&self, transaction: Transaction) -> Result<(), sqlx::Error> {
        transaction.commit().await?;
        self.changes.send_modify(|count| *count += 1);
        Ok(())
    }
}

/// Begins as a writer at once: a transaction that only turns into one later may fail half-way.
pub(crate) async fn begin(writer: &SqlitePool) -> Result<Transaction, sqlx::Error> {
    writer.begin_with("BEGIN IMMEDIATE").await
}

/// Whether nothing is left of an earlier transaction. SQLite ends one by itself when the disk is full; sqlx then fails
/// to roll it back and counts it for ever, so that such a connection is closed and another one takes its place.
async fn is_clean(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    // Lets a rollback that waits on the connection go first.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

/// The database holds secrets, so that nobody else may read it, whatever the umask; SQLite gives its log the same mode.
fn create_private(path: &Path) -> Result<(), InventoryError> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map(drop)
        .map_err(|error| InventoryError::Unopenable { path: path.to_owned(), reason: error.to_string() })
}

async fn migrate(writer: &SqlitePool) -> Result<(), InventoryError> {
    let known = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default();
    MIGRATIONS.run(writer).await.map_err(|error| match error {
        MigrateError::VersionMissing(found) => InventoryError::Newer { found, known },
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
        error => InventoryError::Damaged(error.to_string()),
    })
}

/// Numbers in the database are signed; ours stay far below the limit, and beyond it the largest is as good.
pub(crate) fn to_i64(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number read back; a negative one was not written by us.
pub(crate) fn to_u64(number: i64) -> Result<u64, InventoryError> {
    u64::try_from(number).map_err(|_| InventoryError::Damaged(format!("it holds the number {number}")))
}

#[cfg(test)]
mod tests {
    use dns::Name;
    use xfr::{Moment, Primary};

    use super::Inventory;
    use crate::error::AddZoneError;
    use crate::{InventoryError, NewZone, TenantId};

    #[tokio::test]
    async fn a_full_disk_is_over_when_there_is_room_again() {
        let place = tempfile::tempdir().unwrap();
        let inventory = Inventory::open(&place.path().join("inventory.db")).await.unwrap();
        let limit = async |pages: u32| {
            let pragma = format!("PRAGMA max_page_count = {pages}");
            sqlx::query(sqlx::AssertSqlSafe(pragma)).execute(&inventory.writer).await.unwrap();
        };
        let add = async |number: u32| {
            let name: Name = format!("a-name-of-some-length-{number}.example").parse().unwrap();
            let primary = Primary::at(([192, 0, 2, 1], 53).into());
            inventory.add_zone(TenantId::DEFAULT, &NewZone::answering(name, vec![primary]), Moment(0)).await
        };
        limit(1).await;
        let full = async {
            for number in 0..10_000 {
                add(number).await?;
            }
            Ok(())
        };
        assert!(matches!(full.await, Err(AddZoneError::Inventory(InventoryError::DiskFull))));
        assert!(add(20_000).await.is_err());
        limit(1_000_000).await;
        add(30_000).await.unwrap();
        inventory.close().await;
    }

    #[tokio::test]
    async fn a_transaction_that_sqlite_ended_by_itself_leaves_a_writer_that_works() {
        // What a disk that is full at COMMIT does (https://sqlite.org/lang_transaction.html §2.3): sqlx still counts
        // the transaction, and would refuse to begin another one for ever.
        let place = tempfile::tempdir().unwrap();
        let inventory = Inventory::open(&place.path().join("inventory.db")).await.unwrap();
        let mut transaction = inventory.begin().await.unwrap();
        sqlx::query("ROLLBACK").execute(&mut *transaction).await.unwrap();
        drop(transaction);
        let transaction = inventory.begin().await.unwrap();
        transaction.commit().await.unwrap();
        inventory.close().await;
    }
}
