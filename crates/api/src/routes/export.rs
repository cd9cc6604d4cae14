//! All that is known of an organisation.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::access::SeesPeople;
use crate::body::streamed_json;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Writes all that is known of the caller's organisation: members, zones with settings, primaries and history, tokens and keys
/// without their secrets, and the audit log.
#[utoipa::path(
    get, path = "/export", tag = "organisations",
    responses((status = 200, body = serde_json::Value), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn export(
    SeesPeople(caller): SeesPeople,
    State(served): State<Served>,
) -> Result<Response, Problem> {
    let text = served.doors.organisations.export_organisation(&caller).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], streamed_json(text)).into_response())
}
