//! A zone on its way out: AXFR (RFC 5936), and IXFR answered with the whole zone (RFC 1995 §4).
//!
//! One snapshot from beginning to end, however long the client takes and whatever is published meanwhile. Records go
//! into messages as large as TCP carries, each with names compressed against all of it; one message is in memory at a
//! time. The client must take each message within the write deadline.
//!
//! Does not do: deciding who may have the zone (see the desk), diffs.

use std::time::Duration;

use dns::message::MESSAGE_OCTETS_MAX;
use dns::writer::CompressionTable;
use dns::{MessageWriter, Question, Rcode, RecordRef, Section, Type};
use tokio::io::AsyncWrite;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use xfr::tsig::{ResponseSigner, TSIG_OCTETS_MAX};
use zone::Image;

use crate::house::{LENGTH_OCTETS, write};

/// A transfer that was granted and has not begun.
pub(crate) struct Transfer {
    pub(crate) image: Image,
    pub(crate) id: u16,
    pub(crate) flags: u16,
    pub(crate) question: Question,
    /// The options of the first message's OPT record, if it has one (RFC 5936 §2.2.5).
    pub(crate) options: Option<Vec<u8>>,
    pub(crate) signer: Option<ResponseSigner>,
    /// The place among the transfers that run at one time.
    pub(crate) _place: OwnedSemaphorePermit,
}

/// Why a transfer ended before its end; the connection is closed then, which tells the client (RFC 5936 §4.1.1).
#[derive(Debug, thiserror::Error)]
pub(crate) enum TransferError {
    #[error("a record of {octets} octets fits into no message")]
    RecordTooLarge { octets: usize },
    #[error("the client did not take a message in time")]
    TooSlow,
    #[error("the connection broke: {0}")]
    Connection(#[from] std::io::Error),
}

impl Transfer {
    /// Sends the whole zone: its SOA, all other records, its SOA (RFC 5936 §2.2).
    ///
    /// `now_secs` gives the wall clock, in seconds since the Unix epoch, for signatures.
    pub(crate) async fn send(
        mut self,
        stream: &mut (impl AsyncWrite + Unpin),
        deadline: Duration,
        now_secs: impl Fn() -> u64,
    ) -> Result<(), TransferError> {
        let image = self.image.clone();
        let mut records = whole(&image);
        let mut next = records.next();
        let mut table = CompressionTable::large();
        let mut message = Vec::new();
        let mut frame = Vec::with_capacity(LENGTH_OCTETS + MESSAGE_OCTETS_MAX);
        let mut place = Place::First;
        while next.is_some() {
            message.resize(MESSAGE_OCTETS_MAX, 0);
            let length = self.pack(&mut message, &mut table, place, &mut next, &mut records)?;
            message.truncate(length);
            if let Some(signer) = &mut self.signer {
                signer.sign(&mut message, now_secs());
            }
            frame.clear();
            frame.extend((message.len() as u16).to_be_bytes());
            frame.extend(&message);
            timeout(deadline, write(stream, &frame)).await.map_err(|_| TransferError::TooSlow)??;
            place = Place::Later;
        }
        Ok(())
    }

    /// Fills one message, and leaves in `next` the record that did not fit any more.
    fn pack<'i>(
        &self,
        message: &mut [u8],
        table: &mut CompressionTable,
        place: Place,
        next: &mut Option<RecordRef<'i>>,
        records: &mut impl Iterator<Item = RecordRef<'i>>,
    ) -> Result<usize, TransferError> {
        let reserved = if self.signer.is_some() { TSIG_OCTETS_MAX } else { 0 };
        let mut writer = MessageWriter::new(message, MESSAGE_OCTETS_MAX, table, self.id, self.flags);
        let opt_octets = OPT_OCTETS + self.options.as_ref().map_or(0, Vec::len);
        writer.reserve(reserved + opt_octets);
        if place == Place::First {
            writer.question(&self.question).expect("a message of 64 KiB has room for a question");
        }
        while let Some(record) = *next {
            if writer.record(Section::Answer, record).is_err() {
                if writer.count(Section::Answer) == 0 {
                    return Err(TransferError::RecordTooLarge { octets: record.rdata.len() });
                }
                break;
            }
            *next = records.next();
        }
        if let (Place::First, Some(options)) = (place, &self.options) {
            writer.release(opt_octets);
            let room = writer.opt(dns::edns::UDP_OCTETS, Rcode::NOERROR, false, options);
            room.expect("room for the OPT record was kept free");
        }
        Ok(writer.finish())
    }
}

/// An OPT record without options.
const OPT_OCTETS: usize = 11;

/// Where a message stands in the stream.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    First,
    Later,
}

/// The records of a transfer in their order.
fn whole(image: &Image) -> impl Iterator<Item = RecordRef<'_>> {
    let soa = image.soa_record();
    let rest = image.records().filter(|record| record.rtype != Type::SOA);
    std::iter::once(soa).chain(rest).chain(std::iter::once(soa))
}
