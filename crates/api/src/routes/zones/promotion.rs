//! The emergency in which a zone's primary is gone for good: a new one made of what is here, and the way back.

#![expect(unused_qualifications, reason = "utoipa writes the parameters' path in full")]

use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::access::{ChangesZones, Reads};
use crate::body::{Json, MaybeJson, Parameters};
use crate::doors::{Accept, NewKey, NewSource, WantedPrimary, Word};
use crate::json::{self, KeyAlgorithm, Scope};
use crate::path::ZoneInPath;
use crate::problem::{Code, Problem, ProblemDetails};
use crate::router::Served;
use crate::text;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// What the new primary is to be: `bind` unless said otherwise.
    software: Option<String>,
    /// Where it is to be, as people type it: `192.0.2.9,key=transfer.example.org`.
    primary: Option<String>,
}

/// Shows what it takes to make a new primary of what is here, also of a zone that has expired. Nothing is done.
#[utoipa::path(
    get, path = "/zones/{name}/promotion", tag = "zones", params(("name" = String, Path), Wanted),
    responses((status = 200, body = json::Promotion), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn promotion(
    Reads(caller): Reads,
    State(served): State<Served>,
    ZoneInPath(name): ZoneInPath,
    Parameters(Wanted { software, primary }): Parameters<Wanted>,
) -> Result<axum::Json<json::Promotion>, Problem> {
    let unknown = |error: json::UnknownWord| Problem::new(Code::QueryInvalid, error.to_string());
    let software = software.map(|word| word.parse()).transpose().map_err(unknown)?;
    let primary = primary.map(|typed| text::primary(&typed)).transpose()?;
    let wanted = WantedPrimary { primary, ..WantedPrimary::read(software, None)? };
    served.doors.promotions.promotion(&caller, &name, &wanted).await.map(axum::Json)
}

/// Freezes the zone at what it holds, and shows what it takes to make a new primary of that. To ask again changes nothing.
#[utoipa::path(
    post, path = "/zones/{name}/promotion", tag = "zones", params(("name" = String, Path)),
    request_body = Option<json::Promote>,
    responses((status = 200, body = json::Promotion), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn promote(
    ChangesZones(caller): ChangesZones,
    State(served): State<Served>,
    ZoneInPath(name): ZoneInPath,
    MaybeJson(promote): MaybeJson<json::Promote>,
) -> Result<axum::Json<json::Promotion>, Problem> {
    let wanted = WantedPrimary::read(promote.software, promote.primary.as_ref())?;
    let key = promote.new_key.as_deref().map(generated).transpose()?;
    if key.is_some() {
        caller.must(Scope::Keys)?;
    }
    served.doors.promotions.promote(&caller, &name, wanted, key).await.map(axum::Json)
}

/// A key of this name to generate, of the usual algorithm.
pub(crate) fn generated(name: &str) -> Result<NewKey, Problem> {
    Ok(NewKey { name: text::key_name(name)?, algorithm: KeyAlgorithm::HmacSha256, secret: None })
}

/// Shows what a new primary has, or the former ones have, beside what is served. It is fetched whole, and nothing is done.
#[utoipa::path(
    post, path = "/zones/{name}/promotion/compare", tag = "zones", params(("name" = String, Path)),
    request_body = json::NewPrimaries,
    responses((status = 200, body = json::Comparison), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn compare(
    ChangesZones(caller): ChangesZones,
    State(served): State<Served>,
    ZoneInPath(name): ZoneInPath,
    Json(wanted): Json<json::NewPrimaries>,
) -> Result<axum::Json<json::Comparison>, Problem> {
    let source = NewSource::read(&name, wanted.primaries.as_deref())?;
    served.doors.promotions.compare(&caller, &name, &source).await.map(axum::Json)
}

/// Points the zone at a new primary, or back at the former ones, in one step: they are compared, all others are replaced by
/// them, the zone is thawed, and what they have is fetched. Where they do not give the zone, it stays as it is.
#[utoipa::path(
    post, path = "/zones/{name}/promotion/finish", tag = "zones", params(("name" = String, Path)),
    request_body = json::FinishPromotion,
    responses((status = 200, body = json::FinishedPromotion), (status = "default", body = ProblemDetails, content_type = "application/problem+json"))
)]
pub(crate) async fn finish(
    ChangesZones(caller): ChangesZones,
    State(served): State<Served>,
    ZoneInPath(name): ZoneInPath,
    Json(finish): Json<json::FinishPromotion>,
) -> Result<axum::Json<json::FinishedPromotion>, Problem> {
    let source = NewSource::read(&name, finish.primaries.as_deref())?;
    let word = Word { digest: finish.digest, accept: Accept::of(finish.accept) };
    served.doors.promotions.finish(&caller, &name, source, word).await.map(axum::Json)
}
