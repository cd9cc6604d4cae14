//! How much one name may hold.
//!
//! Some work is done for each record of an RRset or each type of a name: writing an answer, finding a record that a
//! step removes. A name that is given tens of thousands of them makes a query dear that costs its sender nothing
//! (CVE-2024-1737). The limits keep contents with such names from being served at all.

/// What contents may have at most; the defaults never stand in the way of a zone whose RRsets can be answered.
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
}

impl Limits {
    /// For contents that were admitted before.
    pub const NONE: Self = Self { records_per_rrset: u16::MAX, types_per_name: u16::MAX };
}

impl Default for Limits {
    fn default() -> Self {
        Self { records_per_rrset: 4_096, types_per_name: 256 }
    }
}
