//! What was asked of zones and used by tenants, on real databases.

#![allow(clippy::unwrap_used)]

mod place;

use inventory::{
    AskedName, AskedZone, DAYS_KEPT, Day, HOURS_KEPT, Hour, Inventory, Month, NAMES_KEPT, QueryCounts,
    STATISTICS_AT_ONCE_MAX, TenantId, TenantSize, UsageOf, ZoneId,
};
use place::{BY, Engine, NOW, Place, name, open, unlock, zone};
use xfr::Moment;

on_both_engines!(
    what_is_written_twice_in_an_hour_is_added_up,
    hours_become_days_and_days_end,
    the_names_asked_for_most_are_kept_by_day_and_no_more_of_them,
    usage_is_a_tenants_own_and_outlives_its_zones,
    what_was_asked_of_a_zone_goes_with_it_and_is_no_other_tenants,
    what_was_asked_of_a_removed_zone_comes_back_with_it_or_is_deleted_with_it,
    what_cannot_be_written_is_not_written_in_part,
);

const OURS: TenantId = TenantId::DEFAULT;
const HOUR_MS: u64 = 3_600_000;

fn counts(answered: u64, nxdomain: u64) -> QueryCounts {
    QueryCounts { a: answered, aaaa: nxdomain, answered, nxdomain, ..QueryCounts::default() }
}

fn asked(zone: ZoneId, hour: Hour, counts: QueryCounts) -> AskedZone {
    AskedZone { zone, tenant: OURS, hour, counts }
}

async fn with_zone(engine: Engine) -> (Place, Inventory, ZoneId) {
    let (place, inventory) = open(engine).await;
    let id = inventory.add_zone(&BY, OURS, &zone("example.org", &["192.0.2.1:53"])).await.unwrap();
    (place, inventory, id)
}

async fn fold(inventory: &Inventory, now: Moment) {
    let mut last = None;
    loop {
        last = inventory.fold_queries(last, now).await.unwrap();
        if last.is_none() {
            return;
        }
    }
}

async fn what_is_written_twice_in_an_hour_is_added_up(engine: Engine) {
    let (_place, inventory, id) = with_zone(engine).await;
    let hour = Hour::of(NOW);
    let all = QueryCounts {
        a: 1,
        aaaa: 2,
        ns: 3,
        mx: 4,
        txt: 5,
        soa: 6,
        https: 7,
        other_type: 8,
        answered: 9,
        nodata: 10,
        nxdomain: 11,
        referral: 5,
        failed: 1,
    };
    inventory.add_queries(&[asked(id, hour, all), asked(id, Hour(hour.0 + 1), counts(1, 0))]).await.unwrap();
    inventory.add_queries(&[asked(id, hour, counts(100, 1_000))]).await.unwrap();
    let mut sum = all;
    sum.add(&counts(100, 1_000));
    assert_eq!((sum.a, sum.aaaa, sum.nxdomain, sum.total()), (101, 1_002, 1_011, 1_136));
    let by_hour = inventory.queries_by_hour(OURS, id, hour).await.unwrap();
    assert_eq!(by_hour, [(hour, sum), (Hour(hour.0 + 1), counts(1, 0))]);
    assert_eq!(inventory.queries_by_hour(OURS, id, Hour(hour.0 + 1)).await.unwrap().len(), 1);
    sum.add(&counts(1, 0));
    assert_eq!(inventory.queries_by_day(OURS, id, hour.day()).await.unwrap(), [(hour.day(), sum)]);
    // As many as go at once, most of them of zones that are not here.
    let many: Vec<_> =
        (0..STATISTICS_AT_ONCE_MAX as u64).map(|zone| asked(ZoneId(zone), hour, counts(1, 0))).collect();
    inventory.add_queries(&many).await.unwrap();
    assert_eq!(inventory.queries_by_hour(OURS, id, hour).await.unwrap()[0].1.answered, 110);
}

