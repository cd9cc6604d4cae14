//! Users whom the command line adds: they set a password by a link, sign in, and may do what their role says.

use serde_json::Value;
use testing::secondo::Secondo;

use super::{Answer, PASSWORD, audited, curl};
use crate::scene::secondo;

/// Somebody's browser.
struct Visitor<'a> {
    secondo: &'a Secondo,
    /// The session's cookie.
    cookie: String,
}

impl<'a> Visitor<'a> {
    /// Signs in as anybody does.
    #[track_caller]
    fn signed_in(secondo: &'a Secondo, email: &str) -> Self {
        let nobody = Self { secondo, cookie: String::new() };
        let answer = nobody.post("/sign-in", &[("email", email), ("password", PASSWORD)]);
        assert_eq!((answer.status, answer.location()), (303, Some("/")), "{answer:?}");
        Self { secondo, cookie: answer.cookie().unwrap().0.to_owned() }
    }

    fn get(&self, path: &str) -> Answer {
        curl(&["--cookie", &self.cookie, &format!("http://{}{path}", self.secondo.http())])
    }

    fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut words = vec!["--cookie", &self.cookie];
        fields.iter().for_each(|field| words.extend(["--data-urlencode", field]));
        let url = format!("http://{}{path}", self.secondo.http());
        words.push(&url);
        curl(&words)
    }

    /// Sends a form of a page that this visitor has seen.
    fn send(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let page = self.get("/account");
        let (_, rest) = page.body.split_once("name=\"form_token\" value=\"").unwrap();
        let form_token = rest.split('"').next().unwrap();
        self.post(path, &[fields, &[("form_token", form_token)]].concat())
    }

    /// Whether the session is somebody's.
    fn is_signed_in(&self) -> bool {
        let home = self.get("/account");
        assert!(home.status == 200 || home.location() == Some("/sign-in?next=%2Faccount"), "{home:?}");
        home.status == 200
    }
}

/// The path of the page of a link that the command line has shown.
fn path(shown: &Value) -> String {
    let url = shown["url"].as_str().unwrap();
    format!("/link/{}", url.split_once("/link/").unwrap().1)
}

/// Adds somebody, who sets a password by the link.
#[track_caller]
fn add(secondo: &Secondo, email: &str, role: &str) {
    let shown = secondo.json(&["user", "add", email, "--role", role]);
    assert!(shown["url"].as_str().unwrap().starts_with(&format!("http://{}/link/", secondo.http())), "{shown}");
    set_password(secondo, &shown);
}

#[track_caller]
fn set_password(secondo: &Secondo, shown: &Value) {
    let nobody = Visitor { secondo, cookie: String::new() };
    let page = nobody.get(&path(shown));
    assert!(page.status == 200 && page.body.contains(shown["email"].as_str().unwrap()), "{page:?}");
    let set = nobody.post(&path(shown), &[("password", PASSWORD)]);
    assert_eq!((set.status, set.location()), (303, Some("/")), "{set:?}");
    nobody.post(&path(shown), &[("password", "another one of some length")]).is(410);
}

#[test]
fn a_user_whom_the_command_line_has_added_sets_a_password_and_signs_in() {
    let secondo = secondo().started();
    let shown = secondo.expect(&["user", "add", "alice@example.org", "--role", "owner"]);
    assert!(shown.contains(&format!("\n  http://{}/link/", secondo.http())), "{shown}");
    let nobody = Visitor { secondo: &secondo, cookie: String::new() };
    let early = nobody.post("/sign-in", &[("email", "alice@example.org"), ("password", "")]);
    assert!(early.status == 403 && early.cookie().is_none(), "{early:?}");
    // A link that is made anew is the only one.
    let again = secondo.json(&["user", "link", "alice@example.org"]);
    let first = shown.lines().find_map(|line| line.split_once("/link/")).unwrap().1;
    nobody.get(&format!("/link/{first}")).is(410);
    set_password(&secondo, &again);
    let alice = Visitor::signed_in(&secondo, "Alice@example.org");
    alice.get("/o/1/zones").is(200);
    alice.get("/o/1/tokens").is(200);
    let listed = secondo.json(&["user", "list"]);
    assert!(listed[0]["role"] == "owner" && listed[0]["seen_at"].is_string(), "{listed}");
    // Another password ends what the old one has opened.
    set_password(&secondo, &secondo.json(&["user", "link", "alice@example.org"]));
    assert!(!alice.is_signed_in());
    let added = audited(&secondo, "user.added", "alice@example.org");
    assert_eq!(added["actor"], "this machine");
}

