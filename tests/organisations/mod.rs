//! Organisations and people with a real mail server: signing up, inviting, forgetting, moving, leaving, and what others see.

use serde_json::Value;
use testing::eventually;
use testing::mail::MailServer;
use testing::secondo::Secondo;

use crate::access::{Answer, curl};
use crate::scene::SOON;

const PASSWORD: &str = "four words make it long";

/// A server of many organisations where strangers sign up, and their mail.
fn open() -> (Secondo, MailServer) {
    let mail = MailServer::start();
    let tenancy = "[tenancy]\nmode = \"multi\"\nsign_up = \"open\"\nallow_addresses = [\"198.51.100.1\"]\n";
    (crate::scene::secondo().configured(&format!("{tenancy}{}", mail.configuration())).started(), mail)
}

/// A browser, without anybody in front of it to begin with.
struct Visitor<'a> {
    secondo: &'a Secondo,
    cookies: Vec<String>,
}

impl<'a> Visitor<'a> {
    fn new(secondo: &'a Secondo) -> Self {
        Self { secondo, cookies: Vec::new() }
    }

    fn ask(&self, words: &[&str], path: &str) -> Answer {
        let (cookies, url) = (self.cookies.join("; "), format!("http://{}{path}", self.secondo.http()));
        curl(&[&["--cookie", &cookies], words, &[&url]].concat())
    }

    fn get(&self, path: &str) -> Answer {
        self.ask(&[], path)
    }

    /// Sends a form as the page that it is on would, and keeps the cookies that come with the answer.
    fn send(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.get("/account");
        let token = token.body.split_once("name=\"form_token\" value=\"").map_or("", |(_, rest)| rest);
        let token = token.split('"').next().unwrap_or_default().to_owned();
        let fields = [fields, &[("form_token", token.as_str())]].concat();
        let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let words: Vec<&str> = fields.iter().flat_map(|field| ["--data-urlencode", field.as_str()]).collect();
        let answer = self.ask(&words, path);
        let set = answer.head.lines().filter_map(|line| line.strip_prefix("set-cookie: "));
        let set: Vec<String> = set.map(|line| line.split(';').next().unwrap().to_owned()).collect();
        if !set.is_empty() {
            self.cookies = set;
        }
        answer
    }

    #[track_caller]
    fn signs_in(&mut self, email: &str, password: &str) {
        let answer = self.send("/sign-in", &[("email", email), ("password", password)]);
        assert_eq!((answer.status, answer.location()), (303, Some("/")), "{answer:?}");
    }

    #[track_caller]
    fn is_refused(&mut self, email: &str, password: &str) {
        self.send("/sign-in", &[("email", email), ("password", password)]).is(403);
    }

    /// The number of the organisation where this visitor begins.
    #[track_caller]
    fn organisation(&self) -> String {
        let home = self.get("/");
        let to = home.location().unwrap_or_else(|| panic!("{home:?}"));
        to.strip_prefix("/o/").unwrap().split('/').next().unwrap().to_owned()
    }
}

/// Somebody who has signed up, in their browser.
#[track_caller]
fn signed_up<'a>(secondo: &'a Secondo, mail: &MailServer, email: &str, organisation: &str) -> Visitor<'a> {
    let mut visitor = Visitor::new(secondo);
    let fields = [("email", email), ("password", PASSWORD), ("organisation", organisation)];
    let asked = visitor.send("/sign-up", &fields);
    assert!(asked.status == 200 && asked.body.contains("Look into your mail"), "{asked:?}");
    let link = mail.link(email, "Confirm your address");
    let confirmed = visitor.send(&link, &[("password", PASSWORD)]);
    assert_eq!((confirmed.status, confirmed.location()), (303, Some("/")), "{confirmed:?}");
    visitor
}

fn audited(secondo: &Secondo, act: &str) -> bool {
    let entries = secondo.json(&["audit"]);
    entries.as_array().unwrap().iter().any(|entry| entry["act"] == act)
}

