//! One question by itself, and whether a message answers it.

use crate::edns::Edns;
use crate::message::{Header, Malformed, MessageReader, Opcode, Rcode};
use crate::name::NameRef;
use crate::rtype::Type;
use crate::{CLASS_IN, edns};

/// Why a message is no answer to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    #[error("it is not a DNS message that can be read: {0}")]
    Malformed(#[from] Malformed),
    #[error("it has another message ID than the query")]
    WrongId,
    #[error("it is not a response to a query")]
    NotAResponse,
    #[error("it belongs to another question")]
    WrongQuestion,
}

/// A query's header and question, of class IN and without RD: it is for servers, not for resolvers.
pub fn octets(id: u16, name: NameRef<'_>, qtype: Type) -> Vec<u8> {
    let header = Header { id, flags: Header::request_flags(Opcode::QUERY), counts: [1, 0, 0, 0] };
    let mut message = header.to_octets().to_vec();
    message.extend(name.as_wire());
    message.extend(qtype.0.to_be_bytes());
    message.extend(CLASS_IN.to_be_bytes());
    message
}

/// The same with an OPT record behind it, whose `options` are in wire form.
pub fn octets_with_edns(id: u16, name: NameRef<'_>, qtype: Type, options: &[u8]) -> Vec<u8> {
    let mut message = octets(id, name, qtype);
    // The only record: the last of the header's counts.
    message[11] = 1;
    message.extend(edns::opt_record(0, edns::VERSION, options));
    message
}

/// Checks that `message` answers the query (RFC 5452 §9.1, but for addresses and ports); its records come next.
///
/// The question may be missing: old servers and error answers do without, and so does a transfer from its second message
/// on (RFC 5936 §2.2.2). Who needs it looks at the header's count.
///
/// # Errors
/// When it does not.
pub fn open<'m>(message: &'m [u8], id: u16, name: NameRef<'_>, qtype: Type) -> Result<MessageReader<'m>, NoAnswer> {
    let mut reader = MessageReader::new(message)?;
    let header = reader.header();
    if header.id != id {
        return Err(NoAnswer::WrongId);
    }
    if !header.is_response() || header.opcode() != Opcode::QUERY {
        return Err(NoAnswer::NotAResponse);
    }
    if header.counts[0] > 1 {
        return Err(NoAnswer::WrongQuestion);
    }
    if let Some(question) = reader.question()?
        && (question.name.borrow() != name || question.qtype != qtype || question.qclass != CLASS_IN)
    {
        return Err(NoAnswer::WrongQuestion);
    }
    Ok(reader)
}

/// Whether a server does not take EDNS: FORMERR and NOTIMP are what those from before RFC 6891 say; BADVERS comes from newer
/// ones (§6.1.3, §7).
pub fn dislikes_edns(reader: &MessageReader<'_>) -> bool {
    match reader.header().rcode() {
        Rcode::FORMERR | Rcode::NOTIMP => true,
        Rcode::NOERROR => {
            let high = Edns::of(reader.clone()).map_or(0, |edns| edns.rcode_high);
            high == (Rcode::BADVERS.0 >> 4) as u8
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{NoAnswer, octets, octets_with_edns, open};
    use crate::{Header, Malformed, Name, Type};

    #[test]
    fn a_message_answers_one_question_whatever_the_case_of_its_letters() {
        let name: Name = "www.Example.".parse().unwrap();
        let read = |message: &[u8], name: &str, qtype| {
            let name: Name = name.parse().unwrap();
            open(message, 7, name.borrow(), qtype).map(|reader| reader.header().id)
        };
        let query = octets_with_edns(7, name.borrow(), Type::NS, &[]);
        assert!(!Header::parse(&query).unwrap().has(Header::RD));
        assert_eq!(read(&query, "www.example.", Type::NS), Err(NoAnswer::NotAResponse));
        let mut answer = query.clone();
        answer[2] |= 0x80;
        assert_eq!(read(&answer, "WWW.example.", Type::NS), Ok(7));
        assert_eq!(read(&answer, "ww.example.", Type::NS), Err(NoAnswer::WrongQuestion));
        assert_eq!(read(&answer, "www.example.", Type::DS), Err(NoAnswer::WrongQuestion));
        assert_eq!(read(&answer[..13], "www.example.", Type::NS), Err(NoAnswer::Malformed(Malformed::Truncated)));
        answer[1] = 8;
        assert_eq!(read(&answer, "www.example.", Type::NS), Err(NoAnswer::WrongId));
        let mut without = octets(7, name.borrow(), Type::NS);
        without.truncate(12);
        (without[2], without[5]) = (0x80, 0);
        assert_eq!(read(&without, "www.example.", Type::NS), Ok(7));
        (without[2], without[5]) = (0x80, 2);
        assert_eq!(read(&without, "www.example.", Type::NS), Err(NoAnswer::WrongQuestion));
    }
}
