//! The rings of NSEC3 records, one for each NSEC3PARAM record at the apex (RFC 5155 §4).
//!
//! Base32hex keeps the order of hashes, so that a pass over the owners in canonical order meets each ring in its own.
//! NSEC3 records of other parameters are left alone: a ring that is being built or taken down may stand beside the one
//! in use. Opt-out is a matter of each record (RFC 5155 §6): rings in which some have it and some not are sound.

use dns::Type;

use super::{Place, Warning, Warnings, has_data, is_child_of_apex};
use crate::image::{Image, Owner, Rrset};
use crate::nsec3::{Hash, ITERATIONS_MAX, Parameters, SHA_1, from_label, next_hash};

/// The only flag of an NSEC3 record (RFC 5155 §3.1.2.1).
const OPT_OUT: u8 = 1;

pub(super) struct Chains<'a> {
    /// By their parameters.
    chains: Vec<Chain<'a>>,
    names: Names,
}

impl<'a> Chains<'a> {
    pub(super) fn of(image: &'a Image, warnings: &mut Warnings) -> Self {
        let mut parameters = Vec::new();
        let records = image.apex_owner().rrset(Type::NSEC3PARAM).map(Rrset::records);
        for record in records.into_iter().flatten() {
            match Parameters::parse(record.rdata) {
                None => {
                    let owner = image.apex().to_name();
                    warnings.push(Warning::Unreadable { owner, rtype: Type::NSEC3PARAM });
                }
                // RFC 5155 §4.1.2: one with any flag set is not to be used.
                Some((_, 1.., _)) => {}
                Some((found, 0, _)) if found.algorithm != SHA_1 => {
                    warnings.push(Warning::Nsec3Algorithm { algorithm: found.algorithm });
                }
                Some((found, 0, _)) => parameters.push(found),
            }
        }
        parameters.sort();
        parameters.dedup();
        if parameters.len() > 1 {
            warnings.push(Warning::Nsec3SeveralChains { chains: parameters.len() });
        }
        for doubted in parameters.iter().filter(|found| found.iterations > ITERATIONS_MAX) {
            warnings.push(Warning::Nsec3Iterations { iterations: doubted.iterations });
        }
        Self { chains: parameters.into_iter().map(Chain::of).collect(), names: Names::default() }
    }

    pub(super) fn owner(&mut self, owner: Owner<'a>, warnings: &mut Warnings) {
        if self.chains.is_empty() {
            return;
        }
        self.names.count(owner);
        let Some(rrset) = owner.rrset(Type::NSEC3) else {
            return;
        };
        let Some(hash) = hash_of(owner) else {
            warnings.push(Warning::Nsec3BadOwner { owner: owner.name().to_name() });
            return;
        };
        for record in rrset.records() {
            let Some((parameters, flags, next)) = Parameters::parse(record.rdata) else {
                warnings.push(Warning::Unreadable { owner: owner.name().to_name(), rtype: Type::NSEC3 });
                continue;
            };
            let Ok(at) = self.chains.binary_search_by(|chain| chain.parameters.cmp(&parameters)) else {
                continue;
            };
            let Some(next) = next_hash(next) else {
                warnings.push(Warning::Unreadable { owner: owner.name().to_name(), rtype: Type::NSEC3 });
                continue;
            };
            self.chains[at].follow(Link { owner, hash, next }, flags, warnings);
        }
    }

    /// The last record of each ring leads to its first; and there are as many as names (RFC 5155 §7.1).
    pub(super) fn close(&self, warnings: &mut Warnings) {
        for chain in &self.chains {
            let Some(first) = chain.first else {
                let salt =
                    if chain.parameters.salt.is_empty() { "-".into() } else { hex::encode(chain.parameters.salt) };
                warnings.push(Warning::Nsec3ChainEmpty { iterations: chain.parameters.iterations, salt });
                continue;
            };
            chain.leads_to(first, warnings);
            let Names { always, unless_opted_out, perhaps } = self.names;
            let least = if chain.has_opt_out { always } else { always + unless_opted_out };
            let most = always + unless_opted_out + perhaps;
            if !(least..=most).contains(&chain.records) {
                warnings.push(Warning::Nsec3Count { found: chain.records, least, most });
            }
        }
    }
}

/// One ring, as far as it has been followed.
struct Chain<'a> {
    parameters: Parameters<'a>,
    first: Option<Link<'a>>,
    last: Option<Link<'a>>,
    records: u64,
    has_opt_out: bool,
}

/// One record of a ring.
#[derive(Clone, Copy)]
struct Link<'a> {
    owner: Owner<'a>,
    hash: Hash,
    next: Hash,
}

impl<'a> Chain<'a> {
    fn of(parameters: Parameters<'a>) -> Self {
        Self { parameters, first: None, last: None, records: 0, has_opt_out: false }
    }

    fn follow(&mut self, link: Link<'a>, flags: u8, warnings: &mut Warnings) {
        if self.last.is_some_and(|last| last.hash == link.hash) {
            warnings.push(Warning::Nsec3Several { owner: link.owner.name().to_name() });
            return;
        }
        self.leads_to(link, warnings);
        self.first.get_or_insert(link);
        self.last = Some(link);
        self.records += 1;
        self.has_opt_out |= flags & OPT_OUT != 0;
    }

    fn leads_to(&self, link: Link<'a>, warnings: &mut Warnings) {
        if let Some(last) = self.last.filter(|last| last.next != link.hash) {
            let (owner, expected) = (last.owner.name().to_name(), link.owner.name().to_name());
            warnings.push(Warning::Nsec3Broken { owner, expected });
        }
    }
}

/// How many names of the zone own an NSEC3 record (RFC 5155 §7.1).
#[derive(Clone, Copy, Default)]
struct Names {
    /// In any ring.
    always: u64,
    /// In a ring without opt-out: unsigned delegations, and empty non-terminals, which may be there for such alone.
    unless_opted_out: u64,
    /// As the signer likes.
    perhaps: u64,
}

impl Names {
    fn count(&mut self, owner: Owner<'_>) {
        if !has_data(owner) && !owner.is_empty_non_terminal() {
            return;
        }
        let is_unsigned_delegation = owner.is_cut() && owner.rrset(Type::DS).is_none();
        match Place::of(owner) {
            Place::BelowCut => {}
            Place::BelowDname => self.perhaps += 1,
            Place::Authoritative if is_unsigned_delegation || owner.is_empty_non_terminal() => {
                self.unless_opted_out += 1;
            }
            Place::Authoritative => self.always += 1,
        }
    }
}

/// The hash that an NSEC3 record's owner is named by (RFC 5155 §3).
fn hash_of(owner: Owner<'_>) -> Option<Hash> {
    if !is_child_of_apex(owner) {
        return None;
    }
    from_label(owner.name().labels().next()?)
}
