//! `[inventory]`: on which database what should exist is kept.
//!
//! A URL holds a password: it is never part of what is said about it.

use std::path::Path;

use inventory::PostgresUrl;
use serde::Deserialize;
use toml::Spanned;

use super::problems::Problems;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct InventorySection {
    /// The URL of a database.
    postgres: Option<Spanned<String>>,
    /// A file with such a URL in it, so that the password can be kept apart.
    postgres_file: Option<Spanned<String>>,
}

/// None for a file in the data directory.
pub(super) fn read_location(section: &InventorySection, problems: &mut Problems) -> Option<PostgresUrl> {
    match (&section.postgres, &section.postgres_file) {
        (None, None) => None,
        (Some(url), None) => problems.read(url, read_url),
        (None, Some(file)) => problems.read(file, read_file),
        (Some(_), Some(file)) => {
            let message = "the inventory is in one database: give postgres or postgres_file, one of the two";
            problems.note(file.span().start, message);
            None
        }
    }
}

pub(super) fn read_url(text: &str) -> Result<PostgresUrl, String> {
    text.parse().map_err(|error: inventory::PostgresUrlError| error.to_string())
}

fn read_file(path: &str) -> Result<PostgresUrl, String> {
    let text = std::fs::read_to_string(Path::new(path))
        .map_err(|error| format!("the file {path} cannot be read: {error}: it is to hold the URL of the database"))?;
    read_url(&text).map_err(|message| format!("the file {path}: {message}"))
}

/// What the parser says, which may quote what it has found.
pub(super) fn without_urls(message: &str) -> String {
    if ["postgres://", "postgresql://"].iter().any(|scheme| message.contains(scheme)) {
        return "the URL of a database is out of place here: write it as postgres = \"…\" below [inventory]"
            .to_owned();
    }
    message.to_owned()
}
