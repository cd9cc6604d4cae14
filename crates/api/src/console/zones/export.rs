//! A zone as a zone file, to be kept by the browser.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::ZoneInTenant;
use crate::body::streamed;
use crate::console::page::refusal;
use crate::console::session::Member;
use crate::console::words::bare;
use crate::router::Served;

pub(crate) async fn export(
    member: Member,
    ZoneInTenant(name): ZoneInTenant,
    State(served): State<Served>,
) -> Response {
    let export = match served.doors.contents.export(&member.caller, &name).await {
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
