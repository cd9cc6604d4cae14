//! Chains of NSEC records and rings of NSEC3 records for the zones of tests, as text. Nothing is really signed.

use dns::Type;
use zone::Image;
use zone::image::{Owner, Rrset};
use zone::nsec3::{Hash, Parameters, SHA_1, to_label};

/// What becomes of delegations that are not signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unsigned {
    Listed,
    /// They have no records, nor have names that are there for them alone (RFC 5155 §6).
    OptOut,
}

/// An NSEC record for each name of a zone that should have one (RFC 4034 §4).
pub(crate) fn chain(image: &Image) -> String {
    let owners: Vec<_> =
        image.owners().filter(|owner| !owner.is_occluded() && !owner.is_empty_non_terminal()).collect();
    let nexts = owners.iter().cycle().skip(1);
    owners
        .iter()
        .zip(nexts)
        .map(|(owner, next)| format!("{} 300 NSEC {}{} NSEC\n", owner.name(), next.name(), types(*owner)))
        .collect()
}

/// An NSEC3 record for each name of a zone that should have one, and the record of their parameters (RFC 5155 §7.1); `salt` is
/// hexadecimal, `-` is none.
pub(crate) fn ring(image: &Image, iterations: u16, salt: &str, unsigned: Unsigned) -> String {
    let salt_octets: Vec<u8> = if salt == "-" { Vec::new() } else { octets(salt) };
    let parameters = Parameters { algorithm: SHA_1, iterations, salt: &salt_octets };
    let is_opt_out = unsigned == Unsigned::OptOut;
    let is_unsigned = |owner: Owner<'_>| owner.is_cut() && owner.rrset(Type::DS).is_none();
    let counts = |owner: Owner<'_>| {
        let has_signed_below = || {
            let below = image.owners().filter(|other| other.name().is_below(owner.name()) && !other.is_occluded());
            below.into_iter().any(|other| !other.is_empty_non_terminal() && !is_unsigned(other))
        };
        !owner.is_occluded()
            && (!is_opt_out || !is_unsigned(owner))
            && (!is_opt_out || !owner.is_empty_non_terminal() || has_signed_below())
    };
    let mut hashes: Vec<(Hash, String)> = image
        .owners()
        .filter(|owner| counts(*owner))
        .map(|owner| (parameters.hash(owner.name()), types(owner)))
        .collect();
    hashes.sort();
    let nexts = hashes.iter().cycle().skip(1);
    let records: String = hashes
        .iter()
        .zip(nexts)
        .map(|((hash, types), (next, _))| {
            let (owner, next, flags) = (to_label(hash), to_label(next), u8::from(is_opt_out));
            format!("{owner} 300 NSEC3 1 {flags} {iterations} {salt} {next}{types}\n")
        })
        .collect();
    format!("@ 0 NSEC3PARAM 1 0 {iterations} {salt}\n{records}")
}

fn types(owner: Owner<'_>) -> String {
    let here = owner.rrsets().map(Rrset::rtype);
    let at_cut = [Type::NS, Type::DS];
    here.filter(|rtype| !owner.is_cut() || at_cut.contains(rtype)).map(|rtype| format!(" {rtype}")).collect()
}

fn octets(hex: &str) -> Vec<u8> {
    hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}
