//! Zones in the console: created, watched until they are served, and put right when something is wrong.

use testing::browser::Browser;
use testing::peer::{Peer, Setup, Software, TsigKey};
use testing::primary::Primary;
use testing::zone_text;

use super::{console, create_zone, first_start, first_start_and_see, is_clean, secondo, secondo_with};
use crate::scene::{ZONE, serves};

/// WebDriver's names of keys.
const TAB: char = '\u{E004}';
const ENTER: char = '\u{E007}';

#[test]
fn a_zone_is_created_and_goes_green_before_ones_eyes() {
    let secondo = secondo().started();
    let peer = Peer::start(Software::Bind, Setup::zone(ZONE, zone_text::small(1)).notifying(secondo.dns()));
    let browser = Browser::start();
    first_start(&browser, &secondo);
    browser.press("Create the first zone");
    browser.sees("Good values for the SOA");
    browser.keep_picture("zone-new");
    create_zone(&browser, &secondo, &format!("https://www.{}/start", ZONE.to_uppercase()), peer.address());
    browser.sees(&format!("The zone is {ZONE}"));
    browser.has("[data-state=active]");
    browser.sees("Served here, and up to date with its primary.");
    assert_eq!(browser.script("return document.querySelectorAll('.steps .done').length"), 5);
    // The ledger too, which was empty when the page was made.
    browser.sees("Full transfer (AXFR), for the new zone, from");
    browser.keep_picture("zone-active");
    browser.press("Zones");
    browser.sees("up to date");
    browser.keep_picture("zones");
    serves(&secondo, ZONE, 1);
    is_clean(&browser);
}

#[test]
fn the_page_of_a_zone_that_fails_says_what_to_do_and_turns_green_when_that_is_done() {
    let secondo = secondo_with("[timers]\nretry_min = \"1s\"\nretry_max = \"1s\"\n").started();
    // Whoever asks without the key is refused.
    let key = TsigKey::of("hmac-sha256");
    let peer = Peer::start(Software::Nsd, Setup::zone(ZONE, zone_text::small(1)).key(key.clone()));
    let browser = Browser::start();
    first_start(&browser, &secondo);
    create_zone(&browser, &secondo, ZONE, peer.address());
    browser.sees("What to do");
    browser.has(".steps .failed");
    browser.sees("Transfers are asked for from 127.0.0.1.");
    browser.press("NSD");
    browser.sees("provide-xfr: 127.0.0.1");
    browser.keep_picture("zone-refused");
    browser.press("Keys");
    browser.fill("Name", &key.name);
    browser.fill("Secret (base64)", &key.secret);
    browser.press("Add");
    browser.sees("is added");
    browser.keep_picture("keys");
    browser.go(&(console(&secondo) + "/o/1/zones/" + ZONE + "/settings"));
    browser.fill("TSIG key", &format!("{}.", key.name));
    browser.press("Save");
    browser.has("[data-state=active]");
    assert!(!browser.text().contains("What to do"));
    assert_eq!(browser.script("return document.querySelectorAll('.steps .done').length"), 6);
    is_clean(&browser);
}

#[test]
fn a_primary_that_does_not_hold_the_zone_gets_the_lines_that_put_it_there_first() {
    let secondo = secondo().started();
    // It refuses what it does not hold, as most do.
    let peer = Peer::start(Software::Bind, Setup::zone("other.test", zone_text::small(1)));
    let browser = Browser::start();
    first_start(&browser, &secondo);
    create_zone(&browser, &secondo, ZONE, peer.address());
    browser.sees("What to do");
    browser.has(".steps .failed:nth-child(2)");
    // Open, without a press.
    for line in [&format!("zone \"{ZONE}\" {{"), "type primary;", "allow-query { localhost; 127.0.0.1; };"] {
        browser.sees(line);
    }
    browser.sees("Check the zone's name and that this server is a primary for it");
    assert!(!browser.text().contains("must name 127.0.0.1 too"), "what is for a zone that is there comes second");
    browser.keep_picture("zone-not-held");
    browser.press("It is there already: what allows us to ask for it and to copy it");
    browser.sees("must name 127.0.0.1 too");
    browser.resize(375, 812);
    browser.keep_picture("narrow-zone-not-held");
    is_clean(&browser);
}

