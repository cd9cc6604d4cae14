//! How everything is.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use api::doors::{AttemptPage, Caller, Listed, NamePage, News, QuerySpan, ZoneList};
use api::{Problem, Status, json};
use async_trait::async_trait;
use dns::{Name, Rcode};
use futures_util::{StreamExt, stream};
use inventory::{Service, UsageOf};
use server::Event;
use store::Origin;
use tokio::sync::broadcast::{self, error::RecvError};
use transfer::Received;
use xfr::{Freshness, Policy, Setting};
use zone::ZoneId;
use zone::inspect::Inspection;
use zone::zonemd::Verdict;

use super::{House, unavailable};
use crate::examination;
use crate::followed::{Followed, Instructions, Ownership, Role, Subscription, Transferring};
use crate::holds::Hold;
use crate::ledger::{shown, time};
use crate::node::Node;
use crate::notifies;

#[async_trait]
impl Status for House {
    async fn zones(&self, caller: &Caller, list: ZoneList) -> Result<Listed, Problem> {
        Ok(self.listed(caller.tenant, &list))
    }

    async fn tags(&self, caller: &Caller) -> Result<Vec<json::TagCount>, Problem> {
        Ok(self.tags_of(caller.tenant))
    }

    async fn zone(&self, caller: &Caller, name: &Name) -> Result<json::Zone, Problem> {
        let zone = self.zone_named(caller.tenant, name)?;
        let mut shown = self.shown(&zone);
        let held = zone.condition().held.clone();
        let now_secs = self.node.clock.now().0 / 1000;
        if let Some(held) = held {
            let inspected = self.node.long_work.begin(move || zone::inspect(&held.image, now_secs)).await;
            shown.warnings = inspected.map(|inspection| shown_warnings(&inspection)).unwrap_or_default();
        }
        Ok(shown)
    }

    async fn glance(&self, caller: &Caller, name: &Name) -> Result<json::Zone, Problem> {
        Ok(self.shown(&*self.zone_named(caller.tenant, name)?))
    }

    fn default_of(&self, setting: Setting) -> String {
        self.node.defaults.load().text(setting)
    }

    fn news(&self, zone: u64) -> News {
        let news = self.node.news.subscribe();
        stream::unfold(news, move |news| next_about(ZoneId(zone), news)).boxed()
    }

    async fn lines(&self, caller: &Caller, name: &Name) -> Result<Vec<json::PrimaryLines>, Problem> {
        let zone = self.zone_named(caller.tenant, name)?;
        let sources = zone.instructions().sources.iter().map(|source| source.primary.clone()).collect::<Vec<_>>();
        Ok(sources.iter().map(|primary| examination::lines(&zone.name, primary, &self.dns)).collect())
    }

    async fn known_delegation(&self, caller: &Caller, name: &Name) -> Result<Option<json::Delegation>, Problem> {
        self.known_delegation_of(caller.tenant, name).await
    }

    async fn counts(&self, caller: &Caller) -> Result<json::ZoneCounts, Problem> {
        Ok(self.counted(&self.node.page(caller.tenant, None, usize::MAX)))
    }

    async fn addresses(&self) -> Vec<String> {
        self.dns.iter().map(ToString::to_string).collect()
    }

    fn source_towards(&self, server: SocketAddr) -> Option<IpAddr> {
        examination::source_towards(server)
    }

    async fn history(&self, caller: &Caller, name: &Name, page: AttemptPage) -> Result<json::History, Problem> {
        let zone = self.zone_named(caller.tenant, name)?;
        let (store, id) = (self.node.store.clone(), zone.id);
        let versions = tokio::task::spawn_blocking(move || store.history(id)).await;
        let versions = versions.map_err(|error| Problem::new(api::Code::Internal, error.to_string()))?;
        let versions = versions.map_err(|error| Problem::new(api::Code::StoreUnavailable, error.to_string()))?;
        let attempts = match self.node.inventory.load_full() {
            Some(inventory) => inventory
                .attempts(caller.tenant, id, page.before, page.limit)
                .await
                .map_err(|error| unavailable(&error))?,
            None => Vec::new(),
        };
        let is_last = attempts.len() < page.limit as usize;
        Ok(json::History {
            versions: versions.iter().rev().map(shown_version).collect(),
            next: attempts.last().filter(|_| !is_last).map(|attempt| attempt.id),
            attempts: attempts.iter().map(shown).collect(),
        })
    }

