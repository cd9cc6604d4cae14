//! What the configuration lets transfers bring.

use testing::primary::Primary;
use testing::zone_text;

use crate::scene::{ZONE, add, failure, secondo};

#[test]
fn what_goes_beyond_a_limit_of_the_configuration_is_not_taken_and_the_advice_names_it() {
    let crowd: String = (0..17).map(|number| format!("many A 192.0.2.{number}\n")).collect();
    let primary = Primary::with_zone(ZONE, &(zone_text::small(1) + &crowd));
    for (limit, code) in
        [("transfer_records = 10", "too_many_records"), ("records_per_rrset = 16", "rrset_too_large")]
    {
        let secondo = secondo().configured(&format!("[limits]\n{limit}\n")).started();
        add(&secondo, ZONE, primary.address());
        let reason = failure(&secondo, ZONE);
        let advice = reason["advice"].as_str().unwrap();
        let name = limit.split(' ').next().unwrap();
        assert!(reason["code"] == code && advice.contains("[limits]") && advice.contains(name), "{reason}");
    }
}
