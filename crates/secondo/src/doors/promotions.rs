//! The emergency in which a zone's primary is gone for good: freeze, what a new one needs, point the zone there, and back.
//!
//! Invariant: a zone is pointed elsewhere only when what is there has been fetched whole and compared a moment ago; until then
//! it is as it was. What has begun then is done, also when nobody waits for it any more.

use std::net::IpAddr;
use std::sync::Arc;

use api::doors::{Accept, Caller, NewKey, NewSource, Promotions, WantedPrimary, Word};
use api::json::{HoldOrder, OrderHold};
use api::{Code, Intent, Problem, Requests, json};
use async_trait::async_trait;
use dns::Name;
use inventory::{Former, Service};
use serde_json::json;
use transfer::doctor::SECRET;
use xfr::{Primary, Reason};
use zone::Snapshot;

use super::intent::not_changed;
use super::requests::{not_followed, refused};
use super::{House, unavailable};
use crate::followed::{Followed, Source, Transfer, Trigger, Wake};
use crate::orders::{self, Refusal};
use crate::promotion::{self, bare, compare};
use crate::{examination, ledger};

/// The house, which goes on after nobody waits for it any more.
pub(super) struct Promoter(pub(super) Arc<House>);

#[async_trait]
impl Promotions for Promoter {
    async fn promotion(
        &self,
        caller: &Caller,
        name: &Name,
        wanted: &WantedPrimary,
    ) -> Result<json::Promotion, Problem> {
        self.0.promotion_of(caller, name, wanted, None).await
    }

    async fn promote(
        &self,
        caller: &Caller,
        name: &Name,
        wanted: WantedPrimary,
        key: Option<NewKey>,
    ) -> Result<json::Promotion, Problem> {
        // What is wrong is found before anything is done.
        self.0.promotion_of(caller, name, &wanted, None).await?;
        let is_taken = |key: &&NewKey| self.0.node.shared.access.load().keys.get(caller.tenant, &key.name).is_some();
        if let Some(key) = key.as_ref().filter(is_taken) {
            let detail =
                format!("there is a key {} already: choose another name, or leave it out to use it", key.name);
            return Err(Problem::new(Code::KeyExists, detail));
        }
        let order = OrderHold { order: HoldOrder::Freeze, generation: None };
        self.0.order_hold(caller, name, order).await?;
        // Last: its secret is said by this answer and no other.
        let added = match key {
            Some(key) => Some(self.0.add_key(caller, key).await?),
            None => None,
        };
        self.0.promotion_of(caller, name, &wanted, added).await
    }

    async fn compare(&self, caller: &Caller, name: &Name, source: &NewSource) -> Result<json::Comparison, Problem> {
        self.0.compared(caller, name, source).await.map(|(comparison, _)| comparison)
    }

    async fn finish(
        &self,
        caller: &Caller,
        name: &Name,
        source: NewSource,
        word: Word,
    ) -> Result<json::FinishedPromotion, Problem> {
        let (house, caller, name) = (self.0.clone(), caller.clone(), name.clone());
        let finishing = tokio::spawn(async move { house.finished(&caller, &name, &source, &word).await });
        finishing.await.map_err(|error| Problem::new(Code::Internal, error.to_string()))?
    }
}

impl House {
    /// The zone if it is its owner's to point elsewhere, and what it holds, also when it has expired.
    async fn promotable(&self, caller: &Caller, name: &Name) -> Result<(Arc<Followed>, Arc<Snapshot>), Problem> {
        let zone = self.zone_named(caller.tenant, name)?;
        if let Ok(inventory) = self.inventory() {
            self.refuse_members(&inventory, caller.tenant, name).await?;
        }
        let held = zone.condition().held.clone().ok_or_else(|| {
            let detail = format!(
                "the zone {name} was never transferred: nothing is here of which a primary could be made; have it copied from \
                 elsewhere with `secondo zone set {name} --primary`"
            );
            Problem::new(Code::ZoneNotLoaded, detail)
        })?;
        Ok((zone, held))
    }

