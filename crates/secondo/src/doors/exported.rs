//! All that is known of an organisation, as one JSON text that is written as it is read: no secret is in it.

use api::doors::{Accounts, Alerts, Caller, Intent, Organisations, Streamed};
use api::json;
use api::{Code, Problem};
use futures_util::stream;
use inventory::{AuditOf, Inventory, TenantId, Zone, ZoneId};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{House, unavailable};
use crate::ledger::{shown, time};

/// Pieces that wait for whoever reads them.
const PIECES_WAITING: usize = 4;
/// Rows that are read at once.
const ROWS: u32 = 200;

/// Why a text was not written to its end.
enum Cut {
    /// Nobody reads it any more.
    Left,
    Failed(Problem),
}

impl From<Problem> for Cut {
    fn from(problem: Problem) -> Self {
        Self::Failed(problem)
    }
}

struct Writer {
    inventory: Inventory,
    tenant: TenantId,
    pieces: mpsc::Sender<Result<String, Problem>>,
}

impl House {
    pub(super) async fn exported(
        &self,
        caller: &Caller,
        organisation: json::Organisation,
    ) -> Result<Streamed, Problem> {
        let place = self.exports.clone().try_acquire_owned();
        let place =
            place.map_err(|_| Problem::new(Code::TimedOut, "too many exports at once: try again in a minute"))?;
        let short = json!({
            "exported_at": time(self.node.clock.now()),
            "organisation": organisation,
            "members": self.members(caller).await?,
            "invitations": self.invitations(caller).await?,
            "keys": self.keys(caller).await?,
            "tokens": self.tokens(caller).await?,
            "alerts": self.alert_rules(caller).await?,
        });
        let (pieces, read) = mpsc::channel(PIECES_WAITING);
        let inventory = self.inventory()?;
        let writer = Writer { inventory: Inventory::clone(&inventory), tenant: caller.tenant, pieces };
        tokio::spawn(async move {
            if let Err(Cut::Failed(problem)) = writer.write(&short).await {
                tracing::error!(tenant = writer.tenant.0, "an export is cut off: {}", problem.detail());
                // Whoever reads it is to know that it is not whole.
                let _ = writer.pieces.send(Err(problem)).await;
            }
            drop(place);
        });
        let next = |mut read: mpsc::Receiver<_>| async move { read.recv().await.map(|piece| (piece, read)) };
        Ok(Box::pin(stream::unfold(read, next)))
    }
}

impl Writer {
    async fn write(&self, short: &Value) -> Result<(), Cut> {
        let head = text(short)?;
        self.say(format!("{},\n\"zones\":[", head.strip_suffix('}').unwrap_or(&head))).await?;
        self.zones().await?;
        self.say("],\n\"audit\":[".to_owned()).await?;
        self.audit().await?;
        self.say("]}\n".to_owned()).await
    }

    async fn zones(&self) -> Result<(), Cut> {
        let (mut after, mut separator) = (None, "\n");
        loop {
            let zones = self.inventory.zones_of_tenant(self.tenant, after, ROWS).await;
            let zones = zones.map_err(|error| unavailable(&error))?;
            let Some(last) = zones.last() else { return Ok(()) };
            after = Some(last.id);
            for zone in &zones {
                let head = text(&described(zone))?;
                self.say(format!("{separator}{},\"attempts\":[", head.strip_suffix('}').unwrap_or(&head))).await?;
                self.attempts(zone.id).await?;
                self.say("]}".to_owned()).await?;
                separator = ",\n";
            }
        }
    }

    async fn attempts(&self, zone: ZoneId) -> Result<(), Cut> {
        let (mut before, mut separator) = (None, "");
        loop {
            let attempts = self.inventory.attempts(self.tenant, zone, before, ROWS).await;
            let attempts = attempts.map_err(|error| unavailable(&error))?;
            let Some(last) = attempts.last() else { return Ok(()) };
            before = Some(last.id);
            for attempt in &attempts {
                self.say(format!("{separator}{}", text(&shown(attempt))?)).await?;
                separator = ",";
            }
        }
    }

    async fn audit(&self) -> Result<(), Cut> {
        let (mut before, mut separator) = (None, "\n");
        loop {
            let entries = self.inventory.audit(AuditOf::Tenant(self.tenant), before, ROWS).await;
            let entries = entries.map_err(|error| unavailable(&error))?;
            let Some(last) = entries.last() else { return Ok(()) };
            before = Some(last.id);
            for entry in entries {
                let entry = json!({
                    "at": time(entry.at), "actor": entry.actor, "address": entry.address, "act": entry.act,
                    "subject": entry.subject, "details": entry.details,
                });
                self.say(format!("{separator}{}", text(&entry)?)).await?;
                separator = ",\n";
            }
        }
    }

    async fn say(&self, piece: String) -> Result<(), Cut> {
        self.pieces.send(Ok(piece)).await.map_err(|_| Cut::Left)
    }
}

fn described(zone: &Zone) -> Value {
    json!({
        "name": zone.name.to_string(),
        "service": zone.service.as_str(),
        "proof": zone.proof.map(inventory::Proof::as_str),
        "created_at": time(zone.created_at),
        "settings": zone.settings.to_texts(),
        "tags": zone.tags.iter().collect::<Vec<_>>(),
        "primaries": zone.primaries.iter().map(json::Primary::from).collect::<Vec<_>>(),
    })
}

fn text(value: &impl Serialize) -> Result<String, Problem> {
    serde_json::to_string(value).map_err(|error| Problem::new(Code::Internal, format!("the export failed: {error}")))
}
