//! The client commands against the real router on a real socket, with a program in memory behind it.

#[path = "../../../api/tests/fake/mod.rs"]
mod fake;

use std::fs::File;
use std::path::Path;

use clap::Parser;
use serde_json::Value;

use super::{Command, run_to};

#[derive(Parser)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

/// A server with its data directory.
struct Served {
    data: tempfile::TempDir,
    _lock: File,
}

/// The lock that a server has on its data directory as long as it runs.
fn lock(data: &Path) -> File {
    let lock = File::create(data.join("lock")).unwrap();
    lock.lock().unwrap();
    lock
}

struct Ended {
    status: u8,
    out: String,
    errors: String,
}

impl Ended {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap()
    }

    /// Checks that one sentence with this code went to standard error.
    #[track_caller]
    fn failed(&self, status: u8, code: &str) {
        assert_eq!(self.status, status, "{} {}", self.out, self.errors);
        let last = self.errors.lines().last().unwrap_or_default();
        assert!(last.starts_with("secondo: ") && last.ends_with(&format!(" ({code})")), "{last}");
    }
}

impl Served {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, fake::router()).await });
        let data = tempfile::tempdir().unwrap();
        std::fs::write(data.path().join("http-address"), format!("{address}\n")).unwrap();
        std::fs::write(data.path().join("admin-token"), format!("{}\n", fake::TOKEN)).unwrap();
        let lock = lock(data.path());
        Self { data, _lock: lock }
    }

    async fn run(&self, words: &str) -> Ended {
        run_in(self.data.path(), words).await
    }
}

/// The same through the socket, on a server whose HTTP address nobody answers at.
struct ServedLocally {
    data: tempfile::TempDir,
    lock: File,
}

impl ServedLocally {
    async fn start() -> Self {
        let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let data = tempfile::tempdir().unwrap();
        let local = tokio::net::UnixListener::bind(data.path().join("api-socket")).unwrap();
        std::fs::write(data.path().join("http-address"), "127.0.0.1:1\n").unwrap();
        std::fs::write(data.path().join("admin-token"), format!("{}\n", fake::TOKEN)).unwrap();
        let listeners = api::Listeners { tcp, https: None, local: Some(local) };
        tokio::spawn(api::serve(listeners, fake::doors(), api::Front::default(), std::future::pending()));
        let lock = lock(data.path());
        Self { data, lock }
    }
}

async fn run_in(data: &Path, words: &str) -> Ended {
    let line = ["secondo"].into_iter().chain(words.split_whitespace()).chain(["--data", data.to_str().unwrap()]);
    let command = Line::try_parse_from(line).unwrap().command;
    let (mut out, mut errors) = (Vec::new(), Vec::new());
    let status = run_to(command, &mut out, &mut errors).await;
    Ended { status, out: String::from_utf8(out).unwrap(), errors: String::from_utf8(errors).unwrap() }
}

fn usage_status(words: &str) -> Option<i32> {
    let line = ["secondo"].into_iter().chain(words.split_whitespace());
    Line::try_parse_from(line).err().map(|error| error.exit_code())
}

