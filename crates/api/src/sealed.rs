//! Answers that are kept for one client: sealed with what only that client has.
//!
//! Invariant: without the token and the key that a client sends nothing that was sealed can be opened; neither is here, nor
//! anything that they could be found out from.

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Of a nonce, which stands before what is sealed.
const NONCE_OCTETS: usize = 12;

/// What one client's request is kept by.
pub(crate) struct Seal {
    id: String,
    secret: [u8; 32],
}

impl Seal {
    pub(crate) fn of(token: &str, key: &str) -> Self {
        let derived = |purpose: &str| {
            let mut hasher = blake3::Hasher::new_derive_key(purpose);
            hasher.update(&(token.len() as u64).to_be_bytes()).update(token.as_bytes()).update(key.as_bytes());
            hasher.finalize()
        };
        Self {
            id: derived("secondo 2026-11-22 id of a request that may be sent again").to_hex().to_string(),
            secret: *derived("secondo 2026-11-22 seal of a request that may be sent again").as_bytes(),
        }
    }

    /// What the request is found by; it says nothing of the token or the key.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// None if there is no randomness.
    pub(crate) fn closed(&self, text: &[u8]) -> Option<String> {
        let key = RandomizedNonceKey::new(&AES_256_GCM, &self.secret).ok()?;
        let mut sealed = text.to_vec();
        let nonce = key.seal_in_place_append_tag(Aad::from(self.id.as_bytes()), &mut sealed).ok()?;
        Some(STANDARD.encode([&nonce.as_ref()[..], &sealed].concat()))
    }

    /// None if it was sealed with something else, or is damaged.
    pub(crate) fn opened(&self, sealed: &str) -> Option<Vec<u8>> {
        let sealed = STANDARD.decode(sealed).ok()?;
        let (nonce, text) = sealed.split_at_checked(NONCE_OCTETS)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let key = RandomizedNonceKey::new(&AES_256_GCM, &self.secret).ok()?;
        let mut text = text.to_vec();
        Some(key.open_in_place(nonce, Aad::from(self.id.as_bytes()), &mut text).ok()?.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::Seal;

    #[test]
    fn only_who_has_both_opens_what_is_sealed() {
        let seal = Seal::of("token", "key");
        let sealed = seal.closed(b"a secret").unwrap();
        assert!(!sealed.contains("secret") && sealed != seal.closed(b"a secret").unwrap());
        assert_eq!(seal.opened(&sealed).as_deref(), Some(&b"a secret"[..]));
        for other in [Seal::of("token", "another"), Seal::of("another", "key"), Seal::of("tokenk", "ey")] {
            assert!(other.id() != seal.id() && other.opened(&sealed).is_none());
        }
        for damaged in ["", "AAAA", &sealed[..sealed.len() - 8]] {
            assert!(seal.opened(damaged).is_none(), "{damaged}");
        }
    }
}
