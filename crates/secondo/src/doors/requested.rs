//! Requests that clients may send again.

use api::doors::{Begun, Caller, Requested};
use api::{Code, Problem};
use async_trait::async_trait;
use inventory::{BegunRequest, REQUESTS_MAX};

use super::{House, unavailable};

#[async_trait]
impl Requested for House {
    async fn begin(&self, caller: &Caller, id: &str, sent: &str) -> Result<Begun, Problem> {
        let now = self.node.clock.now();
        let begun = self.inventory()?.begin_request(caller.tenant, id, sent, now).await;
        Ok(match begun.map_err(|error| unavailable(&error))? {
            BegunRequest::First => Begun::First,
            BegunRequest::Before { sent: before, .. } if before != sent => Begun::Another,
            BegunRequest::Before { answer: Some(answer), .. } => Begun::Answered(answer),
            // Whatever was begun by this run is ended by it.
            BegunRequest::Before { begun_at, .. } if begun_at >= self.node.clock.started_at() => Begun::UnderWay,
            BegunRequest::Before { .. } => Begun::Unanswered,
            BegunRequest::TooMany => {
                let detail = format!(
                    "the organisation has sent {REQUESTS_MAX} requests with an Idempotency-Key within a day, which is as many \
                     as are kept: send this one without"
                );
                return Err(Problem::new(Code::RateLimited, detail));
            }
        })
    }

    async fn end(&self, caller: &Caller, id: &str, answer: Option<&str>) -> Result<(), Problem> {
        let inventory = self.inventory()?;
        let ended = match answer {
            Some(answer) => inventory.answer_request(caller.tenant, id, answer).await,
            None => inventory.forget_request(caller.tenant, id).await,
        };
        ended.map_err(|error| unavailable(&error))
    }
}
