//! Letters through a real mail server, by STARTTLS and by TLS from the first octet on.

use std::path::Path;

use testing::certificate::{Authority, Certificate};
use testing::eventually;
use testing::mail::{MailServer, Protection};
use testing::secondo::Secondo;

use crate::scene::SOON;

/// Who gets a letter here.
const ALICE: &str = "alice@example.org";
const HOST: &str = "127.0.0.1";

/// Makes the protection of a mail server that shows this certificate.
type Protecting = fn(std::path::PathBuf, std::path::PathBuf) -> Protection;
const BOTH: [(&str, Protecting); 2] = [("starttls", Protection::StartTls), ("implicit", Protection::Implicit)];

/// A program that writes through a mail server with this certificate, and trusts this authority.
fn writing(
    directory: &Path,
    protecting: Protecting,
    shown: &Certificate,
    trusted: &Authority,
) -> (Secondo, MailServer) {
    let (certificate, key) = shown.write_files(directory, "mail");
    let mail = MailServer::protected(&protecting(certificate, key));
    let authority = trusted.write_file(directory).display().to_string();
    let secondo = crate::scene::secondo().with_variable("SSL_CERT_FILE", &authority);
    (secondo.configured(&mail.configuration()).started(), mail)
}

#[test]
fn letters_go_by_starttls_and_by_tls_to_a_server_that_is_trusted() {
    for (how, protecting) in BOTH {
        let directory = tempfile::tempdir().unwrap();
        let authority = Authority::new();
        let (secondo, mail) = writing(directory.path(), protecting, &authority.server(&[HOST]), &authority);
        secondo.expect(&["user", "add", ALICE]);
        let letter = mail.letter(ALICE, "Set your password");
        assert!(letter["text"].as_str().unwrap().contains("/link/"), "{how}: {letter}");
        assert_eq!(mail.senders(), [serde_json::json!({ "sender": "dns@example.net", "tls": true })], "{how}");
    }
}

#[test]
fn a_mail_server_that_is_not_shown_to_be_the_right_one_gets_nothing() {
    for (how, protecting) in BOTH {
        let (trusted, other) = (Authority::new(), Authority::new());
        let wrong = [
            ("of nobody who is trusted", other.server(&[HOST])),
            ("of another name", trusted.server(&["mail.example"])),
            ("of old", trusted.expired_server(&[HOST])),
        ];
        for (which, certificate) in wrong {
            let directory = tempfile::tempdir().unwrap();
            let (secondo, mail) = writing(directory.path(), protecting, &certificate, &trusted);
            secondo.expect(&["user", "add", ALICE]);
            // Tried twice, and then the log says why.
            eventually(SOON, &format!("the certificate {which} to be refused ({how})"), || {
                let log = secondo.log();
                let tries = log.matches("a mail cannot be sent, and is tried again").count();
                if tries >= 2 && log.contains("certificate") { Ok(()) } else { Err(log) }
            });
            assert_eq!(mail.senders(), [] as [serde_json::Value; 0], "{which} ({how})");
        }
    }
}
