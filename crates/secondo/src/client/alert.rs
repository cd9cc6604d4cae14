//! `secondo alert add | list | change | remove | test | sent`: to whom events are sent.

use api::json::{
    AddAlertRule, AddedAlertRule, AlertChannel, AlertDeliveries, AlertDelivery, AlertDeliveryState, AlertRule,
    AlertRules, AlertWanted, EventKind, Severity,
};
use clap::{Args, Subcommand};

use super::failure::Failure;
use super::output::{Format, Output, time_text};
use super::server::Server;

#[derive(Debug, Subcommand)]
pub(crate) enum AlertAction {
    /// Have events sent to an address by mail, or to a URL as signed messages.
    #[command(after_help = "\
Examples:
  secondo alert add noc@example.net
  secondo alert add https://hooks.example.net/secondo --severity error --tag customers
  secondo alert add oncall@example.net --kind expiring,expired")]
    Add {
        /// An address, or a URL.
        to: String,
        #[command(flatten)]
        wanted: WantedArguments,
    },
    /// List to whom events are sent, and which.
    #[command(after_help = "Example:\n  secondo alert list")]
    List,
    /// Have a rule send other events.
    #[command(after_help = "Example:\n  secondo alert change 3 --severity error")]
    Change {
        /// The rule's number, as `secondo alert list` shows it.
        id: u64,
        #[command(flatten)]
        wanted: WantedArguments,
    },
    /// Remove a rule: nothing is sent by it any more.
    #[command(after_help = "Example:\n  secondo alert remove 3")]
    Remove {
        /// The rule's number, as `secondo alert list` shows it.
        id: u64,
    },
    /// Send a test to where a rule leads, and say what came of it.
    #[command(after_help = "Example:\n  secondo alert test 3")]
    Test {
        /// The rule's number, as `secondo alert list` shows it.
        id: u64,
    },
    /// List what was sent, and what came of it, newest first.
    #[command(after_help = "Example:\n  secondo alert sent --limit 20")]
    Sent {
        /// How many to show at most, 1 to 1000.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
}

/// Which events are sent.
#[derive(Debug, Args)]
pub(crate) struct WantedArguments {
    /// Those of this severity or a worse one: info, warning or error. A new rule has warning, or info where it names kinds.
    #[arg(long)]
    severity: Option<Severity>,
    /// Those of these kinds alone, with commas, such as expiring,expired.
    #[arg(long = "kind", value_name = "KIND", value_delimiter = ',')]
    kinds: Vec<EventKind>,
    /// Those of zones with this tag alone; with '' of all.
    #[arg(long)]
    tag: Option<String>,
}

impl WantedArguments {
    fn of_new(self) -> AlertWanted {
        let severity = if self.kinds.is_empty() { Severity::Warning } else { Severity::Info };
        self.over(AlertWanted { severity, ..AlertWanted::default() })
    }

