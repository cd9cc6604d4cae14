//! What differs between two versions of a zone.

#![expect(unused_qualifications, reason = "utoipa writes the parameters' path in full")]

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::access::Reads;
use crate::body::{Parameters, streamed};
use crate::path::ZoneInPath;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Between {
    /// The generation to begin at.
    from: u64,
    /// The generation to end at; it may be the earlier one.
    to: u64,
}

/// Lines of records that went (`-`) and came (`+`) between two versions that are kept.
#[utoipa::path(
    get, path = "/zones/{name}/diff", tag = "zones", params(("name" = String, Path), Between),
    responses(
        (status = 200, body = String, content_type = "text/plain"),
        (status = "default", body = ProblemDetails, content_type = "application/problem+json")
    )
)]
pub(crate) async fn diff(
    Reads(caller): Reads,
    State(served): State<Served>,
    ZoneInPath(name): ZoneInPath,
    Parameters(Between { from, to }): Parameters<Between>,
) -> Result<Response, Problem> {
    let text = served.doors.contents.diff(&caller, &name, from, to).await?;
    let kind = [(header::CONTENT_TYPE, "text/plain; charset=us-ascii")];
    Ok((kind, streamed(text)).into_response())
}
