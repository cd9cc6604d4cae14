//! What was asked and used, of a made-up world: nothing where a zone's name begins with "quiet", more than anybody can count
//! where it begins with "huge".

use api::doors::QuerySpan;
use api::json::{self, Time};
use dns::Name;

const NOW_MS: u64 = 1_795_262_400_000;

pub fn of(zone: &Name, span: QuerySpan) -> json::ZoneQueries {
    let (step, count, step_ms) = match span {
        QuerySpan::Hours(hours) => (json::QueryStep::Hour, hours, 3_600_000),
        QuerySpan::Days(days) => (json::QueryStep::Day, days, 86_400_000),
    };
    let zone = zone.to_lower().to_string();
    let times = match zone.get(..4) {
        Some("quie") => 0,
        Some("huge") => 1 << 50,
        _ => 1,
    };
    let point = |number: u32| {
        let answered = u64::from(number % 7) * 10 * times;
        let (nodata, nxdomain, referral, failed) = (times, 3 * times, times, 0);
        json::QueryPoint {
            at: Time::from_unix_ms(NOW_MS - u64::from(count - 1 - number) * step_ms),
            queries: json::QueryNumbers {
                total: answered + nodata + nxdomain + referral,
                by_type: json::QueriesByType { a: answered, aaaa: 5 * times, ..Default::default() },
                by_result: json::QueriesByResult { answered, nodata, nxdomain, referral, failed },
            },
        }
    };
    let points: Vec<_> = (0..count).map(point).collect();
    let mut sum = json::QueryNumbers::default();
    for json::QueryNumbers { total, by_type, by_result } in points.iter().map(|point| point.queries) {
        sum.total += total;
        sum.by_type.a += by_type.a;
        sum.by_type.aaaa += by_type.aaaa;
        sum.by_result.answered += by_result.answered;
        sum.by_result.nodata += by_result.nodata;
        sum.by_result.nxdomain += by_result.nxdomain;
        sum.by_result.referral += by_result.referral;
    }
    let name = |name: &str, queries| json::TopName { name: format!("{name}.{zone}"), queries };
    json::ZoneQueries {
        step,
        nxdomain_percent: (sum.total > 0).then_some(12.5),
        names_since: Time::from_unix_ms(NOW_MS),
        names: if sum.total == 0 { Vec::new() } else { vec![name("www", 2_048 * times), name("<script>", 1_024)] },
        points,
        sum,
    }
}

/// Of one organisation for itself, of two for operators; the other's name is what somebody has made up to do harm.
pub fn usage(is_operator: bool, month: json::Month) -> json::Usage {
    let of = |id, organisation: &str, queries| json::OrganisationUsage {
        id,
        organisation: organisation.into(),
        queries,
        zones: 2,
        records: 20,
    };
    let mut organisations = vec![of(1, "default", 1_000_000)];
    if is_operator {
        organisations.push(of(2, "=HYPERLINK(\"http://evil.example\",\"pay\")", 7));
    }
    json::Usage { month, organisations }
}
