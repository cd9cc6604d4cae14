//! `secondo zone import`: many zones, a batch of lines at a time.
//!
//! The server reads the lines; here they are only cut, counted and sent. A batch that cannot be sent ends the import:
//! what was added before stays, and importing the same file again fails only the lines that are there.

use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use api::json::{Imported, LineOutcome};
use indicatif::{ProgressBar, ProgressStyle};

use crate::client::failure::Failure;
use crate::client::output::{Format, Output};
use crate::client::server::Server;

/// How many lines are sent at once: enough that syncing the disk costs little, few enough that progress is seen.
const BATCH_LINES: u64 = 1_000;
/// How many octets are sent at once, well below what the server takes.
const BATCH_OCTETS: usize = 1024 * 1024;
/// The longest line, in octets: sixteen primaries and two long names need a quarter of it.
const LINE_OCTETS_MAX: u64 = 16 * 1024;

pub(crate) async fn import(
    file: &Path,
    server: &Server,
    output: &mut Output<'_>,
    errors: &mut dyn Write,
) -> Result<(), Failure> {
    let mut source = Source::open(file)?;
    let progress = progress(source.octets);
    let mut total = Imported { added: 0, failed: 0, lines: Vec::new() };
    while let Some(batch) = source.next_batch()? {
        progress.inc(batch.text.len() as u64);
        let imported: Imported = server.post_text("/zones/import", batch.text).await?;
        for mut line in imported.lines {
            line.line += batch.lines_before;
            if line.outcome == LineOutcome::Failed {
                let code = line.code.as_deref().unwrap_or_default();
                let detail = line.detail.as_deref().unwrap_or_default();
                progress.suspend(|| writeln!(errors, "line {}: {detail} ({code})", line.line))?;
            }
            if output.format() == Format::Json {
                total.lines.push(line);
            }
        }
        total.added += imported.added;
        total.failed += imported.failed;
    }
    progress.finish_and_clear();
    match output.format() {
        Format::Json => output.json(&total)?,
        Format::Text => output.line(&format!("{} zones added, {} lines failed", total.added, total.failed))?,
    }
    if total.failed > 0 {
        let sentence = format!("{} of {} lines were not imported", total.failed, total.added + total.failed);
        return Err(Failure::new("lines_failed", sentence));
    }
    Ok(())
}

/// Lines from a file or from standard input.
struct Source {
    reader: Box<dyn BufRead>,
    path: PathBuf,
    /// How long the file is, if that is known.
    octets: Option<u64>,
    lines: u64,
}

struct Batch {
    text: String,
    /// How many lines of the source come before the batch.
    lines_before: u64,
}

impl Source {
    fn open(file: &Path) -> Result<Self, Failure> {
        if file == Path::new("-") {
            return Ok(Self {
                reader: Box::new(BufReader::new(std::io::stdin())),
                path: file.to_owned(),
                octets: None,
                lines: 0,
            });
        }
        let opened = File::open(file).map_err(|error| unreadable(file, &error))?;
        let octets = opened.metadata().ok().filter(std::fs::Metadata::is_file).map(|metadata| metadata.len());
        Ok(Self { reader: Box::new(BufReader::new(opened)), path: file.to_owned(), octets, lines: 0 })
    }

    /// The next lines; none at the end.
    fn next_batch(&mut self) -> Result<Option<Batch>, Failure> {
        let lines_before = self.lines;
        let mut octets = Vec::new();
        while self.lines - lines_before < BATCH_LINES && octets.len() < BATCH_OCTETS {
            let read = self.reader.by_ref().take(LINE_OCTETS_MAX).read_until(b'\n', &mut octets);
            let read = read.map_err(|error| unreadable(&self.path, &error))?;
            if read == 0 {
                break;
            }
            self.lines += 1;
            if read as u64 == LINE_OCTETS_MAX && octets.last() != Some(&b'\n') {
                let sentence =
                    format!("line {} has more than {LINE_OCTETS_MAX} octets: this is no list of zones", self.lines);
                return Err(Failure::new("line_too_long", sentence));
            }
        }
        if octets.is_empty() {
            return Ok(None);
        }
        // What is not UTF-8 is no name either, and gets its sentence from the server.
        Ok(Some(Batch { text: String::from_utf8_lossy(&octets).into_owned(), lines_before }))
    }
}

fn unreadable(file: &Path, error: &std::io::Error) -> Failure {
    Failure::new("file_unreadable", format!("the file {} cannot be read: {error}", file.display()))
}

/// A bar on a terminal, nothing elsewhere.
fn progress(octets: Option<u64>) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    match octets {
        Some(octets) => {
            let style = ProgressStyle::with_template("{bar:40} {percent}% {elapsed}, {eta} to go");
            ProgressBar::new(octets).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        }
        None => ProgressBar::new_spinner(),
    }
}