    async fn promotion_of(
        &self,
        caller: &Caller,
        name: &Name,
        wanted: &WantedPrimary,
        key: Option<json::AddedKey>,
    ) -> Result<json::Promotion, Problem> {
        let (zone, held) = self.promotable(caller, name).await?;
        wanted.primary.iter().try_for_each(|primary| self.check_primary(primary))?;
        let software = examination::software_of(wanted.software);
        let asked = self.asked(caller, &zone, wanted, key.as_ref())?;
        let file = transfer::doctor::zone_file(&zone.name);
        let file = promotion::directory(software).map_or(file.clone(), |directory| format!("{directory}/{file}"));
        let mut paste = examination::new_primary(&zone.name, software, &asked.primary, &file, &self.dns);
        let secret = key.and_then(|key| key.secret);
        if let Some(secret) = &secret {
            let parts = paste.holding.iter_mut().chain(&mut paste.parts);
            parts.flat_map(|part| &mut part.lines).for_each(|line| *line = line.replace(SECRET, secret));
            paste.notes.retain(|note| !note.starts_with(SECRET));
        }
        let instructions = zone.instructions();
        let there: Vec<IpAddr> = instructions.sources.iter().map(|source| source.primary.address.ip()).collect();
        let (now_secs, text) = (self.node.clock.now().0 / 1000, zone.name.to_string());
        let work = move || {
            let signed = promotion::signed(&held.image, bare(&text), now_secs);
            (signed, promotion::pointing_at(&held.image, &there))
        };
        let told = self.node.long_work.begin(work).await;
        let (signed, points_there) = told.map_err(|error| Problem::new(Code::Internal, error.to_string()))?;
        let shown = self.shown(&zone);
        let mut promotion = json::Promotion {
            checks: promotion::checks(software, bare(&shown.name), &file),
            former: self.former(&zone).await?.iter().map(json::Primary::from).collect(),
            zone: shown,
            file,
            paste,
            secret,
            signed,
            points_there,
            steps: Vec::new(),
        };
        let place = wanted.primary.as_ref().map_or("NEW-PRIMARY".to_owned(), |new| new.address.to_string());
        let with =
            asked.primary.key.as_ref().map_or(String::new(), |key| format!(",key={}", bare(&key.name().to_string())));
        let finish = format!("secondo zone promote {} --finish --primary {place}{with}", bare(&promotion.zone.name));
        promotion.steps = promotion::steps(&promotion, &finish);
        Ok(promotion)
    }

    /// How the new primary is to be asked: as it is wanted, or as the one before it is; with the new key if there is one.
    fn asked(
        &self,
        caller: &Caller,
        zone: &Followed,
        wanted: &WantedPrimary,
        key: Option<&json::AddedKey>,
    ) -> Result<Source, Problem> {
        let instructions = zone.instructions();
        let mut asked = match (&wanted.primary, instructions.sources.first()) {
            (Some(primary), _) => primary.clone(),
            (None, Some(source)) => {
                // A key that is gone is not asked for.
                let key = source.primary.key.as_ref().map(|key| key.name().clone());
                Primary { key, tls: None, ..source.configured.clone() }
            }
            (None, None) => return Err(super::unknown(&zone.name)),
        };
        if let Some(key) = key {
            asked.key = Some(api::text::key_name(&key.name)?);
        }
        self.source(caller.tenant, &asked)
    }

    async fn former(&self, zone: &Followed) -> Result<Vec<Primary>, Problem> {
        self.inventory()?.former_primaries(zone.id).await.map_err(|error| unavailable(&error))
    }

    async fn compared(
        &self,
        caller: &Caller,
        name: &Name,
        source: &NewSource,
    ) -> Result<(json::Comparison, Vec<Primary>), Problem> {
        let (zone, held) = self.promotable(caller, name).await?;
        let former = self.former(&zone).await?;
        let primaries = match source {
            NewSource::Primaries(primaries) => primaries.clone(),
            NewSource::Former if former.is_empty() => {
                let detail = format!(
                    "the zone {name} was never pointed at another primary by promote, so that there is none to go back to: name \
                     one with --primary"
                );
                return Err(Problem::new(Code::NotPromoted, detail));
            }
            NewSource::Former => former.clone(),
        };
        self.check_primaries(&primaries)?;
        let is_former = primaries.iter().any(|primary| former.iter().any(|other| other.address == primary.address));
        let direction = if is_former { compare::Direction::Back } else { compare::Direction::On };
        let sources = primaries.iter().map(|primary| self.source(caller.tenant, primary));
        let sources = sources.collect::<Result<Vec<_>, _>>()?;
        let asked: Vec<_> = sources.into_iter().map(|source| source.primary).collect();
        let _place = self.place_to_ask(caller).await?;
        let compared = compare::compare(&self.node, &zone, &held.image, &asked, direction).await;
        let comparison = compared.map_err(|(address, reason)| not_given(name, address, &reason))?;
        Ok((comparison, primaries))
    }

