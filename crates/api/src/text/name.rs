//! Names of zones and keys as people type them.

use std::net::IpAddr;

use dns::Name;

use crate::problem::{Code, Problem};

/// Reads a zone's name, with or without its last dot; `.` is the root.
///
/// Stricter than the wire, which allows any octets: what is not a letter, a digit, `-`, `_`, `/`, `*` or `+` must be
/// escaped (RFC 1035 §5.1), so that a URL, an address or a sentence is not taken for a name.
///
/// # Errors
/// [`Code::ZoneNameInvalid`].
pub fn zone_name(text: &str) -> Result<Name, Problem> {
    name(text).map_err(|why| {
        Problem::new(Code::ZoneNameInvalid, format!("{text:?} is not a zone name: {why}; write it like example.org"))
    })
}

/// A zone's name as somebody typed it, and what it was taken for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed {
    pub name: Name,
    /// Whether that is another text than was typed, but for a last dot.
    pub is_corrected: bool,
}

/// Reads a zone's name as people type or paste it: with spaces around it, in capitals, in letters of any script (UTS 46), or
/// as the address of a web page.
///
/// # Errors
/// [`Code::ZoneNameInvalid`].
pub fn typed_zone_name(text: &str) -> Result<Typed, Problem> {
    let trimmed = text.trim();
    let host = host_of_page(trimmed).unwrap_or(trimmed);
    let ascii = if host.is_ascii() {
        host.to_ascii_lowercase()
    } else {
        idna::domain_to_ascii(host).map_err(|_| {
            let detail = format!(
                "{trimmed:?} is not a zone name: no domain may hold these letters; write it like example.org"
            );
            Problem::new(Code::ZoneNameInvalid, detail)
        })?
    };
    let name = zone_name(&ascii)?;
    let is_corrected = trimmed.trim_end_matches('.') != name.to_string().trim_end_matches('.');
    Ok(Typed { name, is_corrected })
}

/// The domain in the address of a web page, without a `www` in front; none if it is no such address.
fn host_of_page(text: &str) -> Option<&str> {
    let rest = match text.split_once("://") {
        Some((scheme, rest)) if scheme.chars().all(|c| c.is_ascii_alphanumeric()) => rest,
        Some(_) => return None,
        // A slash stands in names of reverse zones too, but not behind a dot and letters alone.
        None => text.strip_suffix('/')?,
    };
    let host = rest.split(['/', '?', '#']).next()?;
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let host = host.split_once(':').map_or(host, |(host, _)| host);
    let is_www = host.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("www."));
    Some(if is_www { &host[4..] } else { host })
}

/// The name in the letters that people read, where its labels stand for others than ASCII (RFC 5890 §2.3.2.1); none where
/// it is what it is.
pub fn unicode_name(name: &str) -> Option<String> {
    let has_letters =
        name.split('.').any(|label| label.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("xn--")));
    if !has_letters {
        return None;
    }
    let (shown, result) = idna::domain_to_unicode(name);
    result.ok()?;
    // What stands for nothing else, or for what might turn the text around, is shown as it is.
    (shown != name && shown.chars().all(|c| c.is_alphanumeric() || ".-_\u{b7}".contains(c))).then_some(shown)
}

/// Reads the name of a zone that should exist, as [`Name`] writes it: laxer than [`zone_name`], because a name that
/// is there must be readable, however strange.
///
/// # Errors
/// [`Code::ZoneNameInvalid`].
pub fn known_zone_name(text: &str) -> Result<Name, Problem> {
    text.parse().map_err(|error| {
        Problem::new(
            Code::ZoneNameInvalid,
            format!("{text:?} is not a zone name: {error}; write it like example.org"),
        )
    })
}

/// Reads a TSIG key's name, which is a domain name (RFC 8945 §4.2).
///
/// # Errors
/// [`Code::KeyNameInvalid`].
pub fn key_name(text: &str) -> Result<Name, Problem> {
    name(text).and_then(|name| if name.borrow().is_root() { Err("it is empty".into()) } else { Ok(name) }).map_err(
        |why| {
            let detail = format!("{text:?} is not a key name: {why}; write it like transfer.example.org");
            Problem::new(Code::KeyNameInvalid, detail)
        },
    )
}

