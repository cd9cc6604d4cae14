//! The door to whose names are.

use async_trait::async_trait;
use dns::Name;

use super::Caller;
use crate::json;
use crate::problem::Problem;

/// Whose names are: proofs of claims, where organisations that do not know each other share the service.
#[async_trait]
pub trait Ownership: Send + Sync {
    /// Whether a name is answered only when it is proven.
    fn wants_proofs(&self) -> bool;

    /// Whose the zone's name is, as far as that is known.
    ///
    /// # Errors
    /// [`Code::ZoneUnknown`](crate::Code::ZoneUnknown).
    async fn ownership(&self, caller: &Caller, name: &Name) -> Result<json::Ownership, Problem>;

    /// The same after a look at the world, unless there was one just now; over within two minutes.
    ///
    /// # Errors
    /// [`Code::ZoneUnknown`](crate::Code::ZoneUnknown), [`Code::TimedOut`](crate::Code::TimedOut) when too many names are
    /// looked at. That nothing proves it is no error.
    async fn look_for_proof(&self, caller: &Caller, name: &Name) -> Result<json::Ownership, Problem>;

    /// Hands a proven name over to the claim on it with this text. The zone stays with the caller, as a claim.
    ///
    /// # Errors
    /// [`Code::ZoneUnknown`](crate::Code::ZoneUnknown), [`Code::NameNotProven`](crate::Code::NameNotProven),
    /// [`Code::ClaimUnknown`](crate::Code::ClaimUnknown).
    async fn hand_over(&self, caller: &Caller, name: &Name, to: &str) -> Result<json::Ownership, Problem>;

    /// Claims that are not proven, whoever's they are: at most so many after the zone with that id. For operators.
    async fn claims(&self, caller: &Caller, after: u64, limit: u32) -> Result<json::Claims, Problem>;

    /// Gives the name to the claim of the zone with that id, whoever has it now. For operators.
    ///
    /// # Errors
    /// [`Code::ClaimUnknown`](crate::Code::ClaimUnknown).
    async fn approve(&self, caller: &Caller, zone: u64) -> Result<(), Problem>;

    /// Takes the name from the zone with that id. For operators.
    ///
    /// # Errors
    /// [`Code::ClaimUnknown`](crate::Code::ClaimUnknown), [`Code::NameNotProven`](crate::Code::NameNotProven).
    async fn disprove(&self, caller: &Caller, zone: u64) -> Result<(), Problem>;
}
