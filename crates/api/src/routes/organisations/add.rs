//! Adding an organisation.

use axum::extract::State;
use axum::http::StatusCode;

use crate::access::Operates;
use crate::body::Json;
use crate::json;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;
use crate::text;

/// Adds an organisation, and invites whoever is to own it.
#[utoipa::path(
    post, path = "/organisations", tag = "organisations",
    request_body = json::AddOrganisation,
    responses((status = 201, body = json::AddedOrganisation), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn add(
    Operates(caller): Operates,
    State(served): State<Served>,
    Json(organisation): Json<json::AddOrganisation>,
) -> Result<(StatusCode, axum::Json<json::AddedOrganisation>), Problem> {
    let name = text::organisation_name(&organisation.name)?;
    let owner = organisation.owner.as_deref().map(text::email).transpose()?;
    let added = served.doors.organisations.add_organisation(&caller, &name, owner.as_deref()).await?;
    Ok((StatusCode::CREATED, axum::Json(added)))
}
