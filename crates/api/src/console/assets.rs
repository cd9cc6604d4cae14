//! The style and the script: all that a page loads. Their names hold their hashes, so that browsers may keep them for ever.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::page::refusal;
use crate::problem::{Code, Problem};

const STYLE: &str = include_str!("../../assets/console.css");
const SCRIPT: &str = include_str!("../../assets/console.js");
const ICON: &str = include_str!("../../assets/icon.svg");

static STYLE_PATH: LazyLock<String> = LazyLock::new(|| path("console", STYLE, "css"));
static SCRIPT_PATH: LazyLock<String> = LazyLock::new(|| path("console", SCRIPT, "js"));

fn path(name: &str, text: &str, kind: &str) -> String {
    let hash = blake3::hash(text.as_bytes()).to_hex();
    format!("/assets/{name}-{}.{kind}", &hash[..12])
}

pub(crate) fn style() -> &'static str {
    &STYLE_PATH
}

pub(crate) fn script() -> &'static str {
    &SCRIPT_PATH
}

pub(crate) async fn asset(Path(file): Path<String>) -> Response {
    let is = |path: &str| path.strip_prefix("/assets/") == Some(file.as_str());
    let (kind, text) = match () {
        () if is(style()) => ("text/css; charset=utf-8", STYLE),
        () if is(script()) => ("text/javascript; charset=utf-8", SCRIPT),
        () if file == "icon.svg" => ("image/svg+xml", ICON),
        () => return refusal(&Problem::new(Code::RouteUnknown, "there is no such page")),
    };
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")], text)
        .into_response()
}
