//! Addresses of users, and names of tokens, plans and organisations: texts on one line, of characters that are seen.

use zone::is_unseen;

use super::link::link_in;
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
    if free_text("it", local).is_err() {
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
    let name = free_text("a token's name", text.trim());
    match name {
        Ok("." | "..") => Err("a token's name says what it is for: dots alone do not".to_owned()),
        name => name.map(str::to_owned),
    }
    .map_err(|why| Problem::new(Code::TokenNameInvalid, why))
}

/// Reads the name of a plan.
///
/// # Errors
/// [`Code::PlanInvalid`].
pub fn plan_name(text: &str) -> Result<String, Problem> {
    let name = free_text("a plan's name", text.trim());
    name.map(str::to_owned).map_err(|why| Problem::new(Code::PlanInvalid, why))
}

/// Reads what an organisation is to be called: any text on one line that leads nowhere, because it stands in letters to people
/// who have never heard of it.
///
/// # Errors
/// [`Code::TenantNameInvalid`].
pub fn organisation_name(text: &str) -> Result<String, Problem> {
    let invalid = |why: String| Problem::new(Code::TenantNameInvalid, why);
    let name = free_text("an organisation's name", text.trim()).map_err(invalid)?;
    if let Some(link) = link_in(name) {
        let detail = format!(
            "mail programs make a link of {link:?}, and an organisation's name is in letters to others: leave it out, or write a \
             space behind the dot"
        );
        return Err(invalid(detail));
    }
    Ok(name.to_owned())
}

/// The text, if people see of it what it is: not so much, one line, and nothing that turns what stands beside it around.
fn free_text<'a>(what: &str, text: &'a str) -> Result<&'a str, String> {
    if text.is_empty() || text.chars().count() > NAME_MAX {
        return Err(format!("{what} has 1 to {NAME_MAX} characters on one line: write what people know it by"));
    }
    match text.chars().find(|c| is_unseen(*c)) {
        None => Ok(text),
        Some(unseen) => {
            let number = u32::from(unseen);
            Err(format!("{what} holds a character that nobody sees (U+{number:04X}): type it anew without it"))
        }
    }
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
    use super::{email, organisation_name, plan_name, token_name};

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
            assert!(token_name(text).is_err() && plan_name(text).is_err(), "{text:?}");
        }
        // Letters to Unicode, and nothing to anybody else.
        for c in ['\u{115f}', '\u{1160}', '\u{2800}', '\u{3164}', '\u{ffa0}', '\u{fe0f}'] {
            for text in [c.to_string(), format!("{c}a"), format!("a{c}b"), format!("a{c}")] {
                let sentence = format!("holds a character that nobody sees (U+{:04X}): type it anew", u32::from(c));
                for refused in [organisation_name(&text), token_name(&text), plan_name(&text)] {
                    assert!(refused.unwrap_err().detail().contains(&sentence), "{text:?}");
                }
                assert!(email(&format!("{text}@example.org")).is_err(), "{text:?}");
            }
        }
        assert!(token_name("..").is_err() && organisation_name("..").is_ok());
    }

    #[test]
    fn the_name_of_an_organisation_leads_nowhere() {
        for text in ["Example Inc.", "St. Mary's", "Amazon. de", "X GmbH & Co. KG", "A.B. Smith"] {
            assert_eq!(organisation_name(text).unwrap(), text);
        }
        for (text, link) in [
            ("Your prize: https://evil.test/x", "https://evil.test/x"),
            ("Pay at evil.example.com now", "evil.example.com"),
            ("www.evil", "www.evil"),
            ("Amazon.de GmbH", "Amazon.de"),
        ] {
            let problem = organisation_name(text).unwrap_err();
            assert!(problem.detail().starts_with(&format!("mail programs make a link of {link:?}")), "{problem}");
            // Nobody outside is written these.
            assert!(token_name(text).is_ok() && plan_name(text).is_ok(), "{text}");
        }
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
