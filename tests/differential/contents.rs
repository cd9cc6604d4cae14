//! What a zone holds, as a primary transfers it: for drawing questions, and for telling in which case an answer is.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, TcpStream};
use std::ops::Bound;

use dns::{MessageReader, Name, NameRef, Opcode, RecordRef, Records, Type};
use testing::query;

use crate::zones::Zone;

pub(crate) struct Contents {
    pub(crate) apex: Name,
    /// The file that it came from.
    pub(crate) zone: Zone,
    pub(crate) records: Records,
    /// Every name that exists, the empty ones too (RFC 4592 §2.2.2), with its types.
    names: BTreeMap<Name, BTreeSet<Type>>,
}

impl Contents {
    /// Takes the zone from a server.
    pub(crate) fn transfer(server: SocketAddr, zone: &Zone) -> Self {
        let apex = &zone.apex;
        let what = |error: String| -> Records { panic!("{server} does not transfer {apex}: {error}") };
        let records = transfer(server, apex).unwrap_or_else(what);
        let apex: Name = apex.parse().expect("the zone has a name");
        let mut names: BTreeMap<Name, BTreeSet<Type>> = BTreeMap::new();
        for record in &records {
            names.entry(record.owner.to_name()).or_default().insert(record.rtype);
            let mut name = record.owner;
            while let Some(parent) = name.parent().filter(|parent| parent.is_at_or_below(apex.borrow())) {
                names.entry(parent.to_name()).or_default();
                name = parent;
            }
        }
        Self { apex, zone: zone.clone(), records, names }
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &Name> {
        self.names.keys()
    }

    pub(crate) fn holds(&self, name: NameRef<'_>) -> bool {
        self.names.contains_key(&name.to_name())
    }

    pub(crate) fn types(&self, name: NameRef<'_>) -> impl Iterator<Item = Type> {
        self.names.get(&name.to_name()).into_iter().flatten().copied()
    }

    pub(crate) fn has(&self, name: NameRef<'_>, rtype: Type) -> bool {
        self.types(name).any(|present| present == rtype)
    }

    /// The name and what is above it in the zone, from the apex down.
    pub(crate) fn way_to<'a>(&self, name: NameRef<'a>) -> Vec<NameRef<'a>> {
        let mut way = Vec::new();
        let mut next = Some(name);
        while let Some(name) = next.filter(|name| name.is_at_or_below(self.apex.borrow())) {
            way.push(name);
            next = name.parent();
        }
        way.reverse();
        way
    }

    /// The delegation that the name lies at or below, unless a DNAME stands before it.
    pub(crate) fn cut_over<'a>(&self, name: NameRef<'a>) -> Option<NameRef<'a>> {
        self.first_in_the_way(name).filter(|above| !self.substitutes(*above, name))
    }

    /// The DNAME that the name lies below, unless a delegation stands before it.
    pub(crate) fn dname_over<'a>(&self, name: NameRef<'a>) -> Option<NameRef<'a>> {
        self.first_in_the_way(name).filter(|above| self.substitutes(*above, name))
    }

    fn first_in_the_way<'a>(&self, name: NameRef<'a>) -> Option<NameRef<'a>> {
        let is_cut = |above: NameRef<'_>| above != self.apex.borrow() && self.has(above, Type::NS);
        self.way_to(name).into_iter().find(|above| is_cut(*above) || self.substitutes(*above, name))
    }

    fn substitutes(&self, above: NameRef<'_>, name: NameRef<'_>) -> bool {
        above != name && self.has(above, Type::DNAME)
    }

    /// The deepest name at or above this one that exists (RFC 4592 §3.3.1).
    pub(crate) fn encloser<'a>(&self, name: NameRef<'a>) -> Option<NameRef<'a>> {
        self.way_to(name).into_iter().rev().find(|above| self.holds(*above))
    }

    /// The records around a name, for people: those of the names on the way to it, beside it and just below it.
    pub(crate) fn text_around(&self, name: NameRef<'_>) -> String {
        const NEIGHBOURS: usize = 4;
        let way = self.way_to(name);
        let mut wanted: BTreeSet<Name> = way.iter().map(|above| above.to_name()).collect();
        wanted.extend(way.iter().filter_map(|above| wildcard_below(*above)));
        let at = name.to_name();
        let after = self.names.range((Bound::Included(&at), Bound::Unbounded)).take(NEIGHBOURS);
        let before = self.names.range((Bound::Unbounded, Bound::Excluded(&at))).rev().take(NEIGHBOURS);
        wanted.extend(after.chain(before).map(|(name, _)| name.clone()));
        let is_wanted = |record: &RecordRef<'_>| wanted.contains(&record.owner.to_name()) && is_content(record.rtype);
        let mut lines: Vec<String> = self.records.iter().filter(is_wanted).map(dns::text::record_to_text).collect();
        lines.dedup();
        lines.join("\n")
    }
}

pub(crate) fn wildcard_below(parent: NameRef<'_>) -> Option<Name> {
    Name::from_wire(&[b"\x01*", parent.as_wire()].concat()).ok()
}

/// Not made by the signer.
fn is_content(rtype: Type) -> bool {
    !matches!(rtype, Type::RRSIG | Type::NSEC | Type::NSEC3 | Type::NSEC3PARAM | Type::DNSKEY)
}

fn transfer(server: SocketAddr, apex: &str) -> Result<Records, String> {
    let mut stream = TcpStream::connect(server).map_err(|error| error.to_string())?;
    query::send(&mut stream, &query::request(Opcode::QUERY, apex, Type::AXFR, None))?;
    let mut records = Records::new();
    let mut ends = 0;
    while ends < 2 {
        let message = query::receive(&mut stream)?;
        let mut reader = MessageReader::new(&message).map_err(|error| error.to_string())?;
        if reader.header().rcode() != dns::Rcode::NOERROR {
            return Err(reader.header().rcode().to_string());
        }
        while let Some(record) = reader.record().map_err(|error| error.to_string())? {
            ends += usize::from(record.rtype == Type::SOA);
            if record.rtype == Type::OPT || ends == 2 {
                continue;
            }
            let mut rdata = Vec::new();
            reader.rdata(&record, &mut rdata).map_err(|error| error.to_string())?;
            let owner = record.owner.borrow();
            records.push(RecordRef { owner, rtype: record.rtype, ttl: record.ttl, rdata: &rdata });
        }
    }
    Ok(records)
}
