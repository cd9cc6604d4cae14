//! One member.

use axum::extract::State;

use crate::access::SeesPeople;
use crate::json;
use crate::path::TextInPath;
use crate::problem::{Code, Problem, ProblemDetails};
use crate::router::Served;

/// Shows a member of the caller's organisation.
#[utoipa::path(
    get, path = "/members/{email}", tag = "members", params(("email" = String, Path)),
    responses((status = 200, body = json::Member), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn show(
    SeesPeople(caller): SeesPeople,
    State(served): State<Served>,
    TextInPath(email): TextInPath,
) -> Result<axum::Json<json::Member>, Problem> {
    let members = served.doors.organisations.members(&caller).await?;
    let unknown = || Problem::new(Code::UserUnknown, format!("{email:?} is no member: see GET /api/v1/members"));
    let is_meant = |member: &json::Member| member.email.to_lowercase() == email.to_lowercase();
    members.into_iter().find(is_meant).map(axum::Json).ok_or_else(unknown)
}
