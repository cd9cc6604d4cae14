//! One letter: plain text to one address.

use lettre::Message;
use lettre::address::Address;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, SinglePart};

/// A line of a subject longer than this is cut: it is a headline. In characters.
const SUBJECT_MAX: usize = 150;

/// An address that no letter can be sent to or from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no address that a mail can go to: {1}")]
pub struct NotAnAddress(String, String);

/// A letter that is to be sent.
#[derive(Clone, Debug)]
pub struct Letter {
    to: Address,
    subject: String,
    text: String,
}

impl Letter {
    /// A letter to one address. What a subject cannot hold becomes spaces.
    pub fn new(to: &str, subject: &str, text: String) -> Result<Self, NotAnAddress> {
        let address = to.parse().map_err(|error| NotAnAddress(to.to_owned(), format!("{error}")))?;
        let subject = crate::on_one_line(subject).take(SUBJECT_MAX).collect();
        Ok(Self { to: address, subject, text })
    }

    pub(crate) fn to(&self) -> &Address {
        &self.to
    }

    pub(crate) fn subject(&self) -> &str {
        &self.subject
    }

    pub(crate) fn message(&self, from: &str) -> Result<Message, String> {
        let from: Mailbox = from.parse().map_err(|error| format!("{from:?} is no sender: {error}"))?;
        // RFC 3834 §5: so that nothing answers by itself.
        let by_itself = HeaderName::new_from_ascii_str("Auto-Submitted");
        Message::builder()
            .from(from)
            .to(Mailbox::new(None, self.to.clone()))
            .subject(&self.subject)
            .message_id(None)
            .raw_header(HeaderValue::new(by_itself, "auto-generated".to_owned()))
            .singlepart(SinglePart::builder().header(ContentType::TEXT_PLAIN).body(self.text.clone()))
            .map_err(|error| error.to_string())
    }
}

/// Whether letters can be from this sender: an address, or a name with one, `Secondo <dns@example.net>`.
pub fn is_sender(text: &str) -> Result<(), String> {
    text.parse::<Mailbox>().map(drop).map_err(|error| format!("{text:?} is no sender of mail: {error}"))
}

#[cfg(test)]
mod tests {
    use super::{Letter, is_sender};

    fn text(to: &str, subject: &str) -> String {
        let letter = Letter::new(to, subject, "Hello.\n.\nBcc: somebody@example.org\n".to_owned()).unwrap();
        String::from_utf8(letter.message("Secondo <dns@example.net>").unwrap().formatted()).unwrap()
    }

    #[test]
    fn nothing_that_others_have_written_becomes_a_header() {
        let evil = "Join Evil\r\nBcc: victim@example.org\r\n\r\nbuy this\u{2028}\u{0}";
        let made = text("alice@example.org", evil);
        let (head, body) = made.split_once("\r\n\r\n").unwrap();
        let names: Vec<&str> = head.lines().filter_map(|line| Some(line.split_once(": ")?.0)).collect();
        let expected = [
            "From",
            "To",
            "Subject",
            "Message-ID",
            "Auto-Submitted",
            "Content-Type",
            "MIME-Version",
            "Content-Transfer-Encoding",
            "Date",
        ];
        for name in &names {
            assert!(expected.contains(name) || name.starts_with(' '), "{made}");
        }
        assert_eq!(names.iter().filter(|name| **name == "To").count(), 1, "{made}");
        assert!(body.contains("Hello."), "{made}");
        let long = text("alice@example.org", &"ü".repeat(5_000));
        assert!(long.len() < 4_000, "{}", long.len());
    }

    #[test]
    fn an_address_is_one_and_nothing_besides() {
        for address in [
            "",
            "alice",
            "alice@example.org, bob@example.org",
            "alice@example.org\r\nRCPT TO:<bob@example.org>",
            "<alice@example.org>",
            "alice@example.org>",
            "Alice <alice@example.org>",
            "alice @example.org",
        ] {
            assert!(Letter::new(address, "x", String::new()).is_err(), "{address:?}");
        }
        for address in ["alice@example.org", "o'hara+dns@mail.example.co.uk", "böb@example.org", "a@bücher.example"]
        {
            assert!(Letter::new(address, "x", String::new()).is_ok(), "{address:?}");
        }
        assert!(is_sender("Secondo <dns@example.net>").is_ok() && is_sender("dns@example.net").is_ok());
        assert!(is_sender("Secondo").is_err() && is_sender("a@example.net\nX: y").is_err());
    }
}
