//! NOTIFYs on their way from the sockets to the ledger, and from there to who looks at them.
//!
//! The sockets add up what is alike; once in a while it is put on record, all at once. Nothing waits for it, and what
//! the ledger does not take is counted there.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use api::json;
use inventory::{EventKind, Ledger, Notify, NotifySender, NotifySpan, Severity, StrangerNotify};
use server::{Heard, HeardNotify, Who};
use tokio::time::sleep;
use xfr::Moment;
use xfr::notify::{Channel, Decline};

use crate::events::{self, Event};
use crate::ledger::time;
use crate::node::Node;

/// How long NOTIFYs are added up before they are put on record.
const ADDED_UP_FOR: Duration = Duration::from_secs(1);
/// So many are handed to the ledger at a time, whose queue has room for twice as many.
const PORTION_MAX: usize = 4096;

/// Puts what is heard on record, for ever.
pub(crate) async fn keep_record(node: Arc<Node>, heard: Heard) {
    loop {
        heard.came().await;
        sleep(ADDED_UP_FOR).await;
        let inventory = loop {
            match node.inventory.load_full() {
                Some(inventory) => break inventory,
                // It stays where it is, added up, until there is one.
                None => sleep(ADDED_UP_FOR).await,
            }
        };
        let now = (node.clock.now(), Instant::now());
        let mut taken = heard.take();
        while !taken.is_empty() {
            let portion = taken.split_off(taken.len().saturating_sub(PORTION_MAX));
            tell_of_strangers(&node, &portion);
            portion.into_iter().for_each(|heard| queue(inventory.ledger(), heard, now));
            inventory.ledger().flush().await;
        }
    }
}

/// Puts what was heard until now on record, as far as there is room: somebody looks, or the end has come.
pub(crate) fn record(node: &Node, heard: &Heard) {
    if let Some(inventory) = &*node.inventory.load() {
        let now = (node.clock.now(), Instant::now());
        let taken = heard.take();
        tell_of_strangers(node, &taken);
        taken.into_iter().for_each(|heard| queue(inventory.ledger(), heard, now));
    }
}

/// Tells the owners of zones that NOTIFYs for them come from somebody that they have not named: a primary with another address,
/// perhaps. Of each zone once, however many the strangers are: they are not to crowd out what else is told.
fn tell_of_strangers(node: &Node, portion: &[HeardNotify]) {
    let mut told = HashSet::new();
    for HeardNotify { who, .. } in portion {
        let Who::Stranger { zone: Some(zone), site, why } = who else { continue };
        let Some(zone) = told.insert(*zone).then(|| node.zone(*zone)).flatten() else { continue };
        let message = format!(
            "NOTIFYs for the zone {} come from {site} and are not heeded ({}): if that is a primary of yours, add its address, \
             or its key, to the zone",
            zone.name,
            reason(why.code()).message
        );
        events::tell_of(node, &zone, Event::of_zone(&zone, EventKind::StrangerNotifies, Severity::Info, message));
    }
}

fn queue(ledger: &Ledger, heard: HeardNotify, (now, instant): (Moment, Instant)) {
    let HeardNotify { who, count, first, last, latest } = heard;
    let moment = |then: Instant| {
        let ago = instant.saturating_duration_since(then).as_millis();
        Moment(now.0.saturating_sub(u64::try_from(ago).unwrap_or(u64::MAX)))
    };
    let span = NotifySpan { first: moment(first), last: moment(last), count };
    let code = |declined: Decline| declined.code().to_owned();
    let notify = |sender, signed_by, declined: Option<Decline>| Notify {
        sender,
        channel: latest.channel,
        signed_by,
        serial: latest.serial,
        declined: declined.map(code),
        span,
    };
    match who {
        Who::Known { zone, from, channel: _, signed_by, declined } => {
            ledger.record_notify(zone, notify(NotifySender::Known(from), signed_by, declined));
        }
        Who::Stranger { zone: Some(zone), site, why } => {
            ledger.record_notify(zone, notify(NotifySender::Strangers(site), None, Some(why)));
        }
        Who::Stranger { zone: None, site, why } => ledger.record_stranger(StrangerNotify {
            site,
            span,
            from: latest.from,
            channel: latest.channel,
            zone: latest.zone,
            declined: code(why),
        }),
    }
}

/// A row for the API.
pub(crate) fn shown(notify: &Notify) -> json::Notify {
    let (from, standing) = match notify.sender {
        NotifySender::Known(address) => (address.to_string(), json::NotifyStanding::Known),
        NotifySender::Strangers(site) => (site.to_string(), json::NotifyStanding::Stranger),
    };
    json::Notify {
        at: time(notify.span.first),
        last_at: time(notify.span.last),
        count: notify.span.count,
        from,
        standing,
        transport: transport(notify.channel),
        signed_by: notify.signed_by.as_ref().map(ToString::to_string),
        serial: notify.serial.map(|serial| serial.0),
        outcome: match notify.declined {
            None => json::NotifyOutcome::Accepted,
            Some(_) => json::NotifyOutcome::Refused,
        },
        reason: notify.declined.as_deref().map(reason),
    }
}

pub(crate) fn shown_stranger(stranger: &StrangerNotify) -> json::StrangerNotify {
    json::StrangerNotify {
        at: time(stranger.span.first),
        last_at: time(stranger.span.last),
        count: stranger.span.count,
        from: stranger.site.to_string(),
        last_address: stranger.from.to_string(),
        last_transport: transport(stranger.channel),
        last_zone: stranger.zone.as_ref().map(ToString::to_string),
        last_reason: reason(&stranger.declined),
    }
}

fn transport(channel: Channel) -> json::NotifyTransport {
    match channel {
        Channel::Udp => json::NotifyTransport::Udp,
        Channel::Tcp => json::NotifyTransport::Tcp,
        Channel::Tls => json::NotifyTransport::Tls,
        Channel::Quic => json::NotifyTransport::Quic,
    }
}

/// A row outlives the program that wrote it: this one need not know the code.
fn reason(code: &str) -> json::NotifyReason {
    let known = Decline::of_code(code);
    json::NotifyReason {
        code: code.to_owned(),
        message: known
            .map_or_else(|| "another version of this program knows why".to_owned(), |known| known.to_string()),
        advice: known.map_or("look the code up in that version", Decline::advice).to_owned(),
    }
}
