//! How a connection comes to be, for whom, on which engine.

use std::time::Duration;

use sqlx::any::AnyConnectOptions;
use sqlx::{AnyConnection, ConnectOptions, Connection, Error};

use super::engine::Engine;
use super::location::Location;
use super::{postgres, sqlite};
use crate::error::InventoryError;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The one that writes.
    Writer,
    /// One of those that only read.
    Reader,
}

pub(super) struct Opening {
    engine: Engine,
    role: Role,
    options: AnyConnectOptions,
}

impl Opening {
    pub(super) fn new(location: &Location, role: Role) -> Result<Self, InventoryError> {
        // What sqlx calls drivers; once for the whole program.
        sqlx::any::install_default_drivers();
        let (engine, options) = match location {
            Location::File(path) => (Engine::Sqlite, sqlite::options(path)?),
            Location::Postgres(url) => (Engine::Postgres, url.options()),
        };
        // sqlx would say each slow one with its whole text, and in some there is what tenants' zones were asked.
        let options = options.disable_statement_logging();
        Ok(Self { engine, role, options })
    }

    pub(super) async fn connect(&self) -> Result<AnyConnection, Error> {
        match self.engine {
            Engine::Sqlite => {
                let mut connection = AnyConnection::connect_with(&self.options).await?;
                sqlite::prepare(&mut connection).await?;
                Ok(connection)
            }
            Engine::Postgres => postgres::connect(&self.options, self.role).await,
        }
    }

    pub(super) fn begin_statement(&self) -> &'static str {
        match (self.engine, self.role) {
            // As a writer at once: a transaction that only turns into one later may fail half-way.
            (Engine::Sqlite, Role::Writer) => "BEGIN IMMEDIATE",
            (Engine::Sqlite, Role::Reader) | (Engine::Postgres, _) => "BEGIN",
        }
    }

    pub(super) fn statement_wait(&self) -> Option<Duration> {
        match self.engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(postgres::STATEMENT_WAIT),
        }
    }
}
