//! What we give away, looked at by the tools of others.

use std::process::Command;

use testing::primary::Primary;
use testing::process::run;
use testing::secondo::Secondo;
use testing::zone_text::small;

use crate::scene::{ZONE, secondo, serves};
use crate::signing::{Denial, signed};

/// A zone with delegations, wildcards, empty names and types that hold names.
fn text(serial: u32) -> String {
    small(serial) + "@ MX 10 mail\n@ CAA 0 issue \"ca.test\"\n_sip._udp SRV 1 2 5060 mail\n"
}

/// What dig is given of a zone, as a zone file.
fn copy(secondo: &Secondo, zone: &str, how: &str) -> String {
    let (ip, port) = (secondo.dns().ip().to_string(), secondo.dns().port().to_string());
    let printed =
        run(Command::new("dig").args([&format!("@{ip}"), "-p", &port, zone, how, "+noall", "+answer", "+onesoa"]));
    secondo.scratch_file("copy", &printed)
}

fn is_judged_well(zone: &str, file: &str, is_signed: bool) {
    run(Command::new("named-checkzone").args(["-q", "-i", "local", zone, file]));
    run(Command::new("kzonecheck").args(["-o", zone, file]));
    if is_signed {
        run(Command::new("dnssec-verify").args(["-q", "-o", zone, file]));
        run(Command::new("ldns-verify-zone").arg(file));
    }
}

#[test]
fn signed_zones_are_given_away_as_the_tools_of_others_want_them() {
    let primary = Primary::start();
    let secondo = secondo().with_zone(ZONE, primary.address());
    primary.publish(ZONE, &text(1));
    let secondo = secondo.started();
    serves(&secondo, ZONE, 1);
    is_judged_well(ZONE, &copy(&secondo, ZONE, "axfr"), false);
    for (serial, denial) in [(2, Denial::Nsec), (3, Denial::Nsec3)] {
        primary.publish(ZONE, &signed(ZONE, &text(serial), denial).text);
        secondo.expect(&["zone", "refresh", ZONE]);
        serves(&secondo, ZONE, serial);
        is_judged_well(ZONE, &copy(&secondo, ZONE, "axfr"), true);
    }
}
