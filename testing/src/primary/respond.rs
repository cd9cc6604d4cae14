//! From a request to what is done about it.

use dns::{Rcode, Serial};
use xfr::Algorithm;
use xfr::tsig::{ResponseSigner, SignedRequest, Verified, verify_request};

use super::behaviour::{Behaviour, Kind};
use super::connection::Action;
use super::message::{Origin, Request, error, read, split};
use super::records::{claimed_or_empty, records, with_serial};
use super::spoil;
use super::state::State;

pub(super) fn respond(state: &mut State, query: &[u8], origin: Origin) -> Vec<Action> {
    let Some(request) = read(query, origin.transport) else { return vec![Action::Close] };
    state.counts[request.kind as usize] += 1;
    let mut actions = answer(state, &request, query);
    actions.extend(ending(state, request.kind, origin.number));
    actions
}

/// What becomes of the connection behind the answer.
fn ending(state: &State, kind: Kind, number: usize) -> Option<Action> {
    state.told(|behaviour| match behaviour {
        Behaviour::CloseAfter(of) if *of == kind => Some(Action::Close),
        Behaviour::MuteAfter(of) if *of == kind => Some(Action::Hang),
        Behaviour::CloseAfterRequests(count) if *count <= number => Some(Action::Close),
        Behaviour::MuteAfterRequests(count) if *count <= number => Some(Action::Hang),
        _ => None,
    })
}

fn answer(state: &State, request: &Request, query: &[u8]) -> Vec<Action> {
    let kind = request.kind;
    if state.behaves(&Behaviour::Silent(kind)) || request.has_edns && state.behaves(&Behaviour::DropEdns) {
        return vec![Action::Hang];
    }
    if state.behaves(&Behaviour::CloseAtOnce(kind)) {
        return vec![Action::Close];
    }
    if state.behaves(&Behaviour::Garbage(kind)) {
        return vec![Action::Send(b"HTTP/1.1 400 Bad Request\r\n\r\nthis is not the server you look for".to_vec())];
    }
    let now = state.clock_secs();
    let only_md5 = state.behaves(&Behaviour::OnlyMd5);
    let key = |name: dns::NameRef<'_>| {
        let mut known = state.keys.iter().filter(|key| !only_md5 || key.algorithm() == Algorithm::HmacMd5);
        known.find(|key| key.name().borrow() == name).cloned()
    };
    let signed = match verify_request(query, key, now) {
        Ok(Verified::Signed(signed)) => Some(signed),
        Ok(Verified::Unsigned) if state.keys.is_empty() || state.behaves(&Behaviour::TakesUnsigned) => None,
        Ok(Verified::Unsigned) => return vec![Action::Send(error(state, request, Rcode::REFUSED))],
        Err(failure) => {
            let mut answer = error(state, request, failure.rcode());
            failure.append_to(&mut answer);
            return vec![Action::Send(answer)];
        }
    };
    let mut messages = match records(state, request) {
        Ok(records) => split(state, request, &records),
        Err(rcode) => vec![error(state, request, rcode)],
    };
    if kind.is_transfer() {
        spoil::messages(state, &mut messages);
    }
    if let Some(signed) = signed {
        sign(state, &signed, &mut messages, now);
    }
    if state.behaves(&Behaviour::WrongId(kind)) {
        messages.iter_mut().for_each(|message| message[1] ^= 1);
    }
    if state.behaves(&Behaviour::ForgedFirst(kind)) {
        let soa = with_serial(&claimed_or_empty(state, request), Serial(99_999));
        let mut forged = split(state, request, &soa).swap_remove(0);
        forged[1] ^= 1;
        messages.insert(0, forged);
    }
    actions(state, kind, messages)
}

fn sign(state: &State, signed: &SignedRequest, messages: &mut [Vec<u8>], now_secs: u64) {
    if state.behaves(&Behaviour::Unsigned) {
        return;
    }
    let every = state.told(|behaviour| match behaviour {
        Behaviour::SignEvery(count) => Some(*count),
        _ => None,
    });
    let every = every.unwrap_or(1);
    let mut signer: ResponseSigner = signed.signer();
    let last = messages.len() - 1;
    for (at, message) in messages.iter_mut().enumerate() {
        let unsigned_tail = at == last && at > 0 && state.behaves(&Behaviour::UnsignedTail);
        if unsigned_tail || at % every != 0 && at != last {
            signer.leave_unsigned(message);
            continue;
        }
        signer.sign(message, now_secs);
        if state.behaves(&Behaviour::WrongMac) {
            // The last octets are the MAC, the original ID, the error and the length of no other data.
            let mac_end = message.len() - 7;
            message[mac_end] ^= 1;
        }
    }
}

fn actions(state: &State, kind: Kind, mut messages: Vec<Vec<u8>>) -> Vec<Action> {
    if !kind.is_transfer() {
        return messages.into_iter().map(Action::Send).collect();
    }
    let last = if state.behaves(&Behaviour::CutMessage) {
        messages.pop().map(Action::Part)
    } else if state.behaves(&Behaviour::HangHalfWay) {
        Some(Action::Hang)
    } else if state.behaves(&Behaviour::CloseHalfWay) {
        Some(Action::Close)
    } else if state.behaves(&Behaviour::CutHalfWay) {
        Some(Action::Cut)
    } else {
        None
    };
    if state.behaves(&Behaviour::EmptyMessage) {
        messages.insert(0, Vec::new());
    }
    if state.behaves(&Behaviour::Endless)
        && let Some(middle) = messages.get(1).cloned()
    {
        return vec![Action::Send(messages.swap_remove(0)), Action::Repeat(middle)];
    }
    let trickle = state.told(|behaviour| match behaviour {
        Behaviour::Trickle { octets, pause } => Some((*octets, *pause)),
        _ => None,
    });
    let send = |message| match trickle {
        Some((octets, pause)) => Action::Trickle { message, octets, pause },
        None => Action::Send(message),
    };
    messages.into_iter().map(send).chain(last).collect()
}
