//! The fuzzer's corpus: where its seeds come from, and that every file still ends as it should.
//!
//! `SECONDO_WRITE_CORPUS=1 cargo test --release -p xfr corpus` writes the seeds anew.

use std::fs;
use std::path::PathBuf;

use dns::{Header, Rcode, Type};
use xfr::fuzzing::{self, Listener, NOW_SECS};
use xfr::probe::{EdnsOffer, Transport};
use xfr::session::Fetch;
use xfr::tsig::{Verified, sign_request, verify_request};
use xfr::{Key, Session, SessionLimits, SoaProbe};

use crate::script::{Envelope, ID, messages, records};

const WHOLE: &str = "soa 2\n@ 60 NS ns\n---\nns 60 A 192.0.2.1\nns 60 AAAA 2001:db8::1\n@ 60 MX 10 Mail\n\
                     s 60 SVCB 1 . alpn=\"h2\"\n---\nsoa 2";
const STEPS: &str =
    "soa 3\nsoa 1\na 60 A 192.0.2.1\nsoa 2\na 60 A 192.0.2.2\n---\nsoa 2\nsoa 3\nb 60 TXT \"x\"\nsoa 3";

fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "../../fuzz/corpus/transfer_session"].iter().collect()
}

fn input(listener: Listener, key: Option<&Key>, messages: &[Vec<u8>]) -> Vec<u8> {
    let mut input = vec![listener.octet(key)];
    for message in messages {
        input.extend((message.len() as u16).to_be_bytes());
        input.extend(message);
    }
    input
}

/// The messages, signed as answers to the request that the fuzzer's listener sends; the middle ones are left unsigned.
fn signed(listener: Listener, mut messages: Vec<Vec<u8>>) -> Vec<u8> {
    let (zone, key) = (fuzzing::zone(), fuzzing::key());
    let fetch = match listener {
        Listener::Ixfr => Fetch::Ixfr { soa_rdata: fuzzing::soa_rdata() },
        _ => Fetch::Axfr,
    };
    let request = match listener {
        Listener::Axfr | Listener::Ixfr => {
            Session::new(zone, fetch, ID, Some(key.clone()), SessionLimits::default()).request(NOW_SECS)
        }
        _ => SoaProbe::new(zone, ID, Some(key.clone()), EdnsOffer::Offered, Transport::Udp).request(NOW_SECS),
    };
    let Ok(Verified::Signed(request)) = verify_request(&request, |_| Some(key.clone()), NOW_SECS) else {
        panic!("our own request does not verify");
    };
    let mut signer = request.signer();
    let last = messages.len() - 1;
    for (at, message) in messages.iter_mut().enumerate() {
        if at == 0 || at == last {
            signer.sign(message, NOW_SECS);
        } else {
            signer.leave_unsigned(message);
        }
    }
    input(listener, Some(&key), &messages)
}

/// Name, input, and how it ends.
fn seeds() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let (axfr, ixfr) = (messages(Type::AXFR, WHOLE), messages(Type::IXFR, STEPS));
    let soa = Envelope::answering(Type::SOA);
    let soa_answer = vec![soa.message(&records("soa 7"))];
    let with_flags = |flags| vec![Envelope { flags: soa.flags | flags, ..soa }.message(&records(""))];
    let notify = Envelope { id: ID, flags: 4 << 11 | Header::AA, question: Some(Type::SOA) };
    let plain_notify = notify.message(&records("soa 7"));
    let mut signed_notify = plain_notify.clone();
    sign_request(&mut signed_notify, fuzzing::key(), NOW_SECS);
    let one = |text| input(Listener::Ixfr, None, &messages(Type::IXFR, text));
    let key = fuzzing::key();
    vec![
        ("axfr", input(Listener::Axfr, None, &axfr), "full"),
        ("axfr-signed", signed(Listener::Axfr, axfr.clone()), "full"),
        ("axfr-cut", input(Listener::Axfr, None, &axfr[..2]), "more"),
        ("axfr-unsigned", input(Listener::Axfr, Some(&key), &axfr), "tsig_missing"),
        ("axfr-other-end", input(Listener::Axfr, None, &messages(Type::AXFR, "soa 2\nsoa 3")), "soa_mismatch"),
        ("ixfr", input(Listener::Ixfr, None, &ixfr), "steps"),
        ("ixfr-signed", signed(Listener::Ixfr, ixfr), "steps"),
        ("ixfr-whole", one("soa 2\n@ 60 NS ns\nsoa 2"), "full"),
        ("ixfr-unchanged", one("soa 1"), "unchanged"),
        ("ixfr-gap", one("soa 9\nsoa 1\nsoa 2\nsoa 5"), "ixfr_gap"),
        ("probe-udp", input(Listener::ProbeOverUdp, None, &soa_answer), "soa"),
        ("probe-tcp-signed", signed(Listener::ProbeOverTcp, soa_answer), "soa"),
        ("probe-truncated", input(Listener::ProbeOverUdp, None, &with_flags(Header::TC)), "use tcp"),
        ("probe-formerr", input(Listener::ProbeOverUdp, None, &with_flags(Rcode::FORMERR.0)), "without edns"),
        ("notify", input(Listener::Notify, None, &[plain_notify]), "asleep"),
        ("notify-signed", input(Listener::Notify, Some(&key), &[signed_notify]), "woken"),
    ]
}

#[test]
fn seeds_end_as_they_should_and_every_file_of_the_corpus_is_survived() {
    for (name, input, ending) in seeds() {
        assert_eq!(fuzzing::session(&input), ending, "{name}");
        let path = folder().join(name);
        if std::env::var_os("SECONDO_WRITE_CORPUS").is_some() {
            fs::create_dir_all(folder()).unwrap();
            fs::write(&path, &input).unwrap();
        }
        assert_eq!(fs::read(&path).unwrap_or_default(), input, "{name}: write the corpus anew, see above");
    }
    for entry in fs::read_dir(folder()).unwrap() {
        let input = fs::read(entry.unwrap().path()).unwrap();
        for cut in 0..=input.len() {
            fuzzing::session(&input[..cut]);
        }
    }
}
