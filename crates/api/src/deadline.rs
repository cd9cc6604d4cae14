//! Deadlines: no request waits without one.
//!
//! Whoever is slow is named: a body that does not come is its client's fault (408), an answer that does not is ours (503).

use std::future::Future;
use std::time::Duration;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::jobs::{JOB_MAX, is_job};
use crate::problem::{Code, Problem};

/// How long a request may take until its answer begins, reading its body included.
pub(crate) const ANSWER_MAX: Duration = Duration::from_secs(30);
/// How long a body may take to come whole: less than [`ANSWER_MAX`], so that whoever sends it is told which of us was slow.
pub(crate) const BODY_MAX: Duration = Duration::from_secs(20);
/// How long a client is made to wait for the end of a refresh.
pub(crate) const REFRESH_WAIT_MAX: Duration = Duration::from_secs(120);

/// Answers [`Code::TimedOut`] when the answer has not begun after [`ANSWER_MAX`].
pub(crate) async fn answer_in_time(request: Request, next: Next) -> Response {
    within(ANSWER_MAX, request, next).await
}

/// The same for refreshes, examinations and delegations, whose own waits end before this.
pub(crate) async fn refresh_in_time(request: Request, next: Next) -> Response {
    within(REFRESH_WAIT_MAX + ANSWER_MAX, request, next).await
}

/// What reading a body came to.
///
/// # Errors
/// [`Code::BodyTooSlow`] after [`BODY_MAX`].
pub(crate) async fn body_in_time<T>(reading: impl Future<Output = T>) -> Result<T, Problem> {
    tokio::time::timeout(BODY_MAX, reading).await.map_err(|_| {
        let detail = format!(
            "the body did not come within {} s: nothing was done; send it again, in parts if it is long",
            BODY_MAX.as_secs()
        );
        Problem::new(Code::BodyTooSlow, detail)
    })
}

async fn within(limit: Duration, request: Request, next: Next) -> Response {
    let limit = if is_job(&request) { JOB_MAX } else { limit };
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let detail = format!("there was no answer within {} s: try again", limit.as_secs());
            Problem::new(Code::TimedOut, detail).into_response()
        }
    }
}
