//! The rows of NOTIFYs: alike ones are one row, and rows are few whatever anybody sends.
//!
//! NOTIFYs of a known sender are alike when they differ in nothing but their serial, and came within [`ALIKE_MS`] of
//! each other or said the same serial. So each change of a zone has its row, and a flood that never pauses has one,
//! whatever serials are in it. Those of strangers are alike when they come from one block of addresses for one reason.

use std::collections::HashSet;
use std::net::IpAddr;
use std::str::FromStr;

use dns::{Name, Serial};
use sqlx::FromRow;
use xfr::notify::Channel;
use xfr::{Moment, Prefix};
use zone::ZoneId;

use super::{KEPT_MS, Notify, NotifySender, NotifySpan, StrangerNotify};
use crate::TenantId;
use crate::database::{Inventory, Transaction, to_i64, to_u64};
use crate::error::InventoryError;

/// How soon another one must come to be told together with the one before, in milliseconds.
const ALIKE_MS: u64 = 60_000;
/// The most rows of one zone: those of known senders, and those of strangers, who can be anybody.
const OF_KNOWN_MAX: u32 = 900;
const OF_STRANGERS_MAX: u32 = 100;
/// The most blocks of addresses that zones which are not here were asked for from.
const SITES_MAX: u32 = 1_000;

