//! Starting to serve, and stopping.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::bind::Sockets;
use crate::connections::Connections;
use crate::counters::{Block, Counters};
use crate::desk::Desk;
use crate::heard::Heard;
use crate::house::House;
use crate::limits::Limits;
use crate::queries::{Queries, Sheet, Writers};
use crate::quic;
use crate::tcp::{self, Wire};
use crate::transfer_out::{Places, Told};
use crate::udp::Worker;
use crate::{Notified, Shared};

/// A server at work. Dropping it stops it too, without waiting for its threads.
pub struct Running {
    addresses: Vec<SocketAddr>,
    tls_addresses: Vec<SocketAddr>,
    quic_addresses: Vec<SocketAddr>,
    counters: Counters,
    heard: Heard,
    queries: Queries,
    stop_udp: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    stop_tcp: CancellationToken,
    tasks: TaskTracker,
}

/// Serves `sockets` until stopped. NOTIFYs that may wake a zone go to `notifies`; when it is full, the primary is left
/// to send again.
///
/// Must be called inside a tokio runtime: connections are tasks there. UDP has threads of its own.
///
/// # Errors
/// When the system gives no thread, or the runtime does not take a socket.
///
/// # Panics
/// Outside a tokio runtime.
pub fn serve(
    sockets: Sockets,
    shared: Shared,
    notifies: mpsc::Sender<Notified>,
    limits: Limits,
) -> io::Result<Running> {
    let blocks: Vec<Arc<Block>> = (0..=sockets.udp.len()).map(|_| Arc::default()).collect();
    let heard = Heard::new(blocks.len());
    let of_connections = std::iter::once(Writers::Many);
    let writers = of_connections.chain(sockets.udp.iter().map(|_| Writers::One));
    let sheets: Vec<Arc<Sheet>> = writers.map(|writers| Arc::new(Sheet::of(writers))).collect();
    let desk = Arc::new(Desk::new(shared.clone(), notifies, &limits));
    let house = Arc::new(House {
        shared: shared.clone(),
        desk: desk.clone(),
        block: blocks[0].clone(),
        shelf: heard.shelf(0),
        sheet: sheets[0].clone(),
        connections: Connections::new(&limits),
        transfer_places: Places::new(&limits),
        told: Told::default(),
        limits,
        stop: CancellationToken::new(),
        tasks: TaskTracker::new(),
    });
    // From here on an early return drops `running`, which stops what has been started.
    let mut running = Running {
        addresses: sockets.addresses().to_vec(),
        tls_addresses: sockets.tls_addresses().to_vec(),
        quic_addresses: sockets.quic_addresses().to_vec(),
        counters: Counters::new(&blocks),
        heard,
        queries: Queries::new(&sheets),
        stop_udp: Arc::default(),
        threads: Vec::new(),
        stop_tcp: house.stop.clone(),
        tasks: house.tasks.clone(),
    };
    for listener in sockets.tcp {
        house.tasks.spawn(tcp::accept(TcpListener::from_std(listener)?, Wire::Plain, house.clone()));
    }
    if let Some((listeners, tls)) = sockets.tls {
        for listener in listeners {
            house.tasks.spawn(tcp::accept(TcpListener::from_std(listener)?, Wire::Tls(tls.clone()), house.clone()));
        }
    }
    if let Some((sockets, tls)) = sockets.quic {
        let unproved = quic::unproved(&house.limits);
        for socket in sockets {
            let endpoint = quic::endpoint(socket, &tls, &house.limits)?;
            house.tasks.spawn(quic::accept(endpoint, tls.clone(), unproved.clone(), house.clone()));
        }
    }
    for (index, (socket, block)) in sockets.udp.into_iter().zip(&blocks[1..]).enumerate() {
        let (shared, desk, block) = (shared.clone(), desk.clone(), block.clone());
        let (shelf, sheet) = (running.heard.shelf(index + 1), sheets[index + 1].clone());
        let worker = Worker { socket, shared, desk, block, shelf, sheet, stop: running.stop_udp.clone() };
        let thread = std::thread::Builder::new().name(format!("udp-{index}"));
        running.threads.push(thread.spawn(move || worker.run())?);
    }
    Ok(running)
}

impl Running {
    /// The addresses that are answered on, each for UDP and TCP.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The addresses that are answered on over TLS.
    pub fn tls_addresses(&self) -> &[SocketAddr] {
        &self.tls_addresses
    }

    /// The addresses that are answered on over QUIC.
    pub fn quic_addresses(&self) -> &[SocketAddr] {
        &self.quic_addresses
    }

    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The NOTIFYs that came, for the ledger.
    pub fn heard(&self) -> &Heard {
        &self.heard
    }

    /// What is asked of each zone.
    pub fn queries(&self) -> &Queries {
        &self.queries
    }

    /// Closes all sockets, and returns when nothing runs any more: within a second. Transfers out are cut off; their
    /// clients ask again elsewhere.
    pub async fn stop(mut self) {
        self.signal();
        self.tasks.close();
        self.tasks.wait().await;
        let threads = std::mem::take(&mut self.threads);
        let joined = tokio::task::spawn_blocking(move || {
            // A worker catches its own panics: there is none to pass on.
            threads.into_iter().for_each(|thread| drop(thread.join()));
        });
        let _ = joined.await;
    }

    fn signal(&self) {
        self.stop_udp.store(true, Ordering::Relaxed);
        self.stop_tcp.cancel();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.signal();
    }
}
