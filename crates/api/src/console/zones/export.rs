//! A zone as a zone file, to be kept by the browser.

use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::ZoneInTenant;
use crate::body::streamed;
use crate::console::page::refusal;
use crate::console::session::Member;
use crate::console::words::bare;
use crate::doors::Signatures;
use crate::router::Served;

#[derive(Deserialize)]
pub(crate) struct Asked {
    /// Anything leaves out what signing has made.
    #[serde(default)]
    unsigned: String,
}

pub(crate) async fn export(
    member: Member,
    ZoneInTenant(name): ZoneInTenant,
    State(served): State<Served>,
    Query(asked): Query<Asked>,
) -> Response {
    let signatures = if asked.unsigned.is_empty() { Signatures::Kept } else { Signatures::LeftOut };
    let export = match served.doors.contents.export(&member.caller, &name, signatures).await {
        Ok(export) => export,
        Err(problem) => return refusal(&problem),
    };
    // A name may hold whatever; a file's name on somebody's disk may not.
    let file: String = bare(&name.to_string())
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "-._".contains(c) { c } else { '_' })
        .collect();
    let kept_as = format!("attachment; filename=\"{file}-{}.zone\"", export.serial);
    let headers =
        [(header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, kept_as)];
    (headers, streamed(export.text)).into_response()
}