#[tokio::test]
async fn a_zone_is_added_shown_listed_and_removed() {
    let served = Served::start().await;
    let added = served.run("zone add Example.org --primary 192.0.2.1 --primary [2001:db8::1]:5353").await;
    assert_eq!((added.status, added.errors.as_str()), (0, ""));
    assert!(added.out.contains("added the zone Example.org."), "{}", added.out);
    let pasted = served.run("zone add https://www.B\u{fc}cher.example/start --primary 192.0.2.1").await;
    assert!(pasted.out.contains("added the zone xn--bcher-kva.example."), "{}", pasted.out);
    assert_eq!(served.run("zone remove xn--bcher-kva.example").await.status, 0);

    let shown = served.run("zone show example.org --json").await.json();
    assert_eq!(shown["primaries"][1]["address"], "[2001:db8::1]:5353");
    for fact in [
        "name",
        "state",
        "freshness",
        "hold",
        "service",
        "serial",
        "generation",
        "digest",
        "records",
        "primaries",
        "last_success",
        "next_refresh",
        "expires_at",
        "last_attempt",
    ] {
        assert!(shown.get(fact).is_some(), "{fact}");
    }
    let text = served.run("zone show example.org").await.out;
    assert!(text.lines().any(|line| line.split_whitespace().eq(["state:", "pending"])), "{text}");

    let listed = served.run("zone list").await.out;
    assert!(listed.lines().nth(1).unwrap().starts_with("Example.org."), "{listed}");
    assert_eq!(served.run("zone list --json").await.json().as_array().unwrap().len(), 1);

    served.run("zone add example.org --primary 192.0.2.1").await.failed(1, "zone_exists");
    assert_eq!(served.run("zone remove example.org").await.status, 0);
    served.run("zone remove example.org").await.failed(1, "zone_unknown");
    served.run("zone show example.org").await.failed(1, "zone_unknown");
}

#[tokio::test]
async fn the_root_zone_goes_through_every_command() {
    let served = Served::start().await;
    assert_eq!(served.run("zone add . --primary 192.0.2.1").await.status, 0);
    assert_eq!(served.run("zone refresh .").await.status, 0);
    assert!(served.run("zone export .").await.out.starts_with(". 60 IN TXT"));
    assert_eq!(served.run("zone show . --json").await.json()["name"], ".");
    assert_eq!(served.run("zone remove .").await.status, 0);
}

#[test]
fn what_is_typed_wrong_ends_with_status_2_before_anything_is_sent() {
    for words in [
        "zone add a..b --primary 192.0.2.1",
        "zone add 192.0.2.1 --primary 192.0.2.1",
        "zone add example.org",
        "zone add example.org --primary ns1.example.org",
        "zone add example.org --primary 192.0.2.1:99999",
        "zone add example.org --primary 192.0.2.1,key=a..b",
        "zone show exam..ple",
        "zone history example.org --limit 0",
        "zone fly example.org",
        "key add a..b",
        "catalog add cat.example",
        "catalog add cat.example --primary 192.0.2.1 --suffix a..b",
        "catalog add cat.example --primary 192.0.2.1 --guard-delay never",
        "catalog set cat.example --guard-share 101",
        "key add k --algorithm md5",
        "zone",
        "token add deployment",
        "token add deployment --scope fly",
        "token add deployment --scope read --ends-in soon",
        "token add .. --scope read",
        "user add alice",
        "user add alice@example.org --role king",
        "user link alice",
        "audit --limit 0",
    ] {
        assert_eq!(usage_status(words), Some(2), "{words}");
    }
}

#[tokio::test]
async fn a_primary_given_twice_is_typed_wrong() {
    let served = Served::start().await;
    let ended = served.run("zone add example.org --primary 192.0.2.1 --primary 192.0.2.1:53").await;
    ended.failed(2, "primary_invalid");
}

#[tokio::test]
async fn a_refresh_tells_what_came_of_it_and_fails_when_it_failed() {
    let served = Served::start().await;
    served.run("zone add example.org --primary 192.0.2.1").await;
    served.run("zone add refusing.example --primary 192.0.2.1").await;
    let done = served.run("zone refresh example.org").await;
    assert!(done.status == 0 && done.out.contains("serial 7") && done.out.contains("ixfr"), "{}", done.out);
    assert_eq!(served.run("zone refresh example.org --full --json").await.json()["attempt"]["kind"], "axfr");

    let refused = served.run("zone refresh refusing.example").await;
    refused.failed(1, "refused");
    assert!(
        refused.errors.contains("fault: primary") && refused.errors.contains("allow this server"),
        "{}",
        refused.errors
    );
    let refused = served.run("zone refresh refusing.example --json").await;
    assert_eq!((refused.status, refused.json()["attempt"]["outcome"].as_str().unwrap()), (1, "failed"));
    let shown = served.run("zone show refusing.example").await.out;
    assert!(shown.contains("what to do:") && shown.contains("allow this server"), "{shown}");
    let history = served.run("zone history refusing.example").await.out;
    assert!(history.contains("failed (refused)"), "{history}");
    assert_eq!(served.run("zone history refusing.example --json").await.json()["attempts"][0]["bytes"], 512);
}

