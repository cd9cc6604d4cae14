//! The console and the API over TLS: the certificate, its renewal, the cookie, and what happens without.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use testing::certificate::{Authority, Certificate};
use testing::eventually;
use testing::secondo::Secondo;
use testing::tls::Client;

use super::{curl, curl_in_vain, first_links};
use crate::scene::{SOON, secondo};

const NAME: &str = "localhost";

/// Which part of the configuration names the certificate.
#[derive(Clone, Copy, Debug)]
enum Named {
    /// The one that clients of DNS are shown too.
    OfAll,
    /// One of its own.
    OfHttp,
}

struct Scene {
    secondo: Secondo,
    directory: PathBuf,
}

impl Scene {
    fn showing(certificate: &Certificate, named: Named) -> Self {
        let secondo = secondo();
        let directory: PathBuf = secondo.data().parent().unwrap().into();
        let (chain, key) = certificate.write_files(&directory, "ours");
        let files = format!("certificate = \"{}\"\nkey = \"{}\"\n", chain.display(), key.display());
        let configuration = match named {
            Named::OfAll => format!("[tls]\n{files}[http]\ntls = true\nnames = [\"{NAME}\"]\n"),
            Named::OfHttp => format!("[http]\nnames = [\"{NAME}\"]\n{files}"),
        };
        Self { secondo: secondo.configured(&configuration).started(), directory }
    }

    fn address(&self) -> SocketAddr {
        self.secondo.http().parse().unwrap()
    }

    fn url(&self) -> String {
        format!("https://{NAME}:{}", self.address().port())
    }

    fn connects(&self, trusted: &Authority) -> Result<(), String> {
        let client = Client::trusting(trusted).offering(&["http/1.1"]);
        client.connect(self.address(), NAME).map(drop)
    }
}

/// The words with which `curl` trusts an authority.
fn trusting(directory: &Path, authority: &Authority) -> Vec<String> {
    // Debian's own authorities are none of the test's.
    vec!["--cacert".into(), authority.write_file(directory).display().to_string()]
}

fn words(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

#[test]
fn over_tls_the_cookie_is_this_hosts_and_secure() {
    for named in [Named::OfAll, Named::OfHttp] {
        let authority = Authority::new();
        let scene = Scene::showing(&authority.server(&[NAME]), named);
        let trusted = trusting(&scene.directory, &authority);
        let link = first_links(&scene.secondo, 1).remove(0);
        assert!(link.starts_with(&format!("{}/link/", scene.url())), "{link}");
        let form =
            ["--data-urlencode", "email=a@example.org", "--data-urlencode", "password=four words make it long"];
        let created = curl(&[&words(&trusted)[..], &form, &[&link]].concat());
        created.is(303);
        let (cookie, attributes) = created.cookie().unwrap();
        assert!(cookie.starts_with("__Host-secondo="), "{cookie}");
        assert!(created.head.contains("\nset-cookie: __Host-secondo-device="), "{created:?}");
        assert!(created.head.contains("\nstrict-transport-security: max-age=15552000\n"), "{created:?}");
        let status = scene.secondo.json(&["status"]);
        let shown = |of: &str| status[of]["file"].as_str().is_some_and(|file| file.ends_with("ours.pem"));
        assert_eq!(
            (shown("certificate"), shown("console_certificate")),
            (matches!(named, Named::OfAll), matches!(named, Named::OfHttp)),
            "{status}"
        );
        for attribute in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(attributes.split("; ").any(|one| one == attribute), "{attribute}: {attributes}");
        }
        let zones = format!("{}/o/1/zones", scene.url());
        curl(&[&words(&trusted)[..], &["--cookie", cookie, &zones]].concat()).is(200);
        // A cookie of the name that clear text has opens nothing.
        let plain = cookie.trim_start_matches("__Host-");
        curl(&[&words(&trusted)[..], &["--cookie", plain, &zones]].concat()).is(303);
        // And nothing but TLS is spoken.
        curl_in_vain(&[&format!("http://{}/healthz", scene.address())]);
        curl_in_vain(&[&words(&trusted)[..], &["--tls-max", "1.2", &zones]].concat());
    }
}

#[test]
fn a_client_on_this_machine_needs_no_flag_and_one_elsewhere_checks_the_certificate() {
    let authority = Authority::new();
    let scene = Scene::showing(&authority.server(&[NAME]), Named::OfAll);
    assert_eq!(scene.secondo.json(&["status"])["console"], scene.url());
    assert!(scene.secondo.data().join("api-socket").exists());

    let file = authority.write_file(&scene.directory).display().to_string();
    let trusted = [("SSL_CERT_FILE", file.as_str())];
    let listed = scene.secondo.client_with(&trusted, &["zone", "list", "--json", "--server", &scene.url()]);
    assert_eq!((listed.code, listed.stdout.trim()), (Some(0), "[]"), "{listed:?}");
    let added =
        scene.secondo.client_with(&trusted, &["user", "add", "a@example.org", "--json", "--server", &scene.url()]);
    assert!(added.stdout.contains(&format!("{}/link/", scene.url())), "{added:?}");

    let other = Authority::new().write_file(&scene.directory).display().to_string();
    let untrusted =
        scene.secondo.client_with(&[("SSL_CERT_FILE", other.as_str())], &["zone", "list", "--server", &scene.url()]);
    untrusted.must_fail(&["server_untrusted", "UnknownIssuer"]);
    let by_address = format!("https://{}", scene.address());
    authority.write_file(&scene.directory);
    let of_other_name = scene.secondo.client_with(&trusted, &["zone", "list", "--server", &by_address]);
    of_other_name.must_fail(&["server_untrusted"]);
}

#[test]
fn a_new_certificate_is_shown_to_the_next_connection() {
    for named in [Named::OfAll, Named::OfHttp] {
        let [first, second, third] = [(); 3].map(|()| Authority::new());
        let scene = Scene::showing(&first.server(&[NAME]), named);
        scene.connects(&first).unwrap();
        second.server(&[NAME]).write_files(&scene.directory, "ours");
        scene.secondo.hang_up();
        eventually(SOON, "the certificate to be shown", || scene.connects(&second));
        assert!(scene.connects(&first).unwrap_err().contains("UnknownIssuer"));
        // And without a word from anybody.
        third.server(&[NAME]).write_files(&scene.directory, "ours");
        eventually(SOON, "the certificate to be shown", || scene.connects(&third));
        // Half of a file is not.
        let file = scene.directory.join("ours.pem");
        let whole = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
        scene.secondo.hang_up();
        eventually(SOON, "the fault to be said", || {
            let log = scene.secondo.log();
            if log.contains("cannot be shown, so that those of before are") { Ok(()) } else { Err(log) }
        });
        scene.connects(&third).unwrap();
    }
}

#[test]
fn passwords_in_clear_text_over_a_network_are_refused_unless_somebody_says_so() {
    let everywhere = secondo().with_http("0.0.0.0:0");
    everywhere.serve_in_vain().must_be_wrong_usage(&["in clear text", "[http] tls", "--http-clear-text"]);
    assert!(!everywhere.data().exists(), "nothing was begun");
    let everywhere = everywhere.with_flag("--http-clear-text").started();
    assert_eq!(everywhere.json(&["zone", "list"]), serde_json::json!([]));
    let port = everywhere.http().rsplit_once(':').unwrap().1.to_owned();
    curl(&[&format!("http://127.0.0.2:{port}/healthz")]).is(200);
    let configured = secondo().with_http("0.0.0.0:0").configured("[http]\nallow_clear_text = true\n").started();
    assert_eq!(configured.json(&["zone", "list"]), serde_json::json!([]));
}
