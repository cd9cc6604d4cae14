//! HMAC over octets that come piece by piece.

use aws_lc_rs::{constant_time, hmac as aws};
use hmac::Mac as _;

use super::key::{Algorithm, Key};

/// A MAC being computed.
pub(super) enum Mac {
    Aws(Box<aws::Context>),
    /// aws-lc-rs rightly has no hmac-md5; primaries of BIND 9.1's age have nothing else.
    Md5(Box<hmac::Hmac<md5::Md5>>),
}

impl Mac {
    pub(super) fn new(key: &Key) -> Self {
        let algorithm = match key.algorithm() {
            Algorithm::HmacMd5 => {
                let mac = hmac::Hmac::new_from_slice(key.secret()).expect("HMAC takes a key of any length");
                return Self::Md5(Box::new(mac));
            }
            Algorithm::HmacSha1 => aws::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Algorithm::HmacSha224 => aws::HMAC_SHA224,
            Algorithm::HmacSha256 => aws::HMAC_SHA256,
            Algorithm::HmacSha384 => aws::HMAC_SHA384,
            Algorithm::HmacSha512 => aws::HMAC_SHA512,
        };
        Self::Aws(Box::new(aws::Context::with_key(&aws::Key::new(algorithm, key.secret()))))
    }

    pub(super) fn update(&mut self, octets: &[u8]) {
        match self {
            Self::Aws(context) => context.update(octets),
            Self::Md5(mac) => mac.update(octets),
        }
    }

    /// Adds an earlier MAC, led by its length in two octets (RFC 8945 §5.3).
    pub(super) fn update_with_mac(&mut self, mac: &[u8]) {
        self.update(&(mac.len() as u16).to_be_bytes());
        self.update(mac);
    }

    pub(super) fn finish(self) -> Vec<u8> {
        match self {
            Self::Aws(context) => context.sign().as_ref().to_vec(),
            Self::Md5(mac) => mac.finalize().into_bytes().to_vec(),
        }
    }

    /// Whether the MAC is `theirs`, compared in constant time.
    pub(super) fn verify(self, theirs: &[u8]) -> bool {
        constant_time::verify_slices_are_equal(&self.finish(), theirs).is_ok()
    }

    /// Whether the MAC begins with `theirs`, compared in constant time.
    pub(super) fn verify_start(self, theirs: &[u8]) -> bool {
        let ours = self.finish();
        ours.get(..theirs.len()).is_some_and(|start| constant_time::verify_slices_are_equal(start, theirs).is_ok())
    }
}