#[test]
fn where_the_address_may_not_be_asked_there_are_no_lines_to_paste() {
    let shared = "[tenancy]\nmode = \"multi\"\n";
    let allowing = format!("{shared}allow_addresses = [\"127.0.0.0/8\"]\n");
    // An address that is none of ours.
    let primary = Primary::start_at([127, 7, 7, 7]);
    let mut secondo = secondo_with(&allowing).started();
    secondo.expect(&["zone", "add", ZONE, "--primary", &primary.address().to_string()]);
    secondo.terminate();
    secondo.configure(shared);
    secondo.start();
    let browser = Browser::start();
    first_start_and_see(&browser, &secondo, ZONE);
    browser.go(&(console(&secondo) + "/o/1/zones/" + ZONE));
    browser.press("Refresh now");
    browser.sees("address_refused");
    browser.sees("Name the primary by a public address");
    assert!(!browser.text().contains("Lines for the configuration"), "{}", browser.text());
    browser.keep_picture("zone-address-refused");
    is_clean(&browser);
}

#[test]
fn to_whom_a_zone_is_delegated_is_the_last_step_and_a_page_of_its_own() {
    let secondo = secondo();
    // Nobody is there.
    let hints = secondo.scratch_file("named.root", ". 60 IN NS a.root.\na.root. 60 IN A 127.53.53.53\n");
    let secondo = secondo.configured(&format!("[delegation]\nhints = {hints:?}\nname_servers = [\"ns1.us.test\"]\n"));
    let secondo = secondo.started();
    let primary = Primary::with_zone(ZONE, &zone_text::small(1));
    let browser = Browser::start();
    first_start(&browser, &secondo);
    create_zone(&browser, &secondo, ZONE, primary.address());
    browser.has("[data-state=active]");
    // It is found out in the background, and the page is told.
    browser.sees("not known: the root's name servers are not reached from here");
    assert_eq!(browser.script("return document.querySelectorAll('.steps .done').length"), 5);
    assert_eq!(browser.script("return document.querySelectorAll('.steps .failed').length"), 0);
    browser.press("Delegation");
    browser.has("[data-delegation=unknown]");
    browser.sees("It lies with the network between those servers and us.");
    browser.press("What was tried");
    browser.sees("No name server of . gives an answer that can be used");
    browser.keep_picture("zone-delegation-unknown");
    is_clean(&browser);
}

#[test]
fn what_cannot_be_a_zone_is_said_beside_its_field_and_nothing_is_created() {
    let secondo = secondo().started();
    let browser = Browser::start();
    first_start(&browser, &secondo);
    browser.go(&(console(&secondo) + "/o/1/zones/new"));
    browser.fill("Domain", "not a name");
    browser.fill("Address", "<script>alert(1)</script>");
    browser.press("Create");
    browser.sees("is not a zone name");
    assert!(browser.text_of("#address-error-1").contains("<script>"), "it is shown as text");
    assert_eq!(browser.script("return document.getElementById('name').value"), "not a name");
    browser.keep_picture("zone-new-wrong");
    browser.go(&(console(&secondo) + "/o/1/zones"));
    browser.sees("No zones yet");
    is_clean(&browser);
}

#[test]
fn records_history_and_difference_are_shown_and_nothing_of_it_can_be_edited() {
    let secondo = secondo().started();
    let mut peer = Peer::start(Software::Knot, Setup::zone(ZONE, zone_text::small(1)).notifying(secondo.dns()));
    let browser = Browser::start();
    first_start(&browser, &secondo);
    create_zone(&browser, &secondo, ZONE, peer.address());
    browser.has("[data-state=active]");
    peer.replace(ZONE, &(zone_text::small(2) + "new-one A 192.0.2.77\n"));
    // The page is told by itself.
    browser.sees("serial 2");
    browser.press("Records");
    browser.fill("Name contains", "NEW-one");
    browser.press("Show");
    browser.sees("192.0.2.77");
    browser.sees("Records cannot be edited here");
    browser.keep_picture("zone-records");
    browser.press("History");
    browser.sees("Attempts");
    browser.keep_picture("zone-history");
    browser.press("+4 −3");
    browser.sees(&format!("new-one.{ZONE}."));
    browser.keep_picture("zone-diff");
    is_clean(&browser);
}

