//! Jobs: `Prefer: respond-async` (RFC 7240 §4.1) has long work carried out while the client does something else.
//!
//! The request is answered with 202 and where the job can be looked at; what it would have been answered is kept there, for a
//! week. It is carried out as if its client waited, by the same handler and with the same bounds but that of time.
//!
//! Invariants: each job is on record before its client hears of it, and is its organisation's alone; of each organisation a few
//! run at a time and some more wait, and whoever asked for one must still be allowed to when it begins; one that the end of
//! the program cuts off is shown as failed, never as running.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::header::LOCATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::{RwLock, Semaphore};
use zone::TenantId;

use crate::access::{Known, Shown, holder};
use crate::body::whole;
use crate::doors::{self, Caller, KeptJob};
use crate::json::{Job, JobProgress, JobState, Scope};
use crate::problem::{Code, Problem, ProblemDetails};
use crate::router::Served;

pub(crate) const PREFER: HeaderName = HeaderName::from_static("prefer");
const APPLIED: HeaderName = HeaderName::from_static("preference-applied");
const RESPOND_ASYNC: &str = "respond-async";

/// POSTs that may take long. All of them take the scope `zones`.
pub(crate) const TAKE_LONG: [&str; 7] = [
    "/api/v1/zones/import",
    "/api/v1/zones/{name}/refresh",
    "/api/v1/zones/{name}/hold",
    "/api/v1/zones/{name}/promotion/compare",
    "/api/v1/zones/{name}/promotion/finish",
    "/api/v1/zones/{name}/ownership/look",
    "/api/v1/doctor",
];

/// Of one organisation at a time: more would only wait for each other.
const RUNNING_MAX: usize = 2;
/// Of all at a time.
const RUNNING_MAX_ALL: usize = 64;
/// Of one organisation, those that wait included. A job holds its request's body.
const UNDER_WAY_MAX: usize = 16;
/// After so long a job has failed, whatever it waits for.
pub(crate) const JOB_MAX: Duration = Duration::from_secs(3600);
/// Longer answers are not kept. An import of ten thousand lines has less.
const KEPT_OCTETS_MAX: usize = 4 * 1024 * 1024;
/// The longest path that is shown: names are shorter.
const OPERATION_OCTETS_MAX: usize = 1_200;
/// What came of a job is written down within ten minutes, or is lost.
const WRITE_TRIES: u32 = 120;
const WRITE_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// Jobs that are carried out.
pub(crate) struct Underway {
    tenants: RwLock<HashMap<TenantId, Carried>>,
    places: Arc<Semaphore>,
}

/// Those of one organisation.
struct Carried {
    places: Arc<Semaphore>,
    jobs: HashMap<u64, Arc<Progress>>,
}

/// How far a job is.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    is_running: AtomicBool,
    done: AtomicU64,
    /// Zero where it cannot be counted.
    total: AtomicU64,
}

impl Progress {
    pub(crate) fn expect(&self, total: u64) {
        self.total.store(total, Ordering::Relaxed);
    }

    pub(crate) fn advance(&self, by: u64) {
        self.done.fetch_add(by, Ordering::Relaxed);
    }

    fn shown(&self) -> (JobState, Option<JobProgress>) {
        if !self.is_running.load(Ordering::Relaxed) {
            return (JobState::Queued, None);
        }
        let [done, total] = [&self.done, &self.total].map(|number| number.load(Ordering::Relaxed));
        (JobState::Running, (total > 0).then_some(JobProgress { done: done.min(total), total }))
    }
}

/// The job that a handler works for; none where the client waits.
pub(crate) struct ForJob(pub(crate) Option<Arc<Progress>>);

impl FromRequestParts<Served> for ForJob {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Served) -> Result<Self, Self::Rejection> {
        Ok(Self(parts.extensions.get().cloned()))
    }
}

/// Whether the request is carried out as a job.
pub(crate) fn is_job(request: &Request) -> bool {
    request.extensions().get::<Arc<Progress>>().is_some()
}

impl Default for Underway {
    fn default() -> Self {
        Self { tenants: RwLock::default(), places: Arc::new(Semaphore::new(RUNNING_MAX_ALL)) }
    }
}

