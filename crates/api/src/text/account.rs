//! Addresses of users, and names of tokens.

use crate::doors::NewToken;
use crate::json;
use crate::problem::{Code, Problem};

/// RFC 5321 §4.5.3.1: 64 octets before the `@`, and what an address may have in all.
const EMAIL_OCTETS_MAX: usize = 254;
const LOCAL_OCTETS_MAX: usize = 64;
const TOKEN_NAME_MAX: usize = 100;

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
    let is_shown = name.chars().all(|c| !c.is_control());
    if matches!(name, "" | "." | "..") || name.chars().count() > TOKEN_NAME_MAX || !is_shown {
        let detail = format!("a token's name has 1 to {TOKEN_NAME_MAX} characters on one line: write what it is for");
        return Err(Problem::new(Code::TokenNameInvalid, detail));
    }
    Ok(name.to_owned())
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
    use super::email;

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
