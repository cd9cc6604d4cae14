//! Zones signed by `dnssec-signzone`, with keys made for each.

use std::process::Command;

use testing::process::run;

/// How a signed zone proves what is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Denial {
    Nsec,
    Nsec3,
    /// NSEC3 without names for insecure delegations (RFC 5155 §6).
    OptOut,
}

pub(crate) struct Signed {
    /// A zone file.
    pub(crate) text: String,
    /// The key that the others are trusted by, as the data of its DNSKEY record.
    pub(crate) key: String,
}

pub(crate) fn signed(zone: &str, text: &str, denial: Denial) -> Signed {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("zone"), text).unwrap();
    let keygen = |more: &[&str]| {
        let mut keygen = Command::new("dnssec-keygen");
        run(keygen.current_dir(&directory).args(["-q", "-a", "ECDSAP256SHA256"]).args(more).arg(zone))
    };
    let signing_key = keygen(&["-f", "KSK"]);
    keygen(&[]);
    let mut sign = Command::new("dnssec-signzone");
    sign.current_dir(&directory).args(["-q", "-S", "-x", "-o", zone, "-O", "full", "-f", "signed"]);
    sign.args(match denial {
        Denial::Nsec => &[][..],
        Denial::Nsec3 => &["-3", "-", "-H", "0"],
        Denial::OptOut => &["-3", "-", "-H", "0", "-A"],
    });
    run(sign.arg("zone"));
    let read = |name: &str| std::fs::read_to_string(directory.path().join(name)).unwrap();
    let key = read(&format!("{}.key", signing_key.trim()));
    let (_, key) = key.lines().find_map(|line| line.split_once(" DNSKEY ")).unwrap();
    Signed { text: read("signed"), key: key.to_owned() }
}
