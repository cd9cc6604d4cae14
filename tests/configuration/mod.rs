//! The configuration file: everything that is wrong with it is said at once, nothing of a wrong one is used, and a right one is
//! taken over while the program runs.

use std::fs;

use serde_json::Value;
use testing::peer::{Peer, Setup, Software};
use testing::secondo::Secondo;
use testing::{eventually, zone_text};

use crate::scene::{SOON, ZONE, secondo, serves, zones};
use crate::transfers_out::access::axfr;

/// Eight problems in seven lines, of every kind that there is, among lines that are right.
const WRONG: &str = "\
data = 7
[dns]
listen = [\"127.0.0.1:5300\", \"nowhere\", 53]
tls_listen = [\"127.0.0.1:853\"]

[timers]
refresh_mim = \"1s\"
retry_max = \"soon\"

[[key]]
name = \"k\"
secret = \"c2VjcmV0c2VjcmV0\"

[[zone]]
name = \"a..b\"
primaries = [\"192.0.2.1\", \"192.0.2.256\"]
[[zone]]
primaries = [\"192.0.2.1\"]
";

/// Where they are, and a word of each.
const PLACES: [(usize, usize, &str); 9] = [
    (1, 8, "expected path string"),
    (3, 29, "nowhere"),
    (3, 40, "expected a string"),
    (4, 15, "need a certificate"),
    (7, 1, "refresh_mim"),
    (8, 13, "soon"),
    (15, 8, "a..b"),
    (16, 27, "192.0.2.256"),
    (17, 1, "name is missing"),
];

#[test]
fn check_config_says_every_problem_at_once_with_its_line_and_column() {
    let secondo = secondo();
    let file = secondo.scratch_file("wrong.toml", WRONG);
    let ran = secondo.run(&["check-config", &file]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let mut said = ran.stdout.lines();
    assert!(said.next().unwrap().contains("has 9 problems"), "{ran:?}");
    for (line, column, word) in PLACES {
        let next = said.next().unwrap_or_default();
        assert!(next.starts_with(&format!("{file}:{line}:{column}: ")) && next.contains(word), "{word}: {ran:?}");
    }
    assert_eq!(said.next(), None, "{ran:?}");

    let ran = secondo.run(&["check-config", &file, "--json"]);
    let said: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.code, &said["ok"], said["problems"].as_array().unwrap().len()), (Some(1), &false.into(), 9));
    assert_eq!((&said["problems"][4]["line"], &said["problems"][4]["column"]), (&7.into(), &1.into()));
}

#[test]
fn check_config_says_that_there_are_no_problems_and_what_it_cannot_know() {
    let secondo = secondo();
    let file = secondo.scratch_file(
        "right.toml",
        "[[zone]]\nname = \"a.test\"\nprimaries = [\"192.0.2.1\"]\nkey = \"k.test\"\n[tenancy]\nmode = \"single\"\n",
    );
    let ran = secondo.run(&["check-config", &file]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("has no problems: 0 keys, 1 zone, 0 catalogs"), "{ran:?}");
    assert!(ran.stdout.contains("The key k.test. is not in this file"), "{ran:?}");
    let ran = secondo.run(&["check-config", &file, "--json"]);
    let said: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.code, &said["ok"], &said["keys_elsewhere"][0]), (Some(0), &true.into(), &"k.test.".into()));
    secondo.run(&["check-config", "/nowhere/secondo.toml"]).must_fail(&["/nowhere/secondo.toml cannot be read"]);
}

#[test]
fn files_that_the_configuration_names_are_looked_into() {
    let secondo = secondo();
    let nothing = secondo.scratch_file("nothing.pem", "nothing\n");
    let file = secondo.scratch_file(
        "files.toml",
        &format!(
            "[tls]\nauthorities = [\"{nothing}\"]\ncertificate = \"{nothing}\"\nkey = \"{nothing}\"\n[dns]\ncookie_secrets = \"{nothing}\"\n\
             [http]\nlisten = \"0.0.0.0:8053\"\n"
        ),
    );
    let ran = secondo.run(&["check-config", &file]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    for place in
        ["2:16: ", "3:15: ", "6:18: ", "8:10: the console at 0.0.0.0:8053 would take passwords in clear text"]
    {
        assert!(ran.stdout.contains(&format!("{file}:{place}")), "{place}: {ran:?}");
    }
    assert!(ran.stdout.contains("has 4 problems"), "{ran:?}");
}

#[test]
fn a_secret_that_is_out_of_place_is_not_shown() {
    let secondo = secondo();
    for text in [
        "key = \"c2VjcmV0\"\n",
        "[[key]]\nname = [\"c2VjcmV0\"]\n",
        "[tls]\nauthorities = \"c2VjcmV0\"\n",
        "inventory = \"postgres://u:c2VjcmV0@h/d\"\n",
    ] {
        let file = secondo.scratch_file("secret.toml", text);
        let ran = secondo.run(&["check-config", &file]);
        assert_eq!(ran.code, Some(1), "{text}: {ran:?}");
        assert!(!ran.words().contains("c2VjcmV0"), "{text}: {ran:?}");
    }
}

#[test]
fn a_wrong_configuration_never_half_starts() {
    let secondo = secondo().configured(WRONG);
    let ran = secondo.serve_in_vain();
    ran.must_be_wrong_usage(&["has 9 problems"]);
    for (line, column, word) in PLACES {
        assert!(
            ran.stderr.contains(&format!("secondo.toml:{line}:{column}: ")) && ran.stderr.contains(word),
            "{ran:?}"
        );
    }
    assert!(!secondo.data().exists(), "something was begun");
}

/// Writes the file anew and has it read.
fn reconfigure(secondo: &Secondo, text: &str) {
    secondo.scratch_file("secondo.toml", text);
    secondo.hang_up();
}

/// What `status` warns of the configuration.
fn warning(secondo: &Secondo) -> String {
    let status = secondo.json(&["status"]);
    let warnings = status["warnings"].as_array().unwrap();
    let about = warnings.iter().filter_map(Value::as_str).find(|warning| warning.contains("configur"));
    about.unwrap_or_default().to_owned()
}

#[track_caller]
fn comes_to_warn(secondo: &Secondo, word: &str) {
    eventually(SOON, "the configuration to be read again", || {
        let warning = warning(secondo);
        let is_so = if word.is_empty() { warning.is_empty() } else { warning.contains(word) };
        if is_so { Ok(()) } else { Err(format!("{warning:?}\n{}", secondo.log())) }
    });
}

#[test]
fn sighup_takes_a_right_file_over_and_keeps_the_old_one_instead_of_a_wrong_one() {
    let peer = Peer::start(
        Software::Knot,
        Setup::zone(ZONE, zone_text::small(1)).and_zone("second.test", zone_text::small(4)),
    );
    let zone = |name: &str| format!("[[zone]]\nname = \"{name}\"\nprimaries = [\"{}\"]\n", peer.address());
    let open_to_nobody = "[transfer_out]\nallow = []\n";
    let secondo = secondo().configured(&format!("{open_to_nobody}{}", zone(ZONE))).started();
    serves(&secondo, ZONE, 1);
    axfr(&secondo, ZONE, None).unwrap_err();

    // One that is wrong changes nothing, not even by what is right in it, and it is said.
    reconfigure(&secondo, &format!("[timers]\nretry_min = \"soon\"\n{}", zone("second.test")));
    comes_to_warn(&secondo, "has one problem");
    assert!(secondo.log().contains("secondo.toml:2:13: "), "{}", secondo.log());
    assert_eq!(zones(&secondo).len(), 1);
    axfr(&secondo, ZONE, None).unwrap_err();

    // One that is gone neither.
    fs::remove_file(secondo.data().with_file_name("secondo.toml")).unwrap();
    secondo.hang_up();
    comes_to_warn(&secondo, "cannot be read");
    assert_eq!(zones(&secondo).len(), 1);

    // One that is right is taken over; what it leaves out goes on.
    reconfigure(&secondo, &zone("second.test"));
    comes_to_warn(&secondo, "");
    serves(&secondo, "second.test", 4);
    serves(&secondo, ZONE, 1);
    eventually(SOON, "the new defaults to count", || axfr(&secondo, ZONE, None));

    // What takes another start is named.
    reconfigure(&secondo, &format!("[limits]\nconnections = 9\n{}", zone("second.test")));
    comes_to_warn(&secondo, "[limits] counts from the next start on");
}