#[test]
fn a_stranger_signs_up_and_has_an_organisation_that_nobody_else_sees() {
    let (secondo, mail) = open();
    let mut eve = Visitor::new(&secondo);
    // Eve types Alice's address and a password of her own: the link that Alice gets makes nothing of that.
    let of_eve = [("email", "alice@example.org"), ("password", "eve knows this one"), ("organisation", "Eve's")];
    eve.send("/sign-up", &of_eve).is(200);
    let link = mail.link("alice@example.org", "Confirm your address");
    let mut alice = Visitor::new(&secondo);
    alice.send(&link, &[("password", PASSWORD)]).is(403);
    let alice = signed_up(&secondo, &mail, "alice@example.org", "M\u{fc}ller & S\u{f6}hne");
    alice.get(&link).is(410);
    let hers = alice.organisation();
    let page = alice.get(&format!("/o/{hers}/organisation"));
    assert!(page.status == 200 && page.body.contains("M\u{fc}ller &#38; S\u{f6}hne"), "{page:?}");
    let bob = signed_up(&secondo, &mail, "bob@example.org", "Bob's");
    let his = bob.organisation();
    assert!(hers != his && hers != "1" && his != "1");
    for page in ["zones", "members", "organisation", "organisation/export", "audit", "tokens", "keys", "users"] {
        bob.get(&format!("/o/{hers}/{page}")).is(404);
        bob.get(&format!("/o/1/{page}")).is(404);
    }
    bob.get("/organisations").is(403);
    // Whoever signs up with a known address is answered as anybody is, and the mail says how it is.
    let again = Visitor::new(&secondo).send(
        "/sign-up",
        &[("email", "Alice@example.org"), ("password", "another long password"), ("organisation", "x")],
    );
    assert!(again.status == 200 && again.body.contains("Look into your mail"), "{again:?}");
    mail.letter("Alice@example.org", "You have an account already");
    eve.is_refused("alice@example.org", "eve knows this one");
}

#[test]
fn an_owner_invites_gives_roles_and_the_last_one_stays() {
    let (secondo, mail) = open();
    let mut alice = signed_up(&secondo, &mail, "alice@example.org", "Alice's");
    let mut bob = signed_up(&secondo, &mail, "bob@example.org", "Bob's");
    let hers = alice.organisation();
    let members = format!("/o/{hers}/members");
    alice.send(&members, &[("email", "bob@example.org"), ("role", "viewer")]).is(200);
    alice.send(&members, &[("email", "carol@example.org"), ("role", "editor")]).is(200);
    alice.send(&members, &[("email", "dave@example.org"), ("role", "owner")]).is(200);
    let subject = "Invitation to Alice's";
    let (for_bob, for_carol) = (mail.link("bob@example.org", subject), mail.link("carol@example.org", subject));
    let for_dave = mail.link("dave@example.org", subject);
    // Bob has an account: nobody joins for him.
    let mut somebody = Visitor::new(&secondo);
    let page = somebody.get(&for_bob);
    assert!(page.status == 200 && page.body.contains("/sign-in?next="), "{page:?}");
    somebody.send(&for_bob, &[("password", PASSWORD)]).is(403);
    alice.send(&for_bob, &[]).is(403);
    bob.send(&for_bob, &[]).is(303);
    bob.get(&format!("/o/{hers}/zones")).is(200);
    bob.get(&members).is(403);
    bob.send(&members, &[("email", "eve@example.org"), ("role", "owner")]).is(403);
    // Carol is new, and sets a password by the link, once.
    let mut carol = Visitor::new(&secondo);
    carol.send(&for_carol, &[("password", PASSWORD)]).is(303);
    carol.get(&format!("/o/{hers}/keys")).is(200);
    somebody.send(&for_carol, &[("password", PASSWORD)]).is(410);
    // Dave's is withdrawn.
    alice.send(&format!("{members}/withdraw"), &[("email", "dave@example.org")]).is(303);
    somebody.send(&for_dave, &[("password", PASSWORD)]).is(410);
    // Roles change; the last owner stays one.
    let alone = alice.send(&format!("{members}/role"), &[("email", "alice@example.org"), ("role", "viewer")]);
    assert!(alone.status == 409 && alone.body.contains("last owner"), "{alone:?}");
    alice.send("/account/leave", &[("tenant", &hers)]).is(409);
    alice.send(&format!("{members}/role"), &[("email", "carol@example.org"), ("role", "owner")]).is(303);
    alice.send("/account/leave", &[("tenant", &hers)]).is(303);
    let nowhere = alice.get("/");
    assert!(nowhere.body.contains("You belong to no organisation"), "{nowhere:?}");
    alice.get(&format!("/o/{hers}/zones")).is(404);
    carol.get(&members).is(200);
    carol.send(&format!("{members}/remove"), &[("email", "bob@example.org")]).is(303);
    bob.get(&format!("/o/{hers}/zones")).is(404);
}