    async fn catalogs(&self, caller: &Caller) -> Result<Vec<json::Catalog>, Problem> {
        self.all_catalogs(caller.tenant).await
    }

    async fn catalog(&self, caller: &Caller, name: &Name) -> Result<json::Catalog, Problem> {
        let inventory = self.inventory()?;
        let catalog = self.catalog_named(&inventory, caller.tenant, name).await?;
        self.shown_catalog(&inventory, &catalog).await
    }

    async fn catalog_members(
        &self,
        caller: &Caller,
        name: &Name,
        page: NamePage,
    ) -> Result<Vec<json::CatalogMember>, Problem> {
        self.members_of_catalog(caller.tenant, name, page).await
    }

    async fn notifies(&self, caller: &Caller, name: &Name, limit: u32) -> Result<Vec<json::Notify>, Problem> {
        let (zone, inventory) = (self.zone_named(caller.tenant, name)?, self.inventory()?);
        // What came a moment ago is to be among them.
        notifies::record(&self.node, &self.heard);
        let rows = inventory.notifies(caller.tenant, zone.id, limit).await;
        Ok(rows.map_err(|error| unavailable(&error))?.iter().map(notifies::shown).collect())
    }

    async fn stranger_notifies(&self, limit: u32) -> Result<Vec<json::StrangerNotify>, Problem> {
        let inventory = self.inventory()?;
        notifies::record(&self.node, &self.heard);
        let rows = inventory.stranger_notifies(limit).await;
        Ok(rows.map_err(|error| unavailable(&error))?.iter().map(notifies::shown_stranger).collect())
    }

    async fn queries(&self, caller: &Caller, name: &Name, span: QuerySpan) -> Result<json::ZoneQueries, Problem> {
        let (zone, inventory) = (self.zone_named(caller.tenant, name)?, self.inventory()?);
        let asked = self.statistics.of_zone(&self.node, &inventory, &zone, span).await;
        asked.map_err(|error| unavailable(&error))
    }

    async fn usage(&self, caller: &Caller, month: Option<json::Month>) -> Result<json::Usage, Problem> {
        let inventory = self.inventory()?;
        let of = if caller.may(json::Scope::Operate) { UsageOf::Everybody } else { UsageOf::Tenant(caller.tenant) };
        let used = self.statistics.usage(&self.node, &inventory, of, month).await;
        used.map_err(|error| unavailable(&error))
    }

    async fn node(&self) -> Result<json::NodeStatus, Problem> {
        let now = self.node.clock.now();
        let started_at = self.node.clock.started_at();
        let tally = self.counters.read();
        let inventory = self.node.inventory.load_full();
        let trouble = match &inventory {
            None => Some("stored zones are served, but not refreshed; the log says why".into()),
            Some(inventory) => inventory.trouble(),
        };
        let zones = self.counted(&self.node.zones());
        // Certificates go by that, and nothing else here.
        let wall_clock_secs = self.node.clock.machine().wall_clock().as_secs();
        Ok(json::NodeStatus {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: time(started_at),
            uptime_secs: now.since(started_at).as_secs(),
            dns: self.dns.iter().map(ToString::to_string).collect(),
            dns_over_tls: self.dns_over_tls.iter().map(ToString::to_string).collect(),
            dns_over_quic: self.dns_over_quic.iter().map(ToString::to_string).collect(),
            certificate: self.certificate.as_ref().map(|certificate| certificate.shown()),
            console_certificate: self.console_certificate.as_ref().map(|certificate| certificate.shown()),
            http: self.http.to_string(),
            console: self.console.clone(),
            zones,
            inventory: match trouble {
                None => json::InventoryStatus::Available,
                Some(_) => json::InventoryStatus::Unavailable,
            },
            warnings: self
                .anew()
                .into_iter()
                .chain(self.catalog_without_a_name())
                .chain(self.reloading.warning())
                .chain(
                    self.certificate
                        .iter()
                        .chain(&self.console_certificate)
                        .flat_map(|certificate| certificate.warnings(wall_clock_secs)),
                )
                .chain(warnings(&zones, trouble.as_deref(), self.node.all_unlisted().len()))
                .collect(),
            queries: json::QueryCounts {
                udp: tally.of(Event::UdpMessage),
                tcp: tally.of(Event::TcpMessage),
                tls: tally.of(Event::TlsMessage),
                quic: tally.of(Event::QuicMessage),
                refused: tally.replies_with(Rcode::REFUSED),
                servfail: tally.replies_with(Rcode::SERVFAIL),
                rate_limited: tally.of(Event::RateSlipped) + tally.of(Event::RateDropped),
                uncounted: self.statistics.lost(),
            },
            notifies: json::NotifyCounts {
                accepted: tally.of(Event::NotifyAccepted),
                refused: tally.of(Event::NotifyRefused),
                overflowed: tally.of(Event::NotifyOverflow),
                unrecorded: tally.of(Event::NotifyUnrecorded)
                    + inventory.as_ref().map_or(0, |inventory| inventory.ledger().notifies_dropped()),
            },
            announced: announced(&self.node),
            transfers_out: json::TransferOutCounts {
                whole: tally.of(Event::TransferSent),
                differences: tally.of(Event::DifferencesSent),
                refused: tally.of(Event::TransferRefused),
                failed: tally.of(Event::TransferFailed),
            },
            attempts_dropped: inventory.map_or(0, |inventory| inventory.ledger().dropped()),
        })
    }
}

