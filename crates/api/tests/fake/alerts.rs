//! Alerts of the fake: one rule, whose name would be markup, and one delivery.

use api::doors::{Alerts, Caller, Visitor};
use api::json::{self, AlertChannel, AlertDeliveryState, AlertWanted, Time};
use api::{Code, Problem};
use async_trait::async_trait;

use super::Fake;

fn at() -> Time {
    Time::from_unix_ms(1_795_262_400_000)
}

fn rule(wanted: AlertWanted) -> json::AlertRule {
    let target = "https://hooks.example.net/?<b>".to_owned();
    json::AlertRule { id: 1, channel: AlertChannel::Webhook, target, wanted, created_at: at(), confirmed: true }
}

fn delivery(kind: &str) -> json::AlertDelivery {
    let event = json::AlertedEvent { at: at(), subject: "a.example.".into(), message: "it <b>expires</b>".into() };
    let severity = json::Severity::Warning;
    json::AlertDelivery {
        id: 1,
        rule: 1,
        created_at: at(),
        state: AlertDeliveryState::Sent,
        due_at: None,
        tries: 1,
        tried_at: Some(at()),
        answer: "200 <b>OK".into(),
        events: 1,
        severity,
        groups: vec![json::AlertGroup { kind: kind.into(), severity, count: 1, first: vec![event] }],
    }
}

fn known(id: u64) -> Result<(), Problem> {
    if id == 1 { Ok(()) } else { Err(Problem::new(Code::AlertUnknown, "there is no such alert rule")) }
}

#[async_trait]
impl Alerts for Fake {
    async fn alert_rules(&self, _: &Caller) -> Result<Vec<json::AlertRule>, Problem> {
        Ok(vec![rule(AlertWanted::default())])
    }

    async fn add_alert_rule(&self, _: &Caller, new: json::AddAlertRule) -> Result<json::AddedAlertRule, Problem> {
        if new.target.is_empty() {
            return Err(Problem::new(Code::AlertInvalid, "\"\" is no URL"));
        }
        let rule = json::AlertRule { channel: new.channel, target: new.target, ..rule(new.wanted) };
        Ok(json::AddedAlertRule { rule, secret: Some("whsec_c2VjcmV0".into()) })
    }

    async fn change_alert_rule(&self, _: &Caller, id: u64, wanted: AlertWanted) -> Result<json::AlertRule, Problem> {
        known(id).map(|()| rule(wanted))
    }

    async fn remove_alert_rule(&self, _: &Caller, id: u64) -> Result<(), Problem> {
        known(id)
    }

    async fn test_alert_rule(&self, _: &Caller, id: u64) -> Result<json::AlertDelivery, Problem> {
        known(id).map(|()| delivery("test"))
    }

    async fn alert_deliveries(
        &self,
        _: &Caller,
        before: Option<u64>,
        _: u32,
    ) -> Result<json::AlertDeliveries, Problem> {
        let deliveries = if before.is_none() { vec![delivery("expiring")] } else { Vec::new() };
        Ok(json::AlertDeliveries { deliveries, next: None })
    }

    async fn confirm_alert(&self, _: &Visitor, secret: &str) -> Result<String, Problem> {
        match secret {
            "right" => Ok("noc@example.net".into()),
            _ => Err(Problem::new(Code::LinkInvalid, "the link does nothing any more")),
        }
    }
}
