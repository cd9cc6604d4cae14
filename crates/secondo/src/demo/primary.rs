//! The demonstration's primary: one zone in memory, which is changed once.
//!
//! It is made of the parts that answer and hand out zones in a service; a real primary would be somebody's BIND, Knot,
//! NSD or PowerDNS.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use answer::{Contents, ServedZone, ZoneTable};
use anyhow::Context;
use arc_swap::ArcSwap;
use dns::{Name, Serial};
use server::{Announcer, Differences, Running, Shared, Way};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use xfr::announce::{News, Recipient};
use xfr::{Destinations, Moment};
use zone::{Change, Diff, Generation, Image, Limits, Snapshot, TenantId, ZoneId, advance, between};

/// NOTIFYs to it that are waiting; nobody sends any.
const NOTIFIES_MAX: usize = 1;
const ZONE: ZoneId = ZoneId(1);

pub(super) struct Primary {
    running: Running,
    zone: Arc<ServedZone>,
    step: Arc<OneStep>,
    announcer: Announcer,
    announcing: JoinHandle<()>,
}

/// The differences between its two versions, once there are two.
#[derive(Default)]
struct OneStep(OnceLock<(Serial, Generation, Diff)>);

impl OneStep {
    fn from(&self, from: Serial, to: &Snapshot) -> Option<&(Serial, Generation, Diff)> {
        self.0.get().filter(|(old, new, _)| *old == from && *new == to.generation)
    }
}

impl Differences for OneStep {
    fn way(&self, _zone: ZoneId, from: Serial, to: &Snapshot) -> Option<Way> {
        let (_, new, diff) = self.from(from, to)?;
        let records = (diff.removed.len() + diff.added.len()) as u64;
        Some(Way { steps: vec![*new], records })
    }

    fn step(&self, _zone: ZoneId, to: Generation) -> Option<Diff> {
        self.0.get().filter(|(_, new, _)| *new == to).map(|(_, _, diff)| diff.clone())
    }

    fn at_hand(&self, _zone: ZoneId, _from: Serial, _to: &Snapshot) -> Option<Arc<[Diff]>> {
        None
    }
}

impl Primary {
    /// Serves the zone in `text` on a free port of this machine.
    pub(super) fn start(apex: &Name, text: &str) -> anyhow::Result<Self> {
        let snapshot = Arc::new(Snapshot { generation: Generation(1), image: image(apex, text)? });
        let zone = Arc::new(ServedZone::new(ZONE, TenantId::DEFAULT, apex.clone(), Contents::Live(snapshot)));
        let step = Arc::new(OneStep::default());
        let now: server::Now = Arc::new(|| Moment(unix_ms()));
        let shared = Shared {
            zones: Arc::new(ArcSwap::from_pointee(ZoneTable::new([zone.clone()]))),
            catalogs: Arc::default(),
            access: Arc::default(),
            persona: Arc::default(),
            differences: step.clone(),
            now: now.clone(),
        };
        let sockets = server::bind(&[SocketAddr::from((Ipv4Addr::LOCALHOST, 0))], 1)?;
        let (notifies, _nobody) = mpsc::channel(NOTIFIES_MAX);
        let running = server::serve(sockets, shared, notifies, server::Limits::default())?;
        // The one secondary is on this machine: whoever could forge its reply could do anything.
        let (announcer, work) = server::announcer(now, Arc::new(|| unix_ms() as u32), Destinations::Anything);
        Ok(Self { running, zone, step, announcer, announcing: tokio::spawn(work) })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.running.addresses()[0]
    }

    /// Has another version from now on, and says so to `secondary`.
    pub(super) fn change(&self, text: &str, secondary: SocketAddr) -> anyhow::Result<()> {
        let old = self.zone.snapshot().context("the primary has a zone")?;
        let new = Arc::new(Snapshot { generation: Generation(2), image: image(&self.zone.apex, text)? });
        let diff = between(&old.image, &new.image);
        let _ = self.step.0.set((old.image.serial(), new.generation, diff));
        let news = News::of(ZONE, self.zone.apex.clone(), new.image.soa_record());
        self.zone.publish(Contents::Live(new));
        self.announcer.announce(news, vec![Recipient { address: secondary, source: None, key: None }]);
        Ok(())
    }

    pub(super) async fn stop(self) {
        self.announcing.abort();
        self.running.stop().await;
    }
}

fn image(apex: &Name, text: &str) -> anyhow::Result<Image> {
    let records = dns::text::zone_from_text(&apex.to_string(), text)?;
    let mut seed = [0; 16];
    getrandom::fill(&mut seed).map_err(|error| anyhow::anyhow!("this machine gives no random octets: {error}"))?;
    Ok(advance(apex.borrow(), None, &Change::Full(records), seed, Limits::default())?.image)
}

fn unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