async fn next_about(
    zone: ZoneId,
    mut news: broadcast::Receiver<ZoneId>,
) -> Option<((), broadcast::Receiver<ZoneId>)> {
    loop {
        match news.recv().await {
            Ok(other) if other != zone => {}
            // Of those that were missed one may have been about it.
            Ok(_) | Err(RecvError::Lagged(_)) => return Some(((), news)),
            Err(RecvError::Closed) => return None,
        }
    }
}

fn announced(node: &Node) -> json::AnnounceCounts {
    let tally = node.announcer.get().map(server::Announcer::tally).unwrap_or_default();
    let server::AnnounceTally { sent, answered, declined, unanswered, dropped, refused, pending } = tally;
    json::AnnounceCounts { sent, answered, declined, unanswered, dropped, refused, pending }
}

fn shown_silent((primary, code): &(SocketAddr, &'static str)) -> json::SilentPrimary {
    json::SilentPrimary { primary: primary.to_string(), code: (*code).to_owned() }
}

fn under_way(transfer: &Transferring) -> json::TransferUnderWay {
    let Received { octets, records } = transfer.meter.read();
    json::TransferUnderWay { primary: transfer.primary.to_string(), since: time(transfer.since), octets, records }
}

impl House {
    pub(super) fn shown(&self, zone: &Followed) -> json::Zone {
        let now = self.node.clock.now();
        let instructions = zone.instructions();
        let condition = zone.condition();
        let freshness = shown_freshness(condition.freshness(now));
        let service = shown_service(&instructions);
        let hold = shown_hold_word(&condition.hold);
        let held_back = shown_held_back(&condition.hold, &instructions.policy);
        let held = condition.held.as_ref();
        json::Zone {
            id: zone.id.0,
            name: zone.name.to_string(),
            state: json::State::derive(freshness, hold, service),
            freshness,
            hold,
            service,
            volatile: !condition.is_on_disk(),
            serial: held.map(|held| held.image.serial().0),
            generation: held.map(|held| held.generation.0),
            digest: held.map(|held| held.image.digest().to_string()),
            records: held.map(|held| held.image.record_count()),
            primaries: instructions.sources.iter().map(|source| json::Primary::from(&source.configured)).collect(),
            settings: instructions.settings.to_texts(),
            tags: instructions.tags.iter().map(str::to_owned).collect(),
            origin: match instructions.role {
                Role::Configured => json::Origin::Configured,
                Role::Catalog => json::Origin::Catalog,
                // One that was removed is not shown to anybody.
                Role::MemberOf(_) | Role::Removed => json::Origin::Member,
            },
            catalog: match &instructions.role {
                Role::MemberOf(catalog) => Some(catalog.to_string()),
                Role::Configured | Role::Catalog | Role::Removed => None,
            },
            created_at: time(instructions.created_at),
            last_success: condition.timers.confirmed_at().map(time),
            next_refresh: instructions.is_followed().then(|| time(condition.timers.next_check())),
            expires_at: condition.timers.expires_at().map(time),
            answers_until: zone.answers_until(&condition).map(time),
            signed_until: condition.said.signed_until().map(time),
            held_back,
            warnings: Vec::new(),
            silent: condition.silent.iter().map(shown_silent).collect(),
            transfers: condition.transfers.iter().map(under_way).collect(),
            last_attempt: condition.last_attempt.as_deref().map(shown),
        }
    }

    /// What is to be said until the next start of stored zones that were damaged.
    fn anew(&self) -> Option<String> {
        let name = &self.node.put_aside.as_ref()?.name;
        Some(format!(
            "the stored zones were damaged when the server started, and are put aside as {name}: all are copied again, and \
             none is frozen any more; the log says more"
        ))
    }

    /// The catalog that is made here, when a zone was here before that has its name.
    fn catalog_without_a_name(&self) -> Option<String> {
        let catalogs = self.node.shared.catalogs.load();
        let zone =
            catalogs.iter().find_map(|catalog| self.node.shared.zones.load().get(catalog.apex.borrow()).cloned())?;
        Some(format!(
            "the catalog that is made here goes to nobody, because there is a zone {} too: give one of them another name",
            zone.apex
        ))
    }

    fn counted(&self, zones: &[Arc<Followed>]) -> json::ZoneCounts {
        let now = self.node.clock.now();
        let mut counts = json::ZoneCounts::default();
        for zone in zones {
            let condition = zone.condition();
            counts.total += 1;
            let freshness = condition.freshness(now);
            *match freshness {
                Freshness::Pending => &mut counts.pending,
                Freshness::Current => &mut counts.current,
                Freshness::Stale => &mut counts.stale,
                Freshness::Expired => &mut counts.expired,
            } += 1;
            let is_expired = freshness == Freshness::Expired;
            counts.served_past_expiry += u64::from(is_expired && !zone.is_over(&condition, now));
            counts.half_heard += u64::from(freshness == Freshness::Current && !condition.silent.is_empty());
            counts.frozen_and_lost += u64::from(condition.hold.is_frozen() && condition.held.is_none());
            counts.expiring += u64::from(condition.said.expires_soon());
            counts.held += u64::from(matches!(condition.hold, Hold::Held(_) | Hold::Kept { .. }));
            counts.frozen += u64::from(condition.hold.is_frozen());
            let last = condition.last_attempt.as_ref().map(|last| &last.attempt.outcome);
            counts.failing += u64::from(matches!(last, Some(inventory::Outcome::Failed(_))));
            counts.unproven += u64::from(zone.instructions().ownership == Ownership::Claimed);
            counts.volatile += u64::from(!condition.is_on_disk());
        }
        counts
    }
}

fn warnings(zones: &json::ZoneCounts, trouble: Option<&str>, unlisted: usize) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(words) = trouble {
        warnings.push(format!("the inventory is not available: {words}"));
    } else if unlisted > 0 {
        warnings.push(format!(
            "{unlisted} stored zones are not in the inventory: they are served, but not refreshed; add each again, or remove \
             it (zone list shows them without primaries)"
        ));
    }
    let about = [
        (zones.expired - zones.served_past_expiry, "have expired and are answered with SERVFAIL"),
        (zones.served_past_expiry, "have expired and are answered all the same, because serve-past-expiry is set"),
        (zones.expiring, "are half-way to their expiry or nearer, and expire unless a primary confirms them"),
        (zones.stale, "could not be checked when they were last due, and are served until they expire"),
        (zones.held, "have a newer version that is held back: see `secondo zone publish --help`, and `zone keep`"),
        (zones.frozen, "are frozen, and follow no primary until they are thawed"),
        (
            zones.frozen_and_lost,
            "are frozen, and answered with SERVFAIL, because nothing of them is left on the disk",
        ),
        (zones.half_heard, "have a primary that shows nothing of them: zone show says which"),
        (
            zones.volatile,
            "are served from memory only, or what was ordered about them is there only, because the disk is full",
        ),
    ];
    let about = about.into_iter().filter(|(count, _)| *count > 0);
    warnings.extend(about.map(|(count, what)| format!("{count} zones {what}")));
    warnings
}