    async fn finished(
        &self,
        caller: &Caller,
        name: &Name,
        source: &NewSource,
        word: &Word,
    ) -> Result<json::FinishedPromotion, Problem> {
        let zone = self.zone_named(caller.tenant, name)?;
        let service = zone.instructions().service;
        if service != Service::Answering {
            return Err(not_followed(name, service));
        }
        let (comparison, primaries) = self.compared(caller, name, source).await?;
        allowed(&comparison, word)?;
        self.point(caller, name, &zone, primaries.clone()).await?;
        match orders::thaw(&self.node, &zone).await {
            Ok(()) | Err(Refusal::NotFrozen) => {}
            Err(refusal) => return Err(refused(name, &zone, refusal)),
        }
        // Whatever it is: it has been looked at, and taken.
        let wake = Wake { transfer: Transfer::Full, ..Wake::by(Trigger::Request) };
        let attempt = self.attempted(&zone, wake).await?;
        let details = json!({
            "primaries": primaries.iter().map(|primary| primary.address.to_string()).collect::<Vec<_>>(),
            "version": comparison.version.as_str(),
            "from_serial": comparison.from_serial,
            "to_serial": comparison.to_serial,
            "removed": comparison.removed,
            "added": comparison.added,
        });
        self.record(caller, "zone.pointed", &name.to_string(), details).await;
        self.node.tell_lookers(&zone);
        Ok(json::FinishedPromotion { comparison, attempt: ledger::shown(&attempt), zone: self.shown(&zone) })
    }

    /// Gives the zone these primaries and no others, and remembers those before.
    async fn point(
        &self,
        caller: &Caller,
        name: &Name,
        zone: &Followed,
        primaries: Vec<Primary>,
    ) -> Result<(), Problem> {
        let change = inventory::ZoneChange {
            primaries: Some(primaries.clone()),
            former: Former::Remembered,
            ..inventory::ZoneChange::default()
        };
        let decide = |_: &inventory::Zone| Ok::<_, Problem>(change);
        let changed = self.inventory()?.change_zone(&self.by_caller(caller), caller.tenant, name, decide).await;
        changed.map_err(|error| not_changed(&error))??;
        let is_pointed = || zone.instructions().sources.iter().map(|source| &source.configured).eq(&primaries);
        self.until_matched(async || is_pointed()).await;
        if !is_pointed() {
            let detail = format!(
                "the zone {name} has its new primaries, but the server is busy: it is as frozen as it was; do the same again"
            );
            return Err(Problem::new(Code::TimedOut, detail));
        }
        Ok(())
    }
}

fn not_given(name: &Name, primary: std::net::SocketAddr, reason: &Reason) -> Problem {
    let detail = format!(
        "the zone {name} stays as it is, because {primary} does not give it ({}): {reason}; {}; what else is wrong there: \
         secondo doctor {}@{primary}",
        reason.code(),
        reason.advice(name),
        bare(&name.to_string())
    );
    Problem::new(Code::PrimaryFailed, detail)
}

/// Whether the zone may be pointed at what was compared.
fn allowed(comparison: &json::Comparison, word: &Word) -> Result<(), Problem> {
    let json::Comparison { name, primary, digest, said, .. } = comparison;
    if word.digest.as_ref().is_some_and(|shown| shown != digest) {
        let detail = format!(
            "{primary} has something else by now than was shown: compare again; the zone {name} stays as it is"
        );
        return Err(Problem::new(Code::VersionChanged, detail));
    }
    if comparison.needs_word && word.accept == Accept::Sane {
        let detail = format!(
            "the zone {name} stays as it is, because of what {primary} has: {said}; or accept what is there as it is"
        );
        return Err(Problem::new(Code::VersionDiffers, detail));
    }
    Ok(())
}
