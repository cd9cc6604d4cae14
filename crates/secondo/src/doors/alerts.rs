//! To whom events are sent outside of the console.

use alerts::WebhookSecret;
use api::doors::{Alerts, Caller, Visitor};
use api::json::{self, AlertChannel, AlertWanted};
use api::{Code, Problem};
use async_trait::async_trait;
use inventory::{
    Actor, AlertError, AlertRule, AlertRuleId, By, Channel, Confirmation, Delivery, Hashed, Inventory, NewAlertRule,
    Wanted,
};
use zone::Tags;

use super::{House, unavailable};
use crate::accounts::{letters, secret};
use crate::alerts::{LEASE, test_event, try_once};
use crate::ledger::time;

#[async_trait]
impl Alerts for House {
    async fn alert_rules(&self, caller: &Caller) -> Result<Vec<json::AlertRule>, Problem> {
        let rules = self.inventory()?.alert_rules(caller.tenant).await.map_err(|error| unavailable(&error))?;
        Ok(rules.into_iter().map(shown).collect())
    }

    async fn add_alert_rule(
        &self,
        caller: &Caller,
        rule: json::AddAlertRule,
    ) -> Result<json::AddedAlertRule, Problem> {
        let inventory = self.inventory()?;
        let wanted = read(&rule.wanted)?;
        let by = self.by_caller(caller);
        let (channel, confirmation, said) = match rule.channel {
            AlertChannel::Webhook => {
                let url = self.messengers.webhooks.check_url(&rule.target);
                let url = url.map_err(|why| Problem::new(Code::AlertInvalid, why))?;
                let secret = WebhookSecret::generate().to_text();
                (Channel::Webhook { url, secret: secret.clone() }, Confirmation::None, Said::Secret(secret))
            }
            AlertChannel::Mail => {
                let email = api::text::email(&rule.target)?;
                self.must_send_mail()?;
                if self.is_members(&inventory, caller, &email).await? {
                    (Channel::Mail(email), Confirmation::None, Said::Nothing)
                } else {
                    self.tries.count_alert(caller.tenant.0, &email)?;
                    let secret = secret::new().map_err(|error| super::accounts::no_random(&error))?;
                    (Channel::Mail(email), Confirmation::Awaited(Hashed::of(&secret)), Said::Asked(secret))
                }
            }
        };
        let new = NewAlertRule { channel, wanted };
        let added = inventory.add_alert_rule(&by, caller.tenant, &new, &confirmation).await;
        let id = added.map_err(|error| not_done(&error))?;
        let is_confirmed = matches!(confirmation, Confirmation::None);
        if let Said::Asked(secret) = &said {
            let organisation = inventory.tenant(caller.tenant).await.map_err(|error| unavailable(&error))?;
            let organisation = organisation.map(|tenant| tenant.name).unwrap_or_default();
            let url = self.url(&format!("/alerts/{secret}"));
            self.write(letters::alerts(new.channel.target(), &organisation, &url));
        }
        let rule = AlertRule { id, channel: new.channel, wanted: new.wanted, created_at: by.at, is_confirmed };
        let secret = match said {
            Said::Secret(secret) => Some(secret),
            Said::Nothing | Said::Asked(_) => None,
        };
        Ok(json::AddedAlertRule { rule: shown(rule), secret })
    }

    async fn change_alert_rule(
        &self,
        caller: &Caller,
        id: u64,
        wanted: AlertWanted,
    ) -> Result<json::AlertRule, Problem> {
        let (inventory, id, wanted) = (self.inventory()?, AlertRuleId(id), read(&wanted)?);
        let changed = inventory.change_alert_rule(&self.by_caller(caller), caller.tenant, id, &wanted).await;
        changed.map_err(|error| not_done(&error))?;
        self.rule(&inventory, caller, id).await.map(shown)
    }

