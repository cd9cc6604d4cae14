//! How much one name may hold.
//!
//! Some work is done for each record of an RRset or each type of a name: writing an answer, finding a record that a
//! step removes. A name that is given tens of thousands of them makes a query dear that costs its sender nothing
//! (CVE-2024-1737). The limits keep contents with such names from being served at all.

/// What contents may have at most, and how they are held; the defaults never stand in the way of a zone whose RRsets can be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Records of one owner and type, and RRSIGs over one RRset. RRsets of any size are transferred, but an answer
    /// holds 65,535 octets, also over TCP (RFC 1035 §4.2.2): at 16 octets for an A record, 4,094 of them.
    ///
    /// The default is 4,096. A hundred, the limit of other servers, has been in the way: of pools with many addresses,
    /// of SRV records for each host of a large site.
    pub records_per_rrset: u16,
    /// Types of one name, those of which only RRSIGs are left included.
    ///
    /// The default is 256: more than twice the number of types of data that are registered.
    pub types_per_name: u16,
    /// Names that are there only because there are names below them, for each name with records; the first 65,536 are
    /// free. A long name costs its sender a few octets where it shares its end with others, and us a name for each of
    /// its labels: five megabytes became four hundred so.
    ///
    /// The default is 64: reverse zones of IPv6, whose names are the longest in use, have 32 at most. Where there may be
    /// fewer, an image is built anew with each change, whatever its size, because that is what counts them.
    pub empty_names_per_name: u16,
    /// Up to so many octets an image is built anew with each change; of a larger one only the owners that change are.
    ///
    /// The default is 64 KiB: building so much takes less than a millisecond.
    pub rebuilt_octets_max: usize,
    /// So many owners may lie over an image, however small it is, or a sixteenth of the owners in it; with half as many it
    /// is worth building anew.
    ///
    /// The default is 4,096: building an image anew takes as long as a few thousand changes of it.
    pub changes_min: usize,
}

impl Limits {
    /// For contents that were admitted before.
    pub const NONE: Self = Self {
        records_per_rrset: u16::MAX,
        types_per_name: u16::MAX,
        empty_names_per_name: u16::MAX,
        ..Self::DEFAULT
    };

    pub(crate) const EMPTY_NAMES_PER_NAME: u16 = 64;

    const DEFAULT: Self = Self {
        records_per_rrset: 4_096,
        types_per_name: 256,
        empty_names_per_name: Self::EMPTY_NAMES_PER_NAME,
        rebuilt_octets_max: 64 * 1024,
        changes_min: 4_096,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
