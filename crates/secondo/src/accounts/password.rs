//! Passwords: Argon2id, as OWASP advises (19 MiB, two passes).
//!
//! Hashing takes some 20 ms of a core and 19 MiB, and anybody may ask for it: so many at a time, and whoever finds no place
//! in time is told to come back.

use std::sync::LazyLock;
use std::time::Duration;

use api::{Code, Problem};
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;

/// NIST SP 800-63B §3.1.1.2 has 8 as the least and 15 for a password alone; composition rules it advises against.
const CHARACTERS_MIN: usize = 12;
/// Whoever types more does not type; hashing takes time with the length.
const OCTETS_MAX: usize = 1024;
const AT_ONCE: usize = 2;
const PLACE_WITHIN: Duration = Duration::from_secs(5);

static PLACES: Semaphore = Semaphore::const_new(AT_ONCE);

/// What is compared where there is no such user, so that an answer comes after the same time: of a password that nobody has.
static NOBODYS: LazyLock<String> = LazyLock::new(|| hash("nobody's password, of some length").unwrap_or_default());

/// # Errors
/// [`Code::PasswordWeak`].
pub(crate) fn check(password: &str, email: &str) -> Result<(), Problem> {
    let weak = |detail: String| Err(Problem::new(Code::PasswordWeak, detail));
    if password.chars().count() < CHARACTERS_MIN {
        return weak(format!(
            "the password must have at least {CHARACTERS_MIN} characters: several words are easy to keep"
        ));
    }
    if password.len() > OCTETS_MAX {
        return weak(format!("the password must have at most {OCTETS_MAX} octets"));
    }
    let first = password.chars().next();
    let local = email.split('@').next().unwrap_or_default().to_lowercase();
    let lower = password.to_lowercase();
    if password.chars().all(|c| Some(c) == first)
        || lower == email.to_lowercase()
        || lower.replace(&local, "").len() < 4
    {
        return weak(
            "the password is easy to guess: choose one that is not your address or one character again".to_owned(),
        );
    }
    Ok(())
}

/// As it is kept.
pub(crate) async fn hashed(password: &str) -> Result<String, Problem> {
    let password = password.to_owned();
    let hashed = in_a_place(move || hash(&password)).await?;
    hashed.map_err(|error| Problem::new(Code::Internal, format!("the password cannot be hashed: {error}")))
}

/// Whether the password is the one that was hashed; `kept` is none where there is nobody to compare with.
pub(crate) async fn is_right(password: &str, kept: Option<String>) -> Result<bool, Problem> {
    if password.len() > OCTETS_MAX {
        return Ok(false);
    }
    let password = password.to_owned();
    in_a_place(move || {
        // Who was added and has set no password takes as long as anybody.
        let own = kept.as_deref().and_then(|kept| PasswordHash::new(kept).ok());
        let is_theirs = own.is_some();
        let hash = own.or_else(|| PasswordHash::new(&NOBODYS).ok());
        let is_same = hash.is_some_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
        is_same && is_theirs
    })
    .await
}

fn hash(password: &str) -> Result<String, argon2::password_hash::Error> {
    Ok(Argon2::default().hash_password(password.as_bytes())?.to_string())
}

async fn in_a_place<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    let Ok(Ok(_place)) = tokio::time::timeout(PLACE_WITHIN, PLACES.acquire()).await else {
        return Err(Problem::new(Code::TimedOut, "too many are signing in: try again in a minute"));
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| Problem::new(Code::Internal, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::{check, hashed, is_right};

    #[tokio::test]
    async fn a_password_is_known_again_and_no_other_one() {
        let kept = hashed("correct horse battery").await.unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(is_right("correct horse battery", Some(kept.clone())).await.unwrap());
        assert!(!is_right("correct horse batterz", Some(kept.clone())).await.unwrap());
        assert_ne!(hashed("correct horse battery").await.unwrap(), kept, "each has a salt of its own");
        assert!(!is_right("nobody's password, of some length", None).await.unwrap());
        assert!(!is_right("", Some(String::new())).await.unwrap(), "who has set none has none");
        assert!(!is_right(&"x".repeat(1 << 20), Some(kept)).await.unwrap());
    }

    #[test]
    fn what_anybody_would_guess_is_no_password() {
        for password in ["", "short", "aaaaaaaaaaaaaaaa", "alice@example.org", "alicealicealice", "ALICEaliceALICE1"]
        {
            assert!(check(password, "alice@example.org").is_err(), "{password:?}");
        }
        assert!(check(&"x".repeat(2000), "alice@example.org").is_err());
        for password in ["correct horse battery", "päßwörter sind lang", "111111111112"] {
            assert!(check(password, "alice@example.org").is_ok(), "{password:?}");
        }
    }
}
