//! Alerts in the console: a rule is added, tested and removed, its secret is shown once, and what was sent is there to be seen.

use testing::browser::Browser;
use testing::webhook::Webhook;

use super::{console, first_start, is_clean, secondo_with};
use crate::scene::ZONE;

#[test]
fn a_rule_is_added_tested_and_told_and_its_secret_is_shown_once() {
    let secondo = secondo_with("[alerts]\ngather = \"1s\"\napart = \"off\"\nfailing_after = 1\n").started();
    let (browser, url, webhook) = (Browser::start(), console(&secondo), Webhook::start());
    first_start(&browser, &secondo);
    browser.press("Events");
    browser.press("Alerts");
    browser.sees("Nobody is told yet");
    browser.keep_picture("alerts-empty");
    browser.fill("To", "hooks.example.net");
    browser.press("Add");
    browser.sees("is not an e-mail address");
    browser.fill("To", "noc@example.net");
    browser.press("Add");
    browser.sees("This service sends no mail");
    browser.fill("To", &webhook.url());
    browser.fill("Severity", "info and worse");
    browser.press("Add");
    browser.sees("shown this once, and never again");
    let secret = browser.script("return document.querySelector('.secret').textContent");
    let secret = secret.as_str().unwrap().to_owned();
    browser.keep_picture("alerts-added");
    browser.press(&format!("Test {}", webhook.url()));
    browser.sees("is sent: 204 No Content");
    let test = webhook.next();
    assert!(test.is_signed_with(&secret), "{test:?}");
    // Nobody is there.
    secondo.expect(&["zone", "add", ZONE, "--primary", &testing::port::free().to_string()]);
    webhook.next_about("transfer_failing");
    webhook.answer_with("500 Internal Server Error");
    browser.go(&(url.clone() + "/o/1/alerts"));
    browser.sees("transfer_failing");
    assert!(!browser.text().contains(&secret), "it is shown once");
    browser.press(&format!("Test {}", webhook.url()));
    browser.sees("did not come: 500 Internal Server Error");
    browser.keep_picture("alerts");
    browser.go(&(url.clone() + "/o/1/events"));
    browser.sees("could not be copied");
    browser.keep_picture("events-of-zones");
    browser.go(&(url + "/o/1/alerts"));
    browser.press(&format!("Remove {}", webhook.url()));
    browser.sees("Nobody is told yet");
    is_clean(&browser);
}
