//! Making a new primary in the console: the page needs no script, and nothing is done before it was seen.

use testing::browser::Browser;
use testing::primary::Primary;
use testing::zone_text;

use super::{console, first_start_and_see, is_clean, secondo};
use crate::scene::{ZONE, add, serves};

#[test]
fn a_zone_is_frozen_compared_pointed_elsewhere_and_back_by_buttons() {
    let (old, new) = (Primary::with_zone(ZONE, &zone_text::small(1)), Primary::with_zone(ZONE, &zone_text::small(2)));
    let secondo = secondo().started();
    add(&secondo, ZONE, old.address());
    serves(&secondo, ZONE, 1);
    let browser = Browser::start();
    first_start_and_see(&browser, &secondo, "up to date");
    browser.go(&format!("{}/o/1/zones/{ZONE}", console(&secondo)));
    browser.press("Promote");
    browser.sees("Make a new primary");
    browser.sees("Lines for the configuration of BIND");
    browser.press("Freeze the zone");
    browser.sees("The zone stays at serial 1: it is frozen.");
    browser.keep_picture("zone-promote");
    browser.prefer_dark(true);
    browser.resize(375, 812);
    browser.keep_picture("narrow-zone-promote");
    let overflow = browser.script("return document.documentElement.scrollWidth - window.innerWidth");
    assert!(overflow.as_i64().unwrap() <= 0, "the page is wider than the screen by {overflow}");
    browser.prefer_dark(false);
    browser.resize(1280, 900);

    browser.fill("Address", &new.address().to_string());
    browser.press("Compare");
    browser.sees("Its serial 2 is newer than 1, which is served.");
    browser.has(".diff .went");
    browser.keep_picture("zone-compare");
    assert_eq!(secondo.zone(ZONE)["hold"], "frozen");
    browser.press("Point the zone there");
    browser.has("[data-state=active]");
    serves(&secondo, ZONE, 2);

    browser.go(&format!("{}/o/1/zones/{ZONE}/promote", console(&secondo)));
    browser.press("Compare with what is there");
    browser.sees("Its serial 1 is not newer than 2");
    browser.script("document.querySelector('[name=accept]').click()");
    browser.press("Point the zone there");
    browser.has("[data-state=active]");
    serves(&secondo, ZONE, 1);
    is_clean(&browser);
}