#[test]
fn a_forgotten_password_is_set_by_mail_and_nobody_learns_who_has_an_account() {
    let (secondo, mail) = open();
    let mut alice = signed_up(&secondo, &mail, "alice@example.org", "Alice's");
    let mut somebody = Visitor::new(&secondo);
    let known = somebody.send("/forgotten", &[("email", "alice@example.org")]);
    let unknown = somebody.send("/forgotten", &[("email", "nobody@example.org")]);
    let without_address = |answer: &Answer, email: &str| answer.body.replace(email, "");
    assert_eq!((known.status, unknown.status), (200, 200));
    assert_eq!(without_address(&known, "alice@example.org"), without_address(&unknown, "nobody@example.org"));
    let link = mail.link("alice@example.org", "Set your password");
    somebody.send(&link, &[("password", "short")]).is(400);
    somebody.send(&link, &[("password", "another long password")]).is(303);
    somebody.send(&link, &[("password", "yet another password")]).is(410);
    alice.get("/account").is(303);
    alice.is_refused("alice@example.org", PASSWORD);
    alice.signs_in("alice@example.org", "another long password");
    // So many mails to one address, whoever asks.
    let asked = (0..6).map(|_| somebody.send("/forgotten", &[("email", "alice@example.org")]).status);
    assert!(asked.collect::<Vec<_>>().contains(&429));
}

#[test]
fn another_address_is_confirmed_there_and_said_to_the_present_one() {
    let (secondo, mail) = open();
    let mut alice = signed_up(&secondo, &mail, "alice@example.org", "Alice's");
    signed_up(&secondo, &mail, "bob@example.org", "Bob's");
    let wanted = |email| [("email", email), ("password", PASSWORD)];
    alice.send("/account/email", &[("email", "new@example.org"), ("password", "some other password")]).is(403);
    alice.send("/account/email", &wanted("new@example.org")).is(200);
    let notice = mail.letter("alice@example.org", "Your address is to change");
    assert!(notice["text"].as_str().unwrap().contains("new@example.org"), "{notice}");
    let link = mail.link("new@example.org", "Confirm your new address");
    Visitor::new(&secondo).send(&link, &[]).is(303);
    mail.letter("alice@example.org", "Your address has changed");
    let mut elsewhere = Visitor::new(&secondo);
    elsewhere.is_refused("alice@example.org", PASSWORD);
    elsewhere.signs_in("new@example.org", PASSWORD);
    // One that is somebody's is not to be had, which only that somebody learns.
    alice.send("/account/email", &wanted("bob@example.org")).is(200);
    mail.letter("bob@example.org", "This address has an account already");
}

