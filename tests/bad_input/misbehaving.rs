//! A scripted primary that misbehaves in one named way at a time, and what the user is told. (`transfer` and `xfr`
//! have the rest of the ways.)

use dns::Rcode;
use testing::primary::{Behaviour, Kind, Primary};
use testing::{query, zone_text};

use crate::scene::{ZONE, add, has_nothing_to_serve, secondo, serves};

#[test]
fn each_way_of_misbehaving_at_the_first_copy_has_its_code_and_heals() {
    let secondo = &secondo().started();
    std::thread::scope(|scope| {
        for (number, (behaviour, code)) in [
            (Behaviour::Answer(Kind::Axfr, Rcode::REFUSED), "refused"),
            (Behaviour::Answer(Kind::Axfr, Rcode::SERVFAIL), "servfail"),
            (Behaviour::CloseAtOnce(Kind::Axfr), "connection_closed"),
            (Behaviour::CloseHalfWay, "connection_closed"),
            (Behaviour::HangHalfWay, "hung"),
            (Behaviour::OtherZone, "no_soa"),
            (Behaviour::OtherLastSoa, "soa_mismatch"),
            (Behaviour::RecordsAfterEnd, "records_after_end"),
            (Behaviour::EmptyMessage, "empty_message"),
            (Behaviour::TruncateTcp, "truncated_over_tcp"),
        ]
        .into_iter()
        .enumerate()
        {
            scope.spawn(move || {
                let zone = format!("zone-{number}.test");
                let primary = Primary::with_zone(&zone, &zone_text::small(1));
                primary.behave(behaviour);
                add(secondo, &zone, primary.address());
                // Waits for the attempt that is running, or makes one.
                secondo.client(&["zone", "refresh", &zone]).must_fail(&[code, "fault"]);
                has_nothing_to_serve(secondo, &zone);
                primary.behave_well();
                secondo.expect(&["zone", "refresh", &zone]);
                serves(secondo, &zone, 1);
            });
        }
    });
}

#[test]
fn an_update_that_goes_wrong_leaves_the_old_version_as_it_was() {
    for (behaviour, code) in [
        (Behaviour::CloseHalfWay, "connection_closed"),
        (Behaviour::OtherZone, "no_soa"),
        (Behaviour::OtherLastSoa, "soa_mismatch"),
    ] {
        let primary = Primary::with_zone(ZONE, &zone_text::small(1));
        let mut secondo = secondo().started();
        add(&secondo, ZONE, primary.address());
        serves(&secondo, ZONE, 1);
        let before = query::transfer(secondo.dns(), ZONE).unwrap();
        primary.behave(behaviour);
        primary.publish(ZONE, &zone_text::small(2));
        secondo.client(&["zone", "refresh", ZONE]).must_fail(&[code]);
        assert_eq!(query::transfer(secondo.dns(), ZONE).unwrap(), before);
        secondo.kill_and_restart();
        assert_eq!(query::transfer(secondo.dns(), ZONE).unwrap(), before);
        primary.behave_well();
        secondo.expect(&["zone", "refresh", ZONE]);
        serves(&secondo, ZONE, 2);
    }
}

#[test]
fn a_serial_that_went_back_is_not_installed_and_is_said() {
    let primary = Primary::with_zone(ZONE, &zone_text::small(50));
    let secondo = secondo().started();
    add(&secondo, ZONE, primary.address());
    serves(&secondo, ZONE, 50);
    primary.publish(ZONE, &zone_text::small(10));
    secondo.client(&["zone", "refresh", ZONE]).must_fail(&["serial_went_back", "50", "10"]);
    assert_eq!(query::serial(secondo.dns(), ZONE), Ok(50));
}
