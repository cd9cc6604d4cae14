//! The two engines, and the few statements that are not the same on both.

use sqlx::AnyConnection;

use super::Transaction;

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    pub(super) fn of(connection: &AnyConnection) -> Self {
        match connection.backend_name() {
            "SQLite" => Self::Sqlite,
            _ => Self::Postgres,
        }
    }
}

/// No zone that is added from now on gets an id up to and including `highest`.
pub(crate) async fn reserve_ids(transaction: &mut Transaction, highest: i64) -> Result<(), sqlx::Error> {
    let statements: &[&'static str] = match transaction.engine() {
        // SQLite's own table for AUTOINCREMENT; its row appears with the first zone.
        Engine::Sqlite => &[
            "INSERT INTO sqlite_sequence (name, seq) SELECT 'zones', 0 \
             WHERE $1 > 0 AND NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'zones')",
            "UPDATE sqlite_sequence SET seq = $1 WHERE name = 'zones' AND seq < $1",
        ],
        // A sequence that has given none says 1 all the same: then its next one is 2. It never goes back.
        Engine::Postgres => {
            &["SELECT setval(pg_get_serial_sequence('zones', 'id'), GREATEST($1, last_value)) FROM zones_id_seq \
             WHERE $1 > 0"]
        }
    };
    for statement in statements {
        sqlx::query(*statement).bind(highest).execute(&mut **transaction).await?;
    }
    Ok(())
}
