//! Who may copy zones from us.

use std::process::Command;

use testing::peer::TsigKey;
use testing::primary::Primary;
use testing::query;
use testing::secondo::Secondo;
use testing::zone_text::small;

use crate::scene::{SOON, ZONE, secondo, serves};

/// Whether dig gets the zone, signed with the key if one is given, or what it is told instead.
pub(crate) fn axfr(secondo: &Secondo, zone: &str, key: Option<&TsigKey>) -> Result<(), String> {
    let (ip, port) = (secondo.dns().ip().to_string(), secondo.dns().port().to_string());
    let mut dig = Command::new("dig");
    dig.args([&format!("@{ip}"), "-p", &port, zone, "axfr", "+noall", "+answer", "+comments"]);
    if let Some(TsigKey { name, algorithm, secret }) = key {
        dig.args(["-y", &format!("{algorithm}:{name}:{secret}")]);
    }
    let output = dig.output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if printed.lines().filter(|line| line.contains("\tSOA\t")).count() == 2 { Ok(()) } else { Err(printed) }
}

#[test]
fn who_may_copy_is_said_for_all_zones_and_otherwise_for_one() {
    let primary = Primary::with_zone(ZONE, &small(1));
    primary.publish("closed.test", &small(1));
    primary.publish("open.test", &small(1));
    let (key, other) = (TsigKey::of("hmac-sha256"), TsigKey::of("hmac-sha512"));
    let configured = [&key, &other].map(|key| {
        format!("[[key]]\nname = \"{}\"\nalgorithm = \"{}\"\nsecret = \"{}\"\n", key.name, key.algorithm, key.secret)
    });
    let allow = format!("[transfer_out]\nallow = [\"key={}\"]\n", key.name);
    let mut secondo =
        secondo().configured(&(allow + &configured.concat())).with_zone(ZONE, primary.address()).started();
    for (zone, allowed) in [("closed.test", "allow_transfer=nobody"), ("open.test", "allow_transfer=127.0.0.1 ::1")] {
        let address = primary.address().to_string();
        secondo.expect(&["zone", "add", zone, "--primary", &address, "--set", allowed]);
        serves(&secondo, zone, 1);
    }
    serves(&secondo, ZONE, 1);
    let holds = |secondo: &Secondo| {
        axfr(secondo, ZONE, Some(&key)).unwrap();
        for refused in [axfr(secondo, ZONE, None), axfr(secondo, "closed.test", Some(&key))] {
            assert!(refused.as_ref().is_err_and(|told| told.contains("REFUSED")), "{refused:?}");
        }
        assert!(axfr(secondo, ZONE, Some(&other)).is_err(), "not with any key");
        axfr(secondo, "open.test", None).unwrap();
    };
    holds(&secondo);
    secondo.kill_and_restart();
    holds(&secondo);
    secondo.expect(&["zone", "set", ZONE, &format!("allow_transfer=127.0.0.0/8,key={}", other.name)]);
    testing::eventually(SOON, "the other key to open the zone", || axfr(&secondo, ZONE, Some(&other)));
    assert!(axfr(&secondo, ZONE, Some(&key)).is_err());
    secondo
        .client(&["zone", "set", ZONE, "allow_transfer=everybody"])
        .must_be_wrong_usage(&["everybody", "who may copy"]);
    assert!(query::transfer(secondo.dns(), "unknown.test").is_err());
}