pub(super) fn shown_hold_word(hold: &Hold) -> json::Hold {
    match hold {
        Hold::None => json::Hold::None,
        Hold::Frozen => json::Hold::Frozen,
        Hold::Held(_) | Hold::Kept { .. } => json::Hold::Held,
        Hold::OverLimit { .. } => json::Hold::OverLimit,
    }
}

fn shown_held_back(hold: &Hold, policy: &Policy) -> Option<json::HeldBack> {
    match hold {
        Hold::None | Hold::Frozen => None,
        Hold::Kept { serial } | Hold::OverLimit { serial, .. } => {
            Some(json::HeldBack { serial: serial.0, lost_percent: None, since: None, ends_at: None })
        }
        Hold::Held(held) => Some(json::HeldBack {
            serial: held.serial.0,
            lost_percent: Some(held.lost_percent),
            since: Some(time(held.since)),
            ends_at: hold.ends_at(policy).map(time),
        }),
    }
}

fn shown_warnings(inspection: &Inspection) -> Vec<json::ZoneWarning> {
    let warning = |code: &str, message: String| json::ZoneWarning { code: code.to_owned(), message };
    let named = inspection.warnings.named().iter().map(|named| warning(named.code(), named.to_string()));
    let zonemd = match inspection.zonemd {
        Verdict::Absent | Verdict::Verified { .. } => None,
        verdict => Some(warning(&format!("zonemd_{}", verdict.code()), verdict.to_string())),
    };
    named.chain(zonemd).collect()
}

