//! Signatures against messages that dnspython made (`tests/fixtures/tsig.py` says how), and what must not pass.

use std::sync::Arc;

use dns::{Name, Rcode};

use super::record::{NewTsig, TsigRecord, Unreadable, Variables};
use super::{
    Algorithm, Key, ResponseVerifier, Signature, SignedRequest, TsigError, TsigFailure, Verified, sign_request,
    verify_request,
};
use crate::reason::Reason;

const NOW: u64 = 1_700_000_000;
const SECRET: &[u8] = b"a secret of thirty-two octets...";
const FIXTURES: &str = include_str!("../../tests/fixtures/tsig.txt");

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn key_named(text: &str, algorithm: Algorithm) -> Arc<Key> {
    Arc::new(Key::new(name(text), algorithm, SECRET.to_vec()).unwrap())
}

fn key(algorithm: Algorithm) -> Arc<Key> {
    key_named("key.example.", algorithm)
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |octet: u8| (octet as char).to_digit(16).unwrap() as u8;
    text.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

fn fixtures(algorithm: Algorithm, kind: &str) -> Vec<Vec<u8>> {
    let start = format!("{algorithm} {kind} ");
    FIXTURES.lines().filter_map(|line| line.strip_prefix(&start)).map(unhex).collect()
}

/// The message as it was before it was signed, and the MAC.
fn unsigned(message: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let record = TsigRecord::find(message).unwrap().unwrap();
    let mut plain = message[..record.start].to_vec();
    plain[11] -= 1;
    (plain, record.mac.to_vec())
}

fn mac(message: &[u8]) -> Vec<u8> {
    unsigned(message).1
}

fn query() -> Vec<u8> {
    unsigned(&fixtures(Algorithm::HmacSha256, "request")[0]).0
}

fn check(message: &[u8], key: &Arc<Key>, now: u64) -> Result<Verified, TsigFailure> {
    verify_request(message, |wanted| (wanted == key.name().borrow()).then(|| key.clone()), now)
}

fn accepted(message: &[u8], key: &Arc<Key>) -> SignedRequest {
    match check(message, key, NOW) {
        Ok(Verified::Signed(request)) => request,
        other => panic!("{other:?}"),
    }
}

/// A request of ours, what checks its answer, and the server's view of it.
fn exchange(key: &Arc<Key>) -> (ResponseVerifier, SignedRequest) {
    let mut request = query();
    let verifier = sign_request(&mut request, key.clone(), NOW);
    (verifier, accepted(&request, key))
}

fn answer() -> Vec<u8> {
    unsigned(&fixtures(Algorithm::HmacSha256, "answer")[0]).0
}

#[test]
fn every_algorithm_signs_a_request_as_dnspython_does() {
    for algorithm in Algorithm::ALL {
        let theirs = &fixtures(algorithm, "request")[0];
        let (mut ours, their_mac) = unsigned(theirs);
        sign_request(&mut ours, key(algorithm), NOW);
        assert_eq!(mac(&ours), their_mac, "{algorithm}");
        assert_eq!(accepted(theirs, &key(algorithm)).message_octets(), unsigned(theirs).0.len());
    }
}

#[test]
fn every_algorithm_verifies_and_makes_the_answers_that_dnspython_makes() {
    for algorithm in Algorithm::ALL {
        for kind in ["answer", "stream"] {
            let (mut request, _) = unsigned(&fixtures(algorithm, "request")[0]);
            let mut verifier = sign_request(&mut request, key(algorithm), NOW);
            let mut signer = accepted(&request, &key(algorithm)).signer();
            for theirs in fixtures(algorithm, kind) {
                assert_eq!(verifier.verify(&theirs, NOW), Ok(Signature::Verified), "{algorithm} {kind}");
                let (mut ours, their_mac) = unsigned(&theirs);
                signer.sign(&mut ours, NOW);
                assert_eq!(mac(&ours), their_mac, "{algorithm} {kind}");
            }
        }
    }
}

#[test]
fn letter_case_of_key_names_does_not_matter() {
    // PowerDNS #15771.
    let mut request = query();
    sign_request(&mut request, key_named("KEY.Example.", Algorithm::HmacSha256), NOW);
    accepted(&request, &key(Algorithm::HmacSha256));
}

#[test]
fn ninety_nine_unsigned_messages_may_follow_a_signed_one_and_no_more() {
    // RFC 8945 §5.3.1.
    let key = key(Algorithm::HmacSha256);
    for (count, last) in [(99, Ok(Signature::Verified)), (100, Err(Reason::TsigTooManyUnsigned { limit: 99 }))] {
        let (mut verifier, request) = exchange(&key);
        let mut signer = request.signer();
        let mut first = answer();
        signer.sign(&mut first, NOW);
        assert_eq!(verifier.verify(&first, NOW), Ok(Signature::Verified));
        let mut result = Ok(Signature::Awaited);
        for _ in 0..count {
            signer.leave_unsigned(&answer());
            result = verifier.verify(&answer(), NOW);
        }
        if result == Ok(Signature::Awaited) {
            let mut message = answer();
            signer.sign(&mut message, NOW);
            result = verifier.verify(&message, NOW);
        }
        assert_eq!(result, last, "{count} unsigned");
    }
}

#[test]
fn an_unsigned_message_that_was_changed_spoils_the_next_signature() {
    let key = key(Algorithm::HmacSha256);
    let (mut verifier, request) = exchange(&key);
    let mut signer = request.signer();
    let (mut first, mut last, mut forged) = (answer(), answer(), answer());
    signer.sign(&mut first, NOW);
    signer.leave_unsigned(&answer());
    signer.sign(&mut last, NOW);
    *forged.last_mut().unwrap() ^= 1;
    assert_eq!(verifier.verify(&first, NOW), Ok(Signature::Verified));
    assert_eq!(verifier.verify(&forged, NOW), Ok(Signature::Awaited));
    assert_eq!(verifier.verify(&last, NOW), Err(Reason::TsigWrongMac { key: key.name().clone() }));
}

#[test]
fn the_first_message_must_be_signed() {
    let key = key(Algorithm::HmacSha256);
    let (mut verifier, _) = exchange(&key);
    assert_eq!(verifier.verify(&answer(), NOW), Err(Reason::TsigMissing { key: key.name().clone() }));
}

#[test]
fn no_octet_of_a_signed_answer_can_be_changed() {
    let key = key(Algorithm::HmacSha256);
    let (_, request) = exchange(&key);
    let mut message = answer();
    request.signer().sign(&mut message, NOW);
    for at in 0..message.len() {
        let mut forged = message.clone();
        forged[at] ^= 0x20;
        let (mut verifier, _) = exchange(&key);
        let result = verifier.verify(&forged, NOW);
        // The ID in the header is not signed, the original one is; and letter case of names in the TSIG record itself
        // means nothing.
        let names = TsigRecord::find(&message).unwrap().unwrap().start..;
        if at > 1 && !names.contains(&at) {
            assert!(result.is_err(), "octet {at}: {result:?}");
        }
    }
}

#[test]
fn requests_with_a_wrong_signature_are_told_what_is_wrong() {
    let key = key(Algorithm::HmacSha256);
    let signed = |with: &Arc<Key>, at: u64| {
        let mut request = query();
        sign_request(&mut request, with.clone(), at);
        request
    };
    let other_secret = Arc::new(Key::new(key.name().clone(), Algorithm::HmacSha256, b"another".to_vec()).unwrap());
    for (request, error) in [
        (signed(&key_named("other.", Algorithm::HmacSha256), NOW), TsigError::BadKey),
        (signed(&key_named("key.example.", Algorithm::HmacSha1), NOW), TsigError::BadKey),
        (signed(&other_secret, NOW), TsigError::BadSig),
        // The MAC before the time: CVE-2017-11104.
        (signed(&other_secret, NOW - 4000), TsigError::BadSig),
        (signed(&key, NOW - 301), TsigError::BadTime),
        (signed(&key, NOW + 301), TsigError::BadTime),
    ] {
        let failure = check(&request, &key, NOW).unwrap_err();
        assert_eq!((failure.error(), failure.rcode()), (error, Rcode::NOTAUTH));
    }
    for at in [NOW - 300, NOW + 300] {
        assert!(matches!(check(&signed(&key, at), &key, NOW), Ok(Verified::Signed(_))));
    }
    assert!(matches!(check(&query(), &key, NOW), Ok(Verified::Unsigned)));
}

#[test]
fn answers_to_wrong_signatures_say_the_reason_at_our_end() {
    let key = key(Algorithm::HmacSha256);
    let named = key.name().clone();
    let other = Arc::new(Key::new(named.clone(), Algorithm::HmacSha256, b"another".to_vec()).unwrap());
    let told = |client: Arc<Key>, client_time: u64| {
        let mut request = query();
        let mut verifier = sign_request(&mut request, client, client_time);
        let failure = check(&request, &key, NOW).unwrap_err();
        let mut refusal = query();
        failure.append_to(&mut refusal);
        verifier.verify(&refusal, client_time).unwrap_err()
    };
    assert_eq!(told(key_named("other.", Algorithm::HmacSha256), NOW), Reason::TsigBadKey { key: name("other.") });
    assert_eq!(told(other, NOW), Reason::TsigBadSig { key: named });
    let late = told(key.clone(), NOW - 412);
    assert_eq!(late, Reason::TsigBadTime { skew_secs: 412 });
    assert_eq!(late.to_string(), "the clocks differ too much for TSIG: their clock is 412 s ahead");
}

#[test]
fn badtime_is_signed_and_carries_both_clocks() {
    // RFC 8945 §5.2.3: their time where it was, ours in the other data, all of it signed.
    let key = key(Algorithm::HmacSha256);
    let mut request = query();
    sign_request(&mut request, key.clone(), NOW - 412);
    let mut refusal = query();
    check(&request, &key, NOW).unwrap_err().append_to(&mut refusal);
    let record = TsigRecord::find(&refusal).unwrap().unwrap();
    assert_eq!(record.variables.time_secs, NOW - 412);
    assert_eq!(record.other_time_secs(), Some(NOW));
    let mut digest = super::mac::Mac::new(&key);
    digest.update_with_mac(&mac(&request));
    record.digest_message(&refusal, &mut digest);
    record.digest_variables(&mut digest);
    assert!(digest.verify(record.mac));
}

#[test]
fn an_answer_from_another_time_is_refused_after_its_mac_was_verified() {
    let key = key(Algorithm::HmacSha256);
    let (mut verifier, request) = exchange(&key);
    let mut message = answer();
    request.signer().sign(&mut message, NOW - 412);
    assert_eq!(verifier.verify(&message, NOW), Err(Reason::TsigBadTime { skew_secs: -412 }));
}

/// A request signed well, its MAC then cut to so many octets.
fn with_mac_octets(key: &Arc<Key>, octets: usize) -> Vec<u8> {
    let mut whole = query();
    sign_request(&mut whole, key.clone(), NOW);
    let mut long = mac(&whole);
    long.resize(octets, 0);
    let mut message = query();
    let variables = Variables { time_secs: NOW, fudge_secs: 300, error: Rcode::NOERROR };
    let (key_name, algorithm) = (key.name().borrow(), key.algorithm().wire_name());
    NewTsig { key_name, algorithm, variables, mac: &long, original_id: 0x1234, other: &[] }.append_to(&mut message);
    message
}

#[test]
fn shortened_macs_are_refused_by_shape_or_by_policy() {
    // RFC 8945 §5.2.2.1: below the larger of 10 octets and half, or above the whole: FORMERR.
    let (long, short) = (key(Algorithm::HmacSha256), key(Algorithm::HmacMd5));
    for (key, octets, error) in [
        (&long, 0, TsigError::FormErr),
        (&long, 15, TsigError::FormErr),
        (&long, 16, TsigError::BadTrunc),
        (&long, 31, TsigError::BadTrunc),
        (&long, 33, TsigError::FormErr),
        (&short, 9, TsigError::FormErr),
        (&short, 10, TsigError::BadTrunc),
    ] {
        assert_eq!(check(&with_mac_octets(key, octets), key, NOW).unwrap_err().error(), error, "{octets}");
    }
    let (mut verifier, _) = exchange(&long);
    assert_eq!(verifier.verify(&with_mac_octets(&long, 16), NOW), Err(Reason::TsigTruncatedMac { octets: 16 }));
}

#[test]
fn tsig_must_be_last_alone_and_of_its_shape() {
    // CVE-2016-7074, CVE-2025-40775.
    let key = key(Algorithm::HmacSha256);
    let mut signed = query();
    sign_request(&mut signed, key.clone(), NOW);
    let record = signed[query().len()..].to_vec();
    let doubled = {
        let mut message = signed.clone();
        message.extend(&record);
        message[11] = 2;
        message
    };
    let followed = {
        let mut message = signed.clone();
        message.extend([0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0]);
        message[11] = 2;
        message
    };
    let in_the_answer = {
        let mut message = signed.clone();
        (message[7], message[11]) = (1, 0);
        message
    };
    let trailing = [signed.as_slice(), &[0]].concat();
    for message in [doubled, followed, in_the_answer, trailing] {
        assert_eq!(TsigRecord::find(&message).err(), Some(Unreadable::Record));
        let failure = check(&message, &key, NOW).unwrap_err();
        assert_eq!(failure.rcode(), Rcode::FORMERR);
        let mut answer = query();
        failure.append_to(&mut answer);
        assert_eq!(answer, query(), "FORMERR has no TSIG record");
    }
}

#[test]
fn a_cut_message_never_panics_and_never_verifies() {
    let key = key(Algorithm::HmacSha256);
    let (_, request) = exchange(&key);
    let mut message = answer();
    request.signer().sign(&mut message, NOW);
    for cut in 0..message.len() {
        let (mut verifier, _) = exchange(&key);
        assert!(verifier.verify(&message[..cut], NOW).is_err(), "{cut}");
        assert!(!matches!(check(&message[..cut], &key, NOW), Ok(Verified::Signed(_))));
    }
}

#[test]
fn no_octet_of_a_signed_request_can_be_changed() {
    // CVE-2017-3142, CVE-2017-3143: nothing that is only like a signature passes for one.
    let key = key(Algorithm::HmacSha256);
    let mut message = query();
    sign_request(&mut message, key.clone(), NOW);
    let names = query().len()..;
    for at in 2..message.len() {
        for bit in 0..8 {
            let mut forged = message.clone();
            forged[at] ^= 1 << bit;
            let is_letter_case = names.contains(&at) && forged[at].eq_ignore_ascii_case(&message[at]);
            let passes = matches!(check(&forged, &key, NOW), Ok(Verified::Signed(_)));
            assert!(!passes || is_letter_case, "octet {at}, bit {bit}");
        }
    }
}

#[test]
fn letter_case_of_algorithm_names_does_not_matter() {
    // RFC 8945 §4.3.3: their canonical form is digested.
    for algorithm in Algorithm::ALL {
        let key = key(algorithm);
        let mut request = query();
        let mut verifier = sign_request(&mut request, key.clone(), NOW);
        let mut answer = answer();
        accepted(&request, &key).signer().sign(&mut answer, NOW);
        for message in [&mut request, &mut answer] {
            let name = algorithm.wire_name().as_wire();
            let at = message.windows(name.len()).rposition(|octets| octets == name).unwrap();
            message[at..at + name.len()].make_ascii_uppercase();
        }
        accepted(&request, &key);
        assert_eq!(verifier.verify(&answer, NOW), Ok(Signature::Verified), "{algorithm}");
    }
}

#[test]
fn a_damaged_record_is_formerr_and_an_algorithm_that_nobody_knows_badkey() {
    // CVE-2025-40775, CVE-2020-8622.
    let key = key(Algorithm::HmacSha256);
    let mut message = query();
    sign_request(&mut message, key.clone(), NOW);
    let algorithm_at = message.windows(12).rposition(|octets| octets == b"\x0bhmac-sha256").unwrap();
    let class_at = algorithm_at - 8;
    let mac_octets_at = algorithm_at + 13 + 8;
    let other_octets_at = message.len() - 2;
    for (at, octets, rcode) in [
        (class_at, &[0, 1][..], Rcode::FORMERR),
        (class_at + 2, &[0, 0, 0, 1], Rcode::FORMERR),
        (algorithm_at, b"\x0bhmac-rot256", Rcode::NOTAUTH),
        // The algorithm's name: a label and a pointer that lead nowhere, and a pointer to itself.
        (algorithm_at + 12, &[63], Rcode::FORMERR),
        (algorithm_at + 12, &[0xff, 0xff], Rcode::FORMERR),
        (algorithm_at, &[0xc0, algorithm_at as u8], Rcode::FORMERR),
        (mac_octets_at, &[0, 31], Rcode::FORMERR),
        (mac_octets_at, &[0, 33], Rcode::FORMERR),
        (mac_octets_at, &[0xff, 0xff], Rcode::FORMERR),
        (other_octets_at, &[0, 6], Rcode::FORMERR),
    ] {
        let mut damaged = message.clone();
        damaged[at..at + octets.len()].copy_from_slice(octets);
        assert_eq!(check(&damaged, &key, NOW).unwrap_err().rcode(), rcode, "{octets:?} at {at}");
        let mut verifier = sign_request(&mut query(), key.clone(), NOW);
        assert!(verifier.verify(&damaged, NOW).is_err());
    }
}
