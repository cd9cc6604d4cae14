//! Organisations are kept apart by the whole API: every route of its own document is asked with one organisation's token for
//! another one's things.
//!
//! What is hidden are words that stand in one organisation's things and nowhere else. An answer may say those again that the
//! request said itself, and no other.

mod cases;

use std::collections::BTreeSet;
use std::net::SocketAddr;

use serde_json::{Value, json};
use testing::peer::{Peer, Setup, Software};
use testing::secondo::Secondo;
use testing::{eventually, port};

use self::cases::{Case, Outcome, case};
use crate::access::{Answer, curl};
use crate::scene::SOON;

/// Whatever an organisation may be given; to operate the service is not among it.
const ALL_SCOPES: &str = r#"["read", "zones", "keys", "people"]"#;
/// Routes of the document when this was written: that all are there shows that the document was read.
const ROUTES_MIN: usize = 60;

const CONTENTS: &str = "\
aardvark.test. 60 IN SOA ns.aardvark.test. host.aardvark.test. 3071707173 3600 600 604800 60
aardvark.test. 60 IN NS ns.aardvark.test.
ns.aardvark.test. 60 IN A 192.0.2.213
vault.aardvark.test. 60 IN TXT \"aardvark-contents\"
";

/// What an organisation has, by the words by which it is asked for.
pub(crate) struct Things {
    pub(crate) zone: String,
    pub(crate) zone_id: String,
    pub(crate) catalog: String,
    pub(crate) key: String,
    pub(crate) token: String,
    pub(crate) member: String,
    pub(crate) invited: String,
    pub(crate) organisation: String,
    pub(crate) job: String,
    pub(crate) alert: String,
    /// Words that others never see, unless they said them.
    hidden: Vec<String>,
}

/// A server of two organisations that share nothing.
struct Two {
    secondo: Secondo,
    _primary: Peer,
    theirs: Things,
    /// The token of the other one.
    token: String,
}

fn ask(secondo: &Secondo, words: &[&str], token: &str, path: &str) -> Answer {
    let (bearer, url) = (format!("Authorization: Bearer {token}"), format!("http://{}/api/v1{path}", secondo.http()));
    curl(&[&["--header", &bearer], words, &[&url]].concat())
}

/// Asks with the machine's own token for this organisation, and expects success.
#[track_caller]
fn operate(secondo: &Secondo, organisation: &str, path: &str, body: Option<&str>) -> Value {
    let token = std::fs::read_to_string(secondo.data().join("admin-token")).unwrap();
    let organisation = format!("Secondo-Organisation: {organisation}");
    let mut words = vec!["--header", &organisation, "--header", "Content-Type: application/json"];
    words.extend(body.iter().flat_map(|body| ["--data", *body]));
    let answer = ask(secondo, &words, token.trim(), path);
    assert!((200..300).contains(&answer.status), "{path} {body:?}: {answer:?}");
    if answer.body.is_empty() { Value::Null } else { answer.json() }
}

fn organisation(secondo: &Secondo, name: &str) -> String {
    secondo.json(&["tenant", "add", name])["organisation"]["id"].to_string()
}

