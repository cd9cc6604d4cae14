//! Whether the program runs, for load balancers and supervisors.

use crate::json::Health;

/// Answers `"ok"` to anybody as long as the program runs.
#[utoipa::path(get, path = "/healthz", tag = "status", security(()), responses((status = 200, body = Health)))]
pub(crate) async fn health() -> axum::Json<Health> {
    axum::Json(Health::Ok)
}
