//! The first start: a link that creates the operator, until there is one.

use super::{PASSWORD, audited, curl, first_links};
use crate::scene::secondo;

const EMAIL: &str = "operator@example.org";

#[test]
fn each_start_prints_a_link_until_there_is_an_operator() {
    let mut secondo = secondo().started();
    first_links(&secondo, 1);
    secondo.terminate();
    secondo.start();
    let links = first_links(&secondo, 2);
    assert!(links.len() == 2 && links[0] != links[1], "{links:?}");
    let form =
        ["--data-urlencode", "email=operator@example.org", "--data-urlencode", "password=four words make it long"];
    let created = curl(&[&form[..], &[links[1].as_str()]].concat());
    assert_eq!((created.status, created.location()), (303, Some("/")), "{created:?}");
    assert!(!created.head.contains("strict-transport-security"), "it is not over TLS: {created:?}");
    assert_eq!(audited(&secondo, "user.added", EMAIL)["actor"], EMAIL);
    let session = created.cookie().unwrap().0;
    let zones = format!("http://{}/o/1/zones", secondo.http());
    curl(&["--cookie", session, &zones]).is(200);
    // No link creates another.
    for link in &links {
        let path = link.split_once("/link/").unwrap().1;
        curl(&[&form[..], &[&format!("http://{}/link/{path}", secondo.http())]].concat()).is(410);
    }
    secondo.terminate();
    secondo.start();
    assert_eq!(first_links(&secondo, 3).len(), 2);
    assert_eq!(secondo.json(&["user", "list"])[0]["email"], EMAIL);
    assert!(!secondo.log().contains(PASSWORD));
}

#[test]
fn an_operator_whom_the_command_line_has_added_is_one_too() {
    let mut secondo = secondo().started();
    assert_eq!(first_links(&secondo, 1).len(), 1);
    secondo.expect(&["user", "add", EMAIL, "--role", "owner", "--operator"]);
    secondo.kill_and_restart();
    assert_eq!(first_links(&secondo, 2).len(), 1);
}
