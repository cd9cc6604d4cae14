//! One query and its reply, on a stream of their own (RFC 9250 §4.2); a transfer is a reply of many messages.
//!
//! The query is read to its end, which the client must mark, within the message deadline. A client that wants no reply any
//! more says so (RFC 9250 §4.3.1), and nothing further is done for it.

use std::sync::Arc;

use dns::edns::{Edns, option};
use dns::{Header, MessageReader, Type};
use quinn::{ReadError, ReadExactError, RecvStream, SendStream};
use tokio::time::timeout;

use super::visit::Visit;
use super::{Code, STREAM_WINDOW_OCTETS};
use crate::counters::Event;
use crate::house::{LENGTH_OCTETS, frame_into};
use crate::peek::asks_for_transfer;
use crate::transfer_out::{Piece, Sent, Transfer, TransferError, Underway};

/// What RFC 9250 §4.3.3 says ends the connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Misuse(pub(super) &'static str);

/// Why there is no message.
enum Unread {
    Misused(Misuse),
    /// The client has given the query up, or is gone.
    GivenUp,
}

impl From<ReadError> for Unread {
    fn from(_: ReadError) -> Self {
        Self::GivenUp
    }
}

impl From<ReadExactError> for Unread {
    fn from(error: ReadExactError) -> Self {
        match error {
            ReadExactError::FinishedEarly(_) => Self::Misused(Misuse("a stream ended before its message did")),
            ReadExactError::ReadError(_) => Self::GivenUp,
        }
    }
}

/// Answers what comes on one stream.
pub(super) async fn answer(visit: Arc<Visit>, mut send: SendStream, mut receive: RecvStream) -> Result<(), Misuse> {
    let house = &visit.house;
    let message = match timeout(house.message(), read(&visit, &mut receive)).await {
        Ok(Ok(message)) => message,
        Ok(Err(Unread::Misused(misuse))) => return Err(misuse),
        Ok(Err(Unread::GivenUp)) => {
            end(&mut send, Code::RequestCancelled);
            return Ok(());
        }
        Err(_) => {
            house.block.count(Event::QuicTimedOut);
            // It may be closed already, which is as good.
            let _ = receive.stop(Code::ExcessiveLoad.into());
            end(&mut send, Code::ExcessiveLoad);
            return Ok(());
        }
    };
    check(&message)?;
    let _answering = visit.hear();
    // Before anything of the zone is held.
    let _turn = if asks_for_transfer(&message) { visit.transfers.acquire().await.ok() } else { None };
    let mut outgoing = Vec::new();
    match house.answer_into(&mut outgoing, &message, visit.sender) {
        Some(transfer) => transfer_out(&visit, *transfer, &mut send).await,
        // RFC 9250 §4.3.2: who gets no reply is told so.
        None if outgoing.is_empty() => end(&mut send, Code::Internal),
        None => reply(&visit, &outgoing, &mut send).await,
    }
    Ok(())
}

/// Reads one message, without its length, and sees that nothing follows it.
async fn read(visit: &Visit, receive: &mut RecvStream) -> Result<Vec<u8>, Unread> {
    let mut length = [0; LENGTH_OCTETS];
    receive.read_exact(&mut length).await?;
    let length = usize::from(u16::from_be_bytes(length));
    // Memory grows with what arrives, not with what the prefix promises; and one message at a time may be long.
    let mut message = vec![0; length.min(STREAM_WINDOW_OCTETS as usize)];
    receive.read_exact(&mut message).await?;
    if message.len() < length {
        let _long = visit.long.acquire().await.map_err(|_| Unread::GivenUp)?;
        let read = message.len();
        message.resize(length, 0);
        receive.read_exact(&mut message[read..]).await?;
        return finished(receive).await.map(|()| message);
    }
    finished(receive).await.map(|()| message)
}

async fn finished(receive: &mut RecvStream) -> Result<(), Unread> {
    match receive.read(&mut [0]).await? {
        None => Ok(()),
        Some(_) => Err(Unread::Misused(Misuse("a stream has more than one message"))),
    }
}

/// What no client may send over QUIC.
fn check(message: &[u8]) -> Result<(), Misuse> {
    let Some(header) = Header::parse(message) else { return Err(Misuse("a message is too short for a header")) };
    if header.is_response() {
        return Err(Misuse("a client sent a response"));
    }
    // RFC 9250 §4.2.1.
    if header.id != 0 {
        return Err(Misuse("a message's ID is not 0"));
    }
    // RFC 9250 §5.5.2: QUIC has its own.
    if has_keepalive(message) {
        return Err(Misuse("a message has the option edns-tcp-keepalive"));
    }
    Ok(())
}

