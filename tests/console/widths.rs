//! Every page of the console on a narrow screen, and the header on a usual one: as the operator, who sees most, with names and
//! addresses as long as people have them.

use testing::browser::Browser;
use testing::primary::Primary;
use testing::zone_text;

use super::{console, first_start_and_see, is_clean, secondo_with};
use crate::scene::serves;

const LONG: &str = "a-name-as-long-as-some-people-have-them.and-then-another-label-of-it.example";

#[test]
fn no_page_is_wider_than_a_narrow_screen_and_the_header_is_one_line_on_a_usual_one() {
    // An address that is none of ours.
    let primary = Primary::start_at([127, 7, 7, 7]);
    primary.publish("served.example", &zone_text::small(1));
    let secondo = secondo_with("[tenancy]\nmode = \"multi\"\nallow_addresses = [\"127.0.0.0/8\"]\n").started();
    let address = primary.address().to_string();
    secondo.expect(&[
        "zone",
        "add",
        "served.example",
        "--primary",
        &address,
        "--tag",
        "customers",
        "--tag",
        "berlin",
    ]);
    secondo.expect(&["zone", "add", LONG, "--primary", "127.7.7.7:1", "--tag", "2026"]);
    serves(&secondo, "served.example", 1);
    secondo.expect(&["key", "add", &format!("transfer.{LONG}")]);
    secondo.expect(&[
        "token",
        "add",
        "the-nightly-import-of-all-customers-of-the-old-system",
        "--scope",
        "read,zones",
    ]);
    secondo.expect(&["user", "add", "somebody.with.a.long.name@mail.department.example.org", "--role", "editor"]);
    secondo.expect(&["tenant", "add", "Gesellschaft für Datenverarbeitung und Nameserverbetrieb mbH"]);
    let (browser, url) = (Browser::start(), console(&secondo));
    first_start_and_see(&browser, &secondo, "up to date");
    browser.resize(1280, 900);
    browser.go(&(url.clone() + "/o/1/zones"));
    browser.sees("Failing");
    let height = browser.script("return document.querySelector('header').offsetHeight");
    assert!(height.as_i64().unwrap() < 70, "the header is {height} high");
    // By keyboard: a menu that is a part of the page needs no script.
    browser.script("document.querySelector('nav summary').focus()");
    browser.type_keys("\u{E007}");
    browser.sees("Organisations");
    browser.keep_picture("menu-service");
    let zone = "/o/1/zones/served.example";
    let pages = [
        ("zones", "/o/1/zones".to_owned()),
        ("zone", zone.to_owned()),
        ("zone-failing", format!("/o/1/zones/{LONG}")),
        ("records", format!("{zone}/records")),
        ("history", format!("{zone}/history")),
        ("queries", format!("{zone}/queries")),
        ("promote", format!("{zone}/promote")),
        ("delegation", format!("{zone}/delegation")),
        ("ownership", format!("{zone}/ownership")),
        ("settings", format!("{zone}/settings")),
        ("remove", format!("{zone}/remove")),
        ("new", "/o/1/zones/new".to_owned()),
        ("keys", "/o/1/keys".to_owned()),
        ("events", "/o/1/events".to_owned()),
        ("plan", "/o/1/plan".to_owned()),
        ("members", "/o/1/members".to_owned()),
        ("tokens", "/o/1/tokens".to_owned()),
        ("audit", "/o/1/audit".to_owned()),
        ("organisation", "/o/1/organisation".to_owned()),
        ("claims", "/o/1/claims".to_owned()),
        ("users", "/o/1/users".to_owned()),
        ("organisations", "/organisations".to_owned()),
        ("plans", "/plans".to_owned()),
        ("account", "/account".to_owned()),
    ];
    for (name, path) in &pages {
        browser.go(&(url.clone() + path));
        browser.keep_picture(&format!("each-{name}"));
    }
    browser.resize(375, 812);
    let mut wide = Vec::new();
    for (name, path) in &pages {
        browser.go(&(url.clone() + path));
        browser.keep_picture(&format!("each-narrow-{name}"));
        let overflow = browser.script("return document.documentElement.scrollWidth - window.innerWidth");
        // Nor does a table of it scroll by itself, but for columns of numbers that are to be compared: a row is a card.
        let tables = browser.script(
            "return [...document.querySelectorAll('.scroll:not(:has(.numbers))')].filter(one => one.scrollWidth > one.clientWidth + 1).length",
        );
        if overflow.as_i64() > Some(0) || tables.as_i64() > Some(0) {
            wide.push(format!("{name}: {overflow} points, {tables} tables"));
        }
    }
    assert_eq!(wide, Vec::<String>::new());
    // Every moment says in full when it is, also where the script says how long ago.
    browser.go(&(url.clone() + zone));
    browser.sees("ago");
    let without =
        browser.script("return [...document.querySelectorAll('time')].filter(t => !t.dateTime || !t.title).length");
    assert_eq!(without, 0);
    is_clean(&browser);
}