impl Underway {
    /// Puts a job on record, and among those that are carried out.
    async fn begin(&self, doors: &dyn doors::Jobs, caller: &Caller, operation: &str) -> Result<Begun, Problem> {
        // Held while it is written, so that nobody sees a job on record that is not among these.
        let mut tenants = self.tenants.write().await;
        let carried = tenants
            .entry(caller.tenant)
            .or_insert_with(|| Carried { places: Arc::new(Semaphore::new(RUNNING_MAX)), jobs: HashMap::new() });
        if carried.jobs.len() >= UNDER_WAY_MAX {
            let detail = format!(
                "{UNDER_WAY_MAX} jobs of the organisation are under way, which is as many as may be: wait until one has ended"
            );
            return Err(Problem::new(Code::TooManyJobs, detail));
        }
        let job = doors.begin_job(caller, operation).await?;
        let progress = Arc::new(Progress::default());
        carried.jobs.insert(job.id, progress.clone());
        Ok(Begun { job, progress, places: carried.places.clone() })
    }

    async fn end(&self, tenant: TenantId, id: u64) {
        let mut tenants = self.tenants.write().await;
        let Some(carried) = tenants.get_mut(&tenant) else { return };
        carried.jobs.remove(&id);
        if carried.jobs.is_empty() {
            tenants.remove(&tenant);
        }
    }

    pub(crate) async fn job(&self, doors: &dyn doors::Jobs, caller: &Caller, id: u64) -> Result<Job, Problem> {
        let tenants = self.tenants.read().await;
        let job = doors.job(caller, id).await?;
        Ok(shown(job, tenants.get(&caller.tenant)))
    }

    pub(crate) async fn jobs(
        &self,
        doors: &dyn doors::Jobs,
        caller: &Caller,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<Job>, Problem> {
        let tenants = self.tenants.read().await;
        let jobs = doors.jobs(caller, before, limit).await?;
        Ok(jobs.into_iter().map(|job| shown(job, tenants.get(&caller.tenant))).collect())
    }
}

struct Begun {
    job: KeptJob,
    progress: Arc<Progress>,
    places: Arc<Semaphore>,
}

/// A job as clients see it.
fn shown(job: KeptJob, carried: Option<&Carried>) -> Job {
    let progress = carried.and_then(|carried| carried.jobs.get(&job.id));
    let mut shown = Job {
        id: job.id,
        operation: job.operation,
        state: JobState::Failed,
        progress: None,
        created_at: job.created_at,
        finished_at: job.ended.as_ref().map(|end| end.at),
        result: None,
        problem: None,
    };
    match (job.ended, progress) {
        (Some(end), _) if end.status < 400 => {
            shown.state = JobState::Done;
            shown.result = end.answer.and_then(|answer| serde_json::from_str(&answer).ok());
        }
        (Some(end), _) => shown.problem = end.answer.and_then(|answer| serde_json::from_str(&answer).ok()),
        (None, Some(progress)) => (shown.state, shown.progress) = progress.shown(),
        (None, None) => shown.problem = Some(ProblemDetails::from(&cut_off())),
    }
    shown
}

fn cut_off() -> Problem {
    let detail = "the service stopped before the job had ended, or could not write down what came of it: look whether it was \
                  carried out, and ask for it again if not";
    Problem::new(Code::JobCutOff, detail)
}

/// Carries out as a job what a client prefers not to wait for, and everything else as ever.
pub(crate) async fn respond_async(State(served): State<Served>, request: Request, next: Next) -> Response {
    if !takes_long(&request) || !prefers_not_to_wait(request.headers()) {
        return next.run(request).await;
    }
    begun(served, request, next).await.unwrap_or_else(IntoResponse::into_response)
}

fn takes_long(request: &Request) -> bool {
    let path = request.extensions().get::<MatchedPath>();
    request.method() == Method::POST && path.is_some_and(|path| TAKE_LONG.contains(&path.as_str()))
}

/// RFC 7240 §2: preferences stand behind each other, each perhaps with parameters, in one field or several.
fn prefers_not_to_wait(headers: &HeaderMap) -> bool {
    let fields = headers.get_all(PREFER).iter().filter_map(|field| field.to_str().ok());
    let mut preferences = fields.flat_map(|field| field.split(','));
    preferences
        .any(|preference| preference.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(RESPOND_ASYNC))
}

/// The request as a job, for a client that does something else meanwhile.
async fn begun(served: Served, request: Request, next: Next) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let caller = holder(&parts, &served).await?;
    caller.must(Scope::Zones)?;
    let body = whole(body).await?;
    let path = parts.uri.path().trim_start_matches("/api/v1");
    if path.len() > OPERATION_OCTETS_MAX {
        return Err(Problem::new(Code::ZoneNameInvalid, "the path is longer than any name"));
    }
    let operation = format!("{} {path}", parts.method);
    let (asked_by, served_then) = (Shown::by(&parts), served.clone());
    let refused = async move { refused_by_now(&served_then, &asked_by).await };
    parts.extensions.insert(Known(caller.clone()));
    let work = async move |progress: Arc<Progress>| {
        parts.extensions.insert(progress);
        next.run(Request::from_parts(parts, Body::from(body))).await
    };
    let accepted = begin(served, caller, &operation, refused, work).await?;
    let headers = [(LOCATION, format!("/api/v1/jobs/{}", accepted.id)), (APPLIED, RESPOND_ASYNC.to_owned())];
    Ok((StatusCode::ACCEPTED, headers, axum::Json(accepted)).into_response())
}

