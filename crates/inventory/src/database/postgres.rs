//! What is PostgreSQL's own.
//!
//! One program at a time has an inventory. The connection that writes holds an advisory lock of its session, and another
//! program that wants to write is refused. There is nothing else to hold on to: whoever loses that connection has lost
//! the lock and cannot write either, and gets both back together, or finds that somebody else has them. So a program that
//! was cut off never writes beside another one, and as long as it is the only one, writers queue here as they do for
//! SQLite: READ COMMITTED is enough for them. Readers see one moment in a transaction (REPEATABLE READ), as with SQLite.
//!
//! The server ends what we no longer wait for: statements, transactions that nobody goes on with, connections whose
//! other side is gone, so that a lock does not outlive its program by more than a minute.

use std::time::Duration;

use sqlx::any::AnyConnectOptions;
use sqlx::{AnyConnection, Connection, Error};
use tokio::time::timeout;

use super::opening::Role;
use crate::error::InventoryError;

/// How long it may take until a connection is there and is ours.
const CONNECT_WAIT: Duration = Duration::from_secs(10);
/// How long a statement may take, its rows included; the server gives up a little sooner and says so.
pub(super) const STATEMENT_WAIT: Duration = Duration::from_secs(30);
/// The oldest version that is tested.
const VERSION_MIN: i64 = 150_000;
/// The first half of the lock's number, "SCND"; the other half says which schema, so that a database may hold several
/// inventories in schemas of their own.
const LOCK: i32 = 0x5343_4e44;
/// What PostgreSQL says when a lock is not to be had in time (its documentation, appendix A).
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// For every connection.
const SETTINGS: &str = "SET statement_timeout = '25s'; SET lock_timeout = '5s'; \
                        SET idle_in_transaction_session_timeout = '60s'; SET client_connection_check_interval = '10s'; \
                        SET tcp_keepalives_idle = 20; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3; \
                        SET client_min_messages = warning;";
/// What the API has confirmed survives a power cut, whatever the server's settings say of others; who has set more than
/// that keeps it.
const WRITER: &str = "SET default_transaction_isolation = 'read committed'; \
                      SELECT set_config('synchronous_commit', 'on', false) \
                      WHERE current_setting('synchronous_commit') IN ('off', 'local', 'remote_write');";
const READER: &str = "SET default_transaction_isolation = 'repeatable read'; SET default_transaction_read_only = on;";
/// Migrations go through whole tables, in the one long statement that there is.
pub(super) const MIGRATION_WAIT: Duration = Duration::from_secs(600);
pub(super) const BEFORE_MIGRATION: &str = "SET statement_timeout = '10min';";
pub(super) const AFTER_MIGRATION: &str = "SET statement_timeout = '25s';";

/// A connection with its settings; the writer's has the lock.
pub(super) async fn connect(options: &AnyConnectOptions, role: Role) -> Result<AnyConnection, Error> {
    let connecting = async {
        let mut connection = AnyConnection::connect_with(options).await?;
        sqlx::raw_sql(SETTINGS).execute(&mut connection).await?;
        match role {
            Role::Reader => _ = sqlx::raw_sql(READER).execute(&mut connection).await?,
            Role::Writer => {
                check_server(&mut connection).await?;
                take_lock(&mut connection).await?;
                sqlx::raw_sql(WRITER).execute(&mut connection).await?;
            }
        }
        Ok(connection)
    };
    let late = || Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, "it did not answer in time"));
    timeout(CONNECT_WAIT, connecting).await.unwrap_or_else(|_| Err(late()))
}

async fn check_server(connection: &mut AnyConnection) -> Result<(), Error> {
    let (version, encoding): (i64, String) = sqlx::query_as(
        "SELECT CAST(current_setting('server_version_num') AS BIGINT), current_setting('server_encoding')",
    )
    .fetch_one(connection)
    .await?;
    if version < VERSION_MIN {
        let what = format!("the server is PostgreSQL {}, and this program needs 15 or newer", version / 10_000);
        return Err(ours(InventoryError::Unfit(what)));
    }
    if !["UTF8", "SQL_ASCII"].contains(&encoding.as_str()) {
        let what = format!("its encoding is {encoding}: make one with ENCODING 'UTF8'");
        return Err(ours(InventoryError::Unfit(what)));
    }
    Ok(())
}

/// Takes the lock, or says that another program has it. A program that was killed a moment ago may have it still.
async fn take_lock(connection: &mut AnyConnection) -> Result<(), Error> {
    sqlx::raw_sql("SET lock_timeout = '3s';").execute(&mut *connection).await?;
    let locked = sqlx::query("SELECT pg_advisory_lock($1, hashtext(COALESCE(current_schema(), '')))")
        .bind(LOCK)
        .execute(&mut *connection)
        .await;
    locked.map_err(|error| match error.as_database_error().and_then(sqlx::error::DatabaseError::code) {
        Some(code) if code == LOCK_NOT_AVAILABLE => ours(InventoryError::InUse),
        _ => error,
    })?;
    sqlx::raw_sql("SET lock_timeout = '5s';").execute(connection).await?;
    Ok(())
}

/// An error of ours on its way through sqlx; [`InventoryError`] takes it out again.
fn ours(error: InventoryError) -> Error {
    Error::Configuration(Box::new(error))
}