    async fn remove_alert_rule(&self, caller: &Caller, id: u64) -> Result<(), Problem> {
        let removed =
            self.inventory()?.remove_alert_rule(&self.by_caller(caller), caller.tenant, AlertRuleId(id)).await;
        removed.map_err(|error| not_done(&error))
    }

    async fn test_alert_rule(&self, caller: &Caller, id: u64) -> Result<json::AlertDelivery, Problem> {
        let (inventory, id) = (self.inventory()?, AlertRuleId(id));
        let rule = self.rule(&inventory, caller, id).await?;
        if !rule.is_confirmed {
            let target = rule.channel.target();
            let detail = format!("nothing is sent to {target} before whoever reads it has confirmed it");
            return Err(Problem::new(Code::AlertUnconfirmed, detail));
        }
        self.tries.count_alert(caller.tenant.0, rule.channel.target())?;
        let event = test_event(caller.tenant, self.node.clock.now());
        let due = inventory.add_test_delivery(caller.tenant, id, &event, LEASE).await;
        let due = due.map_err(|error| not_done(&error))?;
        // Whoever asked may go away: what was sent is on record all the same.
        let (node, messengers) = (self.node.clone(), self.messengers.clone());
        let trying = tokio::spawn(async move {
            let tried = try_once(&node, &inventory, &messengers, &due).await;
            due.delivery.after(&tried)
        });
        let delivery = trying.await.map_err(|error| Problem::new(Code::Internal, error.to_string()))?;
        Ok(shown_delivery(delivery))
    }

    async fn alert_deliveries(
        &self,
        caller: &Caller,
        before: Option<u64>,
        limit: u32,
    ) -> Result<json::AlertDeliveries, Problem> {
        let found = self.inventory()?.deliveries(caller.tenant, None, before, limit).await;
        let found = found.map_err(|error| unavailable(&error))?;
        let next = found.last().filter(|_| found.len() == limit as usize).map(|last| last.id);
        Ok(json::AlertDeliveries { deliveries: found.into_iter().map(shown_delivery).collect(), next })
    }

    async fn confirm_alert(&self, visitor: &Visitor, secret: &str) -> Result<String, Problem> {
        let by = By { actor: Actor::Newcomer(String::new()), address: visitor.address, at: self.node.clock.now() };
        let confirmed = self.inventory()?.confirm_alert_rule(&by, &Hashed::of(secret)).await;
        confirmed.map_err(|error| unavailable(&error))?.ok_or_else(super::accounts::link_invalid)
    }
}

/// What there is to say of a rule that was added.
enum Said {
    Nothing,
    /// What a webhook's messages are signed with.
    Secret(String),
    /// Whoever reads the address is asked by a link with this.
    Asked(String),
}

impl House {
    fn must_send_mail(&self) -> Result<(), Problem> {
        if self.messengers.post.is_some() {
            return Ok(());
        }
        let detail =
            "this service sends no mail: whoever runs it can configure a mail server ([mail]); a webhook needs none";
        Err(Problem::new(Code::MailMissing, detail))
    }

    /// Whether whoever reads the address is known to belong to the organisation.
    async fn is_members(&self, inventory: &Inventory, caller: &Caller, email: &str) -> Result<bool, Problem> {
        let members = inventory.members(caller.tenant).await.map_err(|error| unavailable(&error))?;
        Ok(members.iter().any(|member| member.email.eq_ignore_ascii_case(email)))
    }

    async fn rule(&self, inventory: &Inventory, caller: &Caller, id: AlertRuleId) -> Result<AlertRule, Problem> {
        let rules = inventory.alert_rules(caller.tenant).await.map_err(|error| unavailable(&error))?;
        rules.into_iter().find(|rule| rule.id == id).ok_or_else(|| not_done(&AlertError::Unknown(id)))
    }
}

