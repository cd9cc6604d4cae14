//! The API's own description.

use std::sync::Arc;

use axum::http::header;
use axum::response::IntoResponse;

/// Writes the OpenAPI document to anybody; it says nothing about this server.
pub(crate) async fn openapi(document: Arc<str>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], document.to_string())
}
