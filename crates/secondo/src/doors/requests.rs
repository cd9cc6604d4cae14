//! What should happen now.

use std::net::IpAddr;
use std::sync::Arc;

use api::doors::NewZone;
use api::json::HoldOrder;
use api::{Code, Problem, Requests, json};
use async_trait::async_trait;
use dns::{Name, Serial};
use inventory::{Outcome, RecordedAttempt, Service};
use tokio::sync::oneshot;
use zone::Generation;

use super::House;
use super::contents::no_way;
use crate::followed::{Followed, Guard, Transfer, Trigger, Wake};
use crate::holds::Hold;
use crate::{history, ledger};

#[async_trait]
impl Requests for House {
    async fn refresh(&self, name: &Name, transfer: json::Transfer) -> Result<json::Attempt, Problem> {
        let zone = self.zone_named(name)?;
        let transfer = match transfer {
            json::Transfer::Incremental => Transfer::Newer,
            json::Transfer::Full => Transfer::Full,
        };
        let service = zone.instructions().service;
        if service != Service::Answering {
            let detail = match service {
                Service::Paused => {
                    format!("the zone {name} is paused: have it followed again with `secondo zone resume {name}`")
                }
                _ => format!("the zone {name} is disabled: have it answered again with `secondo zone enable {name}`"),
            };
            return Err(Problem::new(Code::ZonePaused, detail));
        }
        if zone.condition().hold.is_frozen() {
            let detail = format!(
                "the zone {name} is frozen: have it follow its primaries again with `secondo zone thaw {name}`"
            );
            return Err(Problem::new(Code::ZonePaused, detail));
        }
        let recorded = self.attempted(&zone, Wake { transfer, ..Wake::by(Trigger::Request) }).await?;
        Ok(ledger::shown(&recorded))
    }

    async fn examine(&self, zone: &NewZone, own_addresses: Vec<IpAddr>) -> Result<json::Examination, Problem> {
        self.examination(zone, own_addresses).await
    }

    async fn order_hold(&self, name: &Name, order: json::OrderHold) -> Result<json::Zone, Problem> {
        let zone = self.zone_named(name)?;
        match order.order {
            HoldOrder::Publish => self.publish(name, &zone).await?,
            HoldOrder::Keep => self.keep(name, &zone).await?,
            HoldOrder::Freeze => self.freeze(name, &zone, order.generation.map(Generation)).await?,
            HoldOrder::Thaw => self.thaw(name, &zone).await?,
        }
        Ok(self.shown(&zone))
    }

    async fn accept_catalog(&self, name: &Name, serial: u32) -> Result<json::Catalog, Problem> {
        self.accept_version(name, Serial(serial)).await
    }
}

impl House {
    async fn publish(&self, name: &Name, zone: &Arc<Followed>) -> Result<(), Problem> {
        match zone.condition().hold {
            Hold::Held(_) | Hold::Kept { .. } => {}
            Hold::None | Hold::Frozen => return Err(nothing_held(name)),
        }
        let attempt = self.attempted(zone, Wake { guard: Guard::Released, ..Wake::by(Trigger::Request) }).await?;
        match attempt.attempt.outcome {
            Outcome::Updated => Ok(()),
            Outcome::Unchanged | Outcome::Held(_) => Err(Problem::new(
                Code::NothingHeld,
                format!("the primaries of {name} have no newer version any more"),
            )),
            Outcome::Failed(reason) => {
                let detail = format!("the version that is held back could not be fetched again: {}", reason.message);
                Err(Problem::new(Code::NothingHeld, detail))
            }
        }
    }

    async fn keep(&self, name: &Name, zone: &Arc<Followed>) -> Result<(), Problem> {
        {
            let mut condition = zone.condition();
            let Hold::Held(held) = &condition.hold else { return Err(nothing_held(name)) };
            condition.hold = Hold::Kept { serial: held.serial };
        }
        self.node.write_note(zone).await;
        self.node.schedule(zone);
        Ok(())
    }

    async fn freeze(&self, name: &Name, zone: &Arc<Followed>, generation: Option<Generation>) -> Result<(), Problem> {
        let Some(held) = zone.condition().held.clone() else {
            return Err(Problem::new(
                Code::ZoneNotLoaded,
                format!("the zone {name} holds nothing that could be frozen"),
            ));
        };
        let generation = generation.filter(|generation| *generation != held.generation);
        if let Some(generation) = generation {
            let (store, id) = (self.node.store.clone(), zone.id);
            let way =
                tokio::task::spawn_blocking(move || history::steps(&store, id, generation, held.generation)).await;
            let way = way.map_err(|error| Problem::new(Code::Internal, error.to_string()))?;
            way.map_err(|error| no_way(name, &error))?;
        }
        zone.condition().hold = Hold::Frozen;
        // Before anything is published: a crash must not leave the old version served and the primary followed.
        self.node.write_note(zone).await;
        if generation.is_none() {
            return Ok(());
        }
        let attempt = self.attempted(zone, Wake { freeze_at: generation, ..Wake::by(Trigger::Request) }).await?;
        match attempt.attempt.outcome {
            Outcome::Failed(reason) => {
                let detail = format!(
                    "the zone is frozen at the present version, because that one cannot be published: {}",
                    reason.message
                );
                Err(Problem::new(Code::GenerationUnknown, detail))
            }
            _ => Ok(()),
        }
    }

    async fn thaw(&self, name: &Name, zone: &Arc<Followed>) -> Result<(), Problem> {
        {
            let mut condition = zone.condition();
            if !condition.hold.is_frozen() {
                return Err(Problem::new(Code::NothingHeld, format!("the zone {name} is not frozen")));
            }
            condition.hold = Hold::None;
            condition.timers.notified(self.node.clock.now());
        }
        self.node.write_note(zone).await;
        self.node.schedule(zone);
        Ok(())
    }

    /// Has the zone attempted and waits for the end.
    async fn attempted(&self, zone: &Arc<Followed>, wake: Wake) -> Result<RecordedAttempt, Problem> {
        let (ended, ending) = oneshot::channel();
        self.node.wake(zone, Wake { waiting: vec![ended], ..wake });
        ending.await.map_err(|_| stopping())
    }
}

fn stopping() -> Problem {
    Problem::new(Code::ShuttingDown, "the server is stopping: ask again when it runs")
}

fn nothing_held(name: &Name) -> Problem {
    Problem::new(Code::NothingHeld, format!("no version of {name} is held back: see `secondo zone show {name}`"))
}
