//! Where an inventory is: a file, or a database of a PostgreSQL server.
//!
//! Parsed once. A password stands only in what connections are made with: nothing here prints it, and what is wrong with
//! a URL is said without the URL.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use sqlx::ConnectOptions;
use sqlx::any::AnyConnectOptions;
use sqlx::postgres::PgConnectOptions;

/// Parameters that a URL may have. Others would be ignored, and what they were meant for would be missed.
const PARAMETERS: [&str; 6] = ["host", "user", "sslmode", "sslrootcert", "sslcert", "sslkey"];

/// Where an inventory is.
#[derive(Clone, Debug)]
pub enum Location {
    /// A database of SQLite; made if there is none.
    File(PathBuf),
    /// A database of a PostgreSQL server, which is there, and may be empty.
    Postgres(PostgresUrl),
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Postgres(url) => url.fmt(f),
        }
    }
}

/// `postgres://USER:PASSWORD@HOST:PORT/DATABASE`; shown without its password.
#[derive(Clone)]
pub struct PostgresUrl {
    options: AnyConnectOptions,
    shown: String,
}

/// What is wrong with a URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PostgresUrlError {
    #[error(
        "this is no URL of a PostgreSQL database: write it as postgres://USER:PASSWORD@HOST:PORT/DATABASE, with %XX for what is special in a password"
    )]
    NoUrl,
    #[error("a URL of a PostgreSQL database begins with postgres://")]
    NotPostgres,
    #[error("the URL has the parameter {0:?}, which is not known here: known are {known}", known = PARAMETERS.join(", "))]
    UnknownParameter(String),
    #[error(
        "the URL has a value that cannot be meant: sslmode is disable, allow, prefer, require, verify-ca or verify-full, and names are UTF-8"
    )]
    WrongValue,
    #[error("the URL names no database: end it with /DATABASE")]
    NoDatabase,
}

impl PostgresUrl {
    pub(super) fn options(&self) -> AnyConnectOptions {
        self.options.clone()
    }
}

impl FromStr for PostgresUrl {
    type Err = PostgresUrlError;

    fn from_str(text: &str) -> Result<Self, PostgresUrlError> {
        let options: AnyConnectOptions = text.trim().parse().map_err(|_| PostgresUrlError::NoUrl)?;
        let url = &options.database_url;
        if !["postgres", "postgresql"].contains(&url.scheme()) {
            return Err(PostgresUrlError::NotPostgres);
        }
        if let Some((name, _)) = url.query_pairs().find(|(name, _)| !PARAMETERS.contains(&name.as_ref())) {
            return Err(PostgresUrlError::UnknownParameter(name.into_owned()));
        }
        let read = PgConnectOptions::from_url(url).map_err(|_| PostgresUrlError::WrongValue)?;
        let database = read.get_database().ok_or(PostgresUrlError::NoDatabase)?;
        let host = match read.get_socket() {
            Some(directory) => directory.display().to_string(),
            None => format!("{}:{}", read.get_host(), read.get_port()),
        };
        let shown = format!("postgres://{}@{host}/{database}", read.get_username());
        Ok(Self { options, shown })
    }
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::{Location, PostgresUrl, PostgresUrlError};

    #[test]
    fn a_url_is_shown_without_its_password() {
        for (text, shown) in [
            ("postgres://secondo:hidden%21@db.example/inventory\n", "postgres://secondo@db.example:5432/inventory"),
            ("postgresql://u:hidden@[2001:db8::1]:5433/d?sslmode=verify-full", "postgres://u@[2001:db8::1]:5433/d"),
            ("postgres:///d?host=/run/postgresql&user=u", "postgres://u@/run/postgresql/d"),
        ] {
            let location = Location::Postgres(text.parse().unwrap());
            assert_eq!(location.to_string(), shown);
            assert!(!format!("{location:?} {location:#?}").contains("hidden"), "{location:?}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_url_is_said_without_it() {
        let unknown = |name: &str| PostgresUrlError::UnknownParameter(name.into());
        for (text, error) in [
            ("hidden", PostgresUrlError::NoUrl),
            ("postgres://u:hidden@[/d", PostgresUrlError::NoUrl),
            ("mysql://u:hidden@h/d", PostgresUrlError::NotPostgres),
            ("postgres://u:hidden@h/d?sslmod=require", unknown("sslmod")),
            ("postgres://u:hidden@h/d?sslmode=hidden", PostgresUrlError::WrongValue),
            ("postgres://u:hidden@h", PostgresUrlError::NoDatabase),
        ] {
            let found = text.parse::<PostgresUrl>().unwrap_err();
            assert_eq!(found, error, "{text}");
            assert!(!found.to_string().contains("hidden"), "{found}");
        }
    }
}
