//! A shared secret with its name and algorithm.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dns::{Name, NameRef};

/// How a message is signed (RFC 8945 §6). The two old ones are for primaries that know no better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    HmacMd5,
    HmacSha1,
    HmacSha224,
    HmacSha256,
    HmacSha384,
    HmacSha512,
}

impl Algorithm {
    pub const ALL: [Self; 6] =
        [Self::HmacMd5, Self::HmacSha1, Self::HmacSha224, Self::HmacSha256, Self::HmacSha384, Self::HmacSha512];

    /// Octets of a whole MAC, and of a generated secret.
    pub fn mac_octets(self) -> usize {
        match self {
            Self::HmacMd5 => 16,
            Self::HmacSha1 => 20,
            Self::HmacSha224 => 28,
            Self::HmacSha256 => 32,
            Self::HmacSha384 => 48,
            Self::HmacSha512 => 64,
        }
    }

    /// The name in TSIG records, in lower case.
    pub(crate) fn wire_name(self) -> NameRef<'static> {
        NameRef::from_checked(match self {
            Self::HmacMd5 => b"\x08hmac-md5\x07sig-alg\x03reg\x03int\x00",
            Self::HmacSha1 => b"\x09hmac-sha1\x00",
            Self::HmacSha224 => b"\x0bhmac-sha224\x00",
            Self::HmacSha256 => b"\x0bhmac-sha256\x00",
            Self::HmacSha384 => b"\x0bhmac-sha384\x00",
            Self::HmacSha512 => b"\x0bhmac-sha512\x00",
        })
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HmacMd5 => "hmac-md5",
            Self::HmacSha1 => "hmac-sha1",
            Self::HmacSha224 => "hmac-sha224",
            Self::HmacSha256 => "hmac-sha256",
            Self::HmacSha384 => "hmac-sha384",
            Self::HmacSha512 => "hmac-sha512",
        })
    }
}

impl FromStr for Algorithm {
    type Err = KeyError;

    /// Takes the names that people and other servers write, in any case, with or without the last dot.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let plain = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let plain = if plain == "hmac-md5.sig-alg.reg.int" { "hmac-md5" } else { &plain };
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.to_string() == plain)
            .ok_or_else(|| KeyError::UnknownAlgorithm(text.to_owned()))
    }
}

/// What is wrong with a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error(
        "`{0}` is no TSIG algorithm; there are hmac-md5, hmac-sha1, hmac-sha224, hmac-sha256, hmac-sha384 and \
         hmac-sha512"
    )]
    UnknownAlgorithm(String),
    #[error("the secret is not base64")]
    NotBase64,
    #[error("the secret is empty")]
    EmptySecret,
    #[error("the secret has more than {SECRET_OCTETS_MAX} octets")]
    SecretTooLong,
    #[error("the system gave no random numbers")]
    NoRandomness,
}

/// The longest secret, in octets: HMAC hashes anything longer than a block, so that more adds nothing.
const SECRET_OCTETS_MAX: usize = 1024;

/// A secret that a primary and we share.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    name: Name,
    algorithm: Algorithm,
    secret: Vec<u8>,
}

impl Key {
    /// A key whose name is kept in lower case: case means nothing in it (RFC 8945 §4.2), but some primaries find only
    /// what they were told to the letter, and they were told so.
    ///
    /// # Errors
    /// When the secret is empty or absurdly long.
    pub fn new(name: Name, algorithm: Algorithm, secret: Vec<u8>) -> Result<Self, KeyError> {
        match secret.len() {
            0 => Err(KeyError::EmptySecret),
            1..=SECRET_OCTETS_MAX => Ok(Self { name: name.to_lower(), algorithm, secret }),
            _ => Err(KeyError::SecretTooLong),
        }
    }

    /// A key from its secret in base64; white space in it and missing padding do not matter.
    ///
    /// # Errors
    /// When the secret is not base64, empty or absurdly long. The error never shows it.
    pub fn from_base64(name: Name, algorithm: Algorithm, secret: &str) -> Result<Self, KeyError> {
        let mut compact: String = secret.chars().filter(|letter| !letter.is_whitespace()).collect();
        compact.truncate(compact.trim_end_matches('=').len());
        while !compact.len().is_multiple_of(4) {
            compact.push('=');
        }
        let secret = STANDARD.decode(compact).map_err(|_| KeyError::NotBase64)?;
        Self::new(name, algorithm, secret)
    }

    /// A new key with as many random octets as its algorithm's MAC has (RFC 8945 §8 asks for no fewer).
    ///
    /// # Errors
    /// When the kernel has no random numbers.
    pub fn generate(name: Name, algorithm: Algorithm) -> Result<Self, KeyError> {
        let mut secret = vec![0; algorithm.mac_octets()];
        getrandom::fill(&mut secret).map_err(|_| KeyError::NoRandomness)?;
        Self::new(name, algorithm, secret)
    }

    pub fn name(&self) -> &Name {
        &self.name
    }

    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The secret as primaries want it written: for the one time that it is shown, and for storing it.
    pub fn secret_base64(&self) -> String {
        STANDARD.encode(&self.secret)
    }

    pub(crate) fn secret(&self) -> &[u8] {
        &self.secret
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({} {})", self.name, self.algorithm)
    }
}

#[cfg(test)]
mod tests {
    use super::{Algorithm, Key, KeyError};

    #[test]
    fn algorithms_are_known_by_the_names_that_people_write() {
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.to_string().parse(), Ok(algorithm));
            assert_eq!(algorithm.wire_name().to_string().parse(), Ok(algorithm));
        }
        assert_eq!("HMAC-MD5.SIG-ALG.REG.INT.".parse(), Ok(Algorithm::HmacMd5));
        assert!("hmac-sha3".parse::<Algorithm>().is_err());
    }

    #[test]
    fn secrets_are_read_with_and_without_padding_and_never_shown() {
        let key = |text| Key::from_base64("k.".parse().unwrap(), Algorithm::HmacSha256, text);
        assert_eq!(key("c2VjcmV0IQ==").unwrap(), key("c2Vj\n cmV0IQ").unwrap());
        assert_eq!(key("c2VjcmV0IQ").unwrap().secret_base64(), "c2VjcmV0IQ==");
        assert_eq!(format!("{:?}", key("c2VjcmV0IQ==").unwrap()), "Key(k. hmac-sha256)");
        assert_eq!(key("not base64!"), Err(KeyError::NotBase64));
        assert_eq!(key(""), Err(KeyError::EmptySecret));
    }

    #[test]
    fn generated_secrets_are_as_long_as_the_mac_and_differ() {
        let key = || Key::generate("k.".parse().unwrap(), Algorithm::HmacSha512).unwrap();
        assert_eq!(key().secret().len(), 64);
        assert_ne!(key(), key());
    }
}
