//! BIND as it was when 9.1.0 came out, in January 2001: what a secondary meets that takes "any primary since then" at
//! its word.
//!
//! Read from the sources, nothing of it tried: BIND 8 and 4 as FreeBSD had them in `contrib/bind` (`ns_req.c`,
//! `ns_xfr.c`, `ns_sign.c`), BIND 9 by its CHANGES, its `doc/misc/migration` of July 2000 and comments in `xfrout.c`.
//!
//! - EDNS: no BIND before 9.0 knows it; "all known versions" answer FORMERR or NOTIMP, while at least one other server
//!   keeps silent (migration). In 4 and 8 it is FORMERR, because the additional section is not empty. 8.3 of late 2001
//!   is the first 8 that takes OPT records. 9.1.0 itself knows EDNS.
//! - A FORMERR of 4 and 8 is a header alone, without the question ("we don't know what the msg has").
//! - IXFR: to 4 and 8.1 a query with an authority section, so FORMERR. 8.2 and 9 know it and send the whole zone when
//!   they have no log of its changes, which is everything but dynamic zones.
//! - Transfers: one record in each message is the default before 9.0, which changes it (CHANGES 273). The question is
//!   in the first message only, in all three. 4 and 8 leave AA out; 9 sets it (RFC 5936 §2.2.1 asks for it since 2010).
//! - 8 sends glue behind each NS record that needs it, and so the same address more than once; here every address that
//!   an NS record needs comes again.
//! - TSIG: 4 has none and answers FORMERR. 8.2 and 9.1 know hmac-md5 alone, the one that RFC 2845 defines (the SHA
//!   family is RFC 4635, of 2006). 8 signs the first message, then every hundredth, and the last.
//!
//! Uncertain: whether 8.1 still looked at IXFR in other ways (its FORMERR for an authority section is certain), and how
//! well 9.1.0 sends differences of dynamic zones; that is not imitated here. Nor is that 8 compresses the names in RP and
//! PX records, which RFC 3597 §4 wants receivers to bear.

use dns::Rcode;

use super::Primary;
use super::behaviour::{Behaviour, Kind};

/// The three that were in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldBind {
    /// 4.9, and 8.1, which is the same in this. It has no keys.
    Four,
    /// 8.2.
    Eight,
    /// 9.1.0.
    Nine,
}

impl OldBind {
    pub const ALL: [Self; 3] = [Self::Four, Self::Eight, Self::Nine];

    pub fn knows_keys(self) -> bool {
        self != Self::Four
    }

    pub fn behaviours(self) -> Vec<Behaviour> {
        match self {
            Self::Four => vec![
                Behaviour::DislikeEdns(Rcode::FORMERR),
                Behaviour::Answer(Kind::Ixfr, Rcode::FORMERR),
                Behaviour::FormErrAsHeaderAlone,
                Behaviour::OneRecordPerMessage,
                Behaviour::TransfersWithoutAa,
            ],
            Self::Eight => vec![
                Behaviour::DislikeEdns(Rcode::FORMERR),
                Behaviour::FormErrAsHeaderAlone,
                Behaviour::IxfrAsAxfr,
                Behaviour::OneRecordPerMessage,
                Behaviour::TransfersWithoutAa,
                Behaviour::RepeatsGlue,
                Behaviour::OnlyMd5,
                Behaviour::SignEvery(100),
            ],
            Self::Nine => vec![Behaviour::IxfrAsAxfr, Behaviour::OnlyMd5],
        }
    }
}