#[test]
fn a_zone_is_set_otherwise_paused_and_removed_when_its_name_is_typed() {
    let secondo = secondo().started();
    let primary = Primary::with_zone(ZONE, &zone_text::small(1));
    let browser = Browser::start();
    first_start(&browser, &secondo);
    create_zone(&browser, &secondo, ZONE, primary.address());
    browser.has("[data-state=active]");
    browser.press("Settings");
    browser.fill("Longest time between checks", "soon");
    browser.press("Save");
    browser.has("[aria-invalid]");
    browser.keep_picture("zone-settings");
    browser.fill("Longest time between checks", "10m");
    browser.press("Save");
    browser.sees("Set for this zone");
    browser.press("Pause");
    browser.has("[data-state=paused]");
    browser.press("Resume");
    browser.has("[data-state=active]");
    browser.press("Remove");
    browser.fill("Type the name of the zone", "other.test");
    browser.press("Remove the zone");
    browser.sees("nothing was removed");
    browser.fill("Type the name of the zone", &ZONE.to_uppercase());
    browser.press("Remove the zone");
    browser.sees("No zones yet");
    browser.sees("Recently removed");
    browser.keep_picture("zones-removed");
    browser.has(".notice time");
    browser.press("Undo");
    browser.has("[data-state=active]");
    browser.sees("Set for this zone");
    serves(&secondo, ZONE, 1);
    browser.press("Remove");
    browser.fill("Type the name of the zone", ZONE);
    browser.press("Remove the zone");
    browser.press(&format!("Undo the removal of {ZONE}"));
    browser.has("[data-state=active]");
    browser.press("Remove");
    browser.fill("Type the name of the zone", ZONE);
    browser.press("Remove the zone");
    browser.press(&format!("Delete {ZONE} now"));
    browser.sees_no_more("Recently removed");
    browser.sees("No zones yet");
    browser.press("Audit");
    for act in ["zone.added", "zone.changed", "zone.removed"] {
        browser.sees(act);
    }
    browser.keep_picture("audit");
    is_clean(&browser);
}

#[test]
fn a_zone_is_created_by_keyboard_alone_on_a_narrow_screen_and_in_the_dark() {
    let secondo = secondo().started();
    let primary = Primary::with_zone(ZONE, &zone_text::small(1));
    let browser = Browser::start();
    browser.resize(360, 740);
    browser.prefer_dark(true);
    first_start(&browser, &secondo);
    browser.keep_picture("narrow-zones-empty");
    browser.go(&(console(&secondo) + "/o/1/zones/new"));
    browser.sees("Create zone");
    // The field for the domain has the focus from the beginning.
    browser.type_keys(ZONE);
    browser.type_keys(&format!("{TAB}{}{ENTER}", primary.address()));
    browser.has("[data-state=active]");
    browser.keep_picture("narrow-zone-active");
    let overflow = browser.script("return document.documentElement.scrollWidth - window.innerWidth");
    assert!(overflow.as_i64().unwrap() <= 0, "the page is wider than the screen by {overflow}");
    is_clean(&browser);
}

#[test]
fn a_form_begins_where_something_is_to_be_typed_and_what_is_long_stays_within_it() {
    let secondo = secondo().started();
    let browser = Browser::start();
    first_start(&browser, &secondo);
    browser.go(&(console(&secondo) + "/o/1/zones/new"));
    browser.has("#name:focus");
    browser.press("Add another primary");
    browser.has("#address-2:focus");
    let long = "x".repeat(400);
    browser.fill("Domain", ZONE);
    browser.fill("Address", &long);
    browser.press("Create");
    browser.has("#address-1:focus[aria-invalid]");
    browser.sees("it is not an IP address");
    assert!(!browser.text().contains(",key="), "options of the command line are not for forms: {}", browser.text());
    for width in [1280, 375] {
        browser.resize(width, 900);
        let overflow = browser.script("return document.documentElement.scrollWidth - window.innerWidth");
        assert!(overflow.as_i64().unwrap() <= 0, "at {width} the page is wider than the screen by {overflow}");
    }
    browser.keep_picture("narrow-zone-new-wrong");
    browser.fill("Domain", &format!("{long}.test"));
    browser.press("Create");
    browser.has("#name:focus[aria-invalid]");
    is_clean(&browser);
}
