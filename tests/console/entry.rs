//! Coming in: the first start, signing in, the second factor, and those who are not to come in.

use serde_json::json;
use testing::browser::Browser;

use super::{EMAIL, PASSWORD, console, first_link, first_start, is_clean, secondo};

#[test]
fn the_first_start_creates_the_operator_once() {
    let secondo = secondo().started();
    let browser = Browser::start();
    let link = console(&secondo) + &first_link(&secondo);
    browser.go(&console(&secondo));
    browser.sees("Nobody can sign in yet");
    browser.go(&link);
    browser.sees("Create the operator: whoever runs this service");
    browser.keep_picture("first-start");
    // What is wrong is said, and the link is good for another try.
    browser.fill("E-mail address", EMAIL);
    browser.fill("Password", "aaaaaaaaaaaaaaa");
    browser.press("Create the operator");
    browser.sees("easy to guess");
    browser.fill("Password", PASSWORD);
    browser.press("Create the operator");
    browser.sees("No zones yet");
    browser.keep_picture("zones-empty");
    is_clean(&browser);
    browser.go(&link);
    browser.sees("The link has been used, or its time is over");
    let other = Browser::start();
    other.go(&(console(&secondo) + "/sign-in"));
    assert!(!other.text().contains("Nobody can sign in yet"));
}

#[test]
fn a_second_factor_is_set_wanted_and_recovered_from() {
    let secondo = secondo().started();
    let browser = Browser::start();
    first_start(&browser, &secondo);
    browser.go(&(console(&secondo) + "/account"));
    browser.keep_picture("account");
    browser.press("Set a second factor");
    let secret = browser.text_of("#secret");
    browser.keep_picture("second-factor");
    browser.fill("Code", "000000");
    browser.fill("Your password", "some other password");
    browser.press("Confirm");
    browser.sees("This is not your present password");
    browser.fill("Code", "000000");
    browser.fill("Your password", PASSWORD);
    browser.press("Confirm");
    browser.sees("This is not the code that the authenticator shows now");
    assert_eq!(browser.text_of("#secret"), secret, "the authenticator has it already");
    let code = super::code(&secret, 0);
    browser.fill("Code", &code);
    browser.fill("Your password", PASSWORD);
    browser.press("Confirm");
    browser.sees("Your recovery codes");
    browser.keep_picture("recovery-codes");
    let recovery = browser.text_of(".codes li");
    browser.press("Sign out");
    sign_in(&browser, PASSWORD);
    browser.sees("Your code");
    browser.keep_picture("code");
    // Whoever goes back may begin anew.
    browser.go(&(console(&secondo) + "/sign-in"));
    sign_in(&browser, PASSWORD);
    browser.sees("Your code");
    // The page behind it is not to be had without the code, nor with one that was used.
    browser.go(&(console(&secondo) + "/o/1/zones"));
    browser.sees("Your code");
    browser.fill("Code", &code);
    browser.press("Go on");
    browser.sees("or it was used already");
    browser.fill("Code", &recovery.to_uppercase());
    browser.press("Go on");
    browser.sees("No zones yet");
    browser.go(&(console(&secondo) + "/account"));
    browser.sees("9 recovery codes are left");
    is_clean(&browser);
    browser.press("Sign out");
    sign_in(&browser, PASSWORD);
    browser.fill("Code", &super::code(&secret, 1));
    browser.press("Go on");
    browser.sees("No zones yet");
}

#[test]
fn a_wrong_password_is_refused_and_soon_nobody_may_try_again() {
    let secondo = secondo().started();
    let browser = Browser::start();
    first_start(&browser, &secondo);
    browser.press("Sign out");
    browser.sees("Sign in");
    sign_in(&browser, "some other password");
    browser.sees("The address or the password is wrong");
    browser.keep_picture("sign-in-refused");
    for _ in 0..10 {
        sign_in(&browser, "some other password");
        if browser.text().contains("too many attempts") {
            break;
        }
    }
    browser.sees("There were too many attempts: try again in");
    // The right one is not tried either.
    sign_in(&browser, PASSWORD);
    browser.sees("There were too many attempts");
}

#[test]
fn nobody_comes_in_without_a_session_and_other_sites_forms_do_nothing() {
    let secondo = secondo().started();
    let browser = Browser::start();
    first_start(&browser, &secondo);
    let cookie = browser.cookie("secondo").unwrap();
    assert_eq!((&cookie["httpOnly"], &cookie["sameSite"]), (&json!(true), &json!("Lax")), "{cookie}");
    let secret = cookie["value"].as_str().unwrap().to_owned();
    let post = |headers: &[&str], body: &str| {
        let mut words = vec!["--silent", "--include", "--data", body];
        headers.iter().for_each(|header| words.extend(["--header", header]));
        let url = console(&secondo) + "/account/sign-out-elsewhere";
        words.push(&url);
        testing::process::run(std::process::Command::new("curl").args(words))
    };
    let signed_in = format!("Cookie: secondo={secret}");
    let nobody = post(&[], "");
    assert!(nobody.starts_with("HTTP/1.1 303") && nobody.contains("location: /sign-in?next="), "{nobody}");
    let without_token = post(&[&signed_in], "");
    assert!(
        without_token.starts_with("HTTP/1.1 403") && without_token.contains("nothing was done"),
        "{without_token}"
    );
    browser.go(&(console(&secondo) + "/account"));
    let token = browser.script("return document.querySelector('[name=form_token]').value");
    let form = format!("form_token={}", token.as_str().unwrap());
    let from_elsewhere = post(&[&signed_in, "Sec-Fetch-Site: cross-site"], &form);
    assert!(from_elsewhere.contains("a page of another site"), "{from_elsewhere}");
    let right = post(&[&signed_in, "Sec-Fetch-Site: same-origin"], &form);
    assert!(right.starts_with("HTTP/1.1 303") && right.contains("location: /account"), "{right}");
    // A name that somebody else has made to lead here.
    let rebound = post(&[&signed_in, "Host: evil.example"], &form);
    assert!(rebound.starts_with("HTTP/1.1 421"), "{rebound}");
}

fn sign_in(browser: &Browser, password: &str) {
    browser.fill("E-mail address", EMAIL);
    browser.fill("Password", password);
    browser.press("Sign in");
}
