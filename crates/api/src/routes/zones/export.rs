//! A zone's contents as a zone file.

#![expect(unused_qualifications, reason = "utoipa writes the parameters' path in full")]

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::access::Reads;
use crate::body::{Parameters, streamed};
use crate::doors::Signatures;
use crate::path::ZoneInPath;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// `true` leaves out what signing has made: signatures, keys, and the proofs of what is not there.
    #[serde(default)]
    unsigned: bool,
}

/// Writes the version that is here as a zone file (RFC 1035 §5), piece by piece, also of a zone that has expired.
#[utoipa::path(
    get, path = "/zones/{name}/export", tag = "zones", params(("name" = String, Path), Wanted),
    responses(
        (status = 200, body = String, content_type = "text/dns",
         headers(("secondo-serial" = u32), ("secondo-generation" = u64))),
        (status = "default", body = ProblemDetails, content_type = "application/problem+json")
    )
)]
pub(crate) async fn export(
    Reads(caller): Reads,
    State(served): State<Served>,
    ZoneInPath(name): ZoneInPath,
    Parameters(Wanted { unsigned }): Parameters<Wanted>,
) -> Result<Response, Problem> {
    let signatures = if unsigned { Signatures::LeftOut } else { Signatures::Kept };
    let export = served.doors.contents.export(&caller, &name, signatures).await?;
    let headers = [
        // RFC 4027.
        (header::CONTENT_TYPE.as_str(), "text/dns; charset=us-ascii".to_owned()),
        ("secondo-serial", export.serial.to_string()),
        ("secondo-generation", export.generation.to_string()),
    ];
    Ok((headers, streamed(export.text)).into_response())
}
