//! Access tokens: what each may do, until when, and what is seen of its use.

use serde_json::Value;
use testing::eventually;

use super::{add_token, api, audited, curl};
use crate::scene::{SOON, secondo};

const NEW_ZONE: &str = r#"{"name": "example.test", "primaries": [{"address": "127.0.0.1:1"}]}"#;
const NEW_KEY: &str = r#"{"name": "k.example"}"#;

/// What `token list` says of one.
fn listed(secondo: &testing::secondo::Secondo, name: &str) -> Value {
    let tokens = secondo.json(&["token", "list"]);
    tokens.as_array().unwrap().iter().find(|token| token["name"] == name).unwrap_or(&Value::Null).clone()
}

#[test]
fn a_token_may_do_what_its_scopes_say_and_nothing_else() {
    let secondo = secondo().started();
    let scopes = ["read", "zones", "keys", "people", "operate"];
    let tokens = scopes.map(|scope| add_token(&secondo, scope, scope));
    // What is asked for, and which scope it takes.
    let requests = [
        ("/zones", None, "read"),
        ("/keys", None, "read"),
        ("/catalogs", None, "read"),
        ("/zones", Some(NEW_ZONE), "zones"),
        ("/keys", Some(NEW_KEY), "keys"),
        ("/tokens", None, "people"),
        ("/audit", None, "people"),
        ("/users", None, "operate"),
        ("/status", None, "operate"),
    ];
    for (path, body, needed) in requests {
        for (scope, token) in scopes.iter().zip(&tokens) {
            let answer = api(&secondo, token, path, body);
            if *scope == needed {
                assert!([200, 201].contains(&answer.status), "{scope} {path}: {answer:?}");
            } else {
                answer.is_refused(403, "not_allowed");
                assert!(answer.body.contains(&format!("lacks the scope {needed}")), "{answer:?}");
            }
        }
    }
    assert_eq!(audited(&secondo, "zone.added", "example.test.")["actor"], "token zones");
    // Nobody makes a token that may more than they may themselves.
    let more = r#"{"name": "more", "scopes": ["people", "zones"]}"#;
    api(&secondo, &tokens[3], "/tokens", Some(more)).is_refused(403, "not_allowed");
    // Nor a token another one, which would outlive it; nor does one that may not do everything make users, who might.
    api(&secondo, &tokens[3], "/tokens", Some(r#"{"name": "same", "scopes": ["people"]}"#))
        .is_refused(403, "not_allowed");
    let user = r#"{"email": "mallory@example.org", "role": "owner", "operator": true}"#;
    api(&secondo, &tokens[4], "/users", Some(user)).is_refused(403, "not_allowed");
    assert!(listed(&secondo, "more").is_null());
}

#[test]
fn a_token_that_has_ended_or_was_removed_opens_nothing() {
    let secondo = secondo().started();
    let lasting = add_token(&secondo, "lasting", "read");
    let ending = secondo.json(&["token", "add", "ending", "--scope", "read", "--ends-in", "2s"]);
    let ending = ending["token"].as_str().unwrap();
    assert!(listed(&secondo, "ending")["ends_at"].is_string());
    eventually(SOON, "the token to end", || match api(&secondo, ending, "/zones", None) {
        answer if answer.status == 401 => Ok(()),
        answer => Err(format!("{answer:?}")),
    });
    api(&secondo, ending, "/zones", None).is_refused(401, "token_invalid");
    api(&secondo, &lasting, "/zones", None).is(200);
    secondo.expect(&["token", "remove", "lasting"]);
    api(&secondo, &lasting, "/zones", None).is_refused(401, "token_invalid");
    secondo.client(&["token", "remove", "lasting"]).must_fail(&["token_unknown"]);
    assert_eq!(audited(&secondo, "token.removed", "lasting")["actor"], "this machine");
    let url = format!("http://{}/api/v1/zones", secondo.http());
    curl(&[&url]).is_refused(401, "token_missing");
}

#[test]
fn the_last_use_of_a_token_is_shown_and_its_secret_never_again() {
    let secondo = secondo().started();
    let token = add_token(&secondo, "name/with a slash", "read,zones");
    assert!(listed(&secondo, "name/with a slash")["used_at"].is_null());
    api(&secondo, &token, "/zones", None).is(200);
    let used = listed(&secondo, "name/with a slash");
    assert!(used["used_at"].is_string(), "{used}");
    assert_eq!(used["scopes"], serde_json::json!(["read", "zones"]));
    // The command line shows it as any program does.
    let server = format!("http://{}", secondo.http());
    secondo.expect(&["zone", "list", "--server", &server, "--token", &token]);
    secondo.client(&["token", "list", "--token", &token]).must_fail(&["not_allowed"]);
    for shown in [secondo.expect(&["token", "list"]), secondo.expect(&["audit"]), secondo.log()] {
        assert!(!shown.contains(&token), "{shown}");
    }
    let kept = std::fs::read(secondo.data().join("inventory.db")).unwrap();
    assert!(!kept.windows(token.len()).any(|octets| octets == token.as_bytes()), "it is kept as it is");
    secondo.expect(&["token", "remove", "name/with a slash"]);
}
