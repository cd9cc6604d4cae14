//! Jobs on record.

use api::doors::{Caller, JobEnd, Jobs, KeptJob};
use api::json::Time;
use api::{Code, Problem};
use async_trait::async_trait;

use super::Fake;

const NOW: u64 = 1_795_262_400_000;

#[async_trait]
impl Jobs for Fake {
    async fn begin_job(&self, _: &Caller, operation: &str) -> Result<KeptJob, Problem> {
        let mut jobs = self.jobs.lock().unwrap();
        let id = jobs.len() as u64 + 1;
        let job = KeptJob { id, operation: operation.into(), created_at: Time::from_unix_ms(NOW), ended: None };
        jobs.push(job.clone());
        Ok(job)
    }

    async fn end_job(&self, _: &Caller, id: u64, status: u16, answer: Option<&str>) -> Result<(), Problem> {
        let mut jobs = self.jobs.lock().unwrap();
        let job = jobs.iter_mut().find(|job| job.id == id).unwrap();
        job.ended = Some(JobEnd { at: Time::from_unix_ms(NOW + 1), status, answer: answer.map(str::to_owned) });
        Ok(())
    }

    async fn job(&self, _: &Caller, id: u64) -> Result<KeptJob, Problem> {
        let found = self.jobs.lock().unwrap().iter().find(|job| job.id == id).cloned();
        found.ok_or_else(|| Problem::new(Code::JobUnknown, format!("there is no job {id}")))
    }

    async fn jobs(&self, _: &Caller, before: Option<u64>, limit: u32) -> Result<Vec<KeptJob>, Problem> {
        let jobs = self.jobs.lock().unwrap();
        let part = jobs.iter().rev().filter(|job| before.is_none_or(|before| job.id < before));
        let without_answer = |job: &KeptJob| {
            let ended = job.ended.clone().map(|end| JobEnd { answer: None, ..end });
            KeptJob { ended, ..job.clone() }
        };
        Ok(part.take(limit as usize).map(without_answer).collect())
    }
}