/// What is done with the zone; what its owner wants, where that does not wait for a proof.
pub(super) fn shown_service(instructions: &Instructions) -> json::Service {
    if instructions.subscription == Subscription::Ended {
        return json::Service::Suspended;
    }
    match (instructions.service, instructions.ownership) {
        (Service::Answering, Ownership::Claimed) => json::Service::Unproven,
        (Service::Answering, Ownership::Proven) => json::Service::Answering,
        (Service::Paused, _) => json::Service::Paused,
        (Service::Disabled, _) => json::Service::Disabled,
    }
}

pub(super) fn shown_freshness(freshness: Freshness) -> json::Freshness {
    match freshness {
        Freshness::Pending => json::Freshness::Pending,
        Freshness::Current => json::Freshness::Current,
        Freshness::Stale => json::Freshness::Stale,
        Freshness::Expired => json::Freshness::Expired,
    }
}

fn shown_version(version: &store::Version) -> json::Version {
    let (from_generation, from_serial, removed, added) = match version.origin {
        Origin::Whole => (None, None, 0, 0),
        Origin::Step { from, from_serial, removed, added } => (Some(from.0), Some(from_serial.0), removed, added),
    };
    json::Version {
        generation: version.generation.0,
        serial: version.serial.0,
        at: json::Time::from_unix_ms(version.at_ms),
        from_generation,
        from_serial,
        removed,
        added,
    }
}

#[cfg(test)]
mod tests {
    use api::json::ZoneCounts;

    #[test]
    fn each_condition_that_needs_somebodys_attention_has_its_warning() {
        assert!(super::warnings(&ZoneCounts { total: 9, current: 9, ..ZoneCounts::default() }, None, 0).is_empty());
        let none = ZoneCounts::default();
        for (counts, says) in [
            (ZoneCounts { expired: 2, ..none }, "2 zones have expired"),
            (ZoneCounts { expired: 2, served_past_expiry: 2, ..none }, "2 zones have expired and are answered all"),
            (ZoneCounts { frozen_and_lost: 8, ..none }, "8 zones are frozen, and answered with SERVFAIL"),
            (ZoneCounts { half_heard: 9, ..none }, "9 zones have a primary that shows nothing"),
            (ZoneCounts { expiring: 3, ..none }, "3 zones are half-way to their expiry"),
            (ZoneCounts { stale: 4, ..none }, "4 zones could not be checked"),
            (ZoneCounts { held: 5, ..none }, "5 zones have a newer version that is held back"),
            (ZoneCounts { frozen: 6, ..none }, "6 zones are frozen"),
            (ZoneCounts { volatile: 7, ..none }, "7 zones are served from memory only"),
        ] {
            let warnings = super::warnings(&counts, None, 0);
            assert!(warnings.len() == 1 && warnings[0].starts_with(says), "{warnings:?}");
        }
    }
}