/// Whether the message asks how long a TCP connection may stay (RFC 7828). One that cannot be read does not.
fn has_keepalive(message: &[u8]) -> bool {
    let Ok(mut reader) = MessageReader::new(message) else { return false };
    while let Ok(Some(record)) = reader.record_head() {
        if record.rtype == Type::OPT
            && let Ok(edns) = Edns::parse(record.class, record.ttl, reader.octets(record.rdata))
            && edns.options().any(|(code, _)| code == option::KEEPALIVE)
        {
            return true;
        }
    }
    false
}

async fn reply(visit: &Visit, octets: &[u8], send: &mut SendStream) {
    let house = &visit.house;
    match timeout(house.write(), send.write_all(octets)).await {
        // It may have been stopped meanwhile; then nobody wants it.
        Ok(Ok(())) => drop(send.finish()),
        Ok(Err(_)) => {
            house.block.count(Event::SendFailed);
            end(send, Code::RequestCancelled);
        }
        Err(_) => {
            house.block.count(Event::QuicTimedOut);
            end(send, Code::ExcessiveLoad);
        }
    }
}

/// Sends the zone, and waits until the client has it: what is only on its way is not yet transferred.
async fn transfer_out(visit: &Visit, transfer: Transfer, send: &mut SendStream) {
    let mut transfer = match visit.house.begin_transfer(transfer, visit.sender.address).await {
        Ok(transfer) => transfer,
        Err(turned_away) => {
            let mut framed = Vec::new();
            frame_into(&mut framed, &turned_away);
            reply(visit, &framed, send).await;
            return;
        }
    };
    let mut sent = send_all(visit, &mut transfer, send).await;
    if sent.is_ok() && !is_taken(visit, send).await {
        sent = Err(TransferError::TooSlow);
    }
    if sent.is_err() {
        // What breaks off must not look whole.
        end(send, Code::Internal);
    }
    visit.house.note_transfer(&transfer.subject, visit.sender.address, sent);
}

async fn send_all(visit: &Visit, transfer: &mut Underway, send: &mut SendStream) -> Result<Sent, TransferError> {
    let mut framed = Vec::new();
    loop {
        let message = match transfer.next().await {
            Piece::Message(message) => message,
            Piece::End(sent) => return sent,
        };
        framed.clear();
        frame_into(&mut framed, &message);
        let written = timeout(visit.house.write(), send.write_all(&framed)).await;
        written.map_err(|_| TransferError::TooSlow)?.map_err(|_| TransferError::ConnectionEnded)?;
    }
}

/// Whether the client acknowledges all of a stream in time.
async fn is_taken(visit: &Visit, send: &mut SendStream) -> bool {
    send.finish().is_ok() && matches!(timeout(visit.house.write(), send.stopped()).await, Ok(Ok(None)))
}

/// Ends a stream without its reply.
fn end(send: &mut SendStream, code: Code) {
    // It may have ended already, which is as good.
    let _ = send.reset(code.into());
}

#[cfg(test)]
mod tests {
    use super::{Misuse, check};

    /// A query for the root's A record with one record in its additional section.
    fn query(id: u8, flags: u8, additional: &[u8]) -> Vec<u8> {
        let count = u8::from(!additional.is_empty());
        [&[0, id, flags, 0, 0, 1, 0, 0, 0, 0, 0, count, 0, 0, 1, 0, 1], additional].concat()
    }

    #[test]
    fn what_no_client_may_send_is_told_apart_from_what_only_cannot_be_answered() {
        let opt = |code: u8| [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 4, 0, code, 0, 0];
        assert_eq!(check(&query(0, 0, &[])), Ok(()));
        assert_eq!(check(&query(0, 0, &opt(9))), Ok(()));
        // Garbage behind the header gets a FORMERR, as over any transport.
        assert_eq!(check(&query(0, 0, &opt(11)[..12])), Ok(()));
        for (message, why) in [
            (query(1, 0, &[]), "ID"),
            (query(0, 0x80, &[]), "response"),
            (query(0, 0, &opt(11)), "keepalive"),
            (vec![0; 11], "too short"),
        ] {
            let Err(Misuse(found)) = check(&message) else { panic!("{why}: {message:?}") };
            assert!(found.contains(why), "{found}");
        }
    }
}