impl Primary {
    /// One that behaves as this old BIND; what else it is told comes on top, and [`Primary::behave_well`] makes it a
    /// modern one.
    pub fn old_bind(which: OldBind) -> Self {
        let primary = Self::start();
        which.behaviours().into_iter().for_each(|behaviour| primary.behave(behaviour));
        primary
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;
    use std::sync::Arc;
    use std::time::Duration;

    use dns::{Header, MessageReader, Opcode, Type};
    use xfr::tsig::{ResponseVerifier, sign_request};
    use xfr::{Algorithm, Key};

    use super::*;
    use crate::{query, zone_text};

    const ZONE: &str = "example.test";
    /// What an OPT record without options takes at the end of a request.
    const OPT_OCTETS: usize = 11;

    fn serving(which: OldBind) -> Primary {
        let primary = Primary::old_bind(which);
        primary.publish(ZONE, &zone_text::small(1));
        primary
    }

    fn without_edns(qtype: Type) -> Vec<u8> {
        let mut request = query::request(Opcode::QUERY, ZONE, qtype, None);
        request.truncate(request.len() - OPT_OCTETS);
        request[10..12].fill(0);
        request
    }

    /// The messages up to the second SOA record, or to an error.
    fn transfer(primary: &Primary, request: &[u8]) -> Vec<Vec<u8>> {
        let mut stream = TcpStream::connect(primary.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        query::send(&mut stream, request).unwrap();
        let (mut messages, mut soas) = (Vec::new(), 0);
        while soas < 2 {
            let message = query::receive(&mut stream).unwrap();
            let mut reader = MessageReader::new(&message).unwrap();
            while let Some(record) = reader.record().unwrap() {
                soas += usize::from(record.rtype == Type::SOA);
            }
            let failed = reader.header().rcode() != Rcode::NOERROR;
            messages.push(message);
            if failed {
                break;
            }
        }
        messages
    }

    fn headers(messages: &[Vec<u8>]) -> Vec<Header> {
        messages.iter().map(|message| Header::parse(message).unwrap()).collect()
    }

    #[test]
    fn four_and_eight_answer_edns_with_a_header_alone() {
        for which in OldBind::ALL {
            let primary = serving(which);
            let request = query::request(Opcode::QUERY, ZONE, Type::SOA, None);
            let answer = query::exchange_tcp(primary.address(), &request).unwrap();
            let rcode = Header::parse(&answer).unwrap().rcode();
            if which == OldBind::Nine {
                assert_eq!(rcode, Rcode::NOERROR);
            } else {
                assert_eq!((rcode, answer.len()), (Rcode::FORMERR, 12), "{which:?}");
            }
        }
    }

    #[test]
    fn four_and_eight_transfer_one_record_in_a_message_without_aa() {
        for which in OldBind::ALL {
            let headers = headers(&transfer(&serving(which), &without_edns(Type::AXFR)));
            if which == OldBind::Nine {
                assert!(headers.len() == 1 && headers[0].has(Header::AA));
                continue;
            }
            assert_eq!(headers[0].counts, [1, 1, 0, 0], "{which:?}");
            assert!(headers[1..].iter().all(|header| header.counts == [0, 1, 0, 0]), "{which:?}");
            assert!(!headers.iter().any(|header| header.has(Header::AA)), "{which:?}");
        }
        let records = |which| transfer(&serving(which), &without_edns(Type::AXFR)).len();
        assert!(records(OldBind::Eight) > records(OldBind::Four), "glue comes again");
    }

    #[test]
    fn four_refuses_ixfr_and_the_others_send_the_whole_zone() {
        for which in OldBind::ALL {
            let headers = headers(&transfer(&serving(which), &without_edns(Type::IXFR)));
            let refused = which == OldBind::Four;
            assert_eq!(headers[0].rcode() == Rcode::FORMERR, refused, "{which:?}");
        }
    }

    #[test]
    fn eight_and_nine_know_keys_of_md5_alone_and_eight_leaves_messages_unsigned() {
        for which in OldBind::ALL.into_iter().filter(|which| which.knows_keys()) {
            let signed_transfer = |algorithm| {
                let key = Arc::new(Key::generate("key.test".parse().unwrap(), algorithm).unwrap());
                let primary = serving(which);
                primary.add_key(key.clone());
                let mut request = without_edns(Type::AXFR);
                let _: ResponseVerifier = sign_request(&mut request, key, super::super::state::wall_clock_secs());
                headers(&transfer(&primary, &request))
            };
            assert_eq!(signed_transfer(Algorithm::HmacSha256)[0].rcode(), Rcode::NOTAUTH, "{which:?}");
            let headers = signed_transfer(Algorithm::HmacMd5);
            let signed: Vec<bool> = headers.iter().map(|header| header.counts[3] == 1).collect();
            assert!(signed.first() == Some(&true) && signed.last() == Some(&true), "{which:?}");
            assert_eq!(signed.contains(&false), which == OldBind::Eight);
        }
    }
}