async fn hours_become_days_and_days_end(engine: Engine) {
    let (_place, inventory, id) = with_zone(engine).await;
    let first = Day(Hour::of(NOW).0 / 24);
    let hour = |number: u64| Hour(first.0 * 24 + number);
    for number in [0, 1, 23, 24, 47] {
        inventory.add_queries(&[asked(id, hour(number), counts(number + 1, 1))]).await.unwrap();
    }
    let days = [(first, counts(27, 3)), (Day(first.0 + 1), counts(73, 2))];
    let end_of_first = first.begins().0 + HOURS_KEPT * HOUR_MS + 24 * HOUR_MS;
    // Until the last hour of the first day is old enough, all of it is there as hours.
    fold(&inventory, Moment(end_of_first - 1)).await;
    assert_eq!(inventory.queries_by_hour(OURS, id, Hour(0)).await.unwrap().len(), 5);
    for _ in 0..2 {
        fold(&inventory, Moment(end_of_first)).await;
        assert_eq!(inventory.queries_by_hour(OURS, id, Hour(0)).await.unwrap().len(), 2);
        assert_eq!(inventory.queries_by_day(OURS, id, Day(0)).await.unwrap(), days);
    }
    // One that comes late is added to its day.
    inventory.add_queries(&[asked(id, hour(2), counts(1, 0))]).await.unwrap();
    fold(&inventory, Moment(end_of_first)).await;
    assert_eq!(inventory.queries_by_day(OURS, id, Day(0)).await.unwrap()[0].1, counts(28, 3));
    let two_years_later = Moment(Day(first.0 + DAYS_KEPT + 1).begins().0);
    fold(&inventory, two_years_later).await;
    assert_eq!(inventory.queries_by_day(OURS, id, Day(0)).await.unwrap(), days[1..]);
}

async fn the_names_asked_for_most_are_kept_by_day_and_no_more_of_them(engine: Engine) {
    let (_place, inventory, id) = with_zone(engine).await;
    let day = Hour::of(NOW).day();
    let asked =
        |name: String, day: Day, queries: u64| AskedName { zone: id, day, name: name.parse().unwrap(), queries };
    let parts = [600, 400].map(|queries| asked("www.example.org.".into(), day, queries));
    inventory.add_names(&parts).await.unwrap();
    // Octets that no text may hold come back as they were.
    let strange = "\\000\\255\\\"%_.example.org.";
    inventory.add_names(&[asked(strange.into(), day, 1_500)]).await.unwrap();
    for flood in 0..4 {
        let names =
            (0..STATISTICS_AT_ONCE_MAX).map(|number| asked(format!("x{flood}-{number}.example.org."), day, 10));
        inventory.add_names(&names.collect::<Vec<_>>()).await.unwrap();
    }
    inventory.add_names(&[asked("www.example.org.".into(), Day(day.0 + 1), 1_000)]).await.unwrap();
    let top = inventory.top_names(OURS, id, day, 10_000).await.unwrap();
    assert_eq!(top.len(), NAMES_KEPT as usize);
    assert_eq!((top[0].clone(), top[1].clone()), ((name("www.example.org."), 2_000), (name(strange), 1_500)));
    assert_eq!(inventory.top_names(OURS, id, Day(day.0 + 1), 10).await.unwrap(), [(name("www.example.org."), 1_000)]);
    assert_eq!(inventory.top_names(OURS, id, day, 1).await.unwrap().len(), 1);
    fold(&inventory, Moment(day.begins().0 + (HOURS_KEPT + 24) * HOUR_MS)).await;
    assert_eq!(inventory.top_names(OURS, id, Day(0), 10).await.unwrap().len(), 1);
}

async fn usage_is_a_tenants_own_and_outlives_its_zones(engine: Engine) {
    let place = Place::new(engine).await;
    let (inventory, other) = place.open_with_second_tenant().await;
    let id = inventory.add_zone(&BY, OURS, &zone("example.org", &["192.0.2.1:53"])).await.unwrap();
    let theirs = inventory.add_zone(&BY, other, &zone("example.com", &["192.0.2.1:53"])).await.unwrap();
    inventory.rename_tenant(&BY, other, "Example Ltd").await.unwrap();
    let (month, hour) = (Month { year: 2026, month: 11 }, Hour::of(NOW));
    assert_eq!(Month::of(hour), month);
    let of_theirs = AskedZone { tenant: other, ..asked(theirs, hour, counts(7, 0)) };
    inventory.add_queries(&[asked(id, hour, counts(40, 2)), of_theirs]).await.unwrap();
    for (zones, records) in [(3, 10), (1, 50), (2, 20)] {
        inventory.note_sizes(&[TenantSize { tenant: OURS, zones, records }], month).await.unwrap();
    }
    inventory.remove_zone(&BY, OURS, &name("example.org")).await.unwrap();
    // What was asked before it was removed, and is written after that.
    inventory.add_queries(&[asked(id, hour, counts(1, 0))]).await.unwrap();
    let ours = inventory.usage(UsageOf::Tenant(OURS), month).await.unwrap();
    assert_eq!(ours.len(), 1);
    let usage = &ours[0];
    assert_eq!((usage.tenant, usage.name.as_str()), (OURS, "default"));
    assert_eq!((usage.queries, usage.zones, usage.records), (43, 3, 50));
    let all = inventory.usage(UsageOf::Everybody, month).await.unwrap();
    let named = all.iter().map(|usage| (usage.tenant, usage.name.as_str(), usage.queries)).collect::<Vec<_>>();
    assert_eq!(named, [(other, "Example Ltd", 7), (OURS, "default", 43)]);
    assert!(inventory.usage(UsageOf::Everybody, Month { year: 2026, month: 12 }).await.unwrap().is_empty());
}

