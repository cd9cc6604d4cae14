//! What a message says to a question that was put to a server of a certain zone. Pure.
//!
//! ```text
//!             AA │ answer to the question          → Answer
//!                │ nothing, NXDOMAIN               → Denied
//!                │ nothing, and NS nearer to it    → Referral (some servers set AA there)
//!          no AA │ NS nearer to the question       → Referral
//!                │ anything else                   → lame, or a resolver
//! ```
//!
//! Believed are the NS records of one owner that lies below the zone that the server was asked as a server of, and at or
//! above the question; and addresses of the servers that they name, if these lie in that zone: of others it knows no
//! more than anybody who would like to be asked in their place. All else in the message is passed over.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use dns::edns::Edns;
use dns::{CLASS_IN, Header, MessageReader, Name, NameBuf, NameRef, Rcode, Section, Type, WireRecord};

use crate::failure::Trouble;
use crate::hints::address_in;

/// Name servers of one zone: the root has 13, and no more than some dozens fit where people look at them.
const NAME_SERVERS_MAX: usize = 64;
/// Addresses of one name server; more are passed over.
const ADDRESSES_MAX: usize = 16;

/// What a zone is delegated to. Names are the same whatever the case of their letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NsSet {
    pub names: BTreeSet<Name>,
    /// Addresses that came with them and are believed.
    pub glue: BTreeMap<Name, BTreeSet<IpAddr>>,
}

/// How a server with authority says that there is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    /// The name is not there, nor is any below it.
    NxDomain,
    /// The name is there, or names below it are, but no records of the type.
    NoData,
}

impl std::fmt::Display for Denial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NxDomain => "the name does not exist (NXDOMAIN)",
            Self::NoData => "the name has no such records (NODATA)",
        })
    }
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// Data of the records that were asked for, with authority; for NS the same as a set.
    Answer {
        data: Vec<Vec<u8>>,
        ns: NsSet,
    },
    Referral {
        cut: Name,
        ns: NsSet,
    },
    /// By the zone whose SOA record says so, if one does.
    Denied {
        denial: Denial,
        by: Option<Name>,
    },
}

/// What one question is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'a> {
    pub(crate) name: NameRef<'a>,
    pub(crate) qtype: Type,
    /// The zone that the server was asked as a server of.
    pub(crate) serving: NameRef<'a>,
}

/// A record's owner and data.
type Entry = (NameBuf, Vec<u8>);

/// What of a message may matter.
#[derive(Default)]
struct Sorted {
    answers: Vec<Vec<u8>>,
    authority_ns: Vec<Entry>,
    soa_of: Option<Name>,
    addresses: Vec<(NameBuf, IpAddr)>,
}

