//! Codes of an authenticator (RFC 6238): six digits, thirty seconds, SHA-1, as every authenticator has them. A clock may be
//! one step off.

use api::{Code, Problem};
use totp_rs::{Algorithm, Builder, Secret, Totp};

use super::secret;

/// RFC 4226 §4 (R6) recommends 160 bits.
const SECRET_OCTETS: usize = 20;
const DIGITS: u8 = 6;
const STEP_SECS: u64 = 30;
/// Steps before and after the present one that count too (RFC 6238 §5.2).
const SKEW: u16 = 1;
const ISSUER: &str = "Secondo";

/// A new secret, in base32.
pub(crate) fn new_secret() -> std::io::Result<String> {
    Ok(Secret::from(secret::random::<SECRET_OCTETS>()?).to_base32())
}

/// What a telephone reads.
///
/// # Errors
/// [`Code::CodeWrong`] when the secret is none.
pub(crate) fn url(secret: &str, email: &str) -> Result<String, Problem> {
    let url = totp(secret, email)?.to_url();
    url.map_err(|error| Problem::new(Code::Internal, format!("the second factor cannot be shown: {error}")))
}

/// The step of time whose code this is, if it is one that counts now.
///
/// # Errors
/// [`Code::CodeWrong`] when the secret is none.
pub(crate) fn step_of(secret: &str, code: &str, unix_secs: u64) -> Result<Option<u64>, Problem> {
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let is_code = code.len() == usize::from(DIGITS) && code.bytes().all(|digit| digit.is_ascii_digit());
    if !is_code {
        return Ok(None);
    }
    Ok(totp(secret, "somebody")?.check(&code, unix_secs))
}

fn totp(secret: &str, email: &str) -> Result<Totp, Problem> {
    let wrong = || Problem::new(Code::CodeWrong, "the second factor's secret cannot be read: begin again");
    let secret = Secret::try_from_base32(secret).map_err(|_| wrong())?;
    // What stands between issuer and account in the URL.
    let account: String = email.chars().filter(|c| *c != ':').collect();
    let builder = Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(DIGITS)
        .with_skew(SKEW)
        .with_step_duration(STEP_SECS)
        .with_secret(secret)
        .with_issuer(Some(ISSUER))
        .with_account_name(account);
    builder.build().map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::{new_secret, step_of, url};

    /// RFC 6238, appendix B, its last six digits; the secret is "12345678901234567890".
    const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    #[test]
    fn codes_are_those_of_the_standard_and_count_for_a_step_more_or_less() {
        for (secs, code) in [(59, "287082"), (1_111_111_109, "081804"), (2_000_000_000, "279037")] {
            let step = secs / 30;
            for (now, counts) in [(secs, true), (secs + 30, true), (secs - 30, true), (secs + 90, false)] {
                assert_eq!(step_of(SECRET, code, now).unwrap(), counts.then_some(step), "{code} at {now}");
            }
        }
        assert_eq!(step_of(SECRET, "287 082", 59).unwrap(), Some(1));
        for code in ["", "28708", "2870822", "28708x", "２８７０８２"] {
            assert_eq!(step_of(SECRET, code, 59).unwrap(), None, "{code:?}");
        }
        assert!(step_of("not base32!", "287082", 59).is_err());
    }

    #[test]
    fn a_telephone_reads_secret_issuer_and_address() {
        let secret = new_secret().unwrap();
        assert_eq!(secret.len(), 32);
        let url = url(&secret, "alice@example.org").unwrap();
        assert!(url.starts_with("otpauth://totp/Secondo:alice%40example.org?"), "{url}");
        assert!(url.contains(&format!("secret={secret}")) && url.contains("issuer=Secondo"), "{url}");
    }
}
