//! Adding many zones at once, each wholly or not at all.

use axum::extract::State;

use crate::access::ChangesZones;
use crate::body::Text;
use crate::doors::NewZone;
use crate::jobs::ForJob;
use crate::json::{Imported, ImportedLine, LineOutcome};
use crate::problem::{Code, Problem, ProblemDetails};
use crate::router::Served;
use crate::text::{ImportLine, import_line};

/// The most lines in one body: one transaction, and an answer of bounded size.
const LINES_MAX: usize = 10_000;
/// The lines of a job that are one transaction.
const LINES_AT_ONCE: usize = 500;

/// Adds a zone for each line `NAME ADDR[:PORT][,ADDR[:PORT]…] [KEY]`; `#` begins a comment. At most 10,000 lines.
#[utoipa::path(
    post, path = "/zones/import", tag = "zones",
    request_body(content = String, content_type = "text/plain"),
    responses((status = 200, body = Imported), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn import(
    ChangesZones(caller): ChangesZones,
    ForJob(job): ForJob,
    State(served): State<Served>,
    Text(text): Text,
) -> Result<axum::Json<Imported>, Problem> {
    let lines = Lines::read(&text)?;
    let mut added = Vec::with_capacity(lines.zones.len());
    // What nobody waits for is added piece by piece, so that others come between; else at once.
    let piece = if job.is_some() { LINES_AT_ONCE } else { LINES_MAX };
    if let Some(job) = &job {
        job.expect(lines.zones.len() as u64);
    }
    for zones in lines.zones.chunks(piece) {
        added.extend(served.doors.intent.import_zones(&caller, zones.to_vec()).await?);
        if let Some(job) = &job {
            job.advance(zones.len() as u64);
        }
    }
    if added.len() != lines.zone_lines.len() {
        return Err(Problem::new(Code::Internal, "the import has another number of results than of lines"));
    }
    let mut results = lines.wrong;
    for ((line, name), outcome) in lines.zone_lines.into_iter().zip(added) {
        results.push(result(line, Some(name), outcome));
    }
    results.sort_by_key(|result| result.line);
    let failed = results.iter().filter(|result| result.outcome == LineOutcome::Failed).count() as u64;
    Ok(axum::Json(Imported { added: results.len() as u64 - failed, failed, lines: results }))
}

#[derive(Default)]
struct Lines {
    zones: Vec<NewZone>,
    /// The line number and name of each of `zones`.
    zone_lines: Vec<(u64, String)>,
    wrong: Vec<ImportedLine>,
}

impl Lines {
    fn read(text: &str) -> Result<Self, Problem> {
        let mut lines = Self::default();
        for (index, line) in text.lines().enumerate() {
            if index == LINES_MAX {
                let detail = format!("the import has more than {LINES_MAX} lines: send it in parts");
                return Err(Problem::new(Code::BodyTooLarge, detail));
            }
            let number = index as u64 + 1;
            match import_line(line) {
                ImportLine::Empty => {}
                ImportLine::Zone(zone) => {
                    lines.zone_lines.push((number, zone.name().to_string()));
                    lines.zones.push(zone);
                }
                ImportLine::Wrong { name, problem } => lines.wrong.push(result(number, name, Err(problem))),
            }
        }
        Ok(lines)
    }
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
