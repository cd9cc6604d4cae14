//! For each route of the API's own document: how it is asked for another organisation's things, and what has to come of it.

use serde_json::{Value, json};

use super::Things;

/// One request for what is another organisation's.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) method: String,
    /// Below `/api/v1`, as it is asked.
    pub(super) path: String,
    pub(super) body: Option<String>,
    pub(super) content_type: &'static str,
    pub(super) outcome: Outcome,
}

/// What has to come of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// There is no such thing: 404 with this code.
    Unknown(&'static str),
    /// Whoever asks sees what is their own, or makes something of their own.
    OwnThings,
    /// For operators alone.
    OperatorsOnly,
}

use Outcome::{OperatorsOnly, OwnThings, Unknown};

/// The case of a route. There is none for a route that nobody has thought about, which fails the test.
pub(super) fn case(method: &str, route: &str, theirs: &Things) -> Option<Case> {
    let zone_unknown = Unknown("zone_unknown");
    let primaries = json!([{ "address": "127.0.7.7" }]);
    let with_their_key = json!([{ "address": "127.0.7.7", "key": theirs.key }]);
    let (body, outcome) = match (method, route) {
        ("post", "/zones") => (json!({ "name": "own.test", "primaries": with_their_key }), Unknown("key_unknown")),
        ("post", "/removed-zones/{name}/restore") => (Value::Null, zone_unknown),
        ("get", "/jobs/{id}") => (Value::Null, Unknown("job_unknown")),
        (
            "get",
            "/jobs" | "/zones" | "/removed-zones" | "/catalogs" | "/keys" | "/tokens" | "/members" | "/invitations",
        ) => (Value::Null, OwnThings),
        (
            "get",
            "/account" | "/zones/counts" | "/zones/tags" | "/plan" | "/events" | "/audit" | "/usage" | "/usage.csv"
            | "/export" | "/healthz",
        ) => (Value::Null, OwnThings),
        ("patch", "/zones/{name}") => (json!({ "service": "disable" }), zone_unknown),
        ("post", "/zones/{name}/refresh") => (json!({ "transfer": "full" }), zone_unknown),
        ("post", "/zones/{name}/hold") => (json!({ "order": "freeze" }), zone_unknown),
        ("post", "/zones/{name}/promotion/compare" | "/zones/{name}/promotion/finish") => {
            (json!({ "primaries": primaries }), zone_unknown)
        }
        ("post", "/zones/{name}/ownership/hand-over") => (json!({ "to": "anybody" }), zone_unknown),
        (_, route) if route.starts_with("/zones/{name}") => (Value::Null, zone_unknown),
        ("post", "/zones/import") => (json!("imported.test 127.0.7.7\n"), OwnThings),
        ("post", "/catalogs") => (
            json!({ "name": "own.catalog.test", "primaries": primaries, "rules": { "suffixes": ["test"] } }),
            OwnThings,
        ),
        ("patch", "/catalogs/{name}") => (json!({ "guard": { "zones_min": 1 } }), Unknown("catalog_unknown")),
        ("post", "/catalogs/{name}/accept") => (json!({ "serial": 1 }), Unknown("catalog_unknown")),
        (_, route) if route.starts_with("/catalogs/{name}") => (Value::Null, Unknown("catalog_unknown")),
        ("get", "/alerts" | "/alert-deliveries") => (Value::Null, OwnThings),
        ("post", "/alerts") => (json!({ "channel": "webhook", "target": "https://own.example.net/" }), OwnThings),
        ("put", "/alerts/{id}") => (json!({ "severity": "error" }), Unknown("alert_unknown")),
        (_, "/alerts/{id}" | "/alerts/{id}/test") => (Value::Null, Unknown("alert_unknown")),
        ("post", "/keys") => (json!({ "name": "own.key.test" }), OwnThings),
        ("get" | "delete", "/keys/{name}") => (Value::Null, Unknown("key_unknown")),
        // A token makes no other one.
        ("post", "/tokens") => (json!({ "name": "own", "scopes": ["read"] }), OperatorsOnly),
        ("get" | "delete", "/tokens/{name}") => (Value::Null, Unknown("token_unknown")),
        ("patch", "/members/{email}") => (json!({ "role": "viewer" }), Unknown("user_unknown")),
        ("get" | "delete", "/members/{email}") => (Value::Null, Unknown("user_unknown")),
        ("post", "/invitations") => (json!({ "email": "new@example.net", "role": "viewer" }), OwnThings),
        ("delete", "/invitations/{email}") => (Value::Null, Unknown("invitation_unknown")),
        ("post", "/doctor") => (json!({ "name": theirs.zone, "primaries": with_their_key }), Unknown("key_unknown")),
        (_, "/status" | "/notifies" | "/claims" | "/claims/{id}/approve" | "/claims/{id}/disprove") => {
            (Value::Null, OperatorsOnly)
        }
        ("post", "/users") => (json!({ "email": "new@example.net", "role": "owner" }), OperatorsOnly),
        (_, route) if route.starts_with("/users") => (Value::Null, OperatorsOnly),
        ("post", "/organisations") => (json!({ "name": "Another" }), OperatorsOnly),
        ("patch", "/organisations/{id}") => (json!({ "name": "Another" }), OperatorsOnly),
        ("put", "/organisations/{id}/plan") => (json!({ "plan": null }), OperatorsOnly),
        (_, "/organisations" | "/organisations/{id}") => (Value::Null, OperatorsOnly),
        ("post" | "put", "/plans" | "/plans/{id}") => (json!({ "name": "free for all" }), OperatorsOnly),
        (_, "/plans" | "/plans/{id}") => (Value::Null, OperatorsOnly),
        _ => return None,
    };
    let (body, content_type) = match body {
        Value::Null => (None, "application/json"),
        Value::String(text) => (Some(text), "text/plain"),
        body => (Some(body.to_string()), "application/json"),
    };
    Some(Case { method: method.to_uppercase(), path: filled(route, theirs), body, content_type, outcome })
}

/// The route with another organisation's things in its places, and with the parameters that it wants.
fn filled(route: &str, theirs: &Things) -> String {
    let name = match route.split('/').nth(1) {
        Some("zones" | "removed-zones") => &theirs.zone,
        Some("catalogs") => &theirs.catalog,
        Some("keys") => &theirs.key,
        _ => &theirs.token,
    };
    let email = if route.starts_with("/invitations") { &theirs.invited } else { &theirs.member };
    let id = if route.starts_with("/claims") { &theirs.zone_id } else { &theirs.organisation };
    let id = if route.starts_with("/jobs") { &theirs.job } else { id };
    let id = if route.starts_with("/alerts") { &theirs.alert } else { id };
    let path = route.replace("{name}", name).replace("{email}", email).replace("{id}", id);
    match route {
        "/zones/{name}/diff" => format!("{path}?from=1&to=2"),
        "/organisations/{id}" => format!("{path}?name=Aardvark"),
        _ => path,
    }
}
