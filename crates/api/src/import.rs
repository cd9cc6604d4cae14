//! Many zones at once: each of a list is added wholly or not at all, and what came of it is said at its line.

use std::sync::Arc;

use crate::doors::{Caller, NewZone};
use crate::jobs::Progress;
use crate::json::{AddZone, Imported, ImportedLine, LineOutcome};
use crate::problem::{Code, Problem};
use crate::router::Served;
use crate::routes::zones::add::parsed;
use crate::text::{ImportLine, ListFormat, Otherwise, import_line, read_list};

/// The most lines, or zones, in one body: one transaction, and an answer of bounded size.
const LINES_MAX: usize = 10_000;
/// The lines of a job that are one transaction.
const LINES_AT_ONCE: usize = 500;
/// The most words of a configuration: as many as ten thousand zones need several times over.
const WORDS_MAX: usize = 500_000;

/// The zones of a list, and its lines that hold none.
#[derive(Default)]
pub(crate) struct List {
    zones: Vec<NewZone>,
    /// The line number and name of each of `zones`.
    zone_lines: Vec<(u64, String)>,
    wrong: Vec<ImportedLine>,
}

impl List {
    /// Our own lines.
    ///
    /// # Errors
    /// [`Code::BodyTooLarge`].
    pub(crate) fn of_lines(text: &str) -> Result<Self, Problem> {
        let mut list = Self::default();
        for (index, line) in text.lines().enumerate() {
            if index == LINES_MAX {
                return Err(too_many(LINES_MAX, "lines"));
            }
            list.push(index as u64 + 1, import_line(line));
        }
        Ok(list)
    }

    /// What others' configurations and tables list, of which much is about no zone.
    ///
    /// # Errors
    /// [`Code::BodyTooLarge`], and [`Code::ListInvalid`] when nothing is listed at all.
    pub(crate) fn of_list(text: &str, format: ListFormat, otherwise: &Otherwise) -> Result<Self, Problem> {
        let signs = |character: char| character.is_whitespace() || ";{,".contains(character);
        // Each word has its own piece of memory while the list is read.
        if text.split(signs).filter(|word| !word.is_empty()).nth(WORDS_MAX).is_some() {
            return Err(too_many(WORDS_MAX, "words"));
        }
        let mut list = Self::default();
        for (line, what) in read_list(text, format, otherwise) {
            list.push(line, what);
            if list.zones.len() + list.wrong.len() > LINES_MAX {
                return Err(too_many(LINES_MAX, "zones"));
            }
        }
        if list.zones.is_empty() && list.wrong.is_empty() {
            let detail = format!("no zone is in the list, read as {}: see that it is of that format", format.title());
            return Err(Problem::new(Code::ListInvalid, detail));
        }
        Ok(list)
    }

    /// Zones that were sent as such; their places are their lines.
    ///
    /// # Errors
    /// [`Code::BodyTooLarge`].
    pub(crate) fn of_zones(zones: &[AddZone]) -> Result<Self, Problem> {
        if zones.len() > LINES_MAX {
            return Err(too_many(LINES_MAX, "zones"));
        }
        let mut list = Self::default();
        for (index, zone) in zones.iter().enumerate() {
            let read = parsed(zone);
            let wrong = |problem| ImportLine::Wrong { name: Some(zone.name.clone()), problem };
            list.push(index as u64 + 1, read.map_or_else(wrong, ImportLine::Zone));
        }
        Ok(list)
    }

    fn push(&mut self, line: u64, what: ImportLine) {
        match what {
            ImportLine::Empty => {}
            ImportLine::Zone(zone) => {
                self.zone_lines.push((line, zone.name().to_string()));
                self.zones.push(zone);
            }
            ImportLine::Wrong { name, problem } => self.wrong.push(result(line, name, Err(problem))),
        }
    }

    /// Adds the zones: all at once for a client that waits, else piece by piece, so that others come between.
    pub(crate) async fn import(
        self,
        served: &Served,
        caller: &Caller,
        job: Option<Arc<Progress>>,
    ) -> Result<Imported, Problem> {
        let mut added = Vec::with_capacity(self.zones.len());
        let piece = if job.is_some() { LINES_AT_ONCE } else { LINES_MAX };
        if let Some(job) = &job {
            job.expect(self.zones.len() as u64);
        }
        for zones in self.zones.chunks(piece) {
            added.extend(served.doors.intent.import_zones(caller, zones.to_vec()).await?);
            if let Some(job) = &job {
                job.advance(zones.len() as u64);
            }
        }
        if added.len() != self.zone_lines.len() {
            return Err(Problem::new(Code::Internal, "the import has another number of results than of lines"));
        }
        let mut results = self.wrong;
        for ((line, name), outcome) in self.zone_lines.into_iter().zip(added) {
            results.push(result(line, Some(name), outcome));
        }
        results.sort_by_key(|result| result.line);
        let failed = results.iter().filter(|result| result.outcome == LineOutcome::Failed).count() as u64;
        Ok(Imported { added: results.len() as u64 - failed, failed, lines: results })
    }
}

fn too_many(most: usize, what: &str) -> Problem {
    Problem::new(Code::BodyTooLarge, format!("the import has more than {most} {what}: send it in parts"))
}

fn result(line: u64, name: Option<String>, outcome: Result<(), Problem>) -> ImportedLine {
    match outcome {
        Ok(()) => ImportedLine { line, name, outcome: LineOutcome::Added, code: None, detail: None },
        Err(problem) => ImportedLine {
            line,
            name,
            outcome: LineOutcome::Failed,
            code: Some(problem.code().to_string()),
            detail: Some(problem.detail().to_owned()),
        },
    }
}
