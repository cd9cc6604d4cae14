//! What holds for every split, every cut and every octet.

use dns::{RecordRef, Type};
use proptest::prelude::*;
use xfr::{Progress, Session};

use crate::script::{Envelope, NOW, axfr, feed, ixfr, messages, records};

const WHOLE: &str = "soa 9\n@ 60 NS ns\n@ 60 NS Ns2\nns 60 A 192.0.2.1\nns 60 AAAA 2001:db8::1\nsoa 9";
const STEPS: &str = "soa 3\nsoa 1\na 60 A 192.0.2.1\nsoa 2\na 60 A 192.0.2.2\nsoa 2\nsoa 3\nb 60 MX 1 a\nsoa 3";

/// Each transfer, the type it answers and a session that waits for it.
fn transfer(incremental: bool) -> (&'static str, Type, Session) {
    if incremental { (STEPS, Type::IXFR, ixfr(1)) } else { (WHOLE, Type::AXFR, axfr()) }
}

proptest! {
    #[test]
    fn any_split_into_messages_gives_the_same_change(incremental: bool, splits: u16, questions: u16) {
        let (text, qtype, mut session) = transfer(incremental);
        let all = records(text);
        let mut parts: Vec<Vec<RecordRef<'_>>> = vec![vec![]];
        for (at, record) in all.iter().enumerate() {
            if at > 0 && splits >> at & 1 == 1 {
                parts.push(vec![]);
            }
            parts.last_mut().unwrap().push(record);
        }
        let split: Vec<Vec<u8>> = parts.into_iter().enumerate().map(|(at, part)| {
            let question = (questions >> at & 1 == 1).then_some(qtype);
            Envelope { question, ..Envelope::answering(qtype) }.message(part)
        }).collect();
        let (_, _, mut other) = transfer(incremental);
        prop_assert_eq!(feed(&mut session, &split), feed(&mut other, &messages(qtype, text)));
    }

    #[test]
    fn random_octets_never_panic_and_never_give_a_change(
        octets in proptest::collection::vec(any::<u8>(), 0..200), incremental: bool
    ) {
        let (_, _, mut session) = transfer(incremental);
        prop_assert!(!matches!(session.receive(&octets, NOW), Ok(Progress::Done(_))));
    }

    #[test]
    fn flipped_octets_never_panic(at in 0_usize..400, octet: u8, incremental: bool) {
        let (text, qtype, mut session) = transfer(incremental);
        let mut message = messages(qtype, text).remove(0);
        let at = at % message.len();
        message[at] = octet;
        let _ = session.receive(&message, NOW);
    }
}

#[test]
fn a_message_cut_anywhere_never_gives_a_change() {
    for incremental in [false, true] {
        let (text, qtype, _) = transfer(incremental);
        let message = messages(qtype, text).remove(0);
        for cut in 0..message.len() {
            let (_, _, mut session) = transfer(incremental);
            assert!(session.receive(&message[..cut], NOW).is_err(), "{cut}");
        }
    }
}
