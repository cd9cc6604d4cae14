//! What is SQLite's own.
//!
//! The log is write-ahead and synced at every commit (`synchronous=FULL`): what the API has confirmed survives a power
//! cut.

use std::fmt::Write;
use std::fs::OpenOptions;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use sqlx::any::AnyConnectOptions;
use sqlx::{AnyConnection, Error};

use crate::error::InventoryError;

/// For each connection, the readers' too. Statements wait 5 s for another program's lock. A removed key's secret is
/// overwritten, not just let go of.
const SETTINGS: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                        PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;";

/// Makes the file if there is none. The database holds secrets, so that nobody else may read it, whatever the umask;
/// SQLite gives its log the same mode.
pub(super) fn create_private(path: &Path) -> Result<(), InventoryError> {
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
    file.map(drop).map_err(|error| unopenable(path, &error))
}

/// How the file is opened, which is there.
pub(super) fn options(path: &Path) -> Result<AnyConnectOptions, InventoryError> {
    // Whole and without `..`, which a URL would take for its own.
    let whole = path.canonicalize().map_err(|error| unopenable(path, &error))?;
    let mut url = "sqlite://".to_owned();
    for octet in whole.as_os_str().as_bytes() {
        match octet {
            b'/' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => url.push(char::from(*octet)),
            _ => _ = write!(url, "%{octet:02x}"),
        }
    }
    url.push_str("?mode=rw");
    url.parse().map_err(|error| unopenable(path, &error))
}

pub(super) async fn prepare(connection: &mut AnyConnection) -> Result<(), Error> {
    sqlx::raw_sql(SETTINGS).execute(connection).await?;
    Ok(())
}

fn unopenable(path: &Path, error: &dyn std::fmt::Display) -> InventoryError {
    InventoryError::Unopenable { path: path.to_owned(), reason: error.to_string() }
}
