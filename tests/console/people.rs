//! Signing up and inviting, as people do it, with a real mail server between the pages.

use testing::browser::Browser;
use testing::mail::MailServer;

use super::{PASSWORD, console, is_clean, secondo_with};

#[test]
fn somebody_signs_up_invites_another_and_both_see_the_same_organisation() {
    let mail = MailServer::start();
    let open = "[tenancy]\nmode = \"multi\"\nsign_up = \"open\"\n";
    let secondo = secondo_with(&format!("{open}{}", mail.configuration())).started();
    let (alice, url) = (Browser::start(), console(&secondo));
    alice.go(&(url.clone() + "/sign-in"));
    alice.press("Sign up");
    alice.sees("Whose zones these are");
    alice.keep_picture("sign-up");
    alice.fill("Organisation", "M\u{fc}ller & S\u{f6}hne");
    alice.fill("E-mail address", "alice@example.org");
    alice.fill("Password", PASSWORD);
    alice.press("Sign up");
    alice.sees("Look into your mail");
    alice.keep_picture("sign-up-sent");
    alice.go(&(url.clone() + &mail.link("alice@example.org", "Confirm your address")));
    alice.sees("becomes the owner of M\u{fc}ller & S\u{f6}hne");
    alice.keep_picture("sign-up-confirm");
    alice.fill("Password", PASSWORD);
    alice.press("Confirm");
    alice.sees("No zones yet");
    alice.press("Members");
    alice.fill("E-mail address", "bob@example.org");
    alice.press("Invite");
    alice.sees("A link is on its way to bob@example.org");
    alice.keep_picture("members");
    alice.prefer_dark(true);
    alice.keep_picture("members-dark");
    alice.prefer_dark(false);
    alice.press("Organisation");
    alice.sees("Delete the organisation");
    alice.keep_picture("organisation");
    let bob = Browser::start();
    bob.go(&(url.clone() + &mail.link("bob@example.org", "Invitation to M\u{fc}ller & S\u{f6}hne")));
    bob.sees("bob@example.org is invited as viewer");
    bob.keep_picture("invitation");
    bob.prefer_dark(true);
    bob.keep_picture("invitation-dark");
    bob.fill("Password", PASSWORD);
    bob.press("Join");
    bob.sees("No zones yet");
    assert!(!bob.text().contains("Create the first zone"), "a viewer only looks");
    bob.go(&(url.clone() + "/account"));
    bob.sees("M\u{fc}ller & S\u{f6}hne");
    bob.keep_picture("account-of-member");
    bob.press("Leave");
    bob.sees("You belong to none");
    bob.go(&url);
    bob.sees("You belong to no organisation");
    bob.keep_picture("no-organisation");
    is_clean(&alice);
    is_clean(&bob);
}