async fn what_was_asked_of_a_zone_goes_with_it_and_is_no_other_tenants(engine: Engine) {
    let (_place, inventory, id) = with_zone(engine).await;
    let hour = Hour::of(NOW);
    inventory.add_queries(&[asked(id, hour, counts(1, 0))]).await.unwrap();
    let names = [AskedName { zone: id, day: hour.day(), name: name("www.example.org."), queries: 1 }];
    inventory.add_names(&names).await.unwrap();
    assert!(inventory.queries_by_hour(TenantId(2), id, Hour(0)).await.unwrap().is_empty());
    assert!(inventory.queries_by_day(TenantId(2), id, Day(0)).await.unwrap().is_empty());
    assert!(inventory.top_names(TenantId(2), id, Day(0), 10).await.unwrap().is_empty());
    inventory.remove_zone(&BY, OURS, &name("example.org")).await.unwrap();
    inventory.add_names(&names).await.unwrap();
    assert!(inventory.queries_by_hour(OURS, id, Hour(0)).await.unwrap().is_empty());
    assert!(inventory.top_names(OURS, id, Day(0), 10).await.unwrap().is_empty());
}

async fn what_was_asked_of_a_removed_zone_comes_back_with_it_or_is_deleted_with_it(engine: Engine) {
    let (place, inventory, id) = with_zone(engine).await;
    let (org, hour) = (name("example.org"), Hour::of(NOW));
    let old = Hour(hour.0 - HOURS_KEPT - 24);
    inventory.add_queries(&[asked(id, old, counts(1, 2)), asked(id, hour, counts(3, 4))]).await.unwrap();
    let names = [AskedName { zone: id, day: hour.day(), name: name("www.example.org."), queries: 5 }];
    inventory.add_names(&names).await.unwrap();
    fold(&inventory, NOW).await;
    let shown = async || {
        let hours = inventory.queries_by_hour(OURS, id, Hour(0)).await.unwrap();
        let days = inventory.queries_by_day(OURS, id, Day(0)).await.unwrap();
        (hours, days, inventory.top_names(OURS, id, Day(0), 10).await.unwrap())
    };
    let before = shown().await;
    assert_eq!((before.0.len(), before.1.len(), before.2.len()), (1, 2, 1));
    let until = Moment(NOW.0 + HOUR_MS);
    inventory.remove_zone_and_keep(&BY, OURS, &org, until).await.unwrap();
    assert_eq!(shown().await, (Vec::new(), Vec::new(), Vec::new()));
    inventory.restore_zone(&BY, OURS, &org).await.unwrap();
    assert_eq!(shown().await, before);
    inventory.remove_zone_and_keep(&BY, OURS, &org, until).await.unwrap();
    inventory.end_keeping(until).await.unwrap();
    inventory.forget_removed(&[id]).await.unwrap();
    for table in ["removed_query_hours", "removed_query_days", "removed_query_names"] {
        let count = format!("SELECT COUNT(*) FROM {table}");
        let rows: i64 =
            sqlx::query_scalar(sqlx::AssertSqlSafe(count)).fetch_one(&mut place.connect().await).await.unwrap();
        assert_eq!(rows, 0, "{table}");
    }
}

async fn what_cannot_be_written_is_not_written_in_part(engine: Engine) {
    let (place, inventory, id) = with_zone(engine).await;
    let hour = Hour::of(NOW);
    let other = place.lock().await;
    let waiting = {
        let inventory = inventory.clone();
        tokio::spawn(async move { inventory.add_queries(&[asked(id, hour, counts(1, 0))]).await })
    };
    unlock(other).await;
    waiting.await.unwrap().unwrap();
    inventory.close().await;
    inventory.add_queries(&[asked(id, hour, counts(1, 0))]).await.unwrap_err();
    let inventory = place.open().await;
    assert_eq!(inventory.queries_by_hour(OURS, id, hour).await.unwrap(), [(hour, counts(1, 0))]);
}