#[test]
fn an_organisation_takes_its_data_along_and_is_gone_with_its_zones() {
    let (secondo, mail) = open();
    let mut alice = signed_up(&secondo, &mail, "alice@example.org", "Alice's");
    let hers = alice.organisation();
    let key = [("name", "k.example"), ("algorithm", "hmac-sha256"), ("secret", "c2VjcmV0IHRoYXQgbm9ib2R5IHNlZXM=")];
    alice.send(&format!("/o/{hers}/keys"), &key).is(200);
    alice.send(&format!("/o/{hers}/zones/new"), &[("name", "example.test"), ("address", "198.51.100.1")]).is(303);
    let token = alice.send(&format!("/o/{hers}/tokens"), &[("name", "t"), ("scope", "read")]);
    let secret = token.body.split_once("secondo_").map(|(_, rest)| rest[..64].to_owned()).unwrap();
    let exported = alice.get(&format!("/o/{hers}/organisation/export"));
    assert!(exported.head.contains("content-disposition: attachment"), "{exported:?}");
    let data: Value = exported.json();
    assert_eq!(data["organisation"]["name"], "Alice's");
    assert_eq!(data["members"][0]["email"], "alice@example.org");
    assert_eq!(
        (&data["zones"][0]["name"], &data["keys"][0]["name"]),
        (&"example.test.".into(), &"k.example.".into())
    );
    assert_eq!(data["zones"][0]["primaries"][0]["address"], "198.51.100.1:53");
    assert!(data["zones"][0]["attempts"].is_array() && !data["audit"].as_array().unwrap().is_empty());
    for hidden in ["c2VjcmV0", secret.as_str(), "$argon2id"] {
        assert!(!exported.body.contains(hidden), "{hidden}");
    }
    let remove = format!("/o/{hers}/organisation/remove");
    alice.send(&remove, &[("name", "alice's"), ("password", PASSWORD)]).is(400);
    alice.send(&remove, &[("name", "Alice's"), ("password", "some other password")]).is(403);
    alice.get(&format!("/o/{hers}/zones")).is(200);
    alice.send(&remove, &[("name", "Alice's"), ("password", PASSWORD)]).is(303);
    alice.get("/account").is(303);
    alice.is_refused("alice@example.org", PASSWORD);
    let bearer = format!("Authorization: Bearer secondo_{secret}");
    curl(&["--header", &bearer, &format!("http://{}/api/v1/zones", secondo.http())]).is(401);
    assert!(audited(&secondo, "organisation.removed"));
    eventually(SOON, "its zone to be gone", || {
        let status = secondo.json(&["status"]);
        if status["zones"]["total"] == 0 { Ok(()) } else { Err(status.to_string()) }
    });
}

#[test]
fn an_operator_makes_organisations_on_the_command_line_and_helps_with_a_lost_factor() {
    let (secondo, mail) = open();
    let added = secondo.expect(&["tenant", "add", "Example Ltd", "--owner", "alice@example.org"]);
    assert!(added.contains("on its way to alice@example.org"), "{added}");
    let mut alice = Visitor::new(&secondo);
    let link = mail.link("alice@example.org", "Invitation to Example Ltd");
    alice.send(&link, &[("password", PASSWORD)]).is(303);
    let listed = secondo.json(&["tenant", "list", "--find", "example"]);
    assert_eq!(
        (listed[0]["name"].as_str(), listed[0]["members"].as_u64()),
        (Some("Example Ltd"), Some(1)),
        "{listed}"
    );
    let id = listed[0]["id"].to_string();
    assert_eq!(id, alice.organisation());
    secondo.expect(&["tenant", "rename", &id, "Example Inc"]);
    assert!(secondo.expect(&["tenant", "show", &id]).contains("Example Inc"));
    secondo.client(&["tenant", "rename", &id, "a\u{202e}b"]).must_be_wrong_usage(&["tenant_name_invalid"]);
    secondo.client(&["tenant", "remove", &id, "--name", "Example Ltd"]).must_fail(&["name_not_typed"]);
    secondo.client(&["tenant", "remove", "1", "--name", "default"]).must_fail(&["tenant_stays"]);
    secondo.expect(&["user", "lost-factor", "alice@example.org"]);
    mail.letter("alice@example.org", "Your second factor was removed");
    assert!(audited(&secondo, "user.second_factor_removed"));
    secondo.expect(&["tenant", "remove", &id, "--name", "Example Inc"]);
    alice.get("/account").is(303);
}

#[test]
fn without_mail_links_are_shown_to_operators_and_to_nobody_else() {
    let secondo = crate::scene::secondo().configured("[tenancy]\nmode = \"multi\"\n").started();
    let added = secondo.json(&["tenant", "add", "Example Ltd", "--owner", "alice@example.org"]);
    let (_, secret) = added["url"].as_str().unwrap().split_once("/link/").unwrap();
    let mut alice = Visitor::new(&secondo);
    alice.send(&format!("/link/{secret}"), &[("password", PASSWORD)]).is(303);
    let members = format!("/o/{}/members", alice.organisation());
    let page = alice.get(&members);
    assert!(page.body.contains("This service sends no mail: ask whoever runs it"), "{page:?}");
    alice.send(&members, &[("email", "bob@example.org"), ("role", "viewer")]).is(409);
    for page in ["/sign-up", "/forgotten"] {
        assert!(alice.get(page).status >= 400, "{page}");
        let answer = alice.send(page, &[("email", "a@example.org"), ("password", PASSWORD), ("organisation", "x")]);
        assert!([403, 409].contains(&answer.status), "{answer:?}");
    }
}