fn read(wanted: &AlertWanted) -> Result<Wanted, Problem> {
    let tag = match wanted.tag.as_deref() {
        None => None,
        Some(tag) => {
            let tags = Tags::read([tag]).map_err(|error| Problem::new(Code::TagInvalid, error.to_string()))?;
            Some(tags.as_str().to_owned())
        }
    };
    let mut kinds: Vec<_> = wanted.kinds.iter().map(|kind| same_word(kind.as_str())).collect();
    kinds.sort_unstable();
    kinds.dedup();
    Ok(Wanted { severity: same_severity(wanted.severity), kinds, tag })
}

/// The API and the inventory have the same words for kinds of events.
fn same_word(word: &str) -> inventory::EventKind {
    inventory::EventKind::of_word(word).expect("the API and the inventory have the same words")
}

fn same_severity(severity: json::Severity) -> inventory::Severity {
    match severity {
        json::Severity::Info => inventory::Severity::Info,
        json::Severity::Warning => inventory::Severity::Warning,
        json::Severity::Error => inventory::Severity::Error,
    }
}

pub(super) fn shown_severity(severity: inventory::Severity) -> json::Severity {
    match severity {
        inventory::Severity::Info => json::Severity::Info,
        inventory::Severity::Warning => json::Severity::Warning,
        inventory::Severity::Error => json::Severity::Error,
    }
}

fn shown(rule: AlertRule) -> json::AlertRule {
    let (channel, target) = match rule.channel {
        Channel::Mail(address) => (AlertChannel::Mail, address),
        Channel::Webhook { url, .. } => (AlertChannel::Webhook, url),
    };
    let Wanted { severity, kinds, tag } = rule.wanted;
    json::AlertRule {
        id: rule.id.0,
        channel,
        target,
        wanted: AlertWanted {
            severity: shown_severity(severity),
            kinds: kinds.into_iter().filter_map(|kind| kind.as_str().parse().ok()).collect(),
            tag,
        },
        created_at: time(rule.created_at),
        confirmed: rule.is_confirmed,
    }
}

fn shown_delivery(delivery: Delivery) -> json::AlertDelivery {
    let events = delivery.digest.count();
    let severity = shown_severity(delivery.digest.severity());
    let groups = delivery.digest.groups.into_iter().map(|group| json::AlertGroup {
        severity: shown_severity(group.severity()),
        kind: group.kind,
        count: group.count,
        first: group
            .first
            .into_iter()
            .map(|told| json::AlertedEvent {
                at: json::Time::from_unix_ms(told.at_ms),
                subject: told.subject,
                message: told.message,
            })
            .collect(),
    });
    json::AlertDelivery {
        id: delivery.id,
        rule: delivery.rule.0,
        created_at: time(delivery.created_at),
        state: match delivery.state {
            inventory::DeliveryState::Gathering => json::AlertDeliveryState::Gathering,
            inventory::DeliveryState::Trying => json::AlertDeliveryState::Trying,
            inventory::DeliveryState::Sent => json::AlertDeliveryState::Sent,
            inventory::DeliveryState::Failed => json::AlertDeliveryState::Failed,
        },
        due_at: delivery.due_at.map(time),
        tries: delivery.tries,
        tried_at: delivery.tried_at.map(time),
        answer: delivery.answer,
        events,
        severity,
        groups: groups.collect(),
    }
}

fn not_done(error: &AlertError) -> Problem {
    let code = match error {
        AlertError::Unknown(_) => Code::AlertUnknown,
        AlertError::TooMany => Code::AlertInvalid,
        AlertError::Inventory(error) => return unavailable(error),
    };
    Problem::new(code, error.to_string())
}

#[cfg(test)]
mod tests {
    use api::json;
    use inventory::EventKind;

    use super::same_word;

    #[test]
    fn the_api_and_the_inventory_have_the_same_words_for_events() {
        for kind in json::EventKind::ALL {
            assert_eq!(same_word(kind.as_str()).as_str(), kind.as_str());
        }
        // Nobody asks for tests but by asking for one.
        let others = EventKind::ALL.iter().filter(|kind| **kind != EventKind::Test).count();
        assert_eq!(json::EventKind::ALL.len(), others);
    }
}
