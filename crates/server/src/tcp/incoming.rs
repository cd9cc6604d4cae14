//! What has come on a connection and is not answered yet: octets, of which whole messages are taken one by one.

use std::io;
use std::pin::pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt};

use crate::house::LENGTH_OCTETS;

/// Read at once, in octets; and kept for a connection that says nothing.
pub(super) const READ_OCTETS: usize = 4096;

/// Holds one message of the greatest length and what came with its last octets at the most: nothing more is read while
/// there is a whole message.
#[derive(Default)]
pub(super) struct Incoming {
    octets: Vec<u8>,
    /// Where the first message begins.
    start: usize,
}

impl Incoming {
    /// Whether nothing is there, not even the first octet of a message.
    pub(super) fn is_empty(&self) -> bool {
        self.start == self.octets.len()
    }

    /// The first message, without its length, if it is whole.
    pub(super) fn message(&self) -> Option<&[u8]> {
        let rest = &self.octets[self.start..];
        let length = usize::from(u16::from_be_bytes(*rest.first_chunk()?));
        rest.get(LENGTH_OCTETS..LENGTH_OCTETS + length)
    }

    /// Forgets the first message, if it is whole.
    pub(super) fn take(&mut self) {
        self.start += self.message().map_or(0, |message| LENGTH_OCTETS + message.len());
        if self.is_empty() {
            self.octets.clear();
            self.octets.shrink_to(READ_OCTETS);
            self.start = 0;
        }
    }

    /// Reads what is there; false when nothing more will come.
    pub(super) fn poll_read(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
        context: &mut Context<'_>,
    ) -> Poll<io::Result<bool>> {
        if self.start > 0 {
            self.octets.drain(..self.start);
            self.start = 0;
        }
        // Memory grows with what arrives, not with what the length promises.
        if self.octets.len() == self.octets.capacity() {
            self.octets.reserve_exact(READ_OCTETS);
        }
        pin!(stream.read_buf(&mut self.octets)).poll(context).map_ok(|read| read > 0)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::{Incoming, READ_OCTETS};

    #[tokio::test]
    async fn messages_are_taken_one_by_one_however_their_octets_come() {
        let messages = [vec![1; 3], vec![], vec![2; 65_535], vec![3]];
        let framed = |message: &Vec<u8>| [&(message.len() as u16).to_be_bytes(), &message[..]].concat();
        let stream: Vec<u8> = messages.iter().flat_map(framed).collect();
        for pieces in [1, 2, 7, 4096, stream.len()] {
            let mut incoming = Incoming::default();
            let mut taken = Vec::new();
            for mut piece in stream.chunks(pieces) {
                while !piece.is_empty() {
                    assert!(poll_fn(|context| incoming.poll_read(&mut piece, context)).await.unwrap());
                    while let Some(message) = incoming.message() {
                        taken.push(message.to_vec());
                        incoming.take();
                    }
                }
                assert!(incoming.octets.capacity() <= 2 + 65_535 + 2 * READ_OCTETS);
            }
            assert!(taken == messages && incoming.is_empty(), "in pieces of {pieces} octets");
            assert!(incoming.octets.capacity() <= READ_OCTETS, "what a large message took is given back");
            assert!(!poll_fn(|context| incoming.poll_read(&mut &[][..], context)).await.unwrap());
        }
    }
}
