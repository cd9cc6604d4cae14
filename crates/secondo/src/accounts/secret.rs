//! Secrets that are made here: for sessions, tokens, links and recovery.

use std::io;

/// Random octets in a secret that nobody types.
const SECRET_OCTETS: usize = 32;
/// Random octets in a recovery code, which somebody types: 80 bits, and few tries.
const RECOVERY_OCTETS: usize = 10;
pub(crate) const RECOVERY_CODES: usize = 10;

/// A new secret, in hexadecimal.
pub(crate) fn new() -> io::Result<String> {
    random::<SECRET_OCTETS>().map(hex::encode)
}

/// A new API token: what it begins with tells people, and those who search code for secrets, what it is.
pub(crate) fn token() -> io::Result<String> {
    new().map(|secret| format!("secondo_{secret}"))
}

/// New recovery codes, as people write them down: `a1b2c-3d4e5-f6a7b-8c9d0`.
pub(crate) fn recovery_codes() -> io::Result<Vec<String>> {
    let code = |_| {
        let digits = random::<RECOVERY_OCTETS>().map(hex::encode)?;
        let groups: Vec<&str> = (0..digits.len()).step_by(5).map(|at| &digits[at..at + 5]).collect();
        Ok(groups.join("-"))
    };
    (0..RECOVERY_CODES).map(code).collect()
}

/// A recovery code as it was typed, with or without its dashes and in capitals perhaps; none when it is none.
pub(crate) fn typed_recovery_code(text: &str) -> Option<String> {
    let digits: String =
        text.chars().filter(|c| !c.is_whitespace() && *c != '-').map(|c| c.to_ascii_lowercase()).collect();
    let is_one = digits.len() == 2 * RECOVERY_OCTETS && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_one.then(|| {
        let groups: Vec<&str> = (0..digits.len()).step_by(5).map(|at| &digits[at..at + 5]).collect();
        groups.join("-")
    })
}

pub(crate) fn random<const OCTETS: usize>() -> io::Result<[u8; OCTETS]> {
    let mut octets = [0; OCTETS];
    getrandom::fill(&mut octets).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(octets)
}

#[cfg(test)]
mod tests {
    use super::{RECOVERY_CODES, recovery_codes, typed_recovery_code};

    #[test]
    fn recovery_codes_are_read_however_they_are_typed() {
        let codes = recovery_codes().unwrap();
        assert_eq!(codes.len(), RECOVERY_CODES);
        for code in &codes {
            assert_eq!(typed_recovery_code(code).as_ref(), Some(code));
            let typed = format!(" {} ", code.replace('-', " ").to_uppercase());
            assert_eq!(typed_recovery_code(&typed).as_ref(), Some(code));
        }
        for text in ["", "123456", "a1b2c-3d4e5-f6a7b-8c9d", "a1b2c-3d4e5-f6a7b-8c9dz", "ä".repeat(20).as_str()] {
            assert_eq!(typed_recovery_code(text), None, "{text:?}");
        }
    }
}
