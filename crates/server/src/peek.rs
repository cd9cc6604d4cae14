//! A first look at a message: which way must it go?
//!
//! Nearly everything is an ordinary query and must reach `answer` with as little work as possible. This looks at the
//! header, the question's type and, if there is more than an OPT record behind the question, at the records' types.
//! It judges nothing: what looks odd goes to `answer`, which knows how to refuse it. Never allocates, follows no
//! compression pointer, and looks at each octet once.

use dns::message::HEADER_OCTETS;
use dns::{Header, Opcode, Type};

/// Where a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Nowhere: it is no message, or itself an answer. Answering answers lets two servers talk for ever.
    Drop,
    /// To `answer`.
    Answer,
    /// To the desk: NOTIFY, transfers, and everything signed.
    Desk,
}

pub(crate) fn way(message: &[u8]) -> Way {
    let Some(header) = Header::parse(message) else { return Way::Drop };
    if header.is_response() {
        return Way::Drop;
    }
    if header.opcode() == Opcode::NOTIFY {
        return Way::Desk;
    }
    match look(message, header) {
        Some(Looks::Special) => Way::Desk,
        Some(Looks::Plain) | None => Way::Answer,
    }
}

/// Whether the message looks like a request for a transfer. Who judges it may think otherwise.
pub(crate) fn asks_for_transfer(message: &[u8]) -> bool {
    let is_query = Header::parse(message)
        .is_some_and(|header| header.opcode() == Opcode::QUERY && !header.is_response() && header.counts[0] > 0);
    let qtype = || skip_name(message, HEADER_OCTETS).and_then(|at| type_at(message, at));
    is_query && matches!(qtype(), Some(Type::AXFR | Type::IXFR))
}

enum Looks {
    Plain,
    Special,
}

/// None when the message ends too early or its names are damaged.
fn look(message: &[u8], header: Header) -> Option<Looks> {
    let [questions, answers, authority, additional] = header.counts;
    let mut at = HEADER_OCTETS;
    for _ in 0..questions {
        at = skip_name(message, at)?;
        let qtype = type_at(message, at)?;
        if header.opcode() == Opcode::QUERY && matches!(qtype, Type::AXFR | Type::IXFR) {
            return Some(Looks::Special);
        }
        at += 4;
    }
    let is_opt_alone =
        answers == 0 && authority == 0 && additional == 1 && message.get(at..at + 3) == Some(&[0, 0, 41]);
    if additional == 0 || is_opt_alone {
        return Some(Looks::Plain);
    }
    for _ in 0..u32::from(answers) + u32::from(authority) + u32::from(additional) {
        at = skip_name(message, at)?;
        if type_at(message, at)? == Type::TSIG {
            return Some(Looks::Special);
        }
        let rdata_octets = u16::from_be_bytes([*message.get(at + 8)?, *message.get(at + 9)?]);
        at += 10 + usize::from(rdata_octets);
    }
    Some(Looks::Plain)
}

/// The offset behind the name at `at`.
fn skip_name(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *message.get(at)? {
            0 => return Some(at + 1),
            label @ 1..=63 => at += 1 + usize::from(label),
            0xc0.. => return Some(at + 2),
            _ => return None,
        }
    }
}

fn type_at(message: &[u8], at: usize) -> Option<Type> {
    Some(Type(u16::from_be_bytes([*message.get(at)?, *message.get(at + 1)?])))
}

#[cfg(test)]
mod tests {
    use dns::writer::CompressionTable;
    use dns::{
        CLASS_ANY, CLASS_IN, Header, MessageWriter, Name, NameRef, Opcode, Question, RecordRef, Section, Type,
    };

    use super::{Way, asks_for_transfer, way};

    fn message(flags: u16, qtype: Type, additional: &[Type]) -> Vec<u8> {
        let mut out = vec![0; 512];
        let mut table = CompressionTable::small();
        let mut writer = MessageWriter::new(&mut out, 512, &mut table, 1, flags);
        let name: Name = "www.example.".parse().unwrap();
        writer.question(&Question { name: name.borrow().into(), qtype, qclass: CLASS_IN }).unwrap();
        for rtype in additional {
            let owner = if *rtype == Type::OPT { NameRef::ROOT } else { name.borrow() };
            let record = RecordRef { owner, rtype: *rtype, ttl: 0, rdata: &[] };
            writer.record_of_class(Section::Additional, record, CLASS_ANY).unwrap();
        }
        let length = writer.finish();
        out.truncate(length);
        out
    }

    #[test]
    fn ordinary_queries_go_straight_to_answer() {
        assert_eq!(way(&message(0, Type::A, &[])), Way::Answer);
        assert_eq!(way(&message(0, Type::A, &[Type::OPT])), Way::Answer);
        assert_eq!(way(&message(0, Type::A, &[Type::OPT, Type::A])), Way::Answer);
        // `answer` refuses what it does not know, dynamic update included.
        assert_eq!(way(&message(Header::request_flags(Opcode(2)), Type::A, &[])), Way::Answer);
        assert_eq!(way(&message(Header::request_flags(Opcode::UPDATE), Type::SOA, &[])), Way::Answer);
    }

    #[test]
    fn notify_transfers_and_signatures_go_to_the_desk() {
        assert_eq!(way(&message(Header::request_flags(Opcode::NOTIFY), Type::SOA, &[])), Way::Desk);
        assert_eq!(way(&message(Header::request_flags(Opcode::UPDATE), Type::SOA, &[Type::TSIG])), Way::Desk);
        assert_eq!(way(&message(0, Type::AXFR, &[])), Way::Desk);
        assert_eq!(way(&message(0, Type::IXFR, &[Type::OPT])), Way::Desk);
        assert_eq!(way(&message(0, Type::A, &[Type::TSIG])), Way::Desk);
        assert_eq!(way(&message(0, Type::A, &[Type::OPT, Type::TSIG])), Way::Desk);
        // TSIG in the wrong place is for the desk to refuse, too (CVE-2016-7074).
        assert_eq!(way(&message(0, Type::A, &[Type::TSIG, Type::OPT])), Way::Desk);
    }

    #[test]
    fn requests_for_transfers_are_known_by_their_question() {
        for qtype in [Type::AXFR, Type::IXFR] {
            assert!(asks_for_transfer(&message(0, qtype, &[Type::OPT, Type::TSIG])));
            assert!(!asks_for_transfer(&message(Header::QR, qtype, &[])));
            assert!(!asks_for_transfer(&message(Header::request_flags(Opcode::NOTIFY), qtype, &[])));
        }
        assert!(!asks_for_transfer(&message(0, Type::SOA, &[])) && !asks_for_transfer(&[0; 12]));
    }

    #[test]
    fn answers_and_scraps_are_dropped() {
        assert_eq!(way(&message(Header::QR, Type::A, &[])), Way::Drop);
        assert_eq!(way(&[]), Way::Drop);
        assert_eq!(way(&[0; 11]), Way::Drop);
    }

    #[test]
    fn a_message_cut_anywhere_is_never_read_beyond_its_end() {
        let whole = message(0, Type::A, &[Type::OPT, Type::TSIG]);
        for end in 12..whole.len() - 10 {
            assert_ne!(way(&whole[..end]), Way::Drop, "{end} octets");
        }
        for counts in [[0xff; 8], [0xff, 0xff, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0, 0xff, 0xff]] {
            let mut lying = whole.clone();
            lying[4..12].copy_from_slice(&counts);
            way(&lying);
        }
    }
}
