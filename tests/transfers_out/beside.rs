//! Several things asked on one connection: they come beside each other, and each is whole.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use testing::certificate::Authority;
use testing::peer::TsigKey;
use testing::primary::Primary;
use testing::process::run;
use testing::zone_text::small;
use testing::{eventually, port, python, query};

use crate::scene::{SOON, ZONE, secondo, serves};

const OTHER: &str = "other.test";

/// As large as some fifteen messages.
fn large(serial: u32) -> String {
    let mut text = small(serial);
    for host in 0..8_000 {
        writeln!(text, "host-{host} TXT \"{host:0100}\"").unwrap();
    }
    text
}

#[test]
fn two_zones_and_a_query_on_one_connection_come_beside_each_other_and_whole() {
    let primary = Primary::with_zone(ZONE, &large(1));
    primary.publish(OTHER, &large(2));
    let (secondo, over_tls) = (secondo(), port::free());
    let directory = secondo.data().parent().unwrap().to_owned();
    let authority = Authority::new();
    let trusted = authority.write_file(&directory);
    let (chain, private) = authority.server(&["dns.example"]).write_files(&directory, "ours");
    let key = TsigKey::of("hmac-sha256");
    let TsigKey { name, algorithm, secret } = &key;
    let configuration = format!(
        "[dns]\ntls_listen = [\"{over_tls}\"]\n[tls]\ncertificate = \"{}\"\nkey = \"{}\"\n\
         [[key]]\nname = \"{name}\"\nalgorithm = \"{algorithm}\"\nsecret = \"{secret}\"\n",
        chain.display(),
        private.display()
    );
    let secondo = secondo
        .configured(&configuration)
        .with_zone(ZONE, primary.address())
        .with_zone(OTHER, primary.address())
        .started();
    serves(&secondo, ZONE, 1);
    serves(&secondo, OTHER, 2);
    let whole = query::transfer(secondo.dns(), ZONE).unwrap().len();
    for (address, trusted) in [(secondo.dns(), Path::new("-")), (over_tls, trusted.as_path())] {
        let mut client = python::program(include_str!("beside.py"));
        client.arg(address.port().to_string()).arg(trusted).args([ZONE, OTHER, algorithm, name, secret]);
        let printed = run(&mut client);
        let (order, counts) = printed.split_once('\n').unwrap();
        assert_eq!(counts.trim(), format!("{whole} {whole}"), "{printed}");
        let (signed, unsigned) = (order.rfind('1').unwrap(), order.rfind('2').unwrap());
        assert!(order.find('3').unwrap() < signed.min(unsigned), "the query waited: {order}");
        assert!(order.find('1').unwrap() < unsigned && order.find('2').unwrap() < signed, "one waited: {order}");
    }
}

#[test]
fn that_a_secondary_has_copied_a_zone_is_said_once_in_a_while_however_often_it_does() {
    let primary = Primary::with_zone(ZONE, &small(1));
    let secondo = secondo().with_zone(ZONE, primary.address()).started();
    serves(&secondo, ZONE, 1);
    (0..3).for_each(|_| drop(query::transfer(secondo.dns(), ZONE).unwrap()));
    eventually(SOON, "all to be counted", || {
        let status = secondo.json(&["status"]);
        if status["transfers_out"]["whole"] == 3 { Ok(()) } else { Err(status.to_string()) }
    });
    // A poll brings nothing, and is no transfer.
    let (ip, port) = (secondo.dns().ip().to_string(), secondo.dns().port().to_string());
    run(Command::new("dig").args([&format!("@{ip}"), "-p", &port, ZONE, "ixfr=1", "+tcp"]));
    let log = secondo.log();
    let told: Vec<&str> = log.lines().filter(|line| line.contains("transferred out")).collect();
    assert!(matches!(told[..], [line] if line.contains(ZONE) && line.contains("serial=1")), "{told:#?}");
}
