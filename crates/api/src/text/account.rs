//! Addresses of users, and names of tokens and organisations.

use crate::doors::NewToken;
use crate::json;
use crate::problem::{Code, Problem};

/// RFC 5321 §4.5.3.1: 64 octets before the `@`, and what an address may have in all.
const EMAIL_OCTETS_MAX: usize = 254;
const LOCAL_OCTETS_MAX: usize = 64;
const NAME_MAX: usize = 100;

/// Reads an e-mail address: one `@` with something before it and a domain behind it, and nothing that would break a line of
/// text. Whether anybody reads what is sent there shows when it is sent.
///
/// # Errors
/// [`Code::EmailInvalid`].
pub fn email(text: &str) -> Result<String, Problem> {
    let text = text.trim();
    let wrong = |why: &str| {
        let shown: String = text.chars().take(EMAIL_OCTETS_MAX).collect();
        let detail = format!("{shown:?} is not an e-mail address: {why}; write it like alice@example.org");
        Err(Problem::new(Code::EmailInvalid, detail))
    };
    if text.len() > EMAIL_OCTETS_MAX {
        return wrong("it is too long");
    }
    let Some((local, domain)) = text.rsplit_once('@') else { return wrong("it has no @") };
    if local.is_empty() || local.len() > LOCAL_OCTETS_MAX {
        return wrong("what stands before the @ is empty or too long");
    }
    if !is_free_text(local) {
        return wrong("it holds characters that nobody sees");
    }
    let is_odd = |c: char| c.is_whitespace() || c.is_control() || "<>()[]\\,;:\"@".contains(c);
    if local.contains(is_odd) {
        return wrong("it holds characters that no address has");
    }
    match super::zone_name(domain) {
        Ok(name) if name.borrow().label_count() > 1 && !domain.ends_with('.') => Ok(text.to_owned()),
        _ => wrong("what stands behind the @ is no domain"),
    }
}

/// Reads the name of a token. `.` and `..` stand for other things in a path (RFC 3986 §5.2.4).
///
/// # Errors
/// [`Code::TokenNameInvalid`].
pub fn token_name(text: &str) -> Result<String, Problem> {
    let name = text.trim();
    if matches!(name, "." | "..") || !is_free_text(name) {
        let detail = format!("a token's name has 1 to {NAME_MAX} characters on one line: write what it is for");
        return Err(Problem::new(Code::TokenNameInvalid, detail));
    }
    Ok(name.to_owned())
}

/// Reads what an organisation is to be called: any text on one line.
///
/// # Errors
/// [`Code::TenantNameInvalid`].
pub fn organisation_name(text: &str) -> Result<String, Problem> {
    let name = text.trim();
    if !is_free_text(name) {
        let detail = format!("an organisation's name has 1 to {NAME_MAX} characters on one line");
        return Err(Problem::new(Code::TenantNameInvalid, detail));
    }
    Ok(name.to_owned())
}

/// Whether people see of the text what it is: not so much, one line, and nothing that turns what stands beside it around.
fn is_free_text(text: &str) -> bool {
    let is_seen = |c: char| {
        let is_separator = matches!(c, '\u{2028}' | '\u{2029}');
        // Unicode's marks of direction, and signs that show nothing (UAX #9, and the rest of U+200B to U+206F).
        let is_unseen = matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}');
        !c.is_control() && !is_separator && !is_unseen
    };
    !text.is_empty() && text.chars().count() <= NAME_MAX && text.chars().all(is_seen)
}

/// Reads a token that is to be made.
///
/// # Errors
/// [`Code::TokenNameInvalid`]; [`Code::BodyInvalid`] when it has no scope.
pub fn new_token(token: &json::AddToken) -> Result<NewToken, Problem> {
    let name = token_name(&token.name)?;
    if token.scopes.is_empty() {
        return Err(Problem::new(
            Code::BodyInvalid,
            "a token without a scope would open nothing: give it at least one",
        ));
    }
    Ok(NewToken { name, scopes: token.scopes.clone(), ends_at: token.ends_at })
}

#[cfg(test)]
mod tests {
    use super::{email, organisation_name, token_name};

    #[test]
    fn a_name_is_a_text_that_people_see_as_it_is() {
        for text in ["Example Ltd", " Müller & Söhne ", "株式会社例", "שלום", "<b>", "a"] {
            assert_eq!(organisation_name(text).unwrap(), text.trim());
            assert_eq!(token_name(text).unwrap(), text.trim());
        }
        let long = "x".repeat(101);
        for text in
            ["", "  ", "a\nb", "a\u{0}", "a\u{202e}b", "a\u{2066}b", "a\u{200f}", "\u{feff}", "a\u{2028}b", &long]
        {
            assert!(organisation_name(text).is_err(), "{text:?}");
            assert!(token_name(text).is_err(), "{text:?}");
        }
        assert!(token_name("..").is_err() && organisation_name("..").is_ok());
    }

    #[test]
    fn addresses_are_read_and_what_is_none_is_refused_with_a_sentence() {
        for text in ["alice@example.org", " bob+dns@mail.example.co.uk ", "o'hara@example.org", "böb@example.org"] {
            assert_eq!(email(text).unwrap(), text.trim());
        }
        let long = format!("{}@example.org", "a".repeat(65));
        for text in [
            "",
            "alice",
            "@example.org",
            "alice@",
            "alice@localhost",
            "a b@example.org",
            "a@b@example.org",
            "a\n@example.org",
            "<a@example.org>",
            "a@exam ple.org",
            "a@192.0.2.1",
            &long,
        ] {
            let problem = email(text).unwrap_err();
            assert!(problem.detail().contains("is not an e-mail address: "), "{text:?}: {}", problem.detail());
        }
    }
}
