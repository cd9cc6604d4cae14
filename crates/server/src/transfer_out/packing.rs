//! Records into messages as large as TCP carries, each with names compressed against all of it.
//!
//! One message is in memory at a time. Each is signed where the request was.

use std::time::Duration;

use dns::edns::OPT_HEAD_OCTETS;
use dns::message::MESSAGE_OCTETS_MAX;
use dns::writer::CompressionTable;
use dns::{MessageWriter, Question, Rcode, RecordRef, Section};
use tokio::io::AsyncWrite;
use tokio::time::timeout;
use xfr::tsig::{ResponseSigner, TSIG_OCTETS_MAX};

use super::TransferError;
use crate::house::{LENGTH_OCTETS, write};

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

pub(super) struct Packing<'a, S, N> {
    writer: MessageWriter<'a>,
    /// Of the message that is being written, if that is the first.
    options: Option<Vec<u8>>,
    signer: Option<ResponseSigner>,
    stream: &'a mut S,
    deadline: Duration,
    now_secs: N,
    message: Vec<u8>,
    frame: Vec<u8>,
}

impl<'a, S: AsyncWrite + Unpin, N: Fn() -> u64> Packing<'a, S, N> {
    pub(super) fn new(
        room: &'a mut Room,
        opening: Opening,
        question: &Question,
        signer: Option<ResponseSigner>,
        stream: &'a mut S,
        deadline: Duration,
        now_secs: N,
    ) -> Self {
        let Room { out, table } = room;
        let Opening { id, flags, options } = opening;
        let mut writer = MessageWriter::new(out, MESSAGE_OCTETS_MAX, table, id, flags);
        writer.reserve(if signer.is_some() { TSIG_OCTETS_MAX } else { 0 });
        writer.reserve(opt_octets(options.as_deref()));
        writer.question(question).expect("a message of 64 KiB has room for a question");
        let frame = Vec::with_capacity(LENGTH_OCTETS + MESSAGE_OCTETS_MAX);
        Self { writer, options, signer, stream, deadline, now_secs, message: Vec::new(), frame }
    }

    /// Puts records behind those that are there, and sends each message that is full.
    pub(super) async fn put_all(
        &mut self,
        records: impl Iterator<Item = RecordRef<'_>>,
    ) -> Result<(), TransferError> {
        for record in records {
            if self.writer.record(Section::Answer, record).is_ok() {
                continue;
            }
            if self.writer.count(Section::Answer) > 0 {
                self.send().await?;
            }
            let octets = record.rdata.len();
            self.writer.record(Section::Answer, record).map_err(|_| TransferError::RecordTooLarge { octets })?;
        }
        Ok(())
    }

    /// Sends the last message, which is not empty: a transfer ends with a record.
    pub(super) async fn finish(mut self) -> Result<(), TransferError> {
        self.send().await
    }

    async fn send(&mut self) -> Result<(), TransferError> {
        if let Some(options) = self.options.take() {
            self.writer.release(opt_octets(Some(&options)));
            let room = self.writer.opt(dns::edns::UDP_OCTETS, Rcode::NOERROR, false, &options);
            room.expect("room for the OPT record was kept free");
        }
        self.message.clear();
        self.writer.pour_into(&mut self.message);
        if let Some(signer) = &mut self.signer {
            signer.sign(&mut self.message, (self.now_secs)());
        }
        self.frame.clear();
        self.frame.extend((self.message.len() as u16).to_be_bytes());
        self.frame.extend(&self.message);
        timeout(self.deadline, write(self.stream, &self.frame)).await.map_err(|_| TransferError::TooSlow)??;
        Ok(())
    }
}

fn opt_octets(options: Option<&[u8]>) -> usize {
    options.map_or(0, |options| OPT_HEAD_OCTETS + options.len())
}