impl Question<'_> {
    /// Reads the records behind the question.
    pub(crate) fn read(&self, mut reader: MessageReader<'_>) -> Result<Reply, Trouble> {
        let header = reader.header();
        let (sorted, rcode) = self.sort(&mut reader)?;
        if rcode != Rcode::NOERROR && rcode != Rcode::NXDOMAIN {
            return Err(Trouble::Answers(rcode));
        }
        let has_authority = header.has(Header::AA);
        if !sorted.answers.is_empty() {
            return self.answered(header, &sorted);
        }
        if let Some((owner, _)) = sorted.authority_ns.first()
            && rcode == Rcode::NOERROR
            && (!has_authority || sorted.soa_of.is_none())
        {
            let cut = owner.borrow();
            let is_nearer = cut.is_below(self.serving) && self.name.is_at_or_below(cut);
            // With authority the records may be the zone's own, beside a denial that lacks its SOA.
            return match (is_nearer, has_authority) {
                (true, _) => {
                    let rdata = sorted.authority_ns.iter().filter(|(owner, _)| owner.borrow() == cut);
                    let ns = self.believed(rdata.map(|(_, rdata)| rdata), &sorted)?;
                    Ok(Reply::Referral { cut: cut.to_name(), ns })
                }
                (false, false) => Err(Trouble::RefersAway { to: cut.to_name() }),
                (false, true) => Ok(Reply::Denied { denial: Denial::NoData, by: None }),
            };
        }
        if !has_authority {
            return Err(without_authority(header));
        }
        let denial = if rcode == Rcode::NXDOMAIN { Denial::NxDomain } else { Denial::NoData };
        Ok(Reply::Denied { denial, by: sorted.soa_of })
    }

    fn answered(&self, header: Header, sorted: &Sorted) -> Result<Reply, Trouble> {
        let ns = || match self.qtype {
            Type::NS => self.believed(sorted.answers.iter(), sorted),
            _ => Ok(NsSet::default()),
        };
        if header.has(Header::AA) {
            return Ok(Reply::Answer { data: sorted.answers.clone(), ns: ns()? });
        }
        // Old servers put what they delegate into the answer section; resolvers do so too, and say what they are (RA).
        let may_be_a_referral = self.qtype == Type::NS && self.name.is_below(self.serving);
        if may_be_a_referral && !header.has(Header::RA) {
            return Ok(Reply::Referral { cut: self.name.to_name(), ns: ns()? });
        }
        Err(without_authority(header))
    }

    /// The records that may matter, and the whole response code.
    fn sort(&self, reader: &mut MessageReader<'_>) -> Result<(Sorted, Rcode), Trouble> {
        let mut sorted = Sorted::default();
        let mut rcode = reader.header().rcode();
        while let Some(record) = reader.record()? {
            if record.rtype == Type::OPT {
                let edns = Edns::parse(record.class, record.ttl, reader.raw_rdata(&record))?;
                rcode = Rcode(u16::from(edns.rcode_high) << 4 | rcode.0);
                continue;
            }
            if record.class == CLASS_IN {
                self.sort_in(reader, &record, &mut sorted)?;
            }
        }
        reader.finish()?;
        Ok((sorted, rcode))
    }

    fn sort_in(&self, reader: &MessageReader<'_>, record: &WireRecord, sorted: &mut Sorted) -> Result<(), Trouble> {
        let rdata = || {
            let mut rdata = Vec::new();
            reader.rdata(record, &mut rdata).map(|()| rdata)
        };
        match (record.section, record.rtype) {
            (Section::Answer, rtype) if rtype == self.qtype && record.owner.borrow() == self.name => {
                sorted.answers.push(rdata()?);
            }
            (Section::Authority, Type::NS) => sorted.authority_ns.push((record.owner, rdata()?)),
            (Section::Authority, Type::SOA) => sorted.soa_of = Some(record.owner.borrow().to_name()),
            (Section::Additional, Type::A | Type::AAAA) => {
                if let Some(address) = address_in(record.rtype, &rdata()?) {
                    sorted.addresses.push((record.owner, address));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn believed<'r>(&self, ns: impl Iterator<Item = &'r Vec<u8>>, sorted: &Sorted) -> Result<NsSet, Trouble> {
        // Checked when it was read from the message.
        let names = ns.filter_map(|rdata| NameRef::prefix_of(rdata).ok());
        let names: BTreeSet<Name> = names.map(NameRef::to_name).collect();
        if names.len() > NAME_SERVERS_MAX {
            return Err(Trouble::TooManyNameServers { limit: NAME_SERVERS_MAX });
        }
        let mut glue: BTreeMap<Name, BTreeSet<IpAddr>> = BTreeMap::new();
        for (owner, address) in &sorted.addresses {
            let owner = owner.borrow();
            if owner.is_at_or_below(self.serving)
                && let Some(name) = names.get(&owner.to_name())
            {
                let addresses = glue.entry(name.clone()).or_default();
                if addresses.len() < ADDRESSES_MAX {
                    addresses.insert(*address);
                }
            }
        }
        Ok(NsSet { names, glue })
    }
}

fn without_authority(header: Header) -> Trouble {
    if header.has(Header::RA) { Trouble::Resolver } else { Trouble::NotAuthoritative }
}

#[cfg(test)]
mod tests {
    use dns::text::zone_from_text;
    use dns::writer::{CompressionTable, MessageWriter};
    use dns::{Header, MessageReader, Name, Rcode, Section, Type};
    use proptest::prelude::*;

    use super::{Denial, NsSet, Question, Reply};
    use crate::failure::Trouble;

    /// A message with records in its sections, as lines of a zone file.
    fn message(flags: u16, rcode: Rcode, sections: [&str; 3]) -> Vec<u8> {
        let (mut out, mut table) = (vec![0; 4096], CompressionTable::small());
        let mut writer = MessageWriter::new(&mut out, usize::MAX, &mut table, 0, flags | Header::QR);
        writer.set_rcode(rcode);
        for (section, text) in [Section::Answer, Section::Authority, Section::Additional].into_iter().zip(sections) {
            for record in &zone_from_text(".", text).unwrap() {
                writer.record(section, record).unwrap();
            }
        }
        let length = writer.finish();
        out.truncate(length);
        out
    }

    /// What it says to the question for `a.zone.test NS`, put to a server of `test`.
    fn read(message: &[u8], qtype: Type) -> Result<Reply, Trouble> {
        let (name, serving): (Name, Name) = ("a.zone.test.".parse().unwrap(), "test.".parse().unwrap());
        let question = Question { name: name.borrow(), qtype, serving: serving.borrow() };
        question.read(MessageReader::new(message)?)
    }

    fn ns(message: &[u8]) -> Result<Reply, Trouble> {
        read(message, Type::NS)
    }

    fn glue(set: &NsSet) -> String {
        let all = set.glue.iter().flat_map(|(name, all)| all.iter().map(move |address| format!("{name} {address}")));
        all.collect::<Vec<_>>().join(", ")
    }

    const OK: Rcode = Rcode::NOERROR;

    #[test]
    fn a_referral_is_to_a_zone_between_the_servers_own_and_the_question() {
        let referral = |zone: &str| ns(&message(0, OK, ["", &format!("{zone} 60 NS ns.zone.test.\n"), ""]));
        for zone in ["zone.test.", "ZONE.Test.", "a.zone.test."] {
            assert!(
                matches!(referral(zone), Ok(Reply::Referral { cut, .. }) if cut == zone.parse().unwrap()),
                "{zone}"
            );
        }
        for zone in ["test.", ".", "b.zone.test.", "b.a.zone.test.", "xzone.test.", "other."] {
            assert!(matches!(referral(zone), Err(Trouble::RefersAway { .. })), "{zone}");
        }
        let with_authority = message(Header::AA, OK, ["", "zone.test. 60 NS ns.zone.test.\n", ""]);
        assert!(matches!(ns(&with_authority), Ok(Reply::Referral { .. })), "as some servers say it");
        let old = message(0, OK, ["a.zone.test. 60 NS ns.zone.test.\n", "", ""]);
        assert!(matches!(ns(&old), Ok(Reply::Referral { .. })), "as old servers say it");
    }

    #[test]
    fn what_has_authority_answers_or_denies_and_what_has_none_is_lame() {
        let soa = "test. 60 SOA ns.test. host.test. 1 2 3 4 5\n";
        let records = "a.zone.test. 60 NS ns.test.\nb.zone.test. 60 NS evil.test.\na.zone.test. 60 TXT x\n";
        let Ok(Reply::Answer { data, ns: set }) = ns(&message(Header::AA, OK, [records, "", ""])) else { panic!() };
        assert_eq!((data.len(), set.names.len()), (1, 1), "only what was asked for");
        let denied = |rcode, sections| match ns(&message(Header::AA, rcode, sections)) {
            Ok(Reply::Denied { denial, by }) => Some((denial, by.map(|by| by.to_string()))),
            _ => None,
        };
        assert_eq!(denied(Rcode::NXDOMAIN, ["", soa, ""]), Some((Denial::NxDomain, Some("test.".into()))));
        assert_eq!(denied(OK, ["", soa, ""]), Some((Denial::NoData, Some("test.".into()))));
        assert_eq!(denied(OK, ["", "test. 60 NS ns.test.\n", ""]), Some((Denial::NoData, None)));
        assert_eq!(denied(OK, ["a.zone.test. 60 CNAME b.test.\n", "", ""]), Some((Denial::NoData, None)));
        for sections in [["", "", ""], ["", soa, ""], ["a.zone.test. 60 CNAME b.test.\n", "", ""]] {
            assert_eq!(ns(&message(0, OK, sections)), Err(Trouble::NotAuthoritative));
            assert_eq!(ns(&message(Header::RA, OK, sections)), Err(Trouble::Resolver));
        }
        let recursive = message(Header::RA, OK, [records, "", ""]);
        assert_eq!(ns(&recursive), Err(Trouble::Resolver));
        let data = message(0, OK, ["a.zone.test. 60 A 192.0.2.1\n", "", ""]);
        assert_eq!(read(&data, Type::A), Err(Trouble::NotAuthoritative));
        assert_eq!(ns(&message(Header::AA, Rcode::REFUSED, ["", "", ""])), Err(Trouble::Answers(Rcode::REFUSED)));
    }

    #[test]
    fn addresses_are_believed_of_named_servers_in_the_zone_of_who_says_them() {
        let authority = "zone.test. 60 NS ns.zone.test.\nzone.test. 60 NS NS.sister.test.\nzone.test. 60 NS ns.other.\n\
                         other. 60 NS evil.test.\n";
        let additional = "ns.zone.test. 60 A 192.0.2.1\nns.sister.TEST. 60 AAAA 2001:db8::1\nns.other. 60 A 192.0.2.66\n\
                          evil.test. 60 A 192.0.2.66\nnamed-by-nobody.test. 60 A 192.0.2.66\n";
        let Ok(Reply::Referral { ns, .. }) = ns(&message(0, OK, ["", authority, additional])) else { panic!() };
        assert_eq!(ns.names.len(), 3);
        assert_eq!(glue(&ns), "NS.sister.test. 2001:db8::1, ns.zone.test. 192.0.2.1");
    }

    proptest! {
        /// Whatever octets come: nothing panics, and what is believed lies in the zone that the server was asked for.
        #[test]
        fn damaged_messages_are_survived_and_believed_no_further(
            damage in proptest::collection::vec((0_usize..400, any::<u8>()), 0..12),
            cut in 0_usize..400,
            flags in any::<u16>(),
        ) {
            let authority = "zone.test. 60 NS ns.zone.test.\nzone.test. 60 NS ns.other.\n";
            let additional = "ns.zone.test. 60 A 192.0.2.1\nns.other. 60 A 192.0.2.66\n";
            let answer = "a.zone.test. 60 NS ns.other.\n";
            let mut octets = message(flags & 0x7ff0, OK, [answer, authority, additional]);
            for (at, octet) in damage {
                if let Some(place) = octets.get_mut(at) {
                    *place = octet;
                }
            }
            octets.truncate(octets.len().saturating_sub(cut / 8));
            let test: Name = "test.".parse().unwrap();
            for qtype in [Type::NS, Type::DS, Type::A, Type::SOA, Type::TXT] {
                if let Ok(Reply::Referral { ns, .. } | Reply::Answer { ns, .. }) = read(&octets, qtype) {
                    prop_assert!(ns.glue.keys().all(|name| name.borrow().is_at_or_below(test.borrow())));
                }
            }
        }
    }
}
