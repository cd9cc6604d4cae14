//! Records into messages as large as TCP carries, each with names compressed against all of it.
//!
//! Each is signed where the request was, and packed when there is room for it among those that wait to be written.

use dns::edns::OPT_HEAD_OCTETS;
use dns::message::MESSAGE_OCTETS_MAX;
use dns::writer::CompressionTable;
use dns::{MessageWriter, Question, Rcode, RecordRef, Section};
use tokio::sync::mpsc;
use xfr::tsig::{ResponseSigner, TSIG_OCTETS_MAX};

use super::{Piece, TransferError};

/// What the messages of a transfer begin with.
#[derive(Clone, Debug)]
pub(crate) struct Opening {
    pub(crate) id: u16,
    pub(crate) flags: u16,
    /// The options of the first message's OPT record, if it has one (RFC 5936 §2.2.5).
    pub(crate) options: Option<Vec<u8>>,
}

/// The memory that a message is written in.
pub(super) struct Room {
    out: Vec<u8>,
    table: CompressionTable,
}

impl Default for Room {
    fn default() -> Self {
        Self { out: vec![0; MESSAGE_OCTETS_MAX], table: CompressionTable::large() }
    }
}

pub(super) struct Packing<'a> {
    writer: MessageWriter<'a>,
    /// Of the message that is being written, if that is the first.
    options: Option<Vec<u8>>,
    signer: Option<ResponseSigner>,
    pieces: &'a mpsc::Sender<Piece>,
    now_secs: fn() -> u64,
}

impl<'a> Packing<'a> {
    pub(super) fn new(
        room: &'a mut Room,
        opening: Opening,
        question: &Question,
        signer: Option<ResponseSigner>,
        pieces: &'a mpsc::Sender<Piece>,
        now_secs: fn() -> u64,
    ) -> Self {
        let Room { out, table } = room;
        let Opening { id, flags, options } = opening;
        let mut writer = MessageWriter::new(out, MESSAGE_OCTETS_MAX, table, id, flags);
        writer.reserve(if signer.is_some() { TSIG_OCTETS_MAX } else { 0 });
        writer.reserve(opt_octets(options.as_deref()));
        writer.question(question).expect("a message of 64 KiB has room for a question");
        Self { writer, options, signer, pieces, now_secs }
    }

    /// Puts records behind those that are there, and hands each message over that is full.
    pub(super) async fn put_all(
        &mut self,
        records: impl Iterator<Item = RecordRef<'_>>,
    ) -> Result<(), TransferError> {
        for record in records {
            if self.writer.record(Section::Answer, record).is_ok() {
                continue;
            }
            if self.writer.count(Section::Answer) > 0 {
                self.hand_over().await?;
            }
            let octets = record.rdata.len();
            self.writer.record(Section::Answer, record).map_err(|_| TransferError::RecordTooLarge { octets })?;
        }
        Ok(())
    }

    /// Hands the last message over, which is not empty: a transfer ends with a record.
    pub(super) async fn finish(mut self) -> Result<(), TransferError> {
        self.hand_over().await
    }

    async fn hand_over(&mut self) -> Result<(), TransferError> {
        if let Some(options) = self.options.take() {
            self.writer.release(opt_octets(Some(&options)));
            let room = self.writer.opt(dns::edns::UDP_OCTETS, Rcode::NOERROR, false, &options);
            room.expect("room for the OPT record was kept free");
        }
        let place = self.pieces.reserve().await.map_err(|_| TransferError::ConnectionEnded)?;
        let mut message = Vec::with_capacity(self.writer.len() + TSIG_OCTETS_MAX);
        self.writer.pour_into(&mut message);
        if let Some(signer) = &mut self.signer {
            signer.sign(&mut message, (self.now_secs)());
        }
        place.send(Piece::Message(message));
        Ok(())
    }
}

fn opt_octets(options: Option<&[u8]>) -> usize {
    options.map_or(0, |options| OPT_HEAD_OCTETS + options.len())
}
