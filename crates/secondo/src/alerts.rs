//! Sending what organisations want to be told of outside of the console: deliveries that are due are tried, and again later when
//! they did not come.
//!
//! Invariants: what waits is in the inventory, so that a restart loses nothing and at the worst sends twice; a delivery is tried
//! so often and not more; one receiver that is slow keeps none of the others waiting for longer than a try.

mod written;

use std::sync::Arc;
use std::time::Duration;

use alerts::{Judge, Message, NotSent, Post, WebhookSecret, Webhooks};
use futures_util::StreamExt;
use inventory::{
    Channel, Delivery, DueDelivery, EventKind, Inventory, NewEvent, Severity, TenantId, Tried, TriedState,
};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use xfr::{Destinations, Moment};
use zone::Tags;

use crate::clock;
use crate::configuration::AlertSettings;
use crate::events::{self, Event};
use crate::node::Node;

/// How long it is waited before the tries after the first one: nine hours in all, so that a receiver may be down for a night.
const TRIED_AGAIN_AFTER: [Duration; 7] = [
    Duration::from_secs(10),
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(2 * 3600),
    Duration::from_secs(3 * 3600),
    Duration::from_secs(3 * 3600),
];
/// A try of which nothing was heard for so long is made again: longer than any lasts.
pub(crate) const LEASE: Duration = Duration::from_secs(5 * 60);
/// Tried side by side.
const AT_ONCE: usize = 16;
/// How often it is looked for what is due though nobody has said that there is something.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// Before it is tried again to read or write the inventory.
const AGAIN_AFTER: Duration = Duration::from_secs(5);

/// When something is told, and that there is something to send.
#[derive(Default)]
pub(crate) struct Alerts {
    pub(crate) settings: AlertSettings,
    pub(crate) has_come: Notify,
}

/// What carries alerts outside.
pub(crate) struct Messengers {
    /// None where nobody is written to: operators hand links over.
    pub(crate) post: Option<Post>,
    pub(crate) webhooks: Webhooks,
    /// The console's URL, which is in what is written.
    pub(crate) console: String,
}

/// What webhooks may be sent to: what primaries may be asked at.
pub(crate) fn judge(destinations: Destinations) -> Judge {
    Arc::new(move |address| destinations.judge(address).map_err(|refused| refused.to_string()))
}

/// Sends what is due, for ever.
pub(crate) async fn send_what_is_due(node: Arc<Node>, messengers: Arc<Messengers>) {
    loop {
        let wait = match node.inventory.load_full() {
            None => AGAIN_AFTER,
            Some(inventory) => match round(&node, &inventory, &messengers).await {
                Ok(wait) => wait,
                Err(error) => {
                    tracing::warn!("alerts wait, because of the inventory: {error}");
                    AGAIN_AFTER
                }
            },
        };
        // Whether woken or not, it is looked anew.
        let _ = timeout(wait, node.alerts.has_come.notified()).await;
    }
}

/// Tries all that is due; how long there is nothing then.
async fn round(
    node: &Arc<Node>,
    inventory: &Inventory,
    messengers: &Messengers,
) -> Result<Duration, inventory::InventoryError> {
    loop {
        let limit = u32::try_from(AT_ONCE).unwrap_or(u32::MAX);
        let due = inventory.take_due_deliveries(node.clock.now(), LEASE, limit).await?;
        if due.is_empty() {
            break;
        }
        let trying = due.into_iter().map(|due| try_and_record(node, inventory, messengers, due));
        futures_util::stream::iter(trying).for_each_concurrent(AT_ONCE, std::convert::identity).await;
    }
    let next = inventory.next_delivery_due().await?;
    Ok(next.map_or(LOOK_EVERY, |next| next.since(node.clock.now()).min(LOOK_EVERY)))
}

async fn try_and_record(node: &Arc<Node>, inventory: &Inventory, messengers: &Messengers, due: DueDelivery) {
    let tried = attempt(node, messengers, &due).await;
    if tried.state == TriedState::Failed && !is_about_itself(&due.delivery) {
        tell_undelivered(node, &due, &tried.answer);
    }
    record(inventory, due.delivery.id, &tried).await;
}

