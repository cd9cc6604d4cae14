//! One reason of each code.

use dns::{Malformed, Name, Rcode, Serial, Type};

use super::{Asked, Reason, Waiting};
use crate::destinations::{RefusedAddress, Rule};

impl Reason {
    /// One reason of each code: for documentation, and for tests of what people will read.
    pub fn examples() -> Vec<Self> {
        let name = |wire: &'static [u8]| Name::from_wire(wire).expect("a name");
        let key = || name(b"\x03key\x00");
        let owner = || name(b"\x03www\x07example\x00");
        let record = || "www.example. 60 IN A 192.0.2.1".to_owned();
        let detail = || "no space".to_owned();
        let (ours, theirs) = (Serial(7), Serial(5));
        vec![
            Self::TimedOut { waiting: Waiting::Answer(Asked::Soa), millis: 2000 },
            Self::Unreachable { detail: "nothing listens there (connection refused)".into() },
            Self::ConnectionClosed { messages: 3 },
            Self::Hung { millis: 30_000 },
            Self::TooSlow { octets: 512, millis: 60_000 },
            Self::TookTooLong { secs: 14_400 },
            Self::DrawnOut { secs: 75 },
            Self::SourceNotHere { source_address: [192, 0, 2, 1].into() },
            Self::AddressRefused(RefusedAddress { address: [10, 0, 0, 1].into(), rule: Rule::Private }),
            Self::TlsFailed { detail: "received corrupt message".into() },
            Self::TlsVersion,
            Self::TlsNoAlpn,
            Self::TlsCertificate { detail: "certificate expired".into() },
            Self::TlsPin { found: "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=".into() },
            Self::TlsOurCertificate { alert: "CertificateRequired".into() },
            Self::Refused(Asked::Axfr),
            Self::NotAuth(Asked::Axfr),
            Self::ServFail(Asked::Soa),
            Self::FormErr(Asked::Ixfr),
            Self::NotImp(Asked::Ixfr),
            Self::OtherRcode { asked: Asked::Soa, rcode: Rcode::NXDOMAIN },
            Self::NotAuthoritative,
            Self::Malformed(Malformed::Truncated),
            Self::EmptyMessage,
            Self::TrailingOctets,
            Self::WrongId,
            Self::NotAResponse,
            Self::WrongQuestion,
            Self::TruncatedOverTcp,
            Self::NoSoa,
            Self::SoaMismatch { first: ours, last: theirs },
            Self::SoaInTheMiddle { serial: theirs },
            Self::ForeignSoa { owner: owner() },
            Self::RecordsAfterEnd,
            Self::ClassNotIn { class: 3 },
            Self::MetaType { rtype: Type::TSIG },
            Self::TooManyOctets { limit: 1 << 31 },
            Self::TooManyRecords { limit: 50_000_000 },
            Self::TooMuchUnderWay { limit: 1 << 30 },
            Self::IxfrNotFromOurs { ours, theirs },
            Self::IxfrGap { expected: ours, found: theirs },
            Self::IxfrCycle { from: ours, to: theirs },
            Self::IxfrTooManySteps { limit: 10_000 },
            Self::IxfrDeleteAbsent { record: record() },
            Self::IxfrAddPresent { record: record() },
            Self::ZoneWithoutSoa,
            Self::ZoneWithSeveralSoas,
            Self::ZoneWithoutNs,
            Self::CnameWithOtherData { owner: owner() },
            Self::SeveralOfASingleton { owner: owner(), rtype: Type::CNAME },
            Self::RrsetTooLarge { owner: owner(), rtype: Type::TXT, limit: 4096 },
            Self::TooManyTypes { owner: owner(), limit: 256 },
            Self::ZoneTooLarge { detail: "17 GiB".into() },
            Self::SerialWentBack { ours, theirs },
            Self::SerialIncomparable { ours, theirs: Serial(ours.0 ^ 1 << 31) },
            Self::SerialNotRaised { serial: ours },
            Self::ZonemdFailed { detail: "the digest of the contents is another one".into() },
            Self::VersionHeld { serial: ours, lost_percent: 73 },
            Self::VersionKept { serial: ours },
            Self::OverLimit { serial: ours, records: 1_200, limit: 1_000 },
            Self::ZoneFrozen { serial: ours },
            Self::FrozenAndLost { serial: ours },
            Self::LessThanShown { shown: theirs, given: ours },
            Self::TsigBadKey { key: key() },
            Self::TsigBadSig { key: key() },
            Self::TsigRejected { asked: Asked::Soa, key: key() },
            Self::TsigBadTime { skew_secs: 412 },
            Self::TsigBadTrunc,
            Self::TsigWrongMac { key: key() },
            Self::TsigMissing { key: key() },
            Self::TsigUnsignedTail,
            Self::TsigTooManyUnsigned { limit: 99 },
            Self::TsigTruncatedMac { octets: 16 },
            Self::TsigOtherKey { expected: key(), found: owner() },
            Self::TsigOtherAlgorithm { found: name(b"\x09hmac-sha1\x00") },
            Self::TsigMalformed,
            Self::KeyMissing { key: key() },
            Self::StoreFailed { detail: detail() },
            Self::SocketFailed { detail: "too many open files".into() },
            Self::Busy { secs: 600 },
            Self::Overtaken,
            Self::ZoneRemoved,
            Self::Internal { detail: detail() },
        ]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::reason::Reason;

    #[test]
    fn every_code_has_one_example_and_says_what_to_do() {
        let codes: BTreeSet<&str> = Reason::examples().iter().map(Reason::code).collect();
        assert_eq!(codes.len(), Reason::examples().len(), "an example stands twice");
        // The table has a line for each variant, because its match is whole.
        let lines = include_str!("../reason.rs").lines().filter(|line| line.contains("Entry(\"")).count();
        assert_eq!(codes.len(), lines, "a reason has no example");
        for reason in Reason::examples() {
            assert!(reason.code().bytes().all(|octet| matches!(octet, b'a'..=b'z' | b'_')), "{}", reason.code());
            let advice = reason.advice(&"example.org.".parse().unwrap());
            assert!(advice.ends_with('.') && !advice.contains("ZONE"), "{reason}: {advice}");
        }
    }

    #[test]
    fn the_skew_of_clocks_is_said_in_words() {
        let said = |skew_secs| Reason::TsigBadTime { skew_secs }.to_string();
        assert_eq!(said(412), "the clocks differ too much for TSIG: their clock is 412 s ahead");
        assert_eq!(said(-7200), "the clocks differ too much for TSIG: their clock is 7200 s behind");
    }
}
