//! What was changed, by whom, when and from where.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;

use super::filter::{self, Filter};
use super::page::{Frame, base, page, refusal};
use super::session::Member;
use super::words;
use crate::json::{self, Scope};
use crate::router::Served;

const LIMIT: u32 = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    #[serde(default)]
    before: String,
}

#[derive(Template)]
#[template(path = "audit.html")]
struct Page {
    frame: Frame,
    audit: json::Audit,
    is_first_page: bool,
}

pub(crate) async fn audit(member: Member, State(served): State<Served>, Filter(asked): Filter<Asked>) -> Response {
    if let Err(problem) = member.must(Scope::People) {
        return refusal(&problem);
    }
    let before = match asked.and_then(|asked| filter::number(&asked.before)) {
        Ok(before) => before,
        Err(problem) => {
            let back = format!("{}/audit", base(&member.membership));
            return filter::wrong(Frame::of(&member, "audit"), &problem, &back, "The newest entries");
        }
    };
    match served.doors.accounts.audit(&member.caller, before, LIMIT).await {
        Ok(audit) => page(&Page { frame: Frame::of(&member, "audit"), audit, is_first_page: before.is_none() }),
        Err(problem) => refusal(&problem),
    }
}

impl Page {
    /// What more an entry says, in words.
    fn details(entry: &json::AuditEntry) -> String {
        let Some(details) = entry.details.as_object() else { return String::new() };
        let said = details.iter().filter(|(_, value)| !value.is_null());
        said.map(|(name, value)| format!("{name}: {}", plain(value))).collect::<Vec<_>>().join(", ")
    }
}

/// A value without the signs of JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(" "),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| format!("{name}={}", plain(value)));
            fields.collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    }
}
