//! What stands in the database in the place of a secret.

use std::fmt;

/// The hash of a secret that was made here, of at least 128 random bits: nobody finds such a one by trying, so that a fast
/// hash does (a password needs another kind). BLAKE3, in hexadecimal.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Hashed(String);

impl Hashed {
    pub fn of(secret: &str) -> Self {
        Self(blake3::hash(secret.as_bytes()).to_hex().to_string())
    }

    /// Whether it is what stands there for a session.
    pub fn stands_as(&self, id: &str) -> bool {
        self.0 == id
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hashed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hashed")
    }
}
