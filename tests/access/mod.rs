//! Who may come in, by what, and how: TLS, names, proxies, tokens and users, asked by `curl` as any HTTP client asks.
//!
//! What people see of it in a browser is in `console`.

mod first_start;
mod names;
mod over_tls;
mod tokens;
mod users;

use std::process::{Command, Output};

use serde_json::Value;
use testing::eventually;
use testing::secondo::Secondo;

use crate::scene::SOON;

/// Of everybody in these tests.
const PASSWORD: &str = "four words make it long";
/// No server here needs longer for an answer.
const PATIENCE_SECS: &str = "20";

/// What `curl` was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The status line and the fields, their names in lower case as we send them.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Checks the status, and the code of the problem that goes with it.
    #[track_caller]
    pub(crate) fn is_refused(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.json()["code"].as_str()), (status, Some(code)), "{self:?}");
    }

    #[track_caller]
    pub(crate) fn is(&self, status: u16) {
        assert_eq!(self.status, status, "{self:?}");
    }

    /// The name and the value of the session's cookie that is set, and what stands behind them.
    fn cookie(&self) -> Option<(&str, &str)> {
        let mut set = self.head.lines().filter_map(|line| line.strip_prefix("set-cookie: "));
        let line = set.find(|line| !line.contains("secondo-device="))?;
        Some(line.split_once("; ").unwrap_or((line, "")))
    }

    /// Where it leads.
    pub(crate) fn location(&self) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix("location: "))
    }
}

fn run_curl(words: &[&str]) -> Output {
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--include", "--max-time", PATIENCE_SECS, "--noproxy", "*"]);
    command.args(words).output().unwrap()
}

/// Asks with these words of `curl`'s command line.
#[track_caller]
pub(crate) fn curl(words: &[&str]) -> Answer {
    let output = run_curl(words);
    let text = String::from_utf8(output.stdout).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| {
        panic!("curl {words:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
    });
    let status = head.split_whitespace().nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.replace("\r\n", "\n"), body: body.to_owned() }
}

/// Asks with words for which there is no answer; what `curl` says about it.
#[track_caller]
fn curl_in_vain(words: &[&str]) -> String {
    let output = run_curl(words);
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A request to the API with a token; with a body it is a POST.
#[track_caller]
pub(crate) fn api(secondo: &Secondo, token: &str, path: &str, body: Option<&str>) -> Answer {
    let (bearer, url) = (format!("Authorization: Bearer {token}"), format!("http://{}/api/v1{path}", secondo.http()));
    let mut words = vec!["--header", &bearer, &url];
    if let Some(body) = body {
        words.extend(["--header", "Content-Type: application/json", "--data", body]);
    }
    curl(&words)
}

/// Adds a token; what opens the API.
#[track_caller]
pub(crate) fn add_token(secondo: &Secondo, name: &str, scopes: &str) -> String {
    let added = secondo.json(&["token", "add", name, "--scope", scopes]);
    added["token"].as_str().unwrap().to_owned()
}

/// The newest entry of the audit log that is about this.
#[track_caller]
pub(crate) fn audited(secondo: &Secondo, act: &str, subject: &str) -> Value {
    let entries = secondo.json(&["audit"]);
    let found = entries.as_array().unwrap().iter().find(|entry| entry["act"] == act && entry["subject"] == subject);
    found.unwrap_or_else(|| panic!("nobody has {act} {subject}: {entries}")).clone()
}

/// The URLs of the links that so many starts have printed, the last one last.
#[track_caller]
fn first_links(secondo: &Secondo, starts: usize) -> Vec<String> {
    let log = eventually(SOON, "the start to have printed all", || {
        let log = secondo.log();
        let printed = log.lines().filter(|line| line.starts_with("Ask it: ")).count();
        if printed == starts { Ok(log) } else { Err(log) }
    });
    let lines = log.lines().filter_map(|line| line.strip_prefix("Create the operator of the console: "));
    lines.map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()
}
