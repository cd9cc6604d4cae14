//! How long people and programs wait for the console and the API, with 100,000 zones of 1,000 organisations:
//! `cargo bench -p secondo --bench service`. `SECONDO_ZONES=10000` has so many zones in place of 100,000, a hundred to each
//! organisation. `sqlite3` (the Debian package) must be there.
//!
//! The zones' primary is a port that nobody listens at, so that nothing is copied meanwhile; their names count as proven, by
//! the operator's word, and so they are answered (with SERVFAIL). The root of the bench is nobody, too: no packet leaves the
//! machine. Each request goes to an organisation and a zone in turn; a page is read to its end.

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]
#![allow(clippy::unwrap_used)]

use std::process::Command;
use std::time::{Duration, Instant};

use reqwest::header::{COOKIE, HeaderMap, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use testing::eventually;
use testing::process::run;
use testing::secondo::Secondo;

const ZONES_EACH: usize = 100;
const REQUESTS: usize = 300;
const NOBODY: &str = "127.0.0.1:9";
const SOON: Duration = Duration::from_secs(120);

fn main() {
    let zones: usize = std::env::var("SECONDO_ZONES").map_or(100_000, |text| text.parse().unwrap());
    let secondo = Secondo::new(env!("CARGO_BIN_EXE_secondo"));
    let hints = secondo.scratch_file("named.root", ". 60 NS a.root.\na.root. 60 IN A 127.0.53.1\n");
    let mut secondo = secondo
        .configured(&format!(
            "[tenancy]\nmode = \"multi\"\nallow_addresses = [\"127.0.0.1\"]\n[timers]\nretry_min = \"1h\"\n\
             [delegation]\nhints = {hints:?}\n"
        ))
        .started();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut service = runtime.block_on(Service::of(&secondo));
    let ids = runtime.block_on(service.filled(zones / ZONES_EACH));
    secondo.terminate();
    let proven = "UPDATE zones SET proof = 'operator', proven_at_ms = created_at_ms";
    run(Command::new("sqlite3").arg(secondo.data().join("inventory.db")).arg(proven));
    let began = Instant::now();
    secondo.start();
    println!("a start with {zones} zones took {:.1} s", began.elapsed().as_secs_f64());
    service.base = format!("http://{}", secondo.http());
    runtime.block_on(measure(&service, &ids));
}

async fn measure(service: &Service, ids: &[String]) {
    let organisations = ids.len();
    let shown = |index: usize| {
        (&ids[index * 7919 % ids.len()], format!("z{}.o{}.example.net", index % ZONES_EACH, index * 7919 % ids.len()))
    };
    println!(
        "{:<36} {:>9} {:>9} {:>9}   of {REQUESTS} requests, {} zones",
        "",
        "p50 ms",
        "p95 ms",
        "most ms",
        organisations * ZONES_EACH
    );
    let pages: [(&str, &dyn Fn(usize) -> String); 4] = [
        ("the list of zones", &|index| format!("/o/{}/zones", shown(index).0)),
        ("the list, a part of a name", &|index| format!("/o/{}/zones?find=z7", shown(index).0)),
        ("a zone's page", &|index| format!("/o/{}/zones/{}", shown(index).0, shown(index).1)),
        ("a zone's queries", &|index| format!("/o/{}/zones/{}/queries", shown(index).0, shown(index).1)),
    ];
    for (name, path) in pages {
        let mut took = Vec::new();
        for index in 0..REQUESTS {
            took.push(service.page(&path(index)).await);
        }
        print(name, took);
    }
    // Of the default organisation names count at once: these are answered when the request is.
    let default = "1".to_owned();
    for (what, is_proven) in [("a claim", false), ("answered at once", true)] {
        let mut took = Vec::new();
        for index in 0..REQUESTS {
            let name = format!("new{index}.{}.example.org", u8::from(is_proven));
            let zone = json!({ "name": name, "primaries": [{ "address": NOBODY }] });
            let organisation = if is_proven { &default } else { shown(index).0 };
            let began = Instant::now();
            service.asked(Method::POST, Some(organisation), "/zones", &zone).await;
            took.push(began.elapsed());
        }
        print(&format!("create a zone by the API, {what}"), took);
    }
}

fn print(name: &str, mut took: Vec<Duration>) {
    took.sort();
    let at = |part: f64| took[((took.len() as f64 * part) as usize).min(took.len() - 1)].as_secs_f64() * 1000.0;
    println!("{name:<36} {:>9.1} {:>9.1} {:>9.1}", at(0.5), at(0.95), at(1.0));
}

/// The running service, as whoever runs it asks it.
struct Service {
    client: Client,
    base: String,
    token: String,
    cookie: String,
}

impl Service {
    async fn of(secondo: &Secondo) -> Self {
        // The client wants one, although nothing here speaks TLS.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
        let (base, data) = (format!("http://{}", secondo.http()), secondo.data());
        let link = eventually(SOON, "the first link", || {
            let log = secondo.log();
            let link = log.split_whitespace().find(|word| word.contains("/link/")).map(str::to_owned);
            link.ok_or(log)
        });
        let operator = "email=operator@example.net&password=four%20words%20make%20it%20long";
        let form = client.post(link).header("Content-Type", "application/x-www-form-urlencoded").body(operator);
        let entered = form.send().await.unwrap();
        assert_eq!(entered.status(), 303, "{entered:?}");
        let token = std::fs::read_to_string(data.join("admin-token")).unwrap().trim().to_owned();
        Self { client, base, token, cookie: cookies(entered.headers()) }
    }

    /// The numbers of so many organisations, each with its zones.
    async fn filled(&self, organisations: usize) -> Vec<String> {
        // Whoever was given no plan has the first one: from now on it is without limits.
        let plans = self.asked(Method::GET, None, "/plans", &Value::Null).await;
        let first = format!("/plans/{}", plans["plans"][0]["id"]);
        self.asked(Method::PUT, None, &first, &json!({ "name": "Unlimited" })).await;
        let mut ids = Vec::new();
        for organisation in 0..organisations {
            let added = self
                .asked(Method::POST, None, "/organisations", &json!({ "name": format!("O {organisation}") }))
                .await;
            let id = added["organisation"]["id"].to_string();
            let lines: String =
                (0..ZONES_EACH).map(|zone| format!("z{zone}.o{organisation}.example.net {NOBODY}\n")).collect();
            let request = self.request(Method::POST, Some(&id), "/zones/import").header("Content-Type", "text/plain");
            let imported = request.body(lines).send().await.unwrap();
            assert!(imported.status().is_success(), "{imported:?}");
            ids.push(id);
        }
        ids
    }

    fn request(&self, method: Method, organisation: Option<&str>, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}/api/v1{path}", self.base)).bearer_auth(&self.token);
        match organisation {
            Some(number) => request.header("Secondo-Organisation", number),
            None => request,
        }
    }

    async fn asked(&self, method: Method, organisation: Option<&String>, path: &str, body: &Value) -> Value {
        let request = self.request(method, organisation.map(String::as_str), path).json(body);
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    async fn page(&self, path: &str) -> Duration {
        let request = self.client.get(format!("{}{path}", self.base)).header(COOKIE, &self.cookie);
        let began = Instant::now();
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert_eq!(status, 200, "{path}: {text}");
        began.elapsed()
    }
}

fn cookies(headers: &HeaderMap) -> String {
    let set = headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
    set.filter_map(|cookie| cookie.split(';').next()).collect::<Vec<_>>().join("; ")
}
