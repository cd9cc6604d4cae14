//! One question that is no transfer, and the answer to it.

use std::sync::Arc;

use dns::edns::{self, Edns};
use dns::{Header, MessageReader, Name, Opcode, Rcode, Section, Type};
use xfr::tsig::{self, ResponseVerifier};
use xfr::{Key, Reason};

/// What is asked.
pub(super) struct Question {
    pub(super) opcode: Opcode,
    pub(super) name: Name,
    pub(super) rtype: Type,
    pub(super) class: u16,
    /// The version of EDNS that is offered, if any.
    pub(super) edns: Option<u8>,
    pub(super) key: Option<Arc<Key>>,
}

/// The octets of a question, and what its answer must be like.
pub(super) struct Asked {
    pub(super) request: Vec<u8>,
    id: u16,
    opcode: Opcode,
    verifier: Option<ResponseVerifier>,
}

/// A message that answers a question.
#[derive(Debug)]
pub(super) struct Answer {
    message: Vec<u8>,
}

impl Question {
    pub(super) fn with_id(self, id: u16, now_secs: u64) -> Asked {
        let flags = Header::request_flags(self.opcode);
        let mut request =
            Header { id, flags, counts: [1, 0, 0, u16::from(self.edns.is_some())] }.to_octets().to_vec();
        request.extend(self.name.as_wire());
        request.extend(self.rtype.0.to_be_bytes());
        request.extend(self.class.to_be_bytes());
        if let Some(version) = self.edns {
            request.extend(edns::opt_record(0, version, &[]));
        }
        let verifier = self.key.map(|key| tsig::sign_request(&mut request, key, now_secs));
        Asked { request, id, opcode: self.opcode, verifier }
    }
}

impl Asked {
    /// The answer, if this is one.
    pub(super) fn read(&mut self, message: &[u8], now_secs: u64) -> Result<Answer, Reason> {
        let header = Header::parse(message).ok_or(Reason::Malformed(dns::Malformed::Truncated))?;
        if header.id != self.id {
            return Err(Reason::WrongId);
        }
        if !header.is_response() || header.opcode() != self.opcode {
            return Err(Reason::NotAResponse);
        }
        if let Some(verifier) = &mut self.verifier
            && header.rcode() == Rcode::NOERROR
        {
            verifier.verify(message, now_secs)?;
        }
        Ok(Answer { message: message.to_vec() })
    }
}

impl Answer {
    pub(super) fn of(message: &[u8]) -> Self {
        Self { message: message.to_vec() }
    }

    pub(super) fn header(&self) -> Header {
        Header::parse(&self.message).unwrap_or_default()
    }

    /// With its upper bits from the OPT record.
    pub(super) fn rcode(&self) -> Rcode {
        let high = self.opt(|edns| edns.rcode_high).unwrap_or(0);
        Rcode(u16::from(high) << 4 | self.header().rcode().0)
    }

    /// The UDP payload that the server takes, if it knows EDNS.
    pub(super) fn udp_octets(&self) -> Option<u16> {
        self.opt(|edns| edns.udp_octets)
    }

    /// Data of this type in the answer section, uncompressed.
    pub(super) fn data(&self, rtype: Type) -> Result<Vec<Vec<u8>>, Reason> {
        let mut reader = MessageReader::new(&self.message)?;
        let mut found = Vec::new();
        while let Some(record) = reader.record()? {
            if record.section == Section::Answer && record.rtype == rtype {
                let mut rdata = Vec::new();
                reader.rdata(&record, &mut rdata)?;
                found.push(rdata);
            }
        }
        Ok(found)
    }

    fn opt<T>(&self, look: impl Fn(Edns<'_>) -> T) -> Option<T> {
        Edns::of(MessageReader::new(&self.message).ok()?).map(look)
    }
}
