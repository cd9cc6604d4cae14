//! A version that is held back: its page, what would change, and the owner's word.

use testing::browser::Browser;
use testing::primary::Primary;
use testing::query;
use testing::zone_text::of_hosts;

use super::{console, first_start_and_see, is_clean, secondo};
use crate::scene::{ZONE, add, serves};

#[test]
fn a_held_version_is_seen_beside_what_is_served_and_kept_or_published_by_a_button() {
    let primary = Primary::with_zone(ZONE, &of_hosts(1, 200));
    let secondo = secondo().started();
    add(&secondo, ZONE, primary.address());
    serves(&secondo, ZONE, 1);
    primary.publish(ZONE, &of_hosts(2, 80));
    // That it is held back is no success.
    let _ = secondo.client(&["zone", "refresh", ZONE]);
    let (browser, url) = (Browser::start(), console(&secondo));
    first_start_and_see(&browser, &secondo, "1 held back");
    browser.press(ZONE);
    browser.has("[data-state=held]");
    browser.sees("Serial 2 is held back: it has lost");
    browser.keep_picture("zone-held-back");
    browser.press("See what would change");
    browser.sees("A version is held back");
    browser.sees("serial 1");
    browser.sees("serial 2");
    browser.has(".diff .went");
    let lines = |kind: &str| browser.script(&format!("return document.querySelectorAll('.diff .{kind}').length"));
    // 120 hosts went, and what has another text in each version went and came.
    let (went, came) = (lines("went").as_i64().unwrap(), lines("came").as_i64().unwrap());
    assert!(went - came == 120 && (1..10).contains(&came), "{went} lines went and {came} came");
    browser.keep_picture("zone-held");
    browser.prefer_dark(true);
    browser.resize(375, 812);
    browser.keep_picture("narrow-zone-held");
    let overflow = browser.script("return document.documentElement.scrollWidth - window.innerWidth");
    assert!(overflow.as_i64().unwrap() <= 0, "the page is wider than the screen by {overflow}");
    browser.prefer_dark(false);
    browser.resize(1280, 900);

    // Kept, it stays back, and is asked about no more.
    browser.press("Keep what is served");
    browser.sees("Serial 2 is held back.");
    assert_eq!(query::serial(secondo.dns(), ZONE), Ok(1));
    browser.go(&format!("{url}/o/1/zones/{ZONE}/held"));
    browser.sees("kept back at your word");
    assert!(!browser.text().contains("Keep what is served"));

    // The next one is judged anew, and published it is served.
    primary.publish(ZONE, &of_hosts(3, 90));
    let _ = secondo.client(&["zone", "refresh", ZONE]);
    browser.go(&format!("{url}/o/1/zones/{ZONE}/held"));
    browser.sees("serial 3");
    assert_eq!(query::serial(secondo.dns(), ZONE), Ok(1));
    browser.press("Publish it");
    browser.has("[data-state=active]");
    serves(&secondo, ZONE, 3);
    browser.go(&format!("{url}/o/1/zones/{ZONE}/held"));
    browser.sees("No version is held back any more");
    browser.keep_picture("zone-held-no-more");
    is_clean(&browser);
}
