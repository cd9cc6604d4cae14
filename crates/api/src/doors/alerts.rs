//! The door to alerts: to whom an organisation's events are sent outside of the console.

use async_trait::async_trait;

use super::{Caller, Visitor};
use crate::json;
use crate::problem::Problem;

/// Rules, and what was sent by them, for who manages the organisation: where alerts go is for no one else to see, because a
/// webhook's URL may be what opens it.
#[async_trait]
pub trait Alerts: Send + Sync {
    /// The organisation's rules, the oldest first.
    async fn alert_rules(&self, caller: &Caller) -> Result<Vec<json::AlertRule>, Problem>;

    /// Adds a rule. An address that is no member's is written to, so that whoever reads it can confirm it.
    ///
    /// # Errors
    /// [`Code::AlertInvalid`](crate::Code::AlertInvalid), [`Code::AddressRefused`](crate::Code::AddressRefused),
    /// [`Code::TagInvalid`](crate::Code::TagInvalid), [`Code::MailMissing`](crate::Code::MailMissing),
    /// [`Code::TooManyAttempts`](crate::Code::TooManyAttempts).
    async fn add_alert_rule(
        &self,
        caller: &Caller,
        rule: json::AddAlertRule,
    ) -> Result<json::AddedAlertRule, Problem>;

    /// Has the rule want these events from now on.
    ///
    /// # Errors
    /// [`Code::AlertUnknown`](crate::Code::AlertUnknown), [`Code::TagInvalid`](crate::Code::TagInvalid).
    async fn change_alert_rule(
        &self,
        caller: &Caller,
        id: u64,
        wanted: json::AlertWanted,
    ) -> Result<json::AlertRule, Problem>;

    /// # Errors
    /// [`Code::AlertUnknown`](crate::Code::AlertUnknown).
    async fn remove_alert_rule(&self, caller: &Caller, id: u64) -> Result<(), Problem>;

    /// Sends a test to where the rule leads, once, and answers with what came of it.
    ///
    /// # Errors
    /// [`Code::AlertUnknown`](crate::Code::AlertUnknown), [`Code::AlertUnconfirmed`](crate::Code::AlertUnconfirmed),
    /// [`Code::TooManyAttempts`](crate::Code::TooManyAttempts). That it did not come is no error.
    async fn test_alert_rule(&self, caller: &Caller, id: u64) -> Result<json::AlertDelivery, Problem>;

    /// At most `limit` deliveries of all rules, newest first, those before the delivery `before`.
    async fn alert_deliveries(
        &self,
        caller: &Caller,
        before: Option<u64>,
        limit: u32,
    ) -> Result<json::AlertDeliveries, Problem>;

    /// Confirms the address that this was sent to, which it answers.
    ///
    /// # Errors
    /// [`Code::LinkInvalid`](crate::Code::LinkInvalid).
    async fn confirm_alert(&self, visitor: &Visitor, secret: &str) -> Result<String, Problem>;
}
