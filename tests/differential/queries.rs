//! Questions about a zone, from a seed: every name, what is near it, and what could be mistaken for it.

use std::fmt;

use dns::{CLASS_IN, Header, Name, NameRef, Opcode, Type, edns};
use testing::dice::Dice;

use crate::contents::Contents;

#[derive(Clone, Debug)]
pub(crate) struct Query {
    /// As it is spelled in the question.
    pub(crate) name: Name,
    pub(crate) qtype: Type,
    pub(crate) edns: Option<Edns>,
    pub(crate) over: Transport,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Edns {
    pub(crate) dnssec_ok: bool,
    pub(crate) udp_octets: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Udp,
    Tcp,
}

/// Types that are asked for whether they are there or not.
const TYPES: [Type; 28] = [
    Type::A,
    Type::AAAA,
    Type::NS,
    Type::CNAME,
    Type::SOA,
    Type::MX,
    Type::TXT,
    Type::SRV,
    Type::NAPTR,
    Type::PTR,
    Type::DNAME,
    Type::DS,
    Type::DS,
    Type::RRSIG,
    Type::NSEC,
    Type::NSEC3,
    Type::NSEC3PARAM,
    Type::DNSKEY,
    Type::SVCB,
    Type::HTTPS,
    Type::ZONEMD,
    Type::ANY,
    Type(52),
    Type(59),
    Type(257),
    Type(4_711),
    Type(65_279),
    Type(65_280),
];

/// Types that are no data: TSIG, TKEY, MAILB, MAILA, and one that nobody knows.
const META_TYPES: [Type; 5] = [Type::TSIG, Type::TKEY, Type::MAILB, Type::MAILA, Type(200)];

/// Labels put below names, most of which are nowhere in a zone, and some are.
const LABELS: [&[u8]; 12] =
    [b"a", b"b", b"c", b"www", b"*", b"\0", b"nowhere", b"*x", b"~", b"\xff\xff", b"ns", b"a.b"];

/// `count` questions or more: first what every zone is asked, then what the dice say.
pub(crate) fn draw(zone: &Contents, count: usize, dice: &mut Dice) -> Vec<Query> {
    // Half of the names of a zone with NSEC3 are hashes: a few of them are enough.
    let is_wanted = |name: &&Name| !zone.has(name.borrow(), Type::NSEC3) || dice.percent(5);
    let names: Vec<&Name> = zone.names().filter(is_wanted).collect();
    let mut queries = Vec::new();
    for name in &names {
        for rtype in zone.types(name.borrow()) {
            queries.push(how((*name).clone(), rtype, dice));
        }
    }
    // Of a large zone only some of what is there, so that there is room for what is not.
    while queries.len() > count / 2 {
        let left_out = dice.below(queries.len() as u64) as usize;
        queries.swap_remove(left_out);
    }
    while queries.len() < count {
        let name = near(names[dice.below(names.len() as u64) as usize], zone, dice);
        let qtype = match dice.below(100) {
            0..40 => {
                let there: Vec<Type> =
                    zone.encloser(name.borrow()).into_iter().flat_map(|name| zone.types(name)).collect();
                if there.is_empty() { Type::A } else { *dice.pick(&there) }
            }
            40..99 => *dice.pick(&TYPES),
            _ => *dice.pick(&META_TYPES),
        };
        queries.push(how(name, qtype, dice));
    }
    queries
}

fn how(name: Name, qtype: Type, dice: &mut Dice) -> Query {
    let edns = dice
        .percent(80)
        .then(|| Edns { dnssec_ok: dice.percent(75), udp_octets: *dice.pick(&[512, 1_232, 1_232, 4_096]) });
    let over = if dice.percent(4) { Transport::Tcp } else { Transport::Udp };
    let name = if dice.percent(20) { with_other_letters(&name, dice) } else { name };
    Query { name, qtype, edns, over }
}

/// The name itself, above it, below it, beside it.
fn near(name: &Name, zone: &Contents, dice: &mut Dice) -> Name {
    let labels = name.borrow().label_count();
    let made = match dice.below(12) {
        0..2 => Some(name.clone()),
        // At most one above the apex, which is another zone's or nobody's.
        2 => {
            let apex_labels = zone.apex.borrow().label_count() as u64;
            let kept = dice.between(apex_labels.saturating_sub(1), labels as u64) as usize;
            Some(name.borrow().suffix(kept).to_name())
        }
        3..5 => below(label(dice), name.borrow()),
        5 => below(label(dice), name.borrow()).and_then(|name| below(label(dice), name.borrow())),
        6 => Some(
            (0..dice.between(3, 9)).fold(name.clone(), |name, _| below(label(dice), name.borrow()).unwrap_or(name)),
        ),
        // The next name in canonical order that could be beside it, and one before it (RFC 4034 §6.1).
        7 => first_label(name, |label| label.push(0)),
        8 => first_label(name, |label| {
            if let Some(last) = label.last_mut() {
                *last = last.wrapping_sub(1);
            }
        }),
        9 => first_label(name, |changed| *changed = label(dice).to_vec()),
        10 => below(&[b'x'; 63], name.borrow()),
        _ => Some(as_long_as_can_be(name.borrow(), dice)),
    };
    made.unwrap_or_else(|| name.clone())
}

fn label(dice: &mut Dice) -> &'static [u8] {
    LABELS[dice.below(LABELS.len() as u64) as usize]
}

