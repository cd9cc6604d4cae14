//! The image: see ARCHITECTURE.md.

use std::sync::Arc;

use dns::{NameRef, RecordRef, Serial, Soa};

use crate::digest::Digest;

/// Octets that an image lives in: a buffer of its own, or a file mapped read-only.
pub type ImageBytes = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// The octets are not an image that this program wrote.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the image is damaged: {0}")]
pub struct Damaged(pub &'static str);

#[derive(Clone)]
pub struct Image {
    bytes: ImageBytes,
}

impl Image {
    pub fn from_bytes(bytes: ImageBytes) -> Result<Self, Damaged> {
        Ok(Self { bytes })
    }
    pub fn as_bytes(&self) -> &[u8] {
        (*self.bytes).as_ref()
    }
    pub fn apex(&self) -> NameRef<'_> {
        unimplemented!()
    }
    pub fn serial(&self) -> Serial {
        unimplemented!()
    }
    pub fn soa(&self) -> Soa {
        unimplemented!()
    }
    pub fn digest(&self) -> Digest {
        unimplemented!()
    }
    pub fn record_count(&self) -> u64 {
        unimplemented!()
    }
    pub fn records(&self) -> impl Iterator<Item = RecordRef<'_>> {
        std::iter::empty()
    }
}
