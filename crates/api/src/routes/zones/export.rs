//! A zone's contents as a zone file.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::access::Reads;
use crate::body::streamed;
use crate::path::ZoneInPath;
use crate::problem::{Problem, ProblemDetails};
use crate::router::Served;

/// Writes the served version as a zone file (RFC 1035 §5), piece by piece.
#[utoipa::path(
    get, path = "/zones/{name}/export", tag = "zones", params(("name" = String, Path)),
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
) -> Result<Response, Problem> {
    let export = served.doors.contents.export(&caller, &name).await?;
    let headers = [
        // RFC 4027.
        (header::CONTENT_TYPE.as_str(), "text/dns; charset=us-ascii".to_owned()),
        ("secondo-serial", export.serial.to_string()),
        ("secondo-generation", export.generation.to_string()),
    ];
    Ok((headers, streamed(export.text)).into_response())
}
