//! Opening the database, on one of two engines, and the ways into it.
//!
//! One connection writes and a few read, so that writers queue here rather than fail at the database's lock. Statements
//! are the same on both engines, but for those below here: [`sqlite`], [`postgres`], [`engine`].

mod changes;
mod connections;
mod deadline;
mod engine;
mod keeper;
mod location;
mod opening;
mod postgres;
mod sqlite;
mod transaction;

use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use tokio::sync::watch;
use zone::ZoneId;

use crate::TenantId;
use crate::error::InventoryError;
use crate::ledger::Ledger;

pub use changes::Changed;
use changes::Changes;
pub(crate) use connections::Connections;
pub(crate) use engine::reserve_ids;
pub use location::{Location, PostgresUrl, PostgresUrlError};
use opening::{Opening, Role};
pub(crate) use transaction::Transaction;

static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// After that a commit of which nothing was heard has been made or never will be.
const COMMIT_LASTS: Duration = Duration::from_secs(60);

/// Readers never wait for the writer, and hardly for each other.
const READERS: u32 = 4;

/// The inventory: cheap to clone, one database.
#[derive(Clone)]
pub struct Inventory {
    writer: Connections,
    readers: Connections,
    changes: Changes,
    ledger: Ledger,
}

impl Inventory {
    /// Opens the database, and makes in it what is not there; must be called within a Tokio runtime.
    ///
    /// # Errors
    /// When it is locked, damaged, written by a newer version, or cannot be made; when its server cannot be reached, does
    /// not let us in, or another program has it.
    pub async fn open(location: &Location) -> Result<Self, InventoryError> {
        if let Location::File(path) = location {
            sqlite::create_private(path)?;
        }
        let changes = Changes::new();
        let writer = Connections::new(Opening::new(location, Role::Writer)?, 1, changes.clone());
        let readers = Connections::new(Opening::new(location, Role::Reader)?, READERS, changes.clone());
        migrate(&writer, location).await?;
        // Whether it can be read is to be known now.
        drop(readers.lend().await?);
        let ledger = Ledger::start(writer.clone());
        if let Location::Postgres(_) = location {
            tokio::spawn(keeper::keep(writer.downgrade(), readers.downgrade()));
        }
        Ok(Self { writer, readers, changes, ledger })
    }

    /// Rises with every change of what should exist, and when the database is there again after it was not: what
    /// reconcile waits for. The numbers mean nothing else.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// What has changed since this was called last, by whoever makes the node match what should exist, and by nobody else.
    pub fn take_changed(&self) -> Changed {
        self.changes.take()
    }

    /// Has whoever takes what has changed go through everything: something outside has, on which what is made of it depends.
    pub fn have_everything_gone_through(&self) {
        self.changes.note(Changed::Everything);
    }

