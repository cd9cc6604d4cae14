//! Many zones from a list that is pasted or sent as a file: a job, and a page that shows how far it is and what came of each line.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use xfr::Primary;

use crate::console::page::{Frame, again, base, page, refusal};
use crate::console::session::{Form, Member};
use crate::console::words::{self, sentence};
use crate::import::List;
use crate::jobs;
use crate::json::{self, Imported, ImportedLine, JobState, LineOutcome, Scope};
use crate::problem::{Code, Problem};
use crate::router::Served;
use crate::text::{self, ListFormat, Otherwise, csv_row, likely_format};

/// As the API calls it, so that it is one kind of job there.
const OPERATION: &str = "POST /zones/import";
/// Lines of each kind that a page shows; the table has all.
const SHOWN_MAX: usize = 1_000;

#[derive(Template)]
#[template(path = "zones_import.html")]
struct Import<'a> {
    frame: Frame,
    list: &'a str,
    format: &'a str,
    primary: &'a str,
    key: &'a str,
    keys: Vec<json::Key>,
    error: String,
}

#[derive(Template)]
#[template(path = "zones_imported.html")]
struct Progress {
    frame: Frame,
    job: json::Job,
    imported: Option<Imported>,
    failed: Vec<ImportedLine>,
    added: Vec<ImportedLine>,
}

pub(crate) async fn ask(member: Member, State(served): State<Served>) -> Response {
    let made = draw(&member, &served, None, String::new()).await;
    made.map_or_else(|problem| refusal(&problem), |import| page(&import))
}

pub(crate) async fn begin(member: Member, State(served): State<Served>, form: Form) -> Response {
    match begun(&member, &served, &form).await {
        Ok(job) => Redirect::to(&format!("{}/zones/import/{}", base(&member.membership), job.id)).into_response(),
        Err(problem) => match draw(&member, &served, Some(&form), sentence(problem.detail())).await {
            Ok(import) => again(&problem, &import),
            Err(problem) => refusal(&problem),
        },
    }
}

async fn begun(member: &Member, served: &Served, form: &Form) -> Result<json::Job, Problem> {
    member.must(Scope::Zones)?;
    let list = read(served, form).await?;
    let (asked_by, served_then) = (member.clone(), served.clone());
    let refused = async move {
        let detail = "whoever asked for the import has signed out since, or may not add zones any more";
        let may = asked_by.still_may(&served_then, Scope::Zones).await;
        (!may).then(|| Problem::new(Code::NotAllowed, detail))
    };
    let (served_then, caller) = (served.clone(), member.caller.clone());
    let work = async move |progress| {
        let importing = list.import(&served_then, &caller, Some(progress));
        match jobs::in_time(importing).await {
            Ok(imported) => axum::Json(imported).into_response(),
            Err(problem) => problem.into_response(),
        }
    };
    jobs::begin(served.clone(), member.caller.clone(), OPERATION, refused, work).await
}

async fn read(served: &Served, form: &Form) -> Result<List, Problem> {
    // A file that was chosen is what is meant, whatever stands in the field. Its lines are counted from its very beginning.
    let text = [form.verbatim("file"), form.verbatim("list")].into_iter().find(|text| !text.trim().is_empty());
    let text =
        text.ok_or_else(|| Problem::new(Code::ListInvalid, "paste a list, or choose a file that holds one"))?;
    let format = match form.text("format") {
        "" => likely_format(text),
        word => word
            .parse()
            .map_err(|error: json::UnknownWord| Problem::new(Code::ListInvalid, format!("the format is {error}")))?,
    };
    let primaries = primaries(form.text("primary"), form.text("key"))?;
    primaries.iter().try_for_each(|primary| served.doors.intent.check_primary(primary))?;
    let text = text.to_owned();
    // Others are answered meanwhile.
    let reading = tokio::task::spawn_blocking(move || List::of_list(&text, format, &Otherwise { primaries }));
    reading.await.unwrap_or_else(|error| Err(Problem::new(Code::Internal, format!("the list was not read: {error}"))))
}

