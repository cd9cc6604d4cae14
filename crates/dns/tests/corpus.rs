//! The fuzzer's corpus of record data: where its seeds come from, that every file still is what it should be, and what lies
//! near them.
//!
//! `SECONDO_WRITE_CORPUS=1 cargo test --release -p dns --test corpus` writes the seeds anew.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::PathBuf;

use dns::fuzzing::rdata;
use dns::{Type, text};

fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "../../fuzz/corpus/rdata"].iter().collect()
}

/// Data in text, one for each shape that there is.
const IN_TEXT: [(&str, &str); 22] = [
    ("A", "192.0.2.1"),
    ("AAAA", "2001:db8::1"),
    ("NS", "Ns.example."),
    ("SOA", "ns.example. host.example. 1 2 3 4 5"),
    ("MX", "10 Mail.example."),
    ("TXT", "\"one\" \"\" \"two\\\"\\000\""),
    ("HINFO", "\"PDP-11\" \"UNIX\""),
    ("SRV", "1 2 3 host.example."),
    ("NAPTR", "1 2 \"u\" \"E2U\" \"!.*!x!\" ."),
    ("DNAME", "Down.example."),
    ("DS", "1 13 2 0123456789abcdef"),
    ("DNSKEY", "257 3 13 AAAA"),
    ("RRSIG", "A 13 2 3600 20300101000000 20200101000000 1 Example. AAAA"),
    ("NSEC", "A.example. A NS TYPE1234"),
    ("NSEC3", "1 1 10 aabb 2t7b4g4vsa5smi47k61mv5bv1a22bojr A RRSIG"),
    ("NSEC3PARAM", "1 0 0 -"),
    (
        "ZONEMD",
        "1 1 1 000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f",
    ),
    ("SVCB", "1 Svc.example. alpn=h2,h3 port=443 ipv4hint=192.0.2.1"),
    ("HTTPS", "0 ."),
    ("CAA", "0 issue \"ca.example\""),
    ("TLSA", "3 1 1 00ff"),
    ("TYPE65280", "\\# 3 010203"),
];

/// Name, type, data in a message, and how long it is uncompressed, if it is valid.
fn seeds() -> Vec<(String, Vec<u8>, Option<usize>)> {
    let mut seeds = Vec::new();
    for (rtype, text) in IN_TEXT {
        let record = text::zone_from_text(".", &format!(". 0 IN {rtype} {text}\n")).unwrap();
        let record = record.iter().next().unwrap();
        let input = [&record.rtype.0.to_be_bytes()[..], record.rdata].concat();
        seeds.push((rtype.to_lowercase(), input, Some(record.rdata.len())));
    }
    let mut add = |name: &str, rtype: Type, data: &[u8], octets: Option<usize>| {
        seeds.push((name.into(), [&rtype.0.to_be_bytes()[..], data].concat(), octets));
    };
    // Types whose text the reader of zone files does not know.
    add("rp", Type::RP, b"\x04host\0\x03txt\0", Some(11));
    add("px", Type::PX, b"\0\x01\x01a\0\x01b\0", Some(8));
    add("kx", Type::KX, b"\0\x01\x02KX\0", Some(6));
    // The owner lies behind the header, at 12.
    add("mx-compressed", Type::MX, b"\0\x0a\xc0\x0c", Some(16));
    add("soa-compressed", Type::SOA, &[&b"\x02ns\xc0\x11\xc0\x0c"[..], &[1; 20]].concat(), Some(46));
    add("srv-compressed", Type::SRV, b"\0\x01\0\x02\0\x03\xc0\x0c", Some(20));
    add("dname-compressed", Type::DNAME, b"\xc0\x0c", None);
    add("mx-loop", Type::MX, b"\0\x0a\xc0\x25", None);
    add("mx-beyond", Type::MX, b"\0\x0a\x04mail", None);
    add("a-short", Type::A, &[1, 2, 3], None);
    add("txt-none", Type::TXT, b"", None);
    add("txt-cut", Type::TXT, b"\x05a", None);
    add("nsec-windows", Type::NSEC, &[0, 1, 1, 0x40, 0, 1, 0x40], None);
    add("nsec3-salt", Type::NSEC3, &[1, 0, 0, 1, 200, 1], None);
    add("svcb-keys", Type::SVCB, &[0, 1, 0, 0, 3, 0, 0, 0, 3, 0, 0], None);
    seeds
}

#[test]
fn seeds_of_record_data_are_what_they_are_and_every_file_of_the_corpus_is_survived() {
    for (name, input, octets) in seeds() {
        assert_eq!(rdata(&input).ok(), octets, "{name}");
        let path = folder().join(&name);
        if std::env::var_os("SECONDO_WRITE_CORPUS").is_some() {
            fs::create_dir_all(folder()).unwrap();
            fs::write(&path, &input).unwrap();
        }
        assert_eq!(fs::read(&path).unwrap_or_default(), input, "{name}: write the corpus anew, see above");
    }
    for entry in fs::read_dir(folder()).unwrap() {
        let input = fs::read(entry.unwrap().path()).unwrap();
        for cut in 0..=input.len() {
            let _ = rdata(&input[..cut]);
        }
        // The same data as that of each other type.
        for rtype in 0..=300_u16 {
            let _ = rdata(&[&rtype.to_be_bytes(), input.get(2..).unwrap_or_default()].concat());
        }
        // Each octet as what counts, points or ends something.
        for at in 0..input.len() {
            for value in [0, 1, 0x20, 0x3f, 0x40, b'A', 0x7f, 0xc0, 0xff] {
                let mut changed = input.clone();
                changed[at] = value;
                let _ = rdata(&changed);
            }
        }
    }
}
