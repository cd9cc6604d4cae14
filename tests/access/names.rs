//! Under which names the server answers, and whom it believes about who asks.

use super::{add_token, audited, curl, first_links};
use crate::scene::secondo;

#[test]
fn requests_are_answered_under_addresses_and_configured_names_alone() {
    let secondo = secondo().configured("[http]\nnames = [\"console.example.net\"]\n").started();
    let host = |name: &str, path: &str| {
        curl(&["--header", &format!("Host: {name}"), &format!("http://{}{path}", secondo.http())])
    };
    for name in ["console.example.net", "Console.Example.Net:8053", "localhost", "192.0.2.1"] {
        host(name, "/sign-in").is(200);
    }
    for name in ["evil.example", "console.example.net.evil.example"] {
        host(name, "/sign-in").is_refused(421, "host_unknown");
        host(name, "/api/v1/zones").is_refused(421, "host_unknown");
        // Load balancers ask so.
        host(name, "/healthz").is(200);
    }
    let port = secondo.http().rsplit_once(':').unwrap().1.to_owned();
    let links = first_links(&secondo, 1);
    assert!(links[0].starts_with(&format!("http://console.example.net:{port}/link/")), "{links:?}");
}

#[test]
fn the_audit_log_has_the_address_that_a_trusted_proxy_says_and_nobody_elses_word() {
    let secondo = secondo().configured("[http]\ntrusted_proxies = [\"127.0.0.1\"]\n").started();
    let bearer = format!("Authorization: Bearer {}", add_token(&secondo, "keys", "keys"));
    let url = format!("http://{}/api/v1/keys", secondo.http());
    let add = |from: &str, key: &str, forwarded: &str| {
        let body = format!("{{\"name\": \"{key}\"}}");
        let words = ["--interface", from, "--header", &bearer, "--header", forwarded];
        curl(&[&words[..], &["--header", "Content-Type: application/json", "--data", &body, &url]].concat()).is(201);
        audited(&secondo, "key.added", &format!("{key}."))
    };
    let of_proxy = add("127.0.0.1", "of-proxy", "X-Forwarded-For: 10.0.0.1, 203.0.113.9");
    assert_eq!((&of_proxy["address"], &of_proxy["actor"]), (&"203.0.113.9".into(), &"token keys".into()));
    let forged = add("127.0.0.2", "forged", "X-Forwarded-For: 203.0.113.9");
    assert_eq!(forged["address"], "127.0.0.2");
    // The command line is nowhere.
    secondo.expect(&["key", "add", "here"]);
    assert!(audited(&secondo, "key.added", "here.")["address"].is_null());

    // The proxy has the certificate, and its clients' cookies are kept by what it says.
    let link = first_links(&secondo, 1).remove(0);
    let form = ["--data-urlencode", "email=a@example.org", "--data-urlencode", "password=four words make it long"];
    let proto = ["--header", "X-Forwarded-Proto: https"];
    let created = curl(&[&form[..], &proto, &[link.as_str()]].concat());
    let (cookie, attributes) = created.cookie().unwrap();
    assert!(cookie.starts_with("__Host-secondo=") && attributes.contains("Secure"), "{created:?}");
    let sign_in = format!("http://{}/sign-in", secondo.http());
    let from_stranger = curl(&[&form[..], &proto, &["--interface", "127.0.0.2", &sign_in]].concat());
    let (cookie, attributes) = from_stranger.cookie().unwrap();
    assert!(cookie.starts_with("secondo=") && !attributes.contains("Secure"), "{from_stranger:?}");
}
