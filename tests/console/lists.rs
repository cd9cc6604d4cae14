//! The list of zones in the console: sorted by tags, states and times, and what fails in it.

use testing::browser::Browser;
use testing::primary::Primary;
use testing::zone_text;

use super::{console, first_start_and_see, is_clean, secondo};
use crate::scene::serves;

/// The names in the list, in its order.
const NAMES: &str =
    "return [...document.querySelectorAll('.zones tbody th > a:first-child')].map(a => a.textContent).join(' ')";

#[test]
fn zones_get_tags_and_are_found_by_them_by_failing_and_in_other_orders() {
    let primary = Primary::with_zone("alpha.test", &zone_text::small(5));
    primary.publish("beta.test", &zone_text::small(9));
    let address = primary.address().to_string();
    let secondo = secondo().started();
    secondo.expect(&["zone", "add", "alpha.test", "--primary", &address]);
    secondo.expect(&["zone", "add", "beta.test", "--primary", &address, "--tag", "customers"]);
    // Nobody is there.
    secondo.expect(&["zone", "add", "gamma.test", "--primary", "127.0.0.1:1", "--tag", "customers"]);
    serves(&secondo, "alpha.test", 5);
    serves(&secondo, "beta.test", 9);
    let browser = Browser::start();
    first_start_and_see(&browser, &secondo, "up to date");
    browser.go(&(console(&secondo) + "/o/1/zones/alpha.test/settings"));
    browser.fill("Words to sort zones by", "Site:Berlin, <b>bold</b>");
    browser.press("Save");
    browser.sees("is no tag because of");
    assert!(browser.text_of(".field-error").contains("<b>bold</b>"), "it is shown as text");
    browser.fill("Words to sort zones by", "Site:Berlin, customers");
    browser.press("Save");
    browser.sees("site:berlin");
    browser.press("Zones");
    // One that is tried in vain does not just wait.
    browser.sees("Failing");
    browser.sees("last try: ");
    browser.keep_picture("zones-tagged");
    let names = || browser.script(NAMES);
    assert_eq!(names(), "alpha.test beta.test gamma.test");
    browser.press("Serial");
    browser.has("th[aria-sort=descending]");
    assert_eq!(names(), "beta.test alpha.test gamma.test");
    browser.press("Serial ↓");
    browser.has("th[aria-sort=ascending]");
    assert_eq!(names(), "alpha.test beta.test gamma.test");
    browser.go(&(console(&secondo) + "/o/1/zones?sort=state"));
    browser.has("th[aria-sort] a[href*='-state']");
    assert_eq!(names(), "gamma.test alpha.test beta.test");
    browser.press("site:berlin");
    browser.sees("All zones");
    assert_eq!(names(), "alpha.test");
    browser.press("All zones");
    browser.press("1 failing");
    browser.sees("All zones");
    assert_eq!(names(), "gamma.test");
    browser.keep_picture("zones-failing");
    browser.go(&(console(&secondo) + "/o/1/zones?tag=nobodys"));
    browser.sees("Nothing found");
    browser.keep_picture("zones-not-found");
    browser.resize(375, 812);
    browser.go(&(console(&secondo) + "/o/1/zones"));
    browser.sees("Order");
    browser.keep_picture("narrow-zones-tagged");
    let overflow = browser.script("return document.documentElement.scrollWidth - window.innerWidth");
    assert!(overflow.as_i64().unwrap() <= 0, "the page is wider than the screen by {overflow}");
    is_clean(&browser);
}