#[track_caller]
fn token(secondo: &Secondo, organisation: &str, name: &str) -> String {
    let wanted = format!(r#"{{"name": "{name}", "scopes": {ALL_SCOPES}}}"#);
    let added = operate(secondo, organisation, "/tokens", Some(&wanted));
    added["token"].as_str().unwrap().to_owned()
}

/// A job of the organisation's; its number.
#[track_caller]
fn job(secondo: &Secondo, organisation: &str) -> String {
    let token = std::fs::read_to_string(secondo.data().join("admin-token")).unwrap();
    let organisation = format!("Secondo-Organisation: {organisation}");
    let words =
        ["--header", &organisation, "--header", "Prefer: respond-async", "--header", "Content-Type: text/plain"];
    let words = [&words[..], &["--data-binary", "aardvark-job.test 127.0.7.7\n"]].concat();
    let answer = ask(secondo, &words, token.trim(), "/zones/import");
    answer.is(202);
    answer.json()["id"].to_string()
}

impl Two {
    fn new() -> Self {
        // Not at an address of the service's own, which it does not ask.
        let at = SocketAddr::from(([127, 0, 53, 41], port::free().port()));
        let primary = Peer::start(Software::Nsd, Setup::zone("aardvark.test", CONTENTS).at(at));
        let secondo = crate::scene::secondo();
        // Nobody listens there, which is known at once.
        let hints = secondo.scratch_file("named.root", ". 60 NS a.root.\na.root. 60 IN A 127.0.53.77\n");
        let secondo = secondo.configured(&format!(
            "[tenancy]\nmode = \"multi\"\nallow_addresses = [\"127.0.0.0/8\"]\n[delegation]\nhints = {hints:?}\n"
        ));
        let secondo = secondo.started();
        let (theirs, ours) = (organisation(&secondo, "Aardvark"), organisation(&secondo, "Badger"));
        let secret = token(&secondo, &theirs, "aardvark-token");
        let address = primary.address().to_string();
        let key = r#"{"name": "aardvark-key.test", "secret": "YWFyZHZhcmsgaGFzIGEgc2VjcmV0IGhlcmU="}"#;
        operate(&secondo, &theirs, "/keys", Some(key));
        let zone = |name: &str, more: &str| {
            format!(r#"{{"name": "{name}", "primaries": [{{"address": "{address}"}}]{more}}}"#)
        };
        let added = operate(&secondo, &theirs, "/zones", Some(&zone("aardvark.test", "")));
        let zone_id = added["id"].to_string();
        operate(
            &secondo,
            &theirs,
            "/catalogs",
            Some(&zone("aardvark-catalog.test", r#", "rules": {"suffixes": ["test"]}"#)),
        );
        operate(
            &secondo,
            &theirs,
            "/invitations",
            Some(r#"{"email": "aardvark-new@example.org", "role": "viewer"}"#),
        );
        operate(&secondo, &theirs, "/users", Some(r#"{"email": "aardvark@example.org", "role": "owner"}"#));
        secondo.expect(&["claim", "approve", &zone_id]);
        let job = job(&secondo, &theirs);
        let hook = json!({ "channel": "webhook", "target": "https://aardvark.example.net/" }).to_string();
        let alert = operate(&secondo, &theirs, "/alerts", Some(&hook))["rule"]["id"].to_string();
        let digest = eventually(SOON, "the zone to be copied", || {
            let zone = operate(&secondo, &theirs, "/zones/aardvark.test", None);
            zone["digest"].as_str().map(str::to_owned).ok_or_else(|| zone.to_string())
        });
        // None of these comes about by chance in what is made of random numbers.
        let hidden = ["aardvark", "vault", "3071707173", "192.0.2.213", "YWFyZHZhcms", &digest, &address, &secret];
        let theirs = Things {
            zone: "aardvark.test.".into(),
            zone_id,
            catalog: "aardvark-catalog.test.".into(),
            key: "aardvark-key.test.".into(),
            token: "aardvark-token".into(),
            member: "aardvark@example.org".into(),
            invited: "aardvark-new@example.org".into(),
            organisation: theirs,
            job,
            alert,
            hidden: hidden.map(str::to_lowercase).to_vec(),
        };
        let token = token(&secondo, &ours, "badger");
        Self { secondo, _primary: primary, theirs, token }
    }

    fn ask(&self, case: &Case) -> Answer {
        let content_type = format!("Content-Type: {}", case.content_type);
        let mut words = vec!["--request", case.method.as_str(), "--header", &content_type];
        words.extend(case.body.iter().flat_map(|body| ["--data-binary", body.as_str()]));
        ask(&self.secondo, &words, &self.token, &case.path)
    }

    /// Checks that the answer has no word of the other organisation's that was not in the request.
    #[track_caller]
    fn keeps_silent(&self, case: &Case, answer: &Answer) {
        let mut said = format!("{}\n{}", answer.head, answer.body).to_lowercase();
        // A name that was asked for may be repeated as a whole, with its last dot or without.
        let things = &self.theirs;
        let asked = [&things.zone, &things.catalog, &things.key, &things.token, &things.invited, &things.member];
        for word in asked.into_iter().map(|word| word.trim_end_matches('.')) {
            if case.path.contains(word) || case.body.as_deref().is_some_and(|body| body.contains(word)) {
                said = said.replace(word, "");
            }
        }
        for word in &self.theirs.hidden {
            assert!(!said.contains(word), "{word:?} is shown: {case:?} {answer:?}");
        }
    }

    /// What the organisation has, as its owner sees it; not what moves by itself.
    fn things(&self) -> Vec<Value> {
        let organisation = &self.theirs.organisation;
        let see = |path: &str| operate(&self.secondo, organisation, path, None);
        let mut zone = see("/zones/aardvark.test");
        let moves = ["last_success", "next_refresh", "expires_at", "answers_until", "last_attempt", "warnings"];
        moves.iter().for_each(|field| drop(zone.as_object_mut().unwrap().remove(*field)));
        let mut tokens = see("/tokens");
        tokens["tokens"].as_array_mut().unwrap().iter_mut().for_each(|token| token["used_at"] = Value::Null);
        let lists = ["/keys", "/members", "/invitations", "/plan"].map(see);
        let organisation = see(&format!("/organisations/{organisation}"));
        let catalog = see("/catalogs/aardvark-catalog.test")["guard"].clone();
        [vec![zone, tokens, catalog, organisation], lists.to_vec()].concat()
    }
}

/// The methods and routes of the document that the program gives out.
fn routes(secondo: &Secondo) -> Vec<(String, String)> {
    let document = curl(&[&format!("http://{}/api/openapi.json", secondo.http())]).json();
    let routes = document["paths"].as_object().unwrap().iter().flat_map(|(path, methods)| {
        let route = path.strip_prefix("/api/v1").unwrap_or_else(|| panic!("{path} is no path of the API")).to_owned();
        methods.as_object().unwrap().keys().map(move |method| (method.clone(), route.clone()))
    });
    let routes: Vec<_> = routes.collect();
    assert!(routes.len() >= ROUTES_MIN, "{routes:?}");
    routes
}

#[test]
fn no_route_shows_or_changes_what_is_another_organisations() {
    let two = Two::new();
    let before = two.things();
    for (method, route) in routes(&two.secondo) {
        let case = case(&method, &route, &two.theirs);
        let case = case.unwrap_or_else(|| panic!("nobody has said what {method} {route} is to hide: see cases.rs"));
        let answer = two.ask(&case);
        match case.outcome {
            Outcome::Unknown(code) => {
                assert_eq!((answer.status, answer.json()["code"].as_str()), (404, Some(code)), "{case:?} {answer:?}");
            }
            Outcome::OperatorsOnly => {
                let code = answer.json()["code"].clone();
                assert_eq!((answer.status, code.as_str()), (403, Some("not_allowed")), "{case:?} {answer:?}");
            }
            // Where nothing is sent there is no mail, which is no matter of whose it is.
            Outcome::OwnThings => {
                assert!(answer.status < 300 || answer.body.contains("mail_missing"), "{case:?} {answer:?}");
            }
        }
        two.keeps_silent(&case, &answer);
    }
    assert_eq!(two.things(), before, "and nothing of theirs is another");
    let log = two.secondo.log();
    assert!(log.contains("somebody was refused a zone of another organisation zone=aardvark.test."), "{log}");
}

#[test]
fn a_claim_on_another_organisations_name_shows_nothing_of_its_zone() {
    let two = Two::new();
    // A name that is proven is not to be had; one that is only claimed is, by anybody.
    two.secondo.expect(&["claim", "disprove", &two.theirs.zone_id]);
    let claim = r#"{"name": "aardvark.test", "primaries": [{"address": "127.0.7.7"}]}"#;
    let words = ["--header", "Content-Type: application/json", "--data", claim];
    let added = ask(&two.secondo, &words, &two.token, "/zones");
    added.is(201);
    assert_ne!(added.json()["id"].to_string(), two.theirs.zone_id);
    let asked = routes(&two.secondo)
        .into_iter()
        .filter(|(method, route)| method == "get" && (!route.contains('{') || route.starts_with("/zones/")));
    let mut statuses = BTreeSet::new();
    for (method, route) in asked {
        let mut case = case(&method, &route, &two.theirs).unwrap();
        // The name is theirs to see now, and nothing else.
        case.body = Some(two.theirs.zone.clone());
        // News come as long as somebody listens.
        let patience = if route.ends_with("/news") { "2" } else { "20" };
        let answer = curl(&[
            "--max-time",
            patience,
            "--header",
            &format!("Authorization: Bearer {}", two.token),
            &format!("http://{}/api/v1{}", two.secondo.http(), case.path),
        ]);
        two.keeps_silent(&case, &answer);
        statuses.insert(answer.status);
    }
    assert!(statuses.contains(&200) && !statuses.contains(&500), "{statuses:?}");
}
