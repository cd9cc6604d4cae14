//! Plans and events in the console: an operator makes a plan and gives it, and the organisation sees what it has of it, what
//! is near, and on every page that it has ended.

use testing::browser::Browser;

use super::{console, first_start, is_clean, secondo_with};
use crate::scene::ZONE;

#[test]
fn a_plan_is_made_given_and_felt_by_its_organisation_before_and_after_its_end() {
    let secondo = secondo_with("[tenancy]\nmode = \"multi\"\nallow_addresses = [\"192.0.2.1\"]\n").started();
    let (browser, url) = (Browser::start(), console(&secondo));
    first_start(&browser, &secondo);
    browser.press("Service");
    browser.press("Plans");
    // Where organisations share the service there is one from the beginning.
    browser.sees("Standard");
    browser.fill("Name", "Small");
    browser.fill("Zones", "many");
    browser.press("Add");
    browser.sees("\"many\" is no number");
    browser.fill("Zones", "1");
    browser.fill("Records of a zone", "1000");
    browser.press("Add");
    browser.has("[data-plan='2']");
    browser.keep_picture("plans");
    browser.go(&(url.clone() + "/organisations"));
    browser.fill("Name", "Example Ltd");
    browser.press("Add");
    browser.sees("Example Ltd is added");

    // Nothing of it yet, then all of it.
    browser.press("Plan of Example Ltd");
    browser.fill("Plan", "Small");
    browser.press("Give it");
    // Before, it had a plan for a hundred zones, without an end too.
    browser.sees("Plan: Small");
    browser.sees("0 of 1 Records");
    browser.sees("It has no end");
    browser.go(&(url.clone() + "/o/2/events"));
    browser.sees("Nothing has happened");
    browser.keep_picture("events-empty");
    browser.go(&(url.clone() + "/o/2/zones/new"));
    browser.fill("Domain", ZONE);
    browser.fill("Address", "192.0.2.1");
    browser.press("Create");
    browser.sees("Not answered until you have shown that the name is yours");
    browser.go(&(url.clone() + "/o/2/plan"));
    browser.sees("All that the plan allows");
    browser.keep_picture("plan-near");
    browser.press("Events");
    browser.has("[data-severity=warning]");
    browser.sees("has 1 of the 1 zones that its plan allows");
    assert_eq!(browser.script("return document.querySelectorAll('.mark-error').length"), 0);

    // Less than there is, from now on.
    browser.press("Service");
    browser.press("Plans");
    browser.press("Change Small");
    browser.fill("Zones", "0");
    browser.press("Save");
    // Or the page that it leads to comes after the one that is gone to.
    browser.sees("Add a plan");
    browser.go(&(url.clone() + "/o/2/plan"));
    browser.sees("More than the plan allows: they stay");

    // It has ended: first its grace counts, and then nothing.
    let ends = |browser: &Browser, day: &str| {
        browser.go(&(url.clone() + "/o/2/plan"));
        browser.script(&format!("document.getElementById('until').value = '{day}'"));
        browser.press("Give it");
    };
    let today = testing::process::run(std::process::Command::new("date").args(["-u", "-d", "2 days ago", "+%F"]));
    ends(&browser, today.trim());
    browser.has("[data-plan=grace]");
    browser.keep_picture("plan-grace");
    ends(&browser, "2020-01-31");
    browser.has("[data-plan=ended]");
    browser.sees("zones are neither answered nor followed");
    browser.prefer_dark(true);
    browser.keep_picture("plan-ended-dark");
    browser.go(&(url.clone() + "/o/2/zones"));
    browser.has("[data-plan=ended]");
    browser.has(".mark-error");
    browser.press("Events (errors of the last day)");
    browser.has("[data-severity=error]");
    browser.keep_picture("events-dark");
    browser.resize(360, 740);
    for (page, picture) in
        [("/o/2/events", "narrow-events"), ("/o/2/plan", "narrow-plan"), ("/plans", "narrow-plans")]
    {
        browser.go(&(url.clone() + page));
        browser.keep_picture(picture);
        let overflow = browser.script("return document.documentElement.scrollWidth - window.innerWidth");
        assert!(overflow.as_i64().unwrap() <= 0, "{page} is wider than the screen by {overflow}");
    }
    is_clean(&browser);
}
