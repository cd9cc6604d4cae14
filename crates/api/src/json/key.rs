//! TSIG keys, whose secrets are said once.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Time;
use super::words::words;

words! {
    /// A TSIG algorithm (RFC 8945 §6).
    KeyAlgorithm {
        HmacMd5 = "hmac-md5",
        HmacSha1 = "hmac-sha1",
        HmacSha224 = "hmac-sha224",
        HmacSha256 = "hmac-sha256",
        HmacSha384 = "hmac-sha384",
        HmacSha512 = "hmac-sha512",
    }
}

/// A key to add.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddKey {
    #[schema(example = "transfer.example.org")]
    pub name: String,
    /// `hmac-sha256` unless said otherwise.
    #[schema(example = "hmac-sha256")]
    pub algorithm: Option<String>,
    /// In base64; none to have Secondo generate one.
    pub secret: Option<String>,
}

impl std::fmt::Debug for AddKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AddKey").field("name", &self.name).field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// A key that was added.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AddedKey {
    pub name: String,
    pub algorithm: KeyAlgorithm,
    /// In base64, if Secondo generated it; it is never said again.
    pub secret: Option<String>,
}

impl std::fmt::Debug for AddedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AddedKey")
            .field("name", &self.name)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// A key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Key {
    pub name: String,
    pub algorithm: KeyAlgorithm,
    pub created_at: Time,
    /// How many primaries are asked with it.
    pub primaries: u64,
}

/// All keys, in the order of their names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Keys {
    pub keys: Vec<Key>,
}
