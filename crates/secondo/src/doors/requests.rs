//! What should happen now.

use api::{Code, Problem, Requests, json};
use async_trait::async_trait;
use dns::{Name, Serial};
use tokio::sync::oneshot;

use super::House;
use crate::followed::{Service, Transfer, Trigger, Wake};
use crate::ledger;

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
        let (ended, ending) = oneshot::channel();
        let wake = Wake { trigger: Trigger::Request, transfer, waiting: vec![ended] };
        self.node.wake(&zone, wake);
        match ending.await {
            Ok(recorded) => Ok(ledger::shown(&recorded)),
            Err(_) => Err(Problem::new(Code::ShuttingDown, "the server is stopping: ask again when it runs")),
        }
    }

    async fn accept_catalog(&self, name: &Name, serial: u32) -> Result<json::Catalog, Problem> {
        self.accept_version(name, Serial(serial)).await
    }
}
