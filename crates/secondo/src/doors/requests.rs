//! What should happen now.

use api::{Code, Problem, Requests, json};
use async_trait::async_trait;
use dns::Name;
use tokio::sync::oneshot;

use super::House;
use crate::followed::{Transfer, Trigger, Wake};
use crate::ledger;

#[async_trait]
impl Requests for House {
    async fn refresh(&self, name: &Name, transfer: json::Transfer) -> Result<json::Attempt, Problem> {
        let zone = self.zone_named(name)?;
        let transfer = match transfer {
            json::Transfer::Incremental => Transfer::Newer,
            json::Transfer::Full => Transfer::Full,
        };
        let (ended, ending) = oneshot::channel();
        let wake = Wake { trigger: Trigger::Request, transfer, waiting: vec![ended] };
        self.node.wake(&zone, wake);
        match ending.await {
            Ok(recorded) => Ok(ledger::shown(&recorded)),
            Err(_) => Err(Problem::new(Code::ShuttingDown, "the server is stopping: ask again when it runs")),
        }
    }
}
