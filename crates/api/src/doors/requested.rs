//! The door to requests that may be sent again.

use async_trait::async_trait;

use super::Caller;
use crate::problem::Problem;

/// What is known of a request with a key of its client's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// It is to be carried out now, and ended by [`Requested::end`].
    First,
    /// It is being carried out.
    UnderWay,
    /// It was begun, and the program ended before it was answered.
    Unanswered,
    /// It was answered so, as it was given to [`Requested::end`].
    Answered(String),
    /// The key came with another request.
    Another,
}

/// Requests that are carried out once, however often they are sent within a day. What is kept of them is the client's: of each
/// tenant so many.
#[async_trait]
pub trait Requested: Send + Sync {
    /// `id` stands for the client and its key, `sent` for what was sent.
    ///
    /// # Errors
    /// [`Code::RateLimited`](crate::Code::RateLimited) when the tenant has too many.
    async fn begin(&self, caller: &Caller, id: &str, sent: &str) -> Result<Begun, Problem>;

    /// Keeps the answer; without one the request is as if it had never been sent.
    async fn end(&self, caller: &Caller, id: &str, answer: Option<&str>) -> Result<(), Problem>;
}
