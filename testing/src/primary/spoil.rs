//! Transfers that are right but for one thing.

use dns::{MessageReader, NameBuf, Rcode, RecordRef, Records, Serial};

use super::behaviour::Behaviour;
use super::records::with_serial;
use super::state::State;

/// Puts an SOA record where none belongs, if it is to.
pub(super) fn records(state: &State, records: Records) -> Records {
    let (Some(soa), Some(before_last)) = (records.iter().next(), records.len().checked_sub(2)) else {
        return records;
    };
    if state.behaves(&Behaviour::ForeignSoa) {
        let owner = NameBuf::concatenate(b"\x03sub", soa.owner).expect("the test's zone has a short name");
        return inserted(&records, before_last, RecordRef { owner: owner.borrow(), ..soa });
    }
    if state.behaves(&Behaviour::SoaInTheMiddle) {
        let other = with_serial(&std::iter::once(soa).collect(), Serial(77_777));
        return inserted(&records, before_last, other.iter().next().expect("an SOA record"));
    }
    records
}

fn inserted(records: &Records, at: usize, record: RecordRef<'_>) -> Records {
    records.iter().take(at).chain([record]).chain(records.iter().skip(at)).collect()
}

/// Spoils the last message, if it is to.
pub(super) fn messages(state: &State, messages: &mut [Vec<u8>]) {
    let Some(last) = messages.last_mut() else { return };
    let rcode = state.told(|behaviour| match behaviour {
        Behaviour::ErrorAtEnd(rcode) => Some(*rcode),
        _ => None,
    });
    last[3] |= rcode.unwrap_or(Rcode::NOERROR).0 as u8;
    if state.behaves(&Behaviour::OtherClass) {
        let mut reader = MessageReader::new(last).expect("our own message");
        let record = reader.record().expect("our own message").expect("a record");
        // Behind the class come the TTL and the length of the data.
        last[record.rdata.start - 7] = 3;
    }
    if state.behaves(&Behaviour::TrailingOctet) {
        last.push(0);
    }
}
