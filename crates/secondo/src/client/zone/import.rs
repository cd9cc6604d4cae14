//! `secondo zone import`: many zones, a batch of lines at a time.
//!
//! Of our own lines the server reads each; here they are only cut, counted and sent, however many there are. A table, or another
//! program's configuration, is read here as a whole, and its zones are sent.
//!
//! A batch that cannot be sent ends the import: what was added before stays, and importing the same file again fails only the
//! lines that are there.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use api::doors::NewZone;
use api::json::{AddZone, ImportZones, Imported, ImportedLine, LineOutcome};
use api::text::{ImportLine, ListFormat, Otherwise, likely_format, read_list};
use indicatif::{ProgressBar, ProgressStyle};

use crate::client::failure::Failure;
use crate::client::output::{Format, Output};
use crate::client::server::Server;

/// How many lines are sent at once: enough that syncing the disk costs little, few enough that progress is seen.
const BATCH_LINES: u64 = 1_000;
/// Zones in one request, with all that JSON says of each.
const BATCH_ZONES: usize = 1_000;
/// What is read as a whole: the configuration of a million zones.
const WHOLE_OCTETS_MAX: u64 = 256 * 1024 * 1024;
/// How many octets are sent at once, well below what the server takes.
const BATCH_OCTETS: usize = 1024 * 1024;
/// The longest line, in octets: sixteen primaries and two long names need a quarter of it.
const LINE_OCTETS_MAX: u64 = 16 * 1024;

/// How a list is read.
pub(crate) struct Wanted {
    /// None for what it looks like.
    pub(crate) format: Option<ListFormat>,
    pub(crate) otherwise: Otherwise,
}

pub(crate) async fn import(
    file: &Path,
    wanted: &Wanted,
    server: &Server,
    output: &mut Output<'_>,
    errors: &mut dyn Write,
) -> Result<(), Failure> {
    let mut source = Source::open(file)?;
    let format = match wanted.format {
        Some(format) => format,
        None => source.likely_format()?,
    };
    let mut results = Results {
        progress: progress(source.octets),
        errors,
        is_json: output.format() == Format::Json,
        total: none(),
    };
    if format == ListFormat::Lines && wanted.otherwise.primaries.is_empty() {
        while let Some(batch) = source.next_batch()? {
            results.progress.inc(batch.text.len() as u64);
            let imported: Imported = server.post_text("/zones/import", batch.text).await?;
            results.take(imported, |line| line + batch.lines_before)?;
        }
    } else {
        import_whole(&source.whole()?, format, &wanted.otherwise, server, &mut results).await?;
    }
    results.progress.finish_and_clear();
    let Results { mut total, .. } = results;
    total.lines.sort_by_key(|line| line.line);
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

async fn import_whole(
    text: &str,
    format: ListFormat,
    otherwise: &Otherwise,
    server: &Server,
    results: &mut Results<'_>,
) -> Result<(), Failure> {
    let (mut zones, mut wrong) = (Vec::new(), none());
    for (line, what) in read_list(text, format, otherwise) {
        match what {
            ImportLine::Empty => {}
            ImportLine::Zone(zone) => zones.push((line, zone)),
            ImportLine::Wrong { name, problem } => {
                wrong.failed += 1;
                let (code, detail) = (Some(problem.code().to_string()), Some(problem.detail().to_owned()));
                wrong.lines.push(ImportedLine { line, name, outcome: LineOutcome::Failed, code, detail });
            }
        }
    }
    results.take(wrong, |line| line)?;
    results.progress.set_length(zones.len() as u64);
    for batch in zones.chunks(BATCH_ZONES) {
        let sent = ImportZones { zones: batch.iter().map(|(_, zone)| to_add(zone)).collect() };
        let imported: Imported = server.post("/zones/import", &sent).await?;
        results.progress.inc(batch.len() as u64);
        let line_of = |place: u64| {
            usize::try_from(place).ok().and_then(|place| batch.get(place - 1)).map_or(place, |zone| zone.0)
        };
        results.take(imported, line_of)?;
    }
    Ok(())
}

fn to_add(zone: &NewZone) -> AddZone {
    AddZone {
        name: zone.name().to_string(),
        primaries: zone.primaries().iter().map(Into::into).collect(),
        settings: BTreeMap::new(),
        tags: zone.tags.iter().map(str::to_owned).collect(),
    }
}

fn none() -> Imported {
    Imported { added: 0, failed: 0, lines: Vec::new() }
}

/// What has come of lines so far.
struct Results<'a> {
    progress: ProgressBar,
    errors: &'a mut dyn Write,
    is_json: bool,
    total: Imported,
}

impl Results<'_> {
    /// Says which lines failed. The numbers are those of what was sent; `line_of` has those of the file.
    fn take(&mut self, imported: Imported, line_of: impl Fn(u64) -> u64) -> Result<(), Failure> {
        for mut line in imported.lines {
            line.line = line_of(line.line);
            if line.outcome == LineOutcome::Failed {
                let code = line.code.as_deref().unwrap_or_default();
                let detail = line.detail.as_deref().unwrap_or_default();
                let errors = &mut *self.errors;
                self.progress.suspend(|| writeln!(errors, "line {}: {detail} ({code})", line.line))?;
            }
            if self.is_json {
                self.total.lines.push(line);
            }
        }
        self.total.added += imported.added;
        self.total.failed += imported.failed;
        Ok(())
    }
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

    /// What it looks like, by its beginning.
    fn likely_format(&mut self) -> Result<ListFormat, Failure> {
        let begin = self.reader.fill_buf().map_err(|error| unreadable(&self.path, &error))?;
        Ok(likely_format(&String::from_utf8_lossy(begin)))
    }

    /// All of it.
    fn whole(&mut self) -> Result<String, Failure> {
        let mut octets = Vec::new();
        let read = self.reader.by_ref().take(WHOLE_OCTETS_MAX + 1).read_to_end(&mut octets);
        read.map_err(|error| unreadable(&self.path, &error))?;
        if octets.len() as u64 > WHOLE_OCTETS_MAX {
            let sentence =
                format!("{} has more than {WHOLE_OCTETS_MAX} octets: import it in parts", self.path.display());
            return Err(Failure::new("file_too_large", sentence));
        }
        Ok(String::from_utf8_lossy(&octets).into_owned())
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