    /// What is not named stays.
    fn over(self, before: AlertWanted) -> AlertWanted {
        let Self { severity, kinds, tag } = self;
        AlertWanted {
            severity: severity.unwrap_or(before.severity),
            kinds: if kinds.is_empty() { before.kinds } else { kinds },
            tag: tag.map_or(before.tag, |tag| Some(tag).filter(|tag| !tag.is_empty())),
        }
    }
}

pub(super) async fn carry_out(action: AlertAction, server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    match action {
        AlertAction::Add { to, wanted } => add(to, wanted.of_new(), server, output).await,
        AlertAction::List => list(server, output).await,
        AlertAction::Change { id, wanted } => {
            let AlertRules { rules } = server.get("/alerts", &[]).await?;
            // One that is not there is refused by the server.
            let before = rules.into_iter().find(|rule| rule.id == id).map(|rule| rule.wanted);
            let wanted = wanted.over(before.unwrap_or_default());
            let changed: AlertRule = server.put(&format!("/alerts/{id}"), &wanted).await?;
            match output.format() {
                Format::Json => output.json(&changed)?,
                Format::Text => output.line(&format!("the rule {id} sends {} from now on", what(&changed.wanted)))?,
            }
            Ok(())
        }
        AlertAction::Remove { id } => {
            server.delete(&format!("/alerts/{id}")).await?;
            if output.format() == Format::Text {
                output.line(&format!("removed the rule {id}: nothing is sent by it any more"))?;
            }
            Ok(())
        }
        AlertAction::Test { id } => test(id, server, output).await,
        AlertAction::Sent { limit } => sent(limit, server, output).await,
    }
}

async fn add(target: String, wanted: AlertWanted, server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    let channel = AlertChannel::of_target(&target);
    let added: AddedAlertRule = server.post("/alerts", &AddAlertRule { channel, target, wanted }).await?;
    if output.format() == Format::Json {
        return Ok(output.json(&added)?);
    }
    let AddedAlertRule { rule, secret } = added;
    output.line(&format!("added the rule {}: {} to {}", rule.id, what(&rule.wanted), rule.target))?;
    if let Some(secret) = secret {
        output.line(&format!(
            "\nMessages are signed with this secret, which is not shown again:\n\n  {secret}\n\n\
             Receivers check the header webhook-signature with it: see https://www.standardwebhooks.com"
        ))?;
    }
    if rule.confirmed {
        output.line(&format!("\nSee that it comes:  secondo alert test {}", rule.id))?;
    } else {
        output.line("\nA mail is on its way there; nothing else is sent before whoever reads it has confirmed it")?;
    }
    Ok(())
}

async fn list(server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    let AlertRules { rules } = server.get("/alerts", &[]).await?;
    if output.format() == Format::Json {
        return Ok(output.json(&rules)?);
    }
    if rules.is_empty() {
        return Ok(output.line("nobody is told of events; add somebody with `secondo alert add noc@example.net`")?);
    }
    let row = |rule: AlertRule| {
        let kinds = words(&rule.wanted.kinds);
        let state = if rule.confirmed { "" } else { "not confirmed" };
        let tag = rule.wanted.tag.unwrap_or_default();
        vec![rule.id.to_string(), rule.target, rule.wanted.severity.to_string(), kinds, tag, state.to_owned()]
    };
    Ok(output.table(&["ID", "TO", "SEVERITY", "KINDS", "TAG", ""], rules.into_iter().map(row))?)
}

async fn test(id: u64, server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    let tested: AlertDelivery = server.post(&format!("/alerts/{id}/test"), &serde_json::Map::new()).await?;
    if output.format() == Format::Json {
        output.json(&tested)?;
    }
    match (tested.state, output.format()) {
        (AlertDeliveryState::Sent, Format::Json) => Ok(()),
        (AlertDeliveryState::Sent, Format::Text) => Ok(output.line(&format!("sent: {}", tested.answer))?),
        _ => Err(Failure::new("alert_undelivered", format!("the test did not come: {}", tested.answer))),
    }
}

async fn sent(limit: u32, server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    let AlertDeliveries { deliveries, .. } = server.get("/alert-deliveries", &[("limit", limit.to_string())]).await?;
    if output.format() == Format::Json {
        return Ok(output.json(&deliveries)?);
    }
    if deliveries.is_empty() {
        return Ok(output.line("nothing was sent yet")?);
    }
    let row = |delivery: AlertDelivery| {
        let told: Vec<String> =
            delivery.groups.iter().map(|group| format!("{} × {}", group.count, group.kind)).collect();
        let state = delivery.state.to_string();
        let (tries, at) = (delivery.tries.to_string(), time_text(delivery.created_at));
        vec![at, delivery.rule.to_string(), state, told.join(", "), tries, delivery.answer]
    };
    Ok(output.table(&["AT", "RULE", "STATE", "WHAT", "TRIES", "ANSWER"], deliveries.into_iter().map(row))?)
}

fn what(wanted: &AlertWanted) -> String {
    let kinds = if wanted.kinds.is_empty() { "events".to_owned() } else { words(&wanted.kinds) };
    let tag = wanted.tag.as_ref().map(|tag| format!(" of zones with the tag {tag}")).unwrap_or_default();
    format!("{kinds} of severity {} and worse{tag}", wanted.severity)
}

fn words(kinds: &[EventKind]) -> String {
    kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(",")
}
