//! The records of a zone in the console.

use testing::browser::Browser;
use testing::primary::Primary;
use testing::zone_text;

use super::{console, first_start_and_see, is_clean, secondo};
use crate::scene::{ZONE, add, serves};

#[test]
fn a_search_in_a_large_zone_goes_on_by_itself_until_the_page_is_full_or_the_zone_ends() {
    let primary = Primary::start();
    // More names than one request looks at, twice over.
    let hosts = zone_text::of_hosts(1, 450_000);
    primary.publish(ZONE, &format!("{hosts}a-needle A 192.0.2.1\nHost-3-NEEDLE A 192.0.2.2\nz-needle A 192.0.2.3\n"));
    let secondo = secondo().started();
    add(&secondo, ZONE, primary.address());
    serves(&secondo, ZONE, 1);
    let browser = Browser::start();
    first_start_and_see(&browser, &secondo, "up to date");
    let records = format!("{}/o/1/zones/{ZONE}/records", console(&secondo));
    browser.go(&format!("{records}?find=needle"));
    browser.sees("z-needle");
    let lines = browser.text_of("pre.records");
    let owners: Vec<&str> = lines.lines().filter_map(|line| line.split('.').next()).collect();
    assert_eq!(owners, ["a-needle", "Host-3-NEEDLE", "z-needle"]);
    assert!(!browser.text().contains("Search"), "{}", browser.text());
    browser.keep_picture("records-found");
    browser.go(&format!("{records}?find=nowhere"));
    browser.has("[data-search]:not(:has(a[data-search-on]))");
    assert!(browser.text().contains("Nothing found") && !browser.text().contains("so far"), "{}", browser.text());
    // A page that is full does not go on.
    browser.go(&format!("{records}?find=host-1"));
    browser.sees("Next page");
    assert_eq!(
        browser.script("return document.querySelector('pre.records').textContent.trim().split('\\n').length"),
        200
    );
    is_clean(&browser);
}