/// Puts a job on record and has it carried out when there is a place for it, unless it is refused by then.
pub(crate) async fn begin<W, F>(
    served: Served,
    caller: Caller,
    operation: &str,
    refused: impl Future<Output = Option<Problem>> + Send + 'static,
    work: W,
) -> Result<Job, Problem>
where
    W: FnOnce(Arc<Progress>) -> F + Send + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    let Begun { job, progress, places } = served.jobs.begin(&*served.doors.jobs, &caller, operation).await?;
    let accepted = Job { state: JobState::Queued, problem: None, ..shown(job.clone(), None) };
    let carried = async move {
        // Neither is ever closed.
        let _place = places.acquire_owned().await.ok();
        let _place_of_all = served.jobs.places.clone().acquire_owned().await.ok();
        progress.is_running.store(true, Ordering::Relaxed);
        let refused = refused.await;
        let answering = tokio::spawn(async move {
            answer(match refused {
                Some(problem) => problem.into_response(),
                None => work(progress).await,
            })
            .await
        });
        let (status, answer) = answering.await.unwrap_or_else(|error| failed(&error.to_string()));
        write_down(&served, &caller, job.id, status, answer.as_deref()).await;
        served.jobs.end(caller.tenant, job.id).await;
    };
    tokio::spawn(carried);
    Ok(accepted)
}

/// What a job comes to that no request's own deadline ends.
pub(crate) async fn in_time<T>(work: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
    tokio::time::timeout(JOB_MAX, work).await.unwrap_or_else(|_| {
        let detail =
            format!("it was not done after {} s: look what was done, and ask for the rest", JOB_MAX.as_secs());
        Err(Problem::new(Code::TimedOut, detail))
    })
}

/// Why whoever has asked for a job may not do it any more: it has waited, and their token may have been removed or have ended.
async fn refused_by_now(served: &Served, asked_by: &Shown) -> Option<Problem> {
    let problem = match asked_by.again(served).await {
        Ok(caller) => caller.must(Scope::Zones).err()?,
        Err(problem) => problem,
    };
    // That they ask too often, or cannot be looked up now, takes nothing from what they may.
    [401, 403, 404].contains(&problem.code().status()).then_some(problem)
}

/// The status, and the text if it is not too long.
async fn answer(response: Response) -> (StatusCode, Option<String>) {
    let status = response.status();
    let octets = to_bytes(response.into_body(), KEPT_OCTETS_MAX).await.ok();
    (status, octets.and_then(|octets| String::from_utf8(octets.to_vec()).ok()).filter(|text| !text.is_empty()))
}

fn failed(why: &str) -> (StatusCode, Option<String>) {
    let problem = Problem::new(Code::Internal, format!("the job could not be carried out: {why}"));
    (StatusCode::INTERNAL_SERVER_ERROR, serde_json::to_string(&ProblemDetails::from(&problem)).ok())
}

async fn write_down(served: &Served, caller: &Caller, id: u64, status: StatusCode, answer: Option<&str>) {
    for _ in 0..WRITE_TRIES {
        match served.doors.jobs.end_job(caller, id, status.as_u16(), answer).await {
            Ok(()) => return,
            Err(problem) => tracing::debug!(job = id, "what came of a job cannot be written down yet: {problem}"),
        }
        tokio::time::sleep(WRITE_AGAIN_AFTER).await;
    }
    tracing::warn!(job = id, "what came of a job could not be written down: the inventory was not available");
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::{PREFER, prefers_not_to_wait};

    #[test]
    fn a_preference_is_found_among_others_and_nothing_else_is_taken_for_it() {
        let asked = |fields: &[&str]| {
            let mut headers = HeaderMap::new();
            for field in fields {
                headers.append(PREFER, field.parse().unwrap());
            }
            prefers_not_to_wait(&headers)
        };
        for fields in [&["respond-async"][..], &["Respond-Async; foo"], &["return=minimal, respond-async, wait=10"]] {
            assert!(asked(fields), "{fields:?}");
        }
        assert!(asked(&["return=minimal", "respond-async"]));
        for fields in [&[][..], &[""], &["respond-async-not"], &["wait=10"], &["handling=respond-async"]] {
            assert!(!asked(fields), "{fields:?}");
        }
    }
}
