//! Class CHAOS: which server is this (RFC 4892), and of what make. Both are told only where that is configured.

use dns::{CLASS_CH, QuestionRef, Rcode, RecordRef, Section, Type};

use crate::Kind;
use crate::persona::{PERSONA_TEXT_OCTETS_MAX, Persona, PersonaText};
use crate::response::{Response, Trouble};

/// Answers, or refuses what is not to be told.
pub(crate) fn tell(question: QuestionRef<'_>, persona: &Persona, response: &mut Response<'_>) -> Result<(), Trouble> {
    response.conclude(Kind::Failure, Rcode::REFUSED);
    let Some(text) = asked_for(question, persona) else { return Ok(()) };
    let mut rdata = [0; 1 + PERSONA_TEXT_OCTETS_MAX];
    let octets = text.as_bytes();
    rdata[0] = octets.len() as u8;
    rdata[1..=octets.len()].copy_from_slice(octets);
    let owner = question.name;
    let record = RecordRef { owner, rtype: Type::TXT, ttl: 0, rdata: &rdata[..=octets.len()] };
    response.authoritative();
    response.conclude(Kind::Answer, Rcode::NOERROR);
    response.record_of_class(Section::Answer, record, CLASS_CH)
}

fn asked_for<'p>(question: QuestionRef<'_>, persona: &'p Persona) -> Option<&'p PersonaText> {
    if !matches!(question.qtype, Type::TXT | Type::ANY) {
        return None;
    }
    let name = question.name.as_wire();
    let is = |wire: &[u8]| name.eq_ignore_ascii_case(wire);
    if is(b"\x02id\x06server\0") || is(b"\x08hostname\x04bind\0") {
        persona.name.as_ref()
    } else if is(b"\x07version\x06server\0") || is(b"\x07version\x04bind\0") {
        persona.version.as_ref()
    } else {
        None
    }
}
