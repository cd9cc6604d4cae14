//! What should happen now.

use std::net::IpAddr;
use std::sync::Arc;

use api::doors::{Caller, NewZone};
use api::json::HoldOrder;
use api::{Code, Problem, Requests, json};
use async_trait::async_trait;
use dns::{Name, Serial};
use inventory::{Outcome, RecordedAttempt, Service};
use tokio::sync::oneshot;
use zone::Generation;

use super::contents::no_way;
use super::{House, not_on_disk};
use crate::followed::{Followed, Transfer, Trigger, Wake};
use crate::ledger;
use crate::orders::{self, Refusal};

#[async_trait]
impl Requests for House {
    async fn refresh(
        &self,
        caller: &Caller,
        name: &Name,
        transfer: json::Transfer,
    ) -> Result<json::Attempt, Problem> {
        let zone = self.zone_named(caller.tenant, name)?;
        let transfer = match transfer {
            json::Transfer::Incremental => Transfer::Newer,
            json::Transfer::Full => Transfer::Full,
        };
        let service = zone.instructions().service;
        if service != Service::Answering {
            return Err(not_followed(name, service));
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

    async fn examine(
        &self,
        caller: &Caller,
        zone: &NewZone,
        own_addresses: Vec<IpAddr>,
    ) -> Result<json::Examination, Problem> {
        self.examination(caller, zone, own_addresses).await
    }

    async fn delegation(&self, caller: &Caller, name: &Name) -> Result<json::Delegation, Problem> {
        self.delegation_of(caller.tenant, name).await
    }

    async fn begin_delegation(&self, caller: &Caller, name: &Name) -> Result<bool, Problem> {
        self.begin_delegation_of(caller.tenant, name)
    }

    async fn order_hold(&self, caller: &Caller, name: &Name, order: json::OrderHold) -> Result<json::Zone, Problem> {
        let zone = self.zone_named(caller.tenant, name)?;
        match order.order {
            HoldOrder::Publish => self.publish(name, &zone).await,
            HoldOrder::Keep => orders::keep(&self.node, &zone).await.map_err(|why| refused(name, &zone, why)),
            HoldOrder::Freeze => {
                let generation = order.generation.map(Generation);
                orders::freeze(&self.node, &zone, generation).await.map_err(|why| refused(name, &zone, why))
            }
            HoldOrder::Thaw => orders::thaw(&self.node, &zone).await.map_err(|why| refused(name, &zone, why)),
        }?;
        let details = serde_json::json!({ "order": order.order.to_string(), "generation": order.generation });
        self.record(caller, "zone.ordered", &name.to_string(), details).await;
        self.node.tell_lookers(&zone);
        Ok(self.shown(&zone))
    }

    async fn accept_catalog(&self, caller: &Caller, name: &Name, serial: u32) -> Result<json::Catalog, Problem> {
        let accepted = self.accept_version(caller.tenant, name, Serial(serial)).await?;
        self.record(caller, "catalog.accepted", &name.to_string(), serde_json::json!({ "serial": serial })).await;
        Ok(accepted)
    }
}

impl House {
    async fn publish(&self, name: &Name, zone: &Arc<Followed>) -> Result<(), Problem> {
        let attempt = orders::publish(&self.node, zone).await.map_err(|refusal| refused(name, zone, refusal))?;
        match attempt.attempt.outcome {
            Outcome::Updated => Ok(()),
            Outcome::Unchanged => Err(Problem::new(
                Code::NothingHeld,
                format!("the primaries of {name} have no newer version any more"),
            )),
            Outcome::Held(reason) => {
                let detail = format!(
                    "the primaries of {name} have yet another version by now, which waits for your word anew: {}",
                    reason.message
                );
                Err(Problem::new(Code::NothingHeld, detail))
            }
            Outcome::Failed(reason) => {
                let detail = format!("the version that is held back could not be fetched again: {}", reason.message);
                Err(Problem::new(Code::NothingHeld, detail))
            }
        }
    }

    /// Has the zone attempted and waits for the end.
    pub(super) async fn attempted(&self, zone: &Arc<Followed>, wake: Wake) -> Result<RecordedAttempt, Problem> {
        let (ended, ending) = oneshot::channel();
        self.node.wake(zone, Wake { waiting: vec![ended], ..wake });
        ending.await.map_err(|_| not_attempted(&zone.name, zone))
    }
}

pub(super) fn refused(name: &Name, zone: &Followed, refusal: Refusal) -> Problem {
    match refusal {
        Refusal::NothingHeld => {
            let detail = format!("no version of {name} is held back: see `secondo zone show {name}`");
            Problem::new(Code::NothingHeld, detail)
        }
        Refusal::NotFrozen => Problem::new(Code::NothingHeld, format!("the zone {name} is not frozen")),
        Refusal::NothingThere => {
            Problem::new(Code::ZoneNotLoaded, format!("the zone {name} holds nothing that could be frozen"))
        }
        Refusal::NoWay(error) => no_way(name, &error),
        Refusal::NotPublished(reason) => {
            let detail =
                format!("the zone is frozen at the present version, because that one cannot be published: {reason}");
            Problem::new(Code::GenerationUnknown, detail)
        }
        Refusal::NotOnDisk => not_on_disk(name),
        Refusal::Removed => Problem::new(Code::ZoneUnknown, format!("the zone {name} has been removed")),
        Refusal::Stopping => not_attempted(name, zone),
    }
}

/// Why a zone that was to be attempted was not.
fn not_attempted(name: &Name, zone: &Followed) -> Problem {
    match zone.instructions().service {
        Service::Answering => Problem::new(Code::ShuttingDown, "the server is stopping: ask again when it runs"),
        service => not_followed(name, service),
    }
}

pub(super) fn not_followed(name: &Name, service: Service) -> Problem {
    let detail = match service {
        Service::Paused => {
            format!("the zone {name} is paused: have it followed again with `secondo zone resume {name}`")
        }
        _ => format!("the zone {name} is disabled: have it answered again with `secondo zone enable {name}`"),
    };
    Problem::new(Code::ZonePaused, detail)
}
