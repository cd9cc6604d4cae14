//! An answer without its records, for clients that may not be where they say: it is hardly longer than their question.

use dns::message::HEADER_OCTETS;
use dns::{Header, MessageReader, Rcode};

use crate::{CookieShown, Kind, Outcome};

/// Octets of an OPT record before the upper bits of the response code: its name, type and size.
const RCODE_AT: usize = 5;

/// Leaves of the answer in `out` the header, the question and the OPT record. The client is told to come again: with the
/// cookie that it is given, where it knows of cookies (RFC 7873 §5.2.3), or over TCP.
pub fn shorten(outcome: &Outcome, out: &mut [u8]) -> Outcome {
    let question_end = MessageReader::new(&out[..outcome.length]).and_then(|mut reader| {
        reader.question()?;
        Ok(reader.offset())
    });
    let (Ok(question_end), Some(mut header)) = (question_end, Header::parse(out)) else {
        return Outcome { length: 0, kind: Kind::Ignored, ..*outcome };
    };
    let opt_octets = outcome.opt_octets;
    out.copy_within(outcome.length - opt_octets..outcome.length, question_end);
    let rcode = match outcome.cookie {
        CookieShown::Client if opt_octets > RCODE_AT => Rcode::BADCOOKIE,
        _ => Rcode::NOERROR,
    };
    header.flags = header.flags & !(Header::AA | 0xf) | rcode.0 & 0xf;
    if rcode == Rcode::NOERROR {
        header.flags |= Header::TC;
    }
    if opt_octets > RCODE_AT {
        out[question_end + RCODE_AT] = (rcode.0 >> 4) as u8;
    }
    header.counts = [header.counts[0], 0, 0, (opt_octets > 0).into()];
    out[..HEADER_OCTETS].copy_from_slice(&header.to_octets());
    Outcome { length: question_end + opt_octets, rcode, kind: Kind::Failure, ..*outcome }
}