    /// Why the database, which was there, is not at the moment, in words; none as long as it is. Nothing has to be done
    /// here to have it again.
    pub fn trouble(&self) -> Option<Arc<str>> {
        self.writer.trouble().or_else(|| self.readers.trouble())
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
        let mut transaction = self.begin().await?;
        reserve_ids(&mut transaction, to_i64(highest.0)).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Never gives a tenant this number, or a lower one, from now on: nobody new is to find another's zones in the store.
    pub async fn reserve_tenants(&self, highest: TenantId) -> Result<(), InventoryError> {
        let mut transaction = self.begin().await?;
        sqlx::query("UPDATE numbers SET last = $1 WHERE kind = 'tenants' AND last < $1")
            .bind(to_i64(highest.0))
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

    pub(crate) fn reader(&self) -> &Connections {
        &self.readers
    }

    pub(crate) async fn begin(&self) -> Result<Transaction, sqlx::Error> {
        self.writer.begin().await
    }

    /// Commits a change of what should exist, which may concern every zone, and wakes reconcile.
    pub(crate) async fn commit_change(&self, transaction: Transaction) -> Result<(), sqlx::Error> {
        self.commit_change_of(Changed::Everything, transaction).await
    }

    /// Commits a change of these and nothing else, and wakes reconcile.
    pub(crate) async fn commit_change_of(
        &self,
        changed: Changed,
        transaction: Transaction,
    ) -> Result<(), sqlx::Error> {
        let committed = transaction.commit().await;
        // Also after an error: the change may have been made, and its confirmation lost.
        self.changes.note(changed);
        if committed.is_err() {
            let changes = self.changes.clone();
            // Or it is made only now, by a server that has not noticed yet that nobody waits.
            tokio::spawn(async move {
                tokio::time::sleep(COMMIT_LASTS).await;
                changes.note(Changed::Everything);
            });
        }
        committed
    }
}

async fn migrate(writer: &Connections, location: &Location) -> Result<(), InventoryError> {
    let mut lent = writer.lend().await?;
    let connection = lent.connection();
    // Not `run`, whose future nobody can send to another thread (sqlx says so where it has the other one).
    let (migrations, done) = match location {
        Location::File(_) => (&SQLITE_MIGRATIONS, SQLITE_MIGRATIONS.run_direct(None, connection, false).await),
        Location::Postgres(_) => {
            sqlx::raw_sql(postgres::BEFORE_MIGRATION).execute(&mut *connection).await?;
            let run = POSTGRES_MIGRATIONS.run_direct(None, &mut *connection, false);
            let done = tokio::time::timeout(postgres::MIGRATION_WAIT, run).await;
            let done = done.map_err(|_| InventoryError::Failed("it did not answer in time".into()))?;
            sqlx::raw_sql(postgres::AFTER_MIGRATION).execute(connection).await?;
            (&POSTGRES_MIGRATIONS, done)
        }
    };
    let known = migrations.iter().map(|migration| migration.version).max().unwrap_or_default();
    done.map_err(|error| match error {
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
    use sqlx::migrate::Migrator;
    use xfr::{Moment, Primary};

    use super::{Inventory, Location};
    use crate::error::AddZoneError;
    use crate::{By, InventoryError, NewZone, TenantId};

    #[test]
    fn both_engines_have_the_same_migrations() {
        // The first six of SQLite are one of PostgreSQL.
        let numbers = |migrations: &Migrator| {
            migrations.iter().map(|migration| migration.version).filter(|number| *number >= 6).collect::<Vec<_>>()
        };
        assert_eq!(numbers(&super::SQLITE_MIGRATIONS), numbers(&super::POSTGRES_MIGRATIONS));
    }

    #[tokio::test]
    async fn a_full_disk_is_over_when_there_is_room_again() {
        let place = tempfile::tempdir().unwrap();
        let inventory = Inventory::open(&Location::File(place.path().join("inventory.db"))).await.unwrap();
        let limit = async |pages: u32| {
            let pragma = format!("PRAGMA max_page_count = {pages}");
            let mut writer = inventory.writer.lend().await.unwrap();
            sqlx::query(sqlx::AssertSqlSafe(pragma)).execute(writer.connection()).await.unwrap();
        };
        let add = async |number: u32| {
            let name: Name = format!("a-name-of-some-length-{number}.example").parse().unwrap();
            let primary = Primary::at(([192, 0, 2, 1], 53).into());
            inventory
                .add_zone(&By::machine(Moment(0)), TenantId::DEFAULT, &NewZone::answering(name, vec![primary]))
                .await
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

    /// What came before may be missing then: SQLite would commit it, PostgreSQL would not, and neither says so.
    #[tokio::test]
    async fn a_transaction_in_which_a_statement_failed_cannot_be_committed() {
        let place = tempfile::tempdir().unwrap();
        let inventory = Inventory::open(&Location::File(place.path().join("inventory.db"))).await.unwrap();
        let mut transaction = inventory.begin().await.unwrap();
        let add = "INSERT INTO tenants (id, name) VALUES (7, 'seven')";
        sqlx::query(add).execute(&mut *transaction).await.unwrap();
        sqlx::query(add).execute(&mut *transaction).await.unwrap_err();
        transaction.commit().await.unwrap_err();
        let tenants: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM tenants").fetch_one(inventory.reader()).await.unwrap();
        assert_eq!(tenants, 1);
        // And whoever comes next finds no transaction of somebody else's.
        let mut transaction = inventory.begin().await.unwrap();
        sqlx::query(add).execute(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
        inventory.close().await;
    }

    #[tokio::test]
    async fn a_transaction_that_sqlite_ended_by_itself_leaves_a_writer_that_works() {
        // What a disk that is full at COMMIT does (https://sqlite.org/lang_transaction.html §2.3).
        let place = tempfile::tempdir().unwrap();
        let inventory = Inventory::open(&Location::File(place.path().join("inventory.db"))).await.unwrap();
        let mut transaction = inventory.begin().await.unwrap();
        sqlx::query("ROLLBACK").execute(&mut *transaction).await.unwrap();
        drop(transaction);
        let transaction = inventory.begin().await.unwrap();
        transaction.commit().await.unwrap();
        inventory.close().await;
    }
}
