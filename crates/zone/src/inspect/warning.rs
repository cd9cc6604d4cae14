//! What can be doubtful: one closed list, with a code for programs and a sentence for people.

use std::collections::BTreeMap;

use dns::{Name, Type};

/// How many warnings of one kind are kept; of a kind that befalls every name, ten show what is wrong.
pub const NAMED_MAX: u64 = 10;

/// Something about contents that makes them less than they should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    #[error("{apex} has DNSKEY records, but nothing there is signed")]
    KeysWithoutSignatures { apex: Name },
    #[error("{apex} is signed, but has no DNSKEY record to validate it with")]
    SignaturesWithoutKeys { apex: Name },
    #[error("{apex} is signed, but has neither NSEC nor NSEC3PARAM: no name can be denied")]
    NoDenial { apex: Name },
    #[error("the {rtype} record of {owner} cannot be read")]
    Unreadable { owner: Name, rtype: Type },

    #[error("{owner} {rtype} is not signed, in a zone that is (RFC 4035 §2.2)")]
    NotSigned { owner: Name, rtype: Type },
    #[error("no signature over {owner} {rtype} holds any more, the last one for {secs} s")]
    SignatureExpired { owner: Name, rtype: Type, secs: u64 },
    #[error(
        "the signatures over {owner} {rtype} hold for {secs} s more only: its signer should have renewed them by now"
    )]
    SignatureLapsesSoon { owner: Name, rtype: Type, secs: u64 },
    #[error("no signature over {owner} {rtype} holds yet, the first one in {secs} s")]
    SignatureInFuture { owner: Name, rtype: Type, secs: u64 },

    #[error("{owner} has no NSEC record, which every name of the zone needs (RFC 4035 §2.3)")]
    NsecMissing { owner: Name },
    #[error("{owner} has an NSEC record and nothing else (RFC 4035 §2.3)")]
    NsecAlone { owner: Name },
    #[error("{owner} has an NSEC record, though it lies below a zone cut (RFC 4035 §2.3)")]
    NsecOccluded { owner: Name },
    #[error("{owner} has more than one NSEC record")]
    NsecSeveral { owner: Name },
    #[error("the NSEC record of {owner} leads to {next}, and {expected} comes next")]
    NsecBroken { owner: Name, next: Name, expected: Name },

    #[error("NSEC3 uses hash algorithm {algorithm}, which resolvers pass over (RFC 5155 §8.1)")]
    Nsec3Algorithm { algorithm: u8 },
    #[error(
        "NSEC3 hashes each name {iterations} times again, and resolvers refuse more than 500 (RFC 9276 Appendix A)"
    )]
    Nsec3Iterations { iterations: u16 },
    #[error("there are {chains} chains of NSEC3 records, for as many NSEC3PARAM records")]
    Nsec3SeveralChains { chains: usize },
    #[error("there is no NSEC3 record for the NSEC3PARAM record with {iterations} iterations and the salt {salt}")]
    Nsec3ChainEmpty { iterations: u16, salt: String },
    #[error("{owner} has an NSEC3 record, but is no hash directly below the apex (RFC 5155 §3)")]
    Nsec3BadOwner { owner: Name },
    #[error("{owner} has more than one NSEC3 record of one chain")]
    Nsec3Several { owner: Name },
    #[error("the NSEC3 record of {owner} does not lead to the next one, {expected}")]
    Nsec3Broken { owner: Name, expected: Name },
    #[error("the chain of NSEC3 records has {found} of them, and between {least} and {most} names need one")]
    Nsec3Count { found: u64, least: u64, most: u64 },
}

impl Warning {
    /// The stable name for programs, for example `nsec_broken`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::KeysWithoutSignatures { .. } => "keys_without_signatures",
            Self::SignaturesWithoutKeys { .. } => "signatures_without_keys",
            Self::NoDenial { .. } => "no_denial",
            Self::Unreadable { .. } => "unreadable",
            Self::NotSigned { .. } => "not_signed",
            Self::SignatureExpired { .. } => "signature_expired",
            Self::SignatureLapsesSoon { .. } => "signature_lapses_soon",
            Self::SignatureInFuture { .. } => "signature_in_future",
            Self::NsecMissing { .. } => "nsec_missing",
            Self::NsecAlone { .. } => "nsec_alone",
            Self::NsecOccluded { .. } => "nsec_occluded",
            Self::NsecSeveral { .. } => "nsec_several",
            Self::NsecBroken { .. } => "nsec_broken",
            Self::Nsec3Algorithm { .. } => "nsec3_algorithm",
            Self::Nsec3Iterations { .. } => "nsec3_iterations",
            Self::Nsec3SeveralChains { .. } => "nsec3_several_chains",
            Self::Nsec3ChainEmpty { .. } => "nsec3_chain_empty",
            Self::Nsec3BadOwner { .. } => "nsec3_bad_owner",
            Self::Nsec3Several { .. } => "nsec3_several",
            Self::Nsec3Broken { .. } => "nsec3_broken",
            Self::Nsec3Count { .. } => "nsec3_count",
        }
    }
}

/// Warnings in the order in which they were found: the first [`NAMED_MAX`] of each kind, the others counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Warnings {
    named: Vec<Warning>,
    counts: BTreeMap<&'static str, u64>,
}

impl Warnings {
    pub(super) fn push(&mut self, warning: Warning) {
        let count = self.counts.entry(warning.code()).or_default();
        *count += 1;
        if *count <= NAMED_MAX {
            self.named.push(warning);
        }
    }

    /// Those that were kept.
    pub fn named(&self) -> &[Warning] {
        &self.named
    }

    /// How many there are of each kind, by code, those that were not kept included.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.counts.iter().map(|(code, count)| (*code, *count))
    }

    pub fn is_empty(&self) -> bool {
        self.named.is_empty()
    }
}
