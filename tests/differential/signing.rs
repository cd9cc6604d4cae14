//! Signed zone files, made by `dnssec-signzone`.
//!
//! One key for all zones, and dates that are fixed: what is compared is who serves which record, and nobody here looks
//! at what signatures say.

use std::process::Command;

use tempfile::TempDir;
use testing::peer::system_program;
use testing::process;

/// How a signed zone proves what is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Denial {
    Nsec,
    Nsec3 {
        salt: &'static str,
        iterations: u16,
    },
    /// NSEC3 without names for insecure delegations (RFC 5155 §6).
    OptOut {
        salt: &'static str,
        iterations: u16,
    },
}

const DNSKEY: &str =
    "257 3 13 jTQfGz3wno3hhzB6K8orFS+gO9X7Hwb7/+sdrSnmb+nMJjqQEampyPItRHgXl3GA24vXsQF1/9aWbz6gFtwxqQ==";
const KEY_TAG: u32 = 28_347;
/// Of a key that signs nothing but these zones.
const PRIVATE_KEY: &str = "Private-key-format: v1.3\nAlgorithm: 13 (ECDSAP256SHA256)\n\
                           PrivateKey: wQWk2AAy/nrihKfNoIkLRmYuh/u83DJ9Jb5xcp0g5cs=\n";

/// The zone file with its keys, signatures and proofs.
///
/// # Panics
/// When the zone cannot be signed, with what the signer said.
pub(crate) fn sign(apex: &str, text: &str, denial: Denial) -> String {
    let directory = TempDir::with_prefix("secondo-signing-").expect("there is room for temporary files");
    let file = |name: &str| directory.path().join(name);
    let write = |name: &str, text: &str| std::fs::write(file(name), text).expect("the directory is writable");
    let dnskey = format!("{apex} 3600 IN DNSKEY {DNSKEY}\n");
    let key = format!("K{}+013+{KEY_TAG}", apex.to_ascii_lowercase());
    write(&format!("{key}.key"), &dnskey);
    write(&format!("{key}.private"), PRIVATE_KEY);
    write("zone", &(text.to_owned() + &dnskey));
    let mut command = Command::new(program());
    command.current_dir(directory.path());
    // Without looking for other keys, without a second look at the result, and with one thread.
    command.args(["-o", apex, "-f", "signed", "-O", "full", "-z", "-P", "-n", "1", "-q"]);
    command.args(["-s", "20250101000000", "-e", "20450101000000"]);
    match denial {
        Denial::Nsec => {}
        Denial::Nsec3 { salt, iterations } => {
            command.args(["-3", salt, "-H", &iterations.to_string()]);
        }
        Denial::OptOut { salt, iterations } => {
            command.args(["-3", salt, "-H", &iterations.to_string(), "-A"]);
        }
    }
    process::run(command.args(["zone", &key]));
    std::fs::read_to_string(file("signed")).expect("the signer has written the zone")
}

/// Debian's own place for it, which is not in everybody's path.
fn program() -> std::path::PathBuf {
    let beside = std::path::Path::new("/usr/bin/dnssec-signzone");
    if beside.exists() { beside.into() } else { system_program("dnssec-signzone") }
}
