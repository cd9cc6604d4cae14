//! The API asked whatever its own document allows, and what it does not: by schemathesis, from a seed.
//!
//! Once for things of any name, nearly all of which are not there, and once for things that are. How much is asked is counted,
//! not timed. Left out are the routes that ask servers elsewhere, which are tried where these are real, the one whose answer
//! lasts, and the removal of the token that asks.

use std::process::Command;

use testing::peer::{Peer, Setup, Software};
use testing::python;
use testing::secondo::Secondo;

use crate::access::{add_token, api};
use crate::scene::{ZONE, add, serves};

/// Another one asks other questions: `SECONDO_SEED`.
const SEED: &str = "20261122";
/// Of each route, beside those that the document itself suggests.
const QUESTIONS_EACH: &str = "8";
/// So many requests there are at least, or the document was not read as a whole.
const REQUESTS_MIN: u64 = 1_500;
/// Each answers when it has heard from servers elsewhere, or goes on until the client leaves.
const ASK_OTHERS: &str = "/(doctor|delegation|begin|look|refresh|news)$";
/// Which may be of the token that asks.
const REMOVES_TOKENS: &str = "tokens_remove";
/// What each answer has to be.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
                      response_schema_conformance,negative_data_rejection,ignored_auth,unsupported_method,\
                      allow_header_conformance";
const SCHEMATHESIS: &str = "from schemathesis.cli import schemathesis; schemathesis()";

const CONTENTS: &str = "\
example.test. 60 IN SOA ns.example.test. host.example.test. 1 3600 600 604800 60
example.test. 60 IN NS ns.example.test.
ns.example.test. 60 IN A 192.0.2.1
";

fn fuzzing(secondo: &Secondo, configuration: &str) -> Command {
    let token = add_token(secondo, "fuzz", "read,zones,keys,people,operate");
    let mut command = python::program(SCHEMATHESIS);
    let seed = std::env::var("SECONDO_SEED").unwrap_or_else(|_| SEED.to_owned());
    let configuration = secondo.scratch_file("schemathesis.toml", configuration);
    command.args(["--config-file", &configuration, "run", "--no-color", "--warnings", "off"]);
    command.args([&format!("http://{}/api/openapi.json", secondo.http()), "--phases", "examples,coverage,fuzzing"]);
    command.args(["--header", &format!("Authorization: Bearer {token}"), "--checks", CHECKS, "--seed", &seed]);
    command.args(["--max-examples", QUESTIONS_EACH, "--no-shrink", "--continue-on-failure"]);
    command.args(["--generation-database", "none", "--exclude-path-regex", ASK_OTHERS]);
    command.args(["--exclude-operation-id", REMOVES_TOKENS]);
    // It keeps notes where it is run.
    command.current_dir(secondo.data().parent().unwrap());
    command.env("NO_PROXY", "*").env("PYTHONHASHSEED", "0");
    command
}

/// Has it asked, and checks that each answer was one that the document says.
#[track_caller]
fn is_answered_as_the_document_says(secondo: &Secondo, mut fuzzing: Command) {
    let fuzzed = fuzzing.output().unwrap();
    let said = String::from_utf8_lossy(&fuzzed.stdout);
    assert!(fuzzed.status.success(), "{said}\n{}", String::from_utf8_lossy(&fuzzed.stderr));
    let generated =
        said.lines().find_map(|line| line.trim().split_once(" generated, ")).map(|(count, _)| count.parse::<u64>());
    assert!(matches!(generated, Some(Ok(count)) if count >= REQUESTS_MIN), "{said}");
    let log = secondo.log();
    assert!(!log.contains("panicked"), "{log}");
    // And it is alive, with the token as good as before.
    let token = add_token(secondo, "afterwards", "read");
    api(secondo, &token, "/zones", None).is(200);
}

#[test]
fn whatever_the_document_allows_is_answered_as_it_says() {
    let secondo = crate::scene::secondo().started();
    let fuzzing = fuzzing(&secondo, include_str!("anything.toml"));
    is_answered_as_the_document_says(&secondo, fuzzing);
}

#[test]
fn what_is_there_is_answered_as_the_document_says() {
    let secondo = crate::scene::secondo().started();
    let primary = Peer::start(Software::Nsd, Setup::zone(ZONE, CONTENTS));
    add(&secondo, ZONE, primary.address());
    serves(&secondo, ZONE, 1);
    secondo.expect(&["key", "add", ZONE]);
    secondo.expect(&["user", "add", "somebody@example.test", "--role", "editor"]);
    let mut fuzzing = fuzzing(&secondo, include_str!("things.toml"));
    // It stays there.
    fuzzing.args(["--exclude-method", "DELETE"]);
    is_answered_as_the_document_says(&secondo, fuzzing);
    assert_eq!(secondo.zone(ZONE)["serial"], 1);
}
