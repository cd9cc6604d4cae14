//! What is on record of jobs.

use api::doors::{Caller, JobEnd, Jobs, KeptJob};
use api::{Code, Problem};
use async_trait::async_trait;
use inventory::{EndedJob, Job};

use super::{House, unavailable};
use crate::ledger::time;

#[async_trait]
impl Jobs for House {
    async fn begin_job(&self, caller: &Caller, operation: &str) -> Result<KeptJob, Problem> {
        let now = self.node.clock.now();
        let added = self.inventory()?.add_job(caller.tenant, operation, now).await;
        let id = added.map_err(|error| unavailable(&error))?;
        Ok(KeptJob { id, operation: operation.to_owned(), created_at: time(now), ended: None })
    }

    async fn end_job(&self, caller: &Caller, id: u64, status: u16, answer: Option<&str>) -> Result<(), Problem> {
        let ended = EndedJob { at: self.node.clock.now(), status, answer: answer.map(str::to_owned) };
        self.inventory()?.end_job(caller.tenant, id, &ended).await.map_err(|error| unavailable(&error))
    }

    async fn job(&self, caller: &Caller, id: u64) -> Result<KeptJob, Problem> {
        let found = self.inventory()?.job(caller.tenant, id).await.map_err(|error| unavailable(&error))?;
        let unknown = || Problem::new(Code::JobUnknown, format!("there is no job {id}, or its week is over"));
        found.map(shown).ok_or_else(unknown)
    }

    async fn jobs(&self, caller: &Caller, before: Option<u64>, limit: u32) -> Result<Vec<KeptJob>, Problem> {
        let found = self.inventory()?.jobs(caller.tenant, before, limit).await;
        Ok(found.map_err(|error| unavailable(&error))?.into_iter().map(shown).collect())
    }
}

fn shown(job: Job) -> KeptJob {
    let end = job.ended.map(|end| JobEnd { at: time(end.at), status: end.status, answer: end.answer });
    KeptJob { id: job.id, operation: job.operation, created_at: time(job.created_at), ended: end }
}