fn below(label: &[u8], name: NameRef<'_>) -> Option<Name> {
    Name::from_wire(&[&[label.len() as u8], label, name.as_wire()].concat()).ok()
}

fn first_label(name: &Name, change: impl FnOnce(&mut Vec<u8>)) -> Option<Name> {
    let parent = name.borrow().parent()?;
    let mut label = name.borrow().labels().next()?.to_vec();
    change(&mut label);
    below(&label, parent)
}

/// Labels put below it until it has 255 octets, or nearly (RFC 1035 §2.3.4).
fn as_long_as_can_be(name: NameRef<'_>, dice: &mut Dice) -> Name {
    let octets_max = dns::name::NAME_OCTETS_MAX - dice.below(3) as usize;
    let mut long = name.to_name();
    loop {
        let room = octets_max.saturating_sub(long.borrow().octets());
        if room < 2 {
            return long;
        }
        let label = vec![b'l'; (room - 1).min(dns::name::LABEL_OCTETS_MAX)];
        long = below(&label, long.borrow()).expect("there is room for it");
    }
}

fn with_other_letters(name: &Name, dice: &mut Dice) -> Name {
    let mut wire = name.as_wire().to_vec();
    let mut at = 0;
    while wire[at] != 0 {
        let label = at + 1..at + 1 + usize::from(wire[at]);
        at = label.end;
        for octet in &mut wire[label] {
            if octet.is_ascii_alphabetic() && dice.percent(50) {
                *octet ^= 0x20;
            }
        }
    }
    Name::from_wire(&wire).expect("letters do not change a name's shape")
}

impl Query {
    pub(crate) fn dnssec_ok(&self) -> bool {
        self.edns.is_some_and(|edns| edns.dnssec_ok)
    }

    /// Octets that an answer over UDP may have, if the client alone had to say.
    pub(crate) fn udp_octets(&self) -> usize {
        self.edns.map_or(512, |edns| usize::from(edns.udp_octets))
    }

    pub(crate) fn to_message(&self, id: u16) -> Vec<u8> {
        let counts = [1, 0, 0, u16::from(self.edns.is_some())];
        let mut message = Header { id, flags: Header::request_flags(Opcode::QUERY), counts }.to_octets().to_vec();
        message.extend(self.name.as_wire());
        message.extend(self.qtype.0.to_be_bytes());
        message.extend(CLASS_IN.to_be_bytes());
        if let Some(Edns { dnssec_ok, udp_octets }) = self.edns {
            message.push(0);
            message.extend(Type::OPT.0.to_be_bytes());
            message.extend(udp_octets.to_be_bytes());
            message.extend(edns::Edns::ttl(0, edns::VERSION, dnssec_ok).to_be_bytes());
            message.extend([0, 0]);
        }
        message
    }
}

/// The words for `dig` that ask the same.
impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "dig +norecurse +qr -q '{}' -t {}", self.name, self.qtype)?;
        match self.edns {
            None => write!(f, " +noedns")?,
            Some(edns) => {
                let dnssec = if edns.dnssec_ok { " +dnssec" } else { "" };
                write!(f, " +nocookie +bufsize={}{dnssec}", edns.udp_octets)?;
            }
        }
        if self.over == Transport::Tcp { write!(f, " +tcp") } else { Ok(()) }
    }
}