/// Has it be known, whatever becomes of the database meanwhile: what came twice is told apart by its id.
async fn record(inventory: &Inventory, id: u64, tried: &Tried) {
    while let Err(error) = inventory.delivery_tried(id, tried).await {
        tracing::warn!("that an alert was tried is not on record yet: {error}");
        sleep(AGAIN_AFTER).await;
    }
}

/// Tries the delivery once, for whoever waits for what comes of it.
pub(crate) async fn try_once(
    node: &Arc<Node>,
    inventory: &Inventory,
    messengers: &Messengers,
    due: &DueDelivery,
) -> Tried {
    let tried = attempt(node, messengers, due).await;
    let state = if tried.state == TriedState::Sent { TriedState::Sent } else { TriedState::Failed };
    let tried = Tried { state, ..tried };
    record(inventory, due.delivery.id, &tried).await;
    tried
}

async fn attempt(node: &Arc<Node>, messengers: &Messengers, due: &DueDelivery) -> Tried {
    let sent = match &due.rule.channel {
        Channel::Mail(address) => send_letter(messengers, address, due).await,
        Channel::Webhook { url, secret } => send_message(messengers, url, secret, due).await,
    };
    let at = node.clock.now();
    match sent {
        Ok(answer) => Tried { at, answer, state: TriedState::Sent },
        Err(NotSent::Ever(why)) => Tried { at, answer: why, state: TriedState::Failed },
        Err(NotSent::Now(why)) => {
            let wait = TRIED_AGAIN_AFTER.get(due.delivery.tries as usize - 1);
            let state = wait.map_or(TriedState::Failed, |wait| TriedState::Again(at.plus(*wait)));
            Tried { at, answer: why, state }
        }
    }
}

async fn send_letter(messengers: &Messengers, address: &str, due: &DueDelivery) -> Result<String, NotSent> {
    let Some(post) = &messengers.post else {
        let why = "no mail server is configured: see [mail] in the configuration".to_owned();
        return Err(NotSent::Now(why));
    };
    let letter = written::letter(address, &due.delivery, &messengers.console);
    let letter = letter.map_err(|error| NotSent::Ever(error.to_string()))?;
    post.try_once(&letter).await.map(|()| "the mail server has taken it".to_owned())
}

async fn send_message(
    messengers: &Messengers,
    url: &str,
    secret: &str,
    due: &DueDelivery,
) -> Result<String, NotSent> {
    let secret =
        WebhookSecret::read(secret).ok_or_else(|| NotSent::Ever("the rule's secret is damaged".to_owned()))?;
    let id = written::message_id(&due.delivery);
    let body = written::message(&due.delivery);
    let message = Message { id: &id, at_secs: clock::wall_secs(), body: &body };
    messengers.webhooks.send(url, message, &secret).await
}

/// Whether it only tells that another one did not come, or was a test: nobody is told that this did not come.
fn is_about_itself(delivery: &Delivery) -> bool {
    let own = [EventKind::AlertUndelivered, EventKind::Test].map(EventKind::as_str);
    delivery.digest.groups.iter().all(|group| own.contains(&group.kind.as_str()))
}

fn tell_undelivered(node: &Node, due: &DueDelivery, why: &str) {
    let count = due.delivery.digest.count();
    // Who reads events may not see the rules, and whoever knows a URL can send to it.
    let target = match &due.rule.channel {
        Channel::Mail(_) => format!("the address of alert rule {}", due.rule.id),
        Channel::Webhook { .. } => format!("the webhook of alert rule {}", due.rule.id),
    };
    let what = if count == 1 { "an event".to_owned() } else { format!("{count} events") };
    let message = format!("{what} could not be told to {target} in {} tries: {why}", due.delivery.tries);
    let event = Event::about(EventKind::AlertUndelivered, Severity::Warning, target, message);
    events::tell(node, due.tenant, event);
}

/// What a test tells.
pub(crate) fn test_event(tenant: TenantId, at: Moment) -> NewEvent {
    NewEvent {
        tenant,
        at,
        kind: EventKind::Test,
        severity: Severity::Info,
        stage: String::new(),
        subject: String::new(),
        message: "somebody has asked for this test: alerts come to here".to_owned(),
        tags: Tags::default(),
    }
}