#[tokio::test]
async fn a_large_zone_is_exported_whole() {
    let served = Served::start().await;
    served.run("zone add huge.example --primary 192.0.2.1").await;
    served.run("zone export huge.example").await.failed(1, "zone_not_loaded");
    served.run("zone refresh huge.example").await;
    let export = served.run("zone export huge.example").await;
    assert_eq!((export.status, export.out.lines().count()), (0, fake::HUGE_PIECES * 1_000));
}

#[tokio::test]
async fn an_import_goes_in_batches_and_numbers_lines_as_the_file_does() {
    let served = Served::start().await;
    let file = served.data.path().join("zones.txt");
    let mut text: String = (0..2_500).map(|number| format!("z{number}.example 192.0.2.1\n")).collect();
    std::fs::write(&file, &text).unwrap();
    let good = served.run(&format!("zone import {}", file.display())).await;
    assert_eq!((good.status, good.out.as_str()), (0, "2500 zones added, 0 lines failed\n"));

    text = text.replace('z', "y").replace("y2100.example", "y!.example");
    std::fs::write(&file, text + "last.example 192.0.2.1 # no line end").unwrap();
    let bad = served.run(&format!("zone import {} --json", file.display())).await;
    let last: Value = serde_json::from_str(bad.errors.lines().last().unwrap()).unwrap();
    assert_eq!((bad.status, &last["code"]), (1, &"lines_failed".into()));
    assert!(bad.errors.starts_with("line 2101: ") && bad.errors.contains("(zone_name_invalid)"), "{}", bad.errors);
    let results = bad.json();
    assert_eq!((&results["added"], &results["failed"]), (&2500.into(), &1.into()));
    assert_eq!(results["lines"][2500]["line"], 2501);

    served.run("zone import /nowhere/zones.txt").await.failed(1, "file_unreadable");
    std::fs::write(&file, "x".repeat(100_000)).unwrap();
    served.run(&format!("zone import {}", file.display())).await.failed(1, "line_too_long");
}

#[tokio::test]
async fn a_generated_secret_is_shown_once_with_the_lines_for_bind() {
    let served = Served::start().await;
    let added = served.run("key add Transfer.example").await;
    assert!(
        added.out.contains("key \"Transfer.example\" {") && added.out.contains("secret \"Z2VuZXJhdGVk\";"),
        "{}",
        added.out
    );
    let listed = served.run("key list").await;
    assert!(listed.out.contains("Transfer.example.") && !listed.out.contains("Z2Vu"), "{}", listed.out);

    let file = served.data.path().join("secret");
    std::fs::write(&file, "c2VjcmV0\n").unwrap();
    let given = served.run(&format!("key add other --algorithm hmac-sha512 --secret-file {}", file.display())).await;
    assert_eq!(given.out, "added the key other. (hmac-sha512)\n");
    served.run("key add third --secret-file /nowhere").await.failed(1, "file_unreadable");
    assert_eq!(served.run("key list --json").await.json()[0]["algorithm"], "hmac-sha512");

    served.run("zone add example.org --primary 192.0.2.1,key=other").await;
    served.run("key remove other").await.failed(1, "key_in_use");
    assert_eq!(served.run("key remove transfer.example").await.status, 0);
}

