//! The SOA query.

use dns::{Header, Rcode, Type};
use xfr::probe::{EdnsOffer, Transport};
use xfr::{ProbeStep, Reason, SoaProbe};

use crate::script::{Envelope, ID, NOW, example, records, short_soa};

fn ask(edns: EdnsOffer, transport: Transport, message: &[u8]) -> Result<ProbeStep, Reason> {
    let mut probe = SoaProbe::new(example(), ID, None, edns, transport);
    probe.request(NOW);
    probe.receive(message, NOW)
}

fn answer(envelope: Envelope, text: &str) -> Vec<u8> {
    envelope.message(&records(text))
}

#[test]
fn the_soa_of_an_authoritative_answer_is_taken() {
    let message = answer(Envelope::answering(Type::SOA), "soa 7");
    for transport in [Transport::Udp, Transport::Tcp] {
        let Ok(ProbeStep::Soa(shown)) = ask(EdnsOffer::Offered, transport, &message) else { panic!("no SOA") };
        let soa = shown.soa;
        assert_eq!((soa.serial.0, soa.refresh, soa.expire, shown.expires_in_secs), (7, 20, 40, None));
    }
}

#[test]
fn answers_that_say_nothing_have_their_reasons() {
    // GL#1683, GL#2762, Technitium #1156, NSD f5490dda.
    let good = Envelope::answering(Type::SOA);
    for (message, code) in [
        (answer(Envelope { flags: Header::QR, ..good }, "soa 7"), "not_authoritative"),
        (answer(good, ""), "no_soa"),
        (answer(good, "@ 60 CNAME x"), "no_soa"),
        (answer(good, "sub 60 SOA ns host 7 2 3 4 5"), "foreign_soa"),
        (answer(Envelope { flags: good.flags | Rcode::REFUSED.0, ..good }, ""), "refused"),
        (answer(Envelope { flags: good.flags | Rcode::SERVFAIL.0, ..good }, ""), "servfail"),
        (answer(Envelope { flags: good.flags | 5 << 11, ..good }, "soa 7"), "not_a_response"),
        (good.message(&short_soa()), "malformed"),
    ] {
        let step = ask(EdnsOffer::Offered, Transport::Tcp, &message);
        assert_eq!(step.unwrap_err().code(), code);
    }
}

#[test]
fn a_truncated_answer_is_asked_for_over_tcp() {
    let good = Envelope::answering(Type::SOA);
    let message = answer(Envelope { flags: good.flags | Header::TC, ..good }, "");
    assert_eq!(ask(EdnsOffer::Offered, Transport::Udp, &message), Ok(ProbeStep::UseTcp));
    assert_eq!(ask(EdnsOffer::Offered, Transport::Tcp, &message), Err(Reason::TruncatedOverTcp));
}

#[test]
fn primaries_from_before_edns_are_asked_without() {
    // GL#4372.
    let good = Envelope::answering(Type::SOA);
    for rcode in [Rcode::FORMERR, Rcode::NOTIMP] {
        let message = answer(Envelope { flags: good.flags | rcode.0, ..good }, "");
        assert_eq!(ask(EdnsOffer::Offered, Transport::Udp, &message), Ok(ProbeStep::WithoutEdns));
        assert!(ask(EdnsOffer::Without, Transport::Udp, &message).is_err());
    }
    let mut badvers = answer(good, "");
    badvers[11] = 1;
    badvers.extend([0, 0, 41, 4, 0xd0, 1, 0, 0, 0, 0, 0]);
    assert_eq!(ask(EdnsOffer::Offered, Transport::Udp, &badvers), Ok(ProbeStep::WithoutEdns));
}

#[test]
fn over_udp_what_is_no_answer_of_ours_is_passed_over() {
    let good = Envelope::answering(Type::SOA);
    for (message, reason) in [
        (answer(Envelope { id: ID ^ 1, ..good }, "soa 7"), Reason::WrongId),
        (answer(Envelope { question: Some(Type::NS), ..good }, "soa 7"), Reason::WrongQuestion),
        (answer(Envelope { flags: 0, ..good }, "soa 7"), Reason::NotAResponse),
        (answer(Envelope { flags: good.flags | 4 << 11, ..good }, "soa 7"), Reason::NotAResponse),
        (vec![1, 2, 3], Reason::Malformed(dns::Malformed::Truncated)),
    ] {
        assert_eq!(ask(EdnsOffer::Offered, Transport::Udp, &message), Ok(ProbeStep::Ignore(reason.clone())));
        assert_eq!(ask(EdnsOffer::Offered, Transport::Tcp, &message), Err(reason));
    }
}

#[test]
fn a_primary_that_is_a_secondary_itself_says_when_its_copy_expires() {
    // RFC 7314 §2: the option holds four octets of seconds; anything else says nothing.
    let opt = |option: &[u8]| {
        let mut message = answer(Envelope::answering(Type::SOA), "soa 7");
        message[11] += 1;
        message.extend([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, option.len() as u8]);
        message.extend(option);
        message
    };
    for (option, expected) in [
        (&[0, 9, 0, 4, 0, 1, 0, 0][..], Some(65_536)),
        (&[0, 3, 0, 1, 7, 0, 9, 0, 4, 0, 0, 0, 5], Some(5)),
        (&[0, 9, 0, 0], None),
        (&[0, 9, 0, 3, 1, 2, 3], None),
        (&[], None),
    ] {
        let Ok(ProbeStep::Soa(shown)) = ask(EdnsOffer::Offered, Transport::Udp, &opt(option)) else {
            panic!("no SOA")
        };
        assert_eq!(shown.expires_in_secs, expected, "{option:?}");
        // The zone's own expire is 40 s.
        assert_eq!(shown.ages(), expected == Some(5), "{option:?}");
    }
    let mut probe = SoaProbe::new(example(), ID, None, EdnsOffer::Offered, Transport::Udp);
    assert!(probe.request(NOW).ends_with(&[0, 4, 0, 9, 0, 0]), "it is asked for");
}
