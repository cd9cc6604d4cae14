//! Requests that are sent again.

use api::Problem;
use api::doors::{Begun, Caller, Requested};
use async_trait::async_trait;

use super::Fake;

#[async_trait]
impl Requested for Fake {
    async fn begin(&self, _: &Caller, id: &str, sent: &str) -> Result<Begun, Problem> {
        let mut requested = self.requested.lock().unwrap();
        Ok(match requested.get(id) {
            None => {
                requested.insert(id.into(), (sent.into(), None));
                Begun::First
            }
            Some((before, _)) if before != sent => Begun::Another,
            Some((_, None)) => Begun::UnderWay,
            Some((_, Some(answer))) => Begun::Answered(answer.clone()),
        })
    }

    async fn end(&self, _: &Caller, id: &str, answer: Option<&str>) -> Result<(), Problem> {
        let mut requested = self.requested.lock().unwrap();
        match (requested.get_mut(id), answer) {
            (Some(request), Some(answer)) => request.1 = Some(answer.into()),
            _ => drop(requested.remove(id)),
        }
        Ok(())
    }
}