#[tokio::test]
async fn a_catalog_goes_through_every_command() {
    let served = Served::start().await;
    let file = served.data.path().join("groups.toml");
    std::fs::write(&file, "[gold]\nprimaries = [\"192.0.2.7\"]\nsettings = { notify = \"signed\" }\n").unwrap();
    assert!(served.run("catalog list").await.out.contains("catalog add NAME"));
    let words = "catalog add cat.example --primary 192.0.2.1 --suffix example --member-primary 192.0.2.2,tls \
                 --member-set refresh-max=2h --guard-delay 12h --groups";
    let added = served.run(&format!("{words} {}", file.display())).await;
    assert_eq!((added.status, added.errors.as_str()), (0, ""));
    let shown = served.run("catalog show cat.example --json").await.json();
    assert_eq!((&shown["suffixes"][0], &shown["guard"]["delay"]), (&"example.".into(), &"12h".into()));
    assert_eq!(shown["members"]["primaries"][0]["address"], "192.0.2.2:853");
    assert_eq!(shown["groups"]["gold"]["settings"]["notify"], "signed");
    assert_eq!(shown["listed"].as_array().unwrap().len(), 3);
    let text = served.run("catalog show cat.example").await.out;
    for words in
        ["zones at or below example.", "gold: 192.0.2.7:53 notify=signed", "goes after 2026-11-22", "--serial 7"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(served.run("catalog list").await.out.lines().nth(1).unwrap().starts_with("cat.example."));
    served.run("catalog set cat.example --guard-delay off").await;
    let members =
        served.run("catalog set cat.example --member-set notify=signed --json").await.json()["members"].clone();
    assert_eq!(members["primaries"][0]["address"], "192.0.2.2:853", "what is not given stays: {members}");
    let members = served.run("catalog set cat.example --own-primaries --member-set notify= --json").await.json();
    assert_eq!(members["members"]["primaries"].as_array().map(Vec::len), Some(0), "{members}");
    let shown = served.run("catalog show cat.example --json").await.json();
    assert_eq!((&shown["guard"]["delay"], &shown["suffixes"][0]), (&"off".into(), &"example.".into()));
    served.run("catalog accept cat.example --serial 6").await.failed(1, "catalog_changed");
    let accepted = served.run("catalog accept cat.example").await;
    assert!(accepted.out.starts_with("1 zones that cat.example. does not list at serial 7 went"), "{}", accepted.out);
    assert_eq!(served.run("catalog remove cat.example").await.status, 0);
    served.run("catalog show cat.example").await.failed(1, "catalog_unknown");
    served.run("catalog add cat.example --primary 192.0.2.1 --groups /nowhere").await.failed(1, "file_unreadable");
    // Of a longer file half of the groups would be there.
    let groups: String = (0..6_000).map(|number| format!("[group-{number}]\n")).collect();
    std::fs::write(&file, groups).unwrap();
    let words = format!("catalog add cat.example --primary 192.0.2.1 --groups {}", file.display());
    served.run(&words).await.failed(1, "file_unreadable");
}

#[tokio::test]
async fn the_doctor_shows_steps_and_what_to_paste_and_fails_when_a_step_did() {
    let served = Served::start().await;
    let well = served.run("doctor example.org@192.0.2.1 --own 192.0.2.7").await;
    assert_eq!((well.status, well.errors.as_str()), (0, ""));
    assert!(well.out.contains("perhaps BIND; it says \"9.18\"") && well.out.contains("ok    axfr"), "{}", well.out);
    assert!(well.out.contains("allow-transfer { 192.0.2.7; };") && !well.out.contains("Knot DNS"), "{}", well.out);
    assert!(served.run("doctor example.org@192.0.2.1 --all").await.out.contains("Knot DNS"));

    let refused = served.run("doctor refusing.example@192.0.2.1").await;
    refused.failed(1, "steps_failed");
    assert!(refused.out.contains("FAIL  axfr") && refused.out.contains("Allow our addresses"), "{}", refused.out);
    let refused = served.run("doctor refusing.example@192.0.2.1 --json").await;
    assert_eq!((refused.status, refused.json()["outcome"].as_str()), (1, Some("failed")));
    let unheld = served.run("doctor unheld.example@192.0.2.1 --own 192.0.2.7").await;
    assert!(unheld.out.contains("{ type primary; }") && !unheld.out.contains("allow-transfer"), "{}", unheld.out);
    let private = served.run("doctor private.example@192.0.2.1 --own 192.0.2.7").await;
    assert!(!private.out.contains("type primary") && !private.out.contains("allow-transfer"), "{}", private.out);
    served.run("doctor example.org@192.0.2.1 --key nobody").await.failed(1, "key_unknown");
    served.run("doctor example.org").await.failed(1, "zone_unknown");
}

#[tokio::test]
async fn status_tells_people_and_programs_how_the_server_is() {
    let served = Served::start().await;
    let text = served.run("status").await.out;
    assert!(text.contains("127.0.0.1:5300") && text.contains("warning: the disk is nearly full"), "{text}");
    assert_eq!(served.run("status --json").await.json()["inventory"], "available");
}

#[tokio::test]
async fn a_server_that_does_not_run_is_said_with_how_to_start_it() {
    let empty = tempfile::tempdir().unwrap();
    let ended = run_in(empty.path(), "zone list").await;
    ended.failed(1, "server_unknown");
    assert!(ended.errors.contains("secondo serve --data"), "{}", ended.errors);

    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    std::fs::write(empty.path().join("http-address"), port.to_string()).unwrap();
    let lock = lock(empty.path());
    run_in(empty.path(), "zone list").await.failed(1, "token_missing");
    std::fs::write(empty.path().join("admin-token"), "x").unwrap();
    let ended = run_in(empty.path(), "zone list").await;
    ended.failed(1, "server_unreachable");
    assert!(ended.errors.contains("secondo serve --data"), "{}", ended.errors);

    // Killed: whoever has its port now is not told the token.
    drop(lock);
    let ended = run_in(empty.path(), "zone list").await;
    ended.failed(1, "server_unknown");
    assert!(ended.errors.contains("killed"), "{}", ended.errors);
}

#[tokio::test]
async fn a_server_on_this_machine_is_asked_through_its_socket_as_long_as_it_runs() {
    let served = ServedLocally::start().await;
    let ended = run_in(served.data.path(), "zone list").await;
    assert_eq!((ended.status, ended.errors.as_str()), (0, ""));
    run_in(served.data.path(), "zone show example.org").await.failed(1, "zone_unknown");
    // Whoever names another server means that one.
    run_in(served.data.path(), "zone list --server 127.0.0.1:1").await.failed(1, "server_unreachable");

    // Killed: its socket is still there, and nobody is told the token.
    drop(served.lock);
    let ended = run_in(served.data.path(), "zone list").await;
    ended.failed(1, "server_unknown");
    assert!(ended.errors.contains("killed"), "{}", ended.errors);
}

#[tokio::test]
async fn a_token_is_shown_once_with_what_to_do_with_it() {
    let served = Served::start().await;
    assert!(served.run("token list").await.out.contains("secondo token add"));
    let added = served.run("token add deployment --scope read,zones --ends-in 90d").await;
    assert_eq!((added.status, added.errors.as_str()), (0, ""));
    for words in ["deployment (read,zones; good until 20", "\n  secondo_0\n", "SECONDO_TOKEN", "Bearer TOKEN"] {
        assert!(added.out.contains(words), "{words}: {}", added.out);
    }
    assert_eq!(served.run("token add monitoring --scope read --json").await.json()["token"], "secondo_0");
    served.run("token add monitoring --scope read").await.failed(1, "token_exists");

    let listed = served.run("token list").await.out;
    let row: Vec<&str> = listed.lines().nth(2).unwrap().split_whitespace().collect();
    assert_eq!((row[0], row[1], row.last()), ("monitoring", "read", Some(&"-")), "{listed}");
    assert!(!listed.contains("secondo_0"), "{listed}");
    let listed = served.run("token list --json").await.json();
    assert_eq!((&listed[0]["name"], listed[1]["ends_at"].is_null()), (&"deployment".into(), true), "{listed}");
    assert!(listed[0]["ends_at"].is_string(), "{listed}");

    assert_eq!(
        served.run("token remove deployment").await.out,
        "removed the token deployment: it opens nothing any more\n"
    );
    served.run("token remove deployment").await.failed(1, "token_unknown");
}

#[tokio::test]
async fn a_user_is_added_with_the_page_that_sets_the_password() {
    let served = Served::start().await;
    assert!(served.run("user list").await.out.contains("secondo user add"));
    let added = served.run("user add alice@example.org --role editor").await;
    assert_eq!((added.status, added.errors.as_str()), (0, ""));
    for words in ["alice@example.org (editor)", "\n  https://console.example.net/link/0\n", "until 2026-11-21"] {
        assert!(added.out.contains(words), "{words}: {}", added.out);
    }
    served.run("user add alice@example.org").await.failed(1, "user_exists");
    let operator = served.run("user add bob@example.org --role owner --operator").await.out;
    assert!(operator.starts_with("added bob@example.org (owner, operator)\n"), "{operator}");

    // Whoever has named a server reaches it there.
    let server = std::fs::read_to_string(served.data.path().join("http-address")).unwrap();
    let named = served.run(&format!("user link alice@example.org --json --server {server}")).await.json();
    assert_eq!(named["url"], format!("http://{}/link/0", server.trim()));
    assert_eq!((&named["email"], named["ends_at"].is_string()), (&"alice@example.org".into(), true), "{named}");

    let listed = served.run("user list").await.out;
    let row = |at: usize| listed.lines().nth(at).unwrap().split_whitespace().take(3).collect::<Vec<_>>();
    assert_eq!(
        (row(1), row(2)),
        (vec!["alice@example.org", "editor", "no"], vec!["bob@example.org", "owner", "yes"])
    );
    assert_eq!(served.run("user list --json").await.json()[1]["operator"], true);

    assert_eq!(served.run("user remove alice@example.org").await.status, 0);
    served.run("user remove alice@example.org").await.failed(1, "user_unknown");
    served.run("user link alice@example.org").await.failed(1, "user_unknown");
}

#[tokio::test]
async fn the_audit_log_is_shown_to_people_and_programs() {
    let served = Served::start().await;
    let shown = served.run("audit").await.out;
    for words in ["alice@example.org", "203.0.113.9", "zone.ordered", "example.org.", "order=publish"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let newest = served.run("audit --limit 1 --json").await.json();
    assert_eq!((newest.as_array().unwrap().len(), &newest[0]["details"]["generation"]), (1, &3.into()));
}

#[tokio::test]
async fn queries_and_usage_are_shown_to_people_programs_and_spreadsheets() {
    let served = Served::start().await;
    served.run("zone add example.org --primary 192.0.2.1").await;
    let shown = served.run("zone queries example.org").await.out;
    assert!(shown.contains("NXDOMAIN") && shown.contains("12.50 %") && shown.contains("www.example.org."), "{shown}");
    let days = served.run("zone queries example.org --days 35 --json").await.json();
    assert_eq!((days["step"].as_str(), days["points"].as_array().unwrap().len()), (Some("day"), 35));
    served.run("zone queries none.example").await.failed(1, "zone_unknown");
    let usage = served.run("usage --month 2026-10").await.out;
    assert!(usage.contains("2026-10") && usage.contains("1000000"), "{usage}");
    assert_eq!(served.run("usage --json").await.json()["organisations"][0]["organisation"], "default");
    let table = served.run("usage --csv").await.out;
    assert!(table.starts_with("month,id,organisation,queries,zones,records\r\n"), "{table}");
    for wrong in
        ["zone queries x --hours 0", "zone queries x --hours 1 --days 1", "usage --month 2026", "usage --csv --json"]
    {
        assert_eq!(usage_status(wrong), Some(2), "{wrong}");
    }
}

#[tokio::test]
async fn notifies_are_shown_to_people_and_programs() {
    let served = Served::start().await;
    served.run("zone add example.org --primary 192.0.2.1").await;
    let shown = served.run("zone notifies example.org").await.out;
    assert!(shown.contains("accepted") && shown.contains("refused (stranger)"), "{shown}");
    let newest = served.run("zone notifies example.org --limit 1 --json").await.json();
    assert_eq!((newest.as_array().unwrap().len(), &newest[0]["transport"]), (1, &"tls".into()));
    served.run("zone notifies none.example").await.failed(1, "zone_unknown");
    let strangers = served.run("notifies").await.out;
    assert!(strangers.contains("2001:db8:1::/48") && strangers.contains("1000000"), "{strangers}");
    assert_eq!(served.run("notifies --json").await.json()[0]["last_zone"], "nowhere.example.");
    assert!(served.run("status").await.out.contains("3 accepted, 2 refused"));
    assert_eq!(usage_status("notifies --limit 0"), Some(2));
}

#[tokio::test]
async fn delegations_are_shown_to_people_and_programs() {
    let served = Served::start().await;
    for (zone, said) in [
        ("ours.example", &["exactly: to all of ours", "a.nic.example.", "192.0.2.53"][..]),
        ("nobody.example", &["no: the parent knows no such zone", "NXDOMAIN"]),
        ("elsewhere.example", &["none: to none of ours", "ns.them.example."]),
        ("beside.example", &["to some of ours, and not to all"]),
        ("unjudged.example", &["name_servers is not configured"]),
        ("lame.example", &["LAME", "without the AA flag"]),
        ("differing.example", &["the parent's servers differ in name_servers"]),
        ("both.example", &["hold the zone too"]),
    ] {
        served.run(&format!("zone add {zone} --primary 192.0.2.1")).await;
        let shown = served.run(&format!("zone delegation {zone}")).await;
        assert_eq!(shown.status, 0, "{}", shown.errors);
        for words in said {
            assert!(shown.out.contains(words), "{zone} does not say {words:?}:\n{}", shown.out);
        }
    }
    let found = served.run("zone delegation elsewhere.example --json").await.json();
    assert_eq!((&found["fit"], &found["servers"][0]["at"][0]["serial"]), (&"none".into(), &7.into()));
    served.run("zone add cut-off.example --primary 192.0.2.1").await;
    let ended = served.run("zone delegation cut-off.example").await;
    assert!(ended.out.contains("the network between those servers and us"), "{}", ended.out);
    ended.failed(1, "nobody_answers");
    served.run("zone delegation none.example").await.failed(1, "zone_unknown");
}

#[tokio::test]
async fn failures_have_a_form_for_programs() {
    let ended = Served::start().await.run("zone show example.org --json").await;
    let said: Value = serde_json::from_str(&ended.errors).unwrap();
    assert_eq!((ended.status, &said["code"]), (1, &"zone_unknown".into()));
    assert!(said["detail"].as_str().unwrap().contains("example.org"), "{said}");
}

#[tokio::test]
async fn a_wrong_token_and_a_server_that_is_not_secondo_are_told_apart() {
    let served = Served::start().await;
    served.run("zone list --token wrong").await.failed(1, "token_invalid");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let other = axum::Router::new().fallback(|| async { "hello" });
    tokio::spawn(async move { axum::serve(listener, other).await });
    served.run(&format!("zone list --server {address} --token x")).await.failed(1, "server_strange");
    served.run("zone list --server http://192.0.2.1:8053").await.failed(2, "token_missing");
}

#[test]
fn every_command_has_help_with_an_example() {
    use clap::CommandFactory;

    fn check(command: &clap::Command) {
        let name = command.get_name();
        assert!(command.get_about().is_some(), "{name}");
        let example = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        assert!(example.contains("Example"), "{name}: {example:?}");
        command.get_subcommands().for_each(check);
    }
    Line::command().get_subcommands().for_each(check);
}
