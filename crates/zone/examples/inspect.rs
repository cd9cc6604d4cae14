//! What inspecting contents costs on this machine: `cargo run --release -p zone --example inspect`.
//!
//! Three zones of some hundred thousand records: one without signatures, one with a chain of NSEC records and a ZONEMD
//! record, one with a ring of NSEC3 records. The signatures are of the length that ECDSA has; nobody validates them.

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]
#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::time::Instant;

use dns::Name;
use dns::text::zone_from_text;
use zone::{Change, Image, Limits, advance, inspect, zonemd};

const NAMES: usize = 200_000;
const TIMES: u32 = 10;
/// A moment at which the signatures hold, in Unix seconds.
const NOW_SECS: u64 = 1_780_000_000;
const HEAD: &str = "@ 60 SOA ns host 1 2 3 4 5\n@ 60 NS ns.test.\n";

fn main() {
    let mut plain = HEAD.to_owned();
    let mut nsec = HEAD.to_owned() + "@ 60 DNSKEY 257 3 13 AAAA\n@ 60 NSEC n0000000 NS SOA\n";
    let mut nsec3 = HEAD.to_owned() + "@ 60 DNSKEY 257 3 13 AAAA\n@ 0 NSEC3PARAM 1 0 0 -\n";
    let _ = writeln!(nsec, "@ 60 ZONEMD 1 1 1 {}", "00".repeat(48));
    for rtype in ["SOA", "NS", "DNSKEY", "NSEC", "ZONEMD"] {
        nsec.push_str(&signature("@", rtype));
    }
    for rtype in ["SOA", "NS", "DNSKEY", "NSEC3PARAM"] {
        nsec3.push_str(&signature("@", rtype));
    }
    for number in 0..NAMES {
        let name = format!("n{number:07}");
        let next = if number + 1 == NAMES { "example.".into() } else { format!("n{:07}", number + 1) };
        let address = format!("{name} 60 A 192.0.2.1\n");
        let _ = writeln!(plain, "{address}{name} 60 AAAA 2001:db8::1\n{name} 60 MX 10 mail");
        let _ =
            write!(nsec, "{address}{}{name} 60 NSEC {next} A\n{}", signature(&name, "A"), signature(&name, "NSEC"));
        let hash = |number: usize| format!("{:0>32}", number % (NAMES + 1));
        let owner = hash(number);
        let _ = writeln!(nsec3, "{address}{}{owner} 60 NSEC3 1 0 0 - {} A", signature(&name, "A"), hash(number + 1));
        nsec3.push_str(&signature(&owner, "NSEC3"));
    }
    let last = format!("{NAMES:0>32}");
    let _ = write!(nsec3, "{last} 60 NSEC3 1 0 0 - {:0>32} A\n{}", 0, signature(&last, "NSEC3"));
    for (what, text) in [("unsigned", plain), ("NSEC and ZONEMD", nsec), ("NSEC3", nsec3)] {
        measure(what, &image(&text));
    }
}

fn signature(owner: &str, rtype: &str) -> String {
    let signature = "A".repeat(86);
    format!("{owner} 60 RRSIG {rtype} 13 2 60 20270101000000 20260101000000 1 example. {signature}==\n")
}

fn image(text: &str) -> Image {
    let apex: Name = "example.".parse().unwrap();
    let records = zone_from_text("example.", text).unwrap();
    advance(apex.borrow(), None, &Change::Full(records), [7; 16], Limits::default()).unwrap().image
}

fn measure(what: &str, image: &Image) {
    let inspection = inspect(image, NOW_SECS);
    println!("{what}: {} records, ZONEMD {}", image.record_count(), inspection.zonemd.code());
    println!("  warnings: {:?}", inspection.warnings.counts().collect::<Vec<_>>());
    let each = |work: &dyn Fn()| {
        let start = Instant::now();
        (0..TIMES).for_each(|_| work());
        start.elapsed().as_nanos() / u128::from(TIMES) / u128::from(image.record_count())
    };
    println!("  inspect: {} ns for each record", each(&|| drop(inspect(image, NOW_SECS))));
    println!("  of which ZONEMD: {} ns", each(&|| assert_eq!(zonemd::verify(image), inspection.zonemd)));
}
