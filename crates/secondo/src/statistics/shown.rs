//! What was asked and used, for who looks: what is written, and what is pending.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use api::doors::QuerySpan;
use api::json;
use inventory::{Day, Hour, Inventory, InventoryError, Month, QueryCounts, TenantId, UsageOf};
use server::{AskedFor, CameOf};

use super::{Gather, Statistics};
use crate::followed::Followed;
use crate::ledger::time;
use crate::node::Node;

/// Names that are shown.
const NAMES_SHOWN: usize = 50;

impl Statistics {
    /// What was asked of the zone, until a moment ago.
    pub(crate) async fn of_zone(
        self: &Arc<Self>,
        node: &Arc<Node>,
        inventory: &Inventory,
        zone: &Followed,
        span: QuerySpan,
    ) -> Result<json::ZoneQueries, InventoryError> {
        self.gather(node, Gather::UnlessJustDone).await;
        let now = Hour::of(node.clock.now());
        let _moving = self.moving.read().await;
        let (tenant, id) = (zone.tenant, zone.id);
        let (step, moments, numbers, first_day) = match span {
            QuerySpan::Hours(hours) => {
                let first = Hour(now.0.saturating_sub(u64::from(hours) - 1));
                let mut numbers: BTreeMap<u64, QueryCounts> = BTreeMap::new();
                for (hour, counts) in inventory.queries_by_hour(tenant, id, first).await? {
                    numbers.entry(hour.0).or_default().add(&counts);
                }
                for (hour, counts) in self.pending().of_zone(tenant, id, first) {
                    numbers.entry(hour.0).or_default().add(&counts);
                }
                let moments: Vec<_> = (first.0..=now.0).map(|hour| (hour, Hour(hour).begins())).collect();
                (json::QueryStep::Hour, moments, numbers, first.day())
            }
            QuerySpan::Days(days) => {
                let (first, today) = (Day(now.day().0.saturating_sub(u64::from(days) - 1)), now.day());
                let mut numbers: BTreeMap<u64, QueryCounts> = BTreeMap::new();
                for (day, counts) in inventory.queries_by_day(tenant, id, first).await? {
                    numbers.entry(day.0).or_default().add(&counts);
                }
                for (hour, counts) in self.pending().of_zone(tenant, id, Hour::of(first.begins())) {
                    numbers.entry(hour.day().0).or_default().add(&counts);
                }
                let moments: Vec<_> = (first.0..=today.0).map(|day| (day, Day(day).begins())).collect();
                (json::QueryStep::Day, moments, numbers, first)
            }
        };
        // Names are kept for as long as hours are.
        let first_day = first_day.max(Day(now.day().0.saturating_sub(inventory::HOURS_KEPT / 24)));
        let names = self.names(inventory, zone, first_day).await?;
        let point = |(number, at)| json::QueryPoint {
            at: time(at),
            queries: numbers.get(&number).map(shown_counts).unwrap_or_default(),
        };
        let mut sum = QueryCounts::default();
        let points: Vec<_> = moments.into_iter().map(point).collect();
        numbers.values().for_each(|counts| sum.add(counts));
        Ok(json::ZoneQueries {
            step,
            points,
            sum: shown_counts(&sum),
            nxdomain_percent: percent(sum.nxdomain, sum.total()),
            names_since: time(first_day.begins()),
            names,
        })
    }

    async fn names(
        &self,
        inventory: &Inventory,
        zone: &Followed,
        since: Day,
    ) -> Result<Vec<json::TopName>, InventoryError> {
        let recorded = inventory.top_names(zone.tenant, zone.id, since, inventory::NAMES_KEPT).await?;
        let mut names: HashMap<_, u64> = recorded.into_iter().collect();
        for (name, queries) in self.pending().names_of_zone(zone.id, since) {
            *names.entry(name).or_default() += queries;
        }
        let shown = |(name, queries): (dns::Name, u64)| json::TopName { name: name.to_string(), queries };
        let mut names: Vec<_> = names.into_iter().map(shown).collect();
        names.sort_unstable_by(|one, other| other.queries.cmp(&one.queries).then_with(|| one.name.cmp(&other.name)));
        names.truncate(NAMES_SHOWN);
        Ok(names)
    }

    /// What was used in the month, the present one if none is named, until a moment ago.
    pub(crate) async fn usage(
        self: &Arc<Self>,
        node: &Arc<Node>,
        inventory: &Inventory,
        of: UsageOf,
        month: Option<json::Month>,
    ) -> Result<json::Usage, InventoryError> {
        self.gather(node, Gather::UnlessJustDone).await;
        // Whoever has pending queries, or anything at all, has a row of the present month after that.
        self.note_sizes(inventory, node).await?;
        let present = Month::of(Hour::of(node.clock.now()));
        let month = month.map_or(present, |json::Month { year, month }| Month { year, month });
        let _moving = self.moving.read().await;
        let mut pending: HashMap<TenantId, u64> = HashMap::new();
        for (tenant, hour, queries) in self.pending().all() {
            if Month::of(hour) == month {
                *pending.entry(tenant).or_default() += queries;
            }
        }
        let used = inventory.usage(of, month).await?;
        let shown = |used: inventory::Usage| json::OrganisationUsage {
            id: used.tenant.0,
            queries: used.queries + pending.get(&used.tenant).copied().unwrap_or_default(),
            organisation: used.name,
            zones: used.zones,
            records: used.records,
        };
        Ok(json::Usage {
            month: json::Month { year: month.year, month: month.month },
            organisations: used.into_iter().map(shown).collect(),
        })
    }
}

/// What the sockets count, as it is written.
pub(super) fn recorded(counts: &server::QueryCounts) -> QueryCounts {
    let (asked_for, came_of) = (|one| counts.for_type(one), |one| counts.with_result(one));
    QueryCounts {
        a: asked_for(AskedFor::A),
        aaaa: asked_for(AskedFor::Aaaa),
        ns: asked_for(AskedFor::Ns),
        mx: asked_for(AskedFor::Mx),
        txt: asked_for(AskedFor::Txt),
        soa: asked_for(AskedFor::Soa),
        https: asked_for(AskedFor::Https),
        other_type: asked_for(AskedFor::Other),
        answered: came_of(CameOf::Answer),
        nodata: came_of(CameOf::NoData),
        nxdomain: came_of(CameOf::NameError),
        referral: came_of(CameOf::Referral),
        failed: came_of(CameOf::Failure),
    }
}

fn shown_counts(counts: &QueryCounts) -> json::QueryNumbers {
    let QueryCounts { a, aaaa, ns, mx, txt, soa, https, other_type, answered, nodata, nxdomain, referral, failed } =
        *counts;
    json::QueryNumbers {
        total: counts.total(),
        by_type: json::QueriesByType { a, aaaa, ns, mx, txt, soa, https, other: other_type },
        by_result: json::QueriesByResult { answered, nodata, nxdomain, referral, failed },
    }
}

/// With two digits behind the point.
#[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
fn percent(part: u64, all: u64) -> Option<f64> {
    (all > 0).then(|| (part as f64 / all as f64 * 10_000.0).round() / 100.0)
}