#[test]
fn roles_say_what_is_seen_and_changed() {
    let secondo = secondo().started();
    secondo.expect(&["zone", "add", "example.test", "--primary", "127.0.0.1:1"]);
    add(&secondo, "viewer@example.org", "viewer");
    add(&secondo, "editor@example.org", "editor");
    let viewer = Visitor::signed_in(&secondo, "viewer@example.org");
    let editor = Visitor::signed_in(&secondo, "editor@example.org");
    for page in ["/o/1/zones", "/o/1/zones/example.test.", "/o/1/keys"] {
        viewer.get(page).is(200);
        editor.get(page).is(200);
    }
    for page in ["/o/1/tokens", "/o/1/users", "/o/1/audit"] {
        viewer.get(page).is(403);
        editor.get(page).is(403);
    }
    editor.send("/o/1/tokens", &[("name", "mine"), ("scope", "read")]).is(403);
    editor.send("/o/1/users", &[("email", "c@example.org"), ("role", "owner")]).is(403);
    // The viewer changes nothing.
    let zone = "/o/1/zones/example.test.";
    viewer.get("/o/1/zones/new").is(403);
    viewer.send("/o/1/zones/new", &[("name", "other.test"), ("address", "127.0.0.1")]).is(403);
    viewer.send(&format!("{zone}/remove"), &[("name", "example.test")]).is(403);
    viewer.send(&format!("{zone}/order"), &[("order", "pause")]).is(403);
    viewer.send("/o/1/keys", &[("name", "k.example")]).is(403);
    let zones = secondo.json(&["zone", "list"]);
    assert_eq!((zones.as_array().unwrap().len(), &zones[0]["service"]), (1, &"answering".into()), "{zones}");
    // The editor does, and it is said who it was and from where.
    let removed = editor.send(&format!("{zone}/remove"), &[("name", "example.test")]);
    removed.is(303);
    let entry = audited(&secondo, "zone.removed", "example.test.");
    assert_eq!((&entry["actor"], &entry["address"]), (&"editor@example.org".into(), &"127.0.0.1".into()));
    // A session is none of the API's.
    let url = format!("http://{}/api/v1/zones", secondo.http());
    curl(&["--cookie", &editor.cookie, &url]).is_refused(401, "token_missing");
}

#[test]
fn whoever_is_removed_is_signed_out_and_somebody_is_left_who_runs_the_service() {
    let secondo = secondo().started();
    secondo.json(&["user", "add", "first@example.org", "--role", "owner", "--operator"]);
    secondo.client(&["user", "remove", "first@example.org"]).must_fail(&["last_owner"]);
    add(&secondo, "leaving@example.org", "viewer");
    let leaving = Visitor::signed_in(&secondo, "leaving@example.org");
    assert!(leaving.is_signed_in());
    secondo.expect(&["user", "remove", "leaving@example.org"]);
    assert!(!leaving.is_signed_in());
    let nobody = Visitor { secondo: &secondo, cookie: String::new() };
    nobody.post("/sign-in", &[("email", "leaving@example.org"), ("password", PASSWORD)]).is(403);
    secondo.client(&["user", "remove", "leaving@example.org"]).must_fail(&["user_unknown"]);
    // With a second one the first may go.
    secondo.expect(&["user", "add", "second@example.org", "--role", "owner", "--operator"]);
    secondo.expect(&["user", "remove", "first@example.org"]);
    secondo.client(&["user", "remove", "second@example.org"]).must_fail(&["last_owner"]);
}
