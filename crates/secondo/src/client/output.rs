//! What a command shows: tables and sentences for people, JSON for programs.

use std::io::{self, Write};

use api::json::Time;
use comfy_table::{Table, presets};
use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Json,
}

/// Where a command writes, and in which format.
pub(crate) struct Output<'a> {
    out: &'a mut dyn Write,
    format: Format,
}

impl<'a> Output<'a> {
    pub(crate) fn new(out: &'a mut dyn Write, format: Format) -> Self {
        Self { out, format }
    }

    pub(crate) fn format(&self) -> Format {
        self.format
    }

    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{text}")
    }

    /// As it is, for what is neither text nor JSON of ours.
    pub(crate) fn raw(&mut self, octets: &[u8]) -> io::Result<()> {
        self.out.write_all(octets)
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    pub(crate) fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut self.out, value)?;
        writeln!(self.out)
    }

    /// Columns under their titles, without lines around them.
    pub(crate) fn table(&mut self, titles: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> io::Result<()> {
        let mut table = Table::new();
        table.load_preset(presets::NOTHING).set_header(titles);
        table.add_rows(rows);
        self.trimmed(&table)
    }

    /// A name and a value on each line.
    pub(crate) fn facts(&mut self, facts: impl IntoIterator<Item = (&'static str, String)>) -> io::Result<()> {
        let mut table = Table::new();
        table.load_preset(presets::NOTHING);
        table.add_rows(facts.into_iter().map(|(name, value)| vec![format!("{name}:"), value]));
        self.trimmed(&table)
    }

    fn trimmed(&mut self, table: &Table) -> io::Result<()> {
        for line in table.lines() {
            // Cells are padded on both sides, which nobody needs at the ends of a line.
            self.line(line.strip_prefix(' ').unwrap_or(&line).trim_end())?;
        }
        Ok(())
    }
}

/// The value for people, `-` when there is none.
pub(crate) fn or_dash<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// `2026-11-21 12:00:00Z`; `-` when there is none.
pub(crate) fn time_or_dash(time: Option<Time>) -> String {
    time.map_or_else(|| "-".to_owned(), time_text)
}

pub(crate) fn time_text(time: Time) -> String {
    time.in_seconds()
}
