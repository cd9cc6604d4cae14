//! UDP: one thread for each socket, which does nothing but receive, answer and send, a batch at a time.
//!
//! Nothing that happens to one datagram, socket error or panic ends the loop.

pub(crate) mod batch;

use std::net::UdpSocket;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::Cache;
use xfr::notify::Channel;

use crate::Shared;
use crate::counters::{Block, Event};
use crate::desk::Desk;
use crate::front::{Bench, Reply, Sender, Stock, reply};
use crate::heard::Shelf;
use crate::queries::Sheet;
use batch::Batch;

/// After an error of the socket itself, which no datagram explains: lest the loop spins.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(10);

/// What one thread serves.
pub(crate) struct Worker {
    pub(crate) socket: UdpSocket,
    pub(crate) shared: Shared,
    pub(crate) desk: Arc<Desk>,
    pub(crate) block: Arc<Block>,
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) sheet: Arc<Sheet>,
    pub(crate) stop: Arc<AtomicBool>,
}

impl Worker {
    /// Serves the socket until `stop` is set.
    pub(crate) fn run(&self) {
        while !self.is_stopped() {
            // A bug that one datagram in a million brings out must not cost a worker. All memory of the loop is made
            // anew, so that nothing half-done is seen.
            if catch_unwind(AssertUnwindSafe(|| self.serve())).is_err() {
                tracing::error!("a UDP worker panicked and starts again: this is a bug in Secondo");
            }
        }
    }

    fn serve(&self) {
        let mut batch = Batch::new();
        let mut bench = Bench::default();
        let Shared { zones, catalogs, persona, .. } = &self.shared;
        let (mut zones, mut catalogs, mut persona) =
            (Cache::new(&**zones), Cache::new(&**catalogs), Cache::new(&**persona));
        while !self.is_stopped() {
            match batch.receive(&self.socket) {
                Ok(0) => continue,
                Ok(_) => {}
                Err(error) => {
                    tracing::debug!(%error, "receiving over UDP failed");
                    pause();
                    continue;
                }
            }
            let stock = Stock { zones: zones.load(), catalogs: catalogs.load(), persona: persona.load() };
            answer::look_ahead(batch.queries(), stock.zones);
            batch.each(|message, address, out| {
                let sender = Sender { address, channel: Channel::Udp };
                match reply(message, sender, stock, &self.desk, &mut bench, out) {
                    Reply::Message(octets) => octets,
                    // The desk grants transfers over TCP alone.
                    Reply::Nothing | Reply::Transfer(_) => 0,
                }
            });
            // Before sending: whoever has a reply finds it counted.
            bench.pour(&self.block, &self.shelf, &self.sheet);
            let sent = batch.send(&self.socket);
            bench.tally.count_many(Event::SendFailed, sent.failed);
            self.block.pour(&mut bench.tally);
        }
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

#[expect(clippy::disallowed_methods, reason = "a broken socket has no event to wait for")]
fn pause() {
    std::thread::sleep(PAUSE_AFTER_ERROR);
}