/// Addresses with commas or spaces between them, which have one key, or none.
fn primaries(addresses: &str, key: &str) -> Result<Vec<Primary>, Problem> {
    let key = Some(key).filter(|key| !key.is_empty()).map(text::key_name).transpose()?;
    let addresses = addresses.split([',', ' ']).filter(|address| !address.is_empty());
    addresses.map(|one| Ok(Primary { key: key.clone(), ..Primary::at(text::address(one)?) })).collect()
}

async fn draw<'a>(
    member: &Member,
    served: &Served,
    form: Option<&'a Form>,
    error: String,
) -> Result<Import<'a>, Problem> {
    member.must(Scope::Zones)?;
    let field = |name| form.map_or("", |form| form.verbatim(name));
    Ok(Import {
        frame: Frame::of(member, "zones"),
        list: field("list"),
        format: field("format"),
        primary: field("primary"),
        key: field("key"),
        keys: served.doors.intent.keys(&member.caller).await?,
        error,
    })
}

#[derive(Deserialize)]
pub(crate) struct OfJob {
    job: u64,
}

pub(crate) async fn progress(member: Member, State(served): State<Served>, path: Option<Path<OfJob>>) -> Response {
    let found = import_of(&member, &served, path).await;
    let shown = found.map(|(job, imported)| Progress {
        frame: Frame::of(&member, "zones"),
        failed: lines(imported.as_ref(), LineOutcome::Failed),
        added: lines(imported.as_ref(), LineOutcome::Added),
        job,
        imported,
    });
    shown.map_or_else(|problem| refusal(&problem), |progress| page(&progress))
}

/// What came of each line, as a table.
pub(crate) async fn table(member: Member, State(served): State<Served>, path: Option<Path<OfJob>>) -> Response {
    let (job, imported) = match import_of(&member, &served, path).await {
        Ok((job, Some(imported))) => (job, imported),
        Ok(_) => return refusal(&unknown()),
        Err(problem) => return refusal(&problem),
    };
    let mut table = csv_row(["line", "name", "outcome", "code", "detail"]);
    for line in &imported.lines {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let (name, code, detail) = (text(&line.name), text(&line.code), text(&line.detail));
        table.push_str(&csv_row([&line.line.to_string(), &name, line.outcome.as_str(), &code, &detail]));
    }
    let disposition = format!("attachment; filename=\"import-{}.csv\"", job.id);
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present".to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    (headers, table).into_response()
}

async fn import_of(
    member: &Member,
    served: &Served,
    path: Option<Path<OfJob>>,
) -> Result<(json::Job, Option<Imported>), Problem> {
    let Some(Path(OfJob { job })) = path else { return Err(unknown()) };
    let job = served.jobs.job(&*served.doors.jobs, &member.caller, job).await?;
    if job.operation != OPERATION {
        return Err(unknown());
    }
    let imported = job.result.clone().and_then(|result| serde_json::from_value(result).ok());
    Ok((job, imported))
}

fn unknown() -> Problem {
    Problem::new(Code::JobUnknown, "there is no such import")
}

impl Progress {
    fn is_under_way(&self) -> bool {
        matches!(self.job.state, JobState::Queued | JobState::Running)
    }

    /// Whether there are more than the page shows.
    fn lacks(&self, shown: &[ImportedLine], all: &u64) -> bool {
        (shown.len() as u64) < *all
    }
}

/// The first lines that came to this.
fn lines(imported: Option<&Imported>, outcome: LineOutcome) -> Vec<ImportedLine> {
    let lines = imported.into_iter().flat_map(|imported| &imported.lines);
    lines.filter(|line| line.outcome == outcome).take(SHOWN_MAX).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::primaries;

    #[test]
    fn where_zones_are_copied_from_is_one_address_or_several_with_one_key() {
        let shown = |addresses, key| {
            let primaries = primaries(addresses, key).map_err(|problem| problem.code())?;
            Ok::<_, crate::problem::Code>(
                primaries
                    .iter()
                    .map(|primary| (primary.address.to_string(), primary.key.is_some()))
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(shown("", ""), Ok(Vec::new()));
        assert_eq!(
            shown("192.0.2.1, [2001:db8::1]:5353", "k"),
            Ok(vec![("192.0.2.1:53".to_owned(), true), ("[2001:db8::1]:5353".to_owned(), true)])
        );
        assert!(shown("nowhere", "").is_err());
    }
}
