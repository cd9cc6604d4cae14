//! Zone files for tests.

use std::fmt::Write;
use std::path::PathBuf;

/// A small zone whose every record is there for a reason, with timers of hours: nothing happens unless the test
/// makes it happen. `www` has the address `192.0.2.SERIAL`.
pub fn small(serial: u32) -> String {
    with_timers(serial, Timers::HOURS)
}

/// The numbers of an SOA record, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Timers {
    pub refresh: u32,
    pub retry: u32,
    pub expire: u32,
}

impl Timers {
    pub const HOURS: Self = Self { refresh: 7_200, retry: 3_600, expire: 604_800 };
    /// A change is found within a second or two, without NOTIFY.
    pub const SECONDS: Self = Self { refresh: 1, retry: 1, expire: 604_800 };
}

/// The same small zone with these timers.
pub fn with_timers(serial: u32, Timers { refresh, retry, expire }: Timers) -> String {
    let mut text = format!("$TTL 300\n@ IN SOA ns1 hostmaster {serial} {refresh} {retry} {expire} 60\n");
    text.push_str(
        "@ NS ns1\n@ NS ns2.elsewhere.test.\n\
         ns1 A 192.0.2.53\nns1 AAAA 2001:db8::53\nmail A 192.0.2.25\n\
         alias CNAME www\n*.wild TXT \"any\"\na.deep.below TXT \"empty non-terminals above\"\n\
         child NS ns.child\nns.child A 192.0.2.54\nodd TYPE65400 \\# 3 010203\n",
    );
    let _ = writeln!(text, "www A 192.0.2.{}\nserial TXT \"{serial}\"", serial % 250 + 1);
    text
}

/// The small zone with more types, spellings and TTLs: for whole transfers only, because NSD 4.6 makes wrong
/// differences of MX and its like.
pub fn varied(serial: u32) -> String {
    small(serial)
        + "@ MX 10 mail\n@ MX 20 backup.elsewhere.test.\n@ TXT \"v=spf1 -all\" \"second string\"\n\
           @ CAA 0 issue \"ca.test\"\n_sip._udp SRV 1 2 5060 mail\nsvc HTTPS 1 . alpn=h2\nloc 60 IN LOC 48 51 N 2 17 E 35m\n\
           _443._tcp TLSA 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n\
           tree DNAME elsewhere.test.\nzero 0 IN A 192.0.2.99\nnaptr NAPTR 1 2 \"u\" \"sip\" \"!^.*$!sip:a@b.test!\" .\n"
}

/// A zone of `hosts` addresses, so that a one-record change is small beside it.
pub fn of_hosts(serial: u32, hosts: u32) -> String {
    let mut text = small(serial);
    for host in 0..hosts {
        let _ = writeln!(text, "host-{host} A 10.{}.{}.{}", host >> 16 & 255, host >> 8 & 255, host & 255);
    }
    text
}

/// A version of the root zone as it was published: `2026072902` or the later `2026082201`.
pub fn root(serial: u32) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("data/root-{serial}.zone"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub const ROOT_BEFORE: u32 = 2_026_072_902;
pub const ROOT_AFTER: u32 = 2_026_082_201;