fn name(text: &str) -> Result<Name, String> {
    if text.is_empty() {
        return Err("it is empty".into());
    }
    if text.parse::<IpAddr>().is_ok() {
        return Err("it is an address".into());
    }
    if !text.is_ascii() {
        return Err("it holds other letters than ASCII (write those in their xn-- form)".into());
    }
    if let Some(unexpected) = first_unexpected(text) {
        return Err(format!("it holds {unexpected:?}"));
    }
    text.parse::<Name>().map_err(|error| error.to_string())
}

/// The first character that a name holds only with a backslash before it.
fn first_unexpected(text: &str) -> Option<char> {
    let mut escaped = false;
    for character in text.chars() {
        let expected = character.is_ascii_alphanumeric() || ".-_/*+\\".contains(character);
        if !expected && (!escaped || !character.is_ascii_graphic()) {
            return Some(character);
        }
        escaped = character == '\\' && !escaped;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{key_name, typed_zone_name, unicode_name, zone_name};
    use crate::problem::Code;

    #[test]
    fn names_are_read_with_and_without_their_last_dot_and_keep_their_case() {
        for (text, expected) in [
            ("example.org", "example.org."),
            ("Example.ORG.", "Example.ORG."),
            (".", "."),
            ("_msdcs.corp.example", "_msdcs.corp.example."),
            ("0/25.2.0.192.in-addr.arpa", "0/25.2.0.192.in-addr.arpa."),
            ("xn--bcher-kva.example", "xn--bcher-kva.example."),
            ("a\\.b.example", "a\\.b.example."),
        ] {
            assert_eq!(zone_name(text).unwrap().to_string(), expected);
        }
    }

    #[test]
    fn names_are_taken_as_people_type_them_and_it_is_known_when_they_were_corrected() {
        for (text, name, is_corrected) in [
            ("example.org", "example.org.", false),
            (" example.org. ", "example.org.", false),
            ("Example.ORG", "example.org.", true),
            ("https://www.Example.org/shop?item=7", "example.org.", true),
            ("http://user@example.org:8080", "example.org.", true),
            ("example.org/", "example.org.", true),
            ("www.example.org", "www.example.org.", false),
            ("b\u{fc}cher.example", "xn--bcher-kva.example.", true),
            ("B\u{dc}CHER\u{3002}example", "xn--bcher-kva.example.", true),
            ("0/25.2.0.192.in-addr.arpa", "0/25.2.0.192.in-addr.arpa.", false),
            (".", ".", false),
        ] {
            let typed = typed_zone_name(text).unwrap();
            assert_eq!((typed.name.to_string().as_str(), typed.is_corrected), (name, is_corrected), "{text:?}");
        }
        for text in ["", "https://", "https://192.0.2.1/", "not a name", "\u{2028}", "a\u{0}b", "://"] {
            assert_eq!(typed_zone_name(text).unwrap_err().code(), Code::ZoneNameInvalid, "{text:?}");
        }
    }

    #[test]
    fn names_of_other_letters_are_shown_in_them() {
        for (name, shown) in [
            ("xn--bcher-kva.example.", Some("b\u{fc}cher.example.")),
            ("example.org.", None),
            ("xn--.example.", None),
            ("xn--a-ecp.example.", None),
            ("a.xn--p1ai.", Some("a.\u{440}\u{444}.")),
        ] {
            assert_eq!(unicode_name(name).as_deref(), shown, "{name}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused_with_a_sentence() {
        let long_label = format!("{}.example", "a".repeat(64));
        let long_name = "a.".repeat(128);
        for text in [
            "",
            "192.0.2.1",
            "2001:db8::1",
            "http://example.org/",
            "exam ple.org",
            "example..org",
            ".example.org",
            "bücher.example",
            "example.org\n",
            "a@example.org",
            "example.org\\",
            "a\\\nb.example",
            &long_label,
            &long_name,
        ] {
            let problem = zone_name(text).unwrap_err();
            assert_eq!(problem.code(), Code::ZoneNameInvalid, "{text:?}");
            assert!(problem.detail().contains("is not a zone name: "), "{}", problem.detail());
        }
        assert_eq!(key_name(".").unwrap_err().code(), Code::KeyNameInvalid);
        assert_eq!(key_name("a b").unwrap_err().code(), Code::KeyNameInvalid);
    }
}
