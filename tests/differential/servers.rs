//! The five servers, with the same zones in each.
//!
//! BIND, Knot and NSD read the zone files; PowerDNS and Secondo copy the zones from BIND.

use std::net::SocketAddr;
use std::time::Duration;

use testing::peer::{Peer, Setup, Software};
use testing::secondo::Secondo;
use testing::{eventually, query};

use crate::contents::Contents;
use crate::zones::Zone;

const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Servers {
    peers: Vec<Peer>,
    secondo: Secondo,
    pub(crate) zones: Vec<Contents>,
}

impl Servers {
    /// Starts all of them and waits until each answers for every zone.
    pub(crate) fn start(zones: &[Zone]) -> Self {
        let served_by = |software: Software| {
            let zones = zones.iter().filter(|zone| zone.is_served_by(software));
            zones.fold(Setup::default().sparing(), |setup, zone| setup.and_zone(name(zone), zone.text.as_str()))
        };
        let bind = Peer::start(Software::Bind, served_by(Software::Bind));
        let primary = bind.address();
        let (mut peers, secondo) = std::thread::scope(|scope| {
            let others = [
                (Software::Knot, served_by(Software::Knot)),
                (Software::Nsd, served_by(Software::Nsd)),
                (Software::PowerDns, served_by(Software::PowerDns).copied_from(primary)),
            ];
            let others = others.map(|(software, setup)| scope.spawn(move || Peer::start(software, setup)));
            let secondo = start_secondo(zones, primary);
            let peers = others.map(|peer| peer.join().expect("a server that does not start has said why"));
            (Vec::from(peers), secondo)
        });
        peers.insert(0, bind);
        let contents = zones.iter().map(|zone| Contents::transfer(primary, zone)).collect();
        Self { peers, secondo, zones: contents }
    }

    pub(crate) fn ours(&self) -> SocketAddr {
        self.secondo.dns()
    }

    pub(crate) fn peers(&self) -> impl Iterator<Item = (Software, SocketAddr)> {
        self.peers.iter().map(|peer| (peer.software(), peer.address()))
    }
}

fn start_secondo(zones: &[Zone], primary: SocketAddr) -> Secondo {
    let secondo = Secondo::new(env!("CARGO_BIN_EXE_secondo"));
    let secondo = zones.iter().fold(secondo, |secondo, zone| secondo.with_zone(name(zone), primary)).started();
    for zone in zones {
        eventually(PATIENCE, &format!("{} to be copied", zone.apex), || query::serial(secondo.dns(), name(zone)));
    }
    secondo
}

/// As configurations write it.
fn name(zone: &Zone) -> &str {
    if zone.apex == "." { "." } else { zone.apex.trim_end_matches('.') }
}
