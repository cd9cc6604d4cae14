//! Inviting somebody.

use axum::extract::State;
use axum::http::StatusCode;

use crate::access::SeesPeople;
use crate::body::Json;
use crate::json;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;
use crate::text;

/// Invites somebody to the caller's organisation, in the place of an invitation before.
#[utoipa::path(
    post, path = "/invitations", tag = "members",
    request_body = json::AddInvitation,
    responses((status = 201, body = json::PasswordLink), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn add(
    SeesPeople(caller): SeesPeople,
    State(served): State<Served>,
    Json(invitation): Json<json::AddInvitation>,
) -> Result<(StatusCode, axum::Json<json::PasswordLink>), Problem> {
    let email = text::email(&invitation.email)?;
    let link = served.doors.organisations.invite(&caller, &email, invitation.role).await?;
    Ok((StatusCode::CREATED, axum::Json(link)))
}
