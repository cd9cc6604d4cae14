//! Who may wake a zone, beyond its primaries.

use std::net::Ipv4Addr;
use std::sync::Arc;

use dns::Rcode;
use testing::primary::Primary;
use testing::secondo::Secondo;
use testing::{query, zone_text};
use xfr::{Algorithm, Key};

use crate::scene::{ZONE, add, secondo, serves};

const SECRET: &str = "c2Vjb25kbyB0ZXN0cyB1c2UgdGhpcyBzZWNyZXQsIDMyKw==";

fn add_key(secondo: &Secondo, name: &str) -> Arc<Key> {
    let file = secondo.scratch_file("secret", SECRET);
    secondo.expect(&["key", "add", name, "--secret-file", &file]);
    Arc::new(Key::from_base64(name.parse().unwrap(), Algorithm::HmacSha256, SECRET).unwrap())
}

#[test]
fn another_sender_is_heard_once_it_is_set() {
    let primary = Primary::with_zone(ZONE, &zone_text::small(1));
    let secondo = secondo().started();
    add(&secondo, ZONE, primary.address());
    serves(&secondo, ZONE, 1);
    primary.publish(ZONE, &zone_text::small(2));
    let notify = |from| query::notify(from, secondo.dns(), ZONE, 2).unwrap().rcode;
    let (inside, outside) = (Ipv4Addr::new(127, 0, 9, 9), Ipv4Addr::new(127, 0, 8, 9));
    assert_eq!(notify(inside), Rcode::REFUSED);
    secondo.expect(&["zone", "set", ZONE, "notify-from=127.0.9.0/24"]);
    assert_eq!(notify(outside), Rcode::REFUSED);
    assert_eq!(notify(inside), Rcode::NOERROR);
    serves(&secondo, ZONE, 2);
    secondo.expect(&["zone", "set", ZONE, "notify-from="]);
    assert_eq!(notify(inside), Rcode::REFUSED);
}

#[test]
fn where_only_signed_notifies_count_an_address_is_not_enough() {
    let primary = Primary::with_zone(ZONE, &zone_text::small(1));
    let mut secondo = secondo().started();
    let other = add_key(&secondo, "notify.test");
    let key = add_key(&secondo, "transfer.test");
    primary.add_key(key.clone());
    let signed = format!("{},key=transfer.test", primary.address());
    secondo.expect(&["zone", "add", ZONE, "--primary", &signed, "--set", "notify=signed"]);
    serves(&secondo, ZONE, 1);
    assert_eq!(primary.notify(ZONE, secondo.dns()), Some(Rcode::REFUSED));
    assert_eq!(primary.notify_signed(ZONE, secondo.dns(), Some(other.clone())), Some(Rcode::REFUSED));
    primary.publish(ZONE, &zone_text::small(2));
    assert_eq!(primary.notify_signed(ZONE, secondo.dns(), Some(key)), Some(Rcode::NOERROR));
    serves(&secondo, ZONE, 2);
    let mistyped = ["zone", "set", ZONE, "notify-keys=notify.test,notfy.test"];
    secondo.client(&mistyped).must_fail(&["key_unknown", "names the key notfy.test., which does not exist"]);
    secondo.expect(&["zone", "set", ZONE, "notify-keys=notify.test"]);
    secondo.client(&["key", "remove", "notify.test"]).must_fail(&["key_in_use", "settings of the zone"]);
    secondo.kill_and_restart();
    primary.publish(ZONE, &zone_text::small(3));
    assert_eq!(primary.notify(ZONE, secondo.dns()), Some(Rcode::REFUSED));
    assert_eq!(primary.notify_signed(ZONE, secondo.dns(), Some(other)), Some(Rcode::NOERROR));
    serves(&secondo, ZONE, 3);
    secondo.expect(&["zone", "set", ZONE, "notify=", "notify-keys="]);
    assert_eq!(primary.notify(ZONE, secondo.dns()), Some(Rcode::NOERROR));
}
