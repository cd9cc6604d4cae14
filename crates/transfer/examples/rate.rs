//! What connections that are kept and shared are worth: `cargo run --release -p transfer --example rate`.
//!
//! A thousand small zones are copied from Knot DNS and from NSD on this machine, from NSD over TLS too, once over the
//! connections that are kept, on which requests lie beside each other, and once over a new one for each transfer, over TLS
//! with a whole handshake. Either way there are as many connections at a time as one address may have. Each is done
//! several times, in turns; the figures are medians. Only the transfers are timed, from the first request to the last
//! zone, not what becomes of the contents. BIND is not asked: it serves ten transfers at a time
//! (`transfers-out`), so that there is nothing to be had from more.

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use dns::Name;
use testing::certificate::Certificate;
use testing::peer::{Peer, Setup, Software};
use testing::zone_text;
use transfer::{Deadlines, Fetch, Internet, Lane, Limits, Meter, Primary, TlsClient, Transfers};
use xfr::{Alpn, Destinations, Identity, Pin, Tls};

const ZONES: usize = 1000;
const TIMES: usize = 7;

/// How a transfer comes by its connection.
#[derive(Clone, Copy, Debug)]
enum Connections {
    Kept,
    New,
}

#[tokio::main]
async fn main() {
    for software in [Software::Knot, Software::Nsd] {
        let certificate = Certificate::alone(&["primary.test"]);
        let pin = Pin::from_base64(certificate.pin()).unwrap();
        let setup = Setup { tls: software.speaks_tls().then_some(certificate), ..Setup::default() };
        let setup = (0..ZONES)
            .fold(setup, |setup, number| setup.and_zone(&format!("zone-{number}.test"), zone_text::small(1)));
        let peer = Peer::start(software, setup);
        compare(&format!("{software:?} in clear text"), &Primary::at(peer.address())).await;
        if software.speaks_tls() {
            // NSD names no protocol.
            let tls = Tls { identity: Identity::Pin(pin), alpn: Alpn::MayBeMissing };
            let primary = Primary { tls: Some(tls), ..Primary::at(peer.tls_address()) };
            compare(&format!("{software:?} over TLS"), &primary).await;
        }
    }
}

async fn compare(what: &str, primary: &Primary) {
    let [kept, new] = zones_per_second(primary).await;
    println!("{what}: {kept:.0} zones/s on kept connections, {new:.0} on new ones: {:.1} times", kept / new);
}

async fn zones_per_second(primary: &Primary) -> [f64; 2] {
    let mut taken: [Vec<Duration>; 2] = Default::default();
    for _ in 0..TIMES {
        for (taken, connections) in taken.iter_mut().zip([Connections::Kept, Connections::New]) {
            let began = Instant::now();
            copy_all(primary, connections).await;
            taken.push(began.elapsed());
        }
    }
    taken.map(|mut taken| {
        taken.sort();
        ZONES as f64 / taken[TIMES / 2].as_secs_f64()
    })
}

async fn copy_all(primary: &Primary, connections: Connections) {
    let limits = Limits::default();
    // For new ones, so many at a time as may have a connection; for kept ones whoever wants waits in the queue.
    let tasks = match connections {
        Connections::Kept => ZONES,
        Connections::New => limits.connections_per_address,
    };
    let (shared, next) = (transfers(limits), Arc::new(AtomicUsize::new(0)));
    let tasks: Vec<_> = (0..tasks)
        .map(|_| {
            let (primary, shared, next) = (primary.clone(), shared.clone(), next.clone());
            tokio::spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= ZONES {
                        break;
                    }
                    copy(number, &primary, connections, &shared).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

async fn copy(number: usize, primary: &Primary, connections: Connections, shared: &Transfers) {
    let zone: Name = format!("zone-{number}.test.").parse().unwrap();
    let transfers = match connections {
        Connections::Kept => shared.clone(),
        // Who has no others' connections makes one, and closes it as soon as it is of no more use.
        Connections::New => {
            let deadlines = Deadlines { unused: Duration::ZERO, ..Deadlines::default() };
            transfers(Limits { deadlines, ..Limits::default() })
        }
    };
    transfers.fetch(&zone, primary, Fetch::Axfr, Lane::Notify, &Meter::default()).await.unwrap();
}

fn transfers(limits: Limits) -> Transfers {
    Transfers::new(limits, Arc::new(Internet::new(Destinations::Anything)), TlsClient::default())
}