/// A zone and whom of its rows: what is bounded by itself.
type Group = (ZoneId, &'static str);

pub(super) async fn write(
    transaction: &mut Transaction,
    notifies: &[(ZoneId, Notify)],
    strangers: &[StrangerNotify],
    now_ms: u64,
) -> Result<(), sqlx::Error> {
    let mut grown: HashSet<Group> = HashSet::new();
    for (zone, notify) in notifies {
        if !fold(transaction, *zone, notify).await? {
            insert(transaction, *zone, notify).await?;
            grown.insert((*zone, standing(&notify.sender)));
        }
    }
    for group in grown {
        trim(transaction, group, now_ms).await?;
    }
    for stranger in strangers {
        add_up(transaction, stranger).await?;
    }
    if !strangers.is_empty() {
        trim_strangers(transaction, now_ms).await?;
    }
    Ok(())
}

/// Counts them in a row of those that are alike, and says whether there was one.
async fn fold(transaction: &mut Transaction, zone: ZoneId, notify: &Notify) -> Result<bool, sqlx::Error> {
    let since_ms = match notify.sender {
        NotifySender::Known(_) => notify.span.first.0.saturating_sub(ALIKE_MS),
        NotifySender::Strangers(_) => 0,
    };
    let channel = match notify.sender {
        NotifySender::Known(_) => Some(notify.channel.as_str()),
        NotifySender::Strangers(_) => None,
    };
    let folded = sqlx::query(
        "UPDATE notifies SET times = times + $2, last_ms = $3, serial = $4, channel = $5, signed_by = $6 \
         WHERE id = (SELECT MAX(id) FROM notifies WHERE zone_id = $1 AND sender = $7 AND standing = $8 \
         AND declined IS NOT DISTINCT FROM $9 AND ($10 IS NULL OR channel = $10 AND signed_by IS NOT DISTINCT FROM $6)) \
         AND (last_ms >= $11 OR serial IS NOT DISTINCT FROM $4)",
    )
    .bind(to_i64(zone.0))
    .bind(to_i64(notify.span.count))
    .bind(to_i64(notify.span.last.0))
    .bind(notify.serial.map(|serial| i64::from(serial.0)))
    .bind(notify.channel.as_str())
    .bind(notify.signed_by.as_ref().map(ToString::to_string))
    .bind(sender(&notify.sender))
    .bind(standing(&notify.sender))
    .bind(notify.declined.as_deref())
    .bind(channel)
    .bind(to_i64(since_ms))
    .execute(&mut **transaction)
    .await?
    .rows_affected();
    Ok(folded > 0)
}

async fn insert(transaction: &mut Transaction, zone: ZoneId, notify: &Notify) -> Result<(), sqlx::Error> {
    // The zone may have been removed meanwhile: then there is nothing to insert.
    sqlx::query(
        "INSERT INTO notifies (zone_id, standing, sender, at_ms, last_ms, times, channel, signed_by, serial, declined) \
         SELECT id, $2, $3, $4, $5, $6, $7, $8, $9, $10 FROM zones WHERE id = $1",
    )
    .bind(to_i64(zone.0))
    .bind(standing(&notify.sender))
    .bind(sender(&notify.sender))
    .bind(to_i64(notify.span.first.0))
    .bind(to_i64(notify.span.last.0))
    .bind(to_i64(notify.span.count))
    .bind(notify.channel.as_str())
    .bind(notify.signed_by.as_ref().map(ToString::to_string))
    .bind(notify.serial.map(|serial| i64::from(serial.0)))
    .bind(notify.declined.as_deref())
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Deletes what is too old or too much.
async fn trim(transaction: &mut Transaction, (zone, standing): Group, now_ms: u64) -> Result<(), sqlx::Error> {
    let rows_max = if standing == KNOWN { OF_KNOWN_MAX } else { OF_STRANGERS_MAX };
    sqlx::query(
        "DELETE FROM notifies WHERE zone_id = $1 AND standing = $2 AND (last_ms < $3 OR id NOT IN \
         (SELECT id FROM notifies WHERE zone_id = $1 AND standing = $2 ORDER BY last_ms DESC, id DESC LIMIT $4))",
    )
    .bind(to_i64(zone.0))
    .bind(standing)
    .bind(to_i64(now_ms.saturating_sub(KEPT_MS)))
    .bind(i64::from(rows_max))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

async fn add_up(transaction: &mut Transaction, stranger: &StrangerNotify) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO stranger_notifies \
         (site, at_ms, last_ms, times, last_address, last_channel, last_zone, last_declined) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (site) DO UPDATE SET last_ms = excluded.last_ms, \
         times = stranger_notifies.times + excluded.times, last_address = excluded.last_address, \
         last_channel = excluded.last_channel, last_zone = excluded.last_zone, last_declined = excluded.last_declined",
    )
    .bind(stranger.site.to_string())
    .bind(to_i64(stranger.span.first.0))
    .bind(to_i64(stranger.span.last.0))
    .bind(to_i64(stranger.span.count))
    .bind(stranger.from.to_string())
    .bind(stranger.channel.as_str())
    .bind(stranger.zone.as_ref().map(ToString::to_string))
    .bind(stranger.declined.as_str())
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

async fn trim_strangers(transaction: &mut Transaction, now_ms: u64) -> Result<(), sqlx::Error> {
    sqlx::query(
        "DELETE FROM stranger_notifies WHERE last_ms < $1 OR site NOT IN \
         (SELECT site FROM stranger_notifies ORDER BY last_ms DESC, site LIMIT $2)",
    )
    .bind(to_i64(now_ms.saturating_sub(KEPT_MS)))
    .bind(i64::from(SITES_MAX))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

impl Inventory {
    /// At most `limit` rows of NOTIFYs for the tenant's zone, the last to come first; everything that was recorded
    /// before the call is among them.
    pub async fn notifies(&self, tenant: TenantId, zone: ZoneId, limit: u32) -> Result<Vec<Notify>, InventoryError> {
        self.ledger().flush().await;
        let rows: Vec<NotifyRow> = sqlx::query_as(
            "SELECT n.standing, n.sender, n.at_ms, n.last_ms, n.times, n.channel, n.signed_by, n.serial, n.declined \
             FROM notifies n JOIN zones z ON z.id = n.zone_id WHERE z.tenant_id = $1 AND n.zone_id = $2 \
             ORDER BY n.last_ms DESC, n.id DESC LIMIT $3",
        )
        .bind(to_i64(tenant.0))
        .bind(to_i64(zone.0))
        .bind(i64::from(limit))
        .fetch_all(self.reader())
        .await?;
        rows.into_iter().map(NotifyRow::read).collect()
    }

    /// At most `limit` blocks of addresses from which NOTIFYs came for zones that are not here, the last to come first.
    pub async fn stranger_notifies(&self, limit: u32) -> Result<Vec<StrangerNotify>, InventoryError> {
        self.ledger().flush().await;
        let rows: Vec<StrangerRow> = sqlx::query_as(
            "SELECT site, at_ms, last_ms, times, last_address, last_channel, last_zone, last_declined \
             FROM stranger_notifies ORDER BY last_ms DESC, site LIMIT $1",
        )
        .bind(i64::from(limit))
        .fetch_all(self.reader())
        .await?;
        rows.into_iter().map(StrangerRow::read).collect()
    }
}

const KNOWN: &str = "known";

fn standing(sender: &NotifySender) -> &'static str {
    match sender {
        NotifySender::Known(_) => KNOWN,
        NotifySender::Strangers(_) => "stranger",
    }
}

fn sender(sender: &NotifySender) -> String {
    match sender {
        NotifySender::Known(address) => address.to_string(),
        NotifySender::Strangers(site) => site.to_string(),
    }
}

#[derive(FromRow)]
struct NotifyRow {
    standing: String,
    sender: String,
    at_ms: i64,
    last_ms: i64,
    times: i64,
    channel: String,
    signed_by: Option<String>,
    serial: Option<i64>,
    declined: Option<String>,
}

impl NotifyRow {
    fn read(self) -> Result<Notify, InventoryError> {
        let sender = if self.standing == KNOWN {
            NotifySender::Known(parsed(&self.sender)?)
        } else {
            NotifySender::Strangers(parsed(&self.sender)?)
        };
        let serial = self.serial.map(|serial| u32::try_from(serial).map(Serial).map_err(|_| damaged(&serial)));
        Ok(Notify {
            sender,
            channel: channel(&self.channel)?,
            signed_by: self.signed_by.map(|key| parsed::<Name>(&key)).transpose()?,
            serial: serial.transpose()?,
            declined: self.declined,
            span: span(self.at_ms, self.last_ms, self.times)?,
        })
    }
}

#[derive(FromRow)]
struct StrangerRow {
    site: String,
    at_ms: i64,
    last_ms: i64,
    times: i64,
    last_address: String,
    last_channel: String,
    last_zone: Option<String>,
    last_declined: String,
}

impl StrangerRow {
    fn read(self) -> Result<StrangerNotify, InventoryError> {
        Ok(StrangerNotify {
            site: parsed::<Prefix>(&self.site)?,
            span: span(self.at_ms, self.last_ms, self.times)?,
            from: parsed::<IpAddr>(&self.last_address)?,
            channel: channel(&self.last_channel)?,
            zone: self.last_zone.map(|zone| parsed::<Name>(&zone)).transpose()?,
            declined: self.last_declined,
        })
    }
}

fn span(at_ms: i64, last_ms: i64, times: i64) -> Result<NotifySpan, InventoryError> {
    Ok(NotifySpan { first: Moment(to_u64(at_ms)?), last: Moment(to_u64(last_ms)?), count: to_u64(times)? })
}

fn channel(word: &str) -> Result<Channel, InventoryError> {
    Channel::ALL.into_iter().find(|channel| channel.as_str() == word).ok_or_else(|| damaged(&word))
}

fn parsed<T: FromStr>(text: &str) -> Result<T, InventoryError> {
    text.parse().map_err(|_| damaged(&text))
}

fn damaged(what: &dyn std::fmt::Debug) -> InventoryError {
    InventoryError::Damaged(format!("a NOTIFY on record holds {what:?}"))
}
