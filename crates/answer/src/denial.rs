//! Proofs of what is not there: NSEC (RFC 4035 §3.1.3) and NSEC3 records (RFC 5155 §7.2), for those who want DNSSEC.
//!
//! A zone whose chain has gaps gives what it has: it is the primary's to be signed well, and a proof that does not hold is
//! seen by whoever validates.

use dns::{NameRef, Section, Type};
use zone::image::{Denial, Image, Owner, Ring, wildcard_below};

use crate::places::Places;
use crate::response::{Response, Trouble};

/// Owners without an NSEC record, one before the other, that are passed on the way to the one that covers a name: empty
/// non-terminals, of which as many may follow each other as a name has labels.
const STEPS_BACK_MAX: usize = dns::name::LABELS_MAX;
/// Proofs of one answer: one for each alias that a wildcard gives, and three.
const PROOFS_MAX: usize = 20;

/// What is not there.
#[derive(Clone, Copy)]
pub(crate) enum Missing<'a> {
    /// The name, and a wildcard that would stand for it.
    Name { encloser: Owner<'a> },
    /// A type of a name that is there: of the name asked for, or the DS of a cut.
    Type { owner: Owner<'a> },
    /// The name, and a type of the wildcard that stands for it.
    TypeOfWildcard { encloser: Owner<'a>, wildcard: Owner<'a> },
    /// The name; a wildcard has answered for it.
    NameAlone { encloser: Owner<'a> },
}

/// Owners whose NSEC or NSEC3 records are in the answer.
pub(crate) type Given = Places<PROOFS_MAX>;

/// Adds the proof that `missing` is not there for `name`, if proofs are wanted and the zone has any.
///
/// # Errors
/// When it does not fit, or when making it would cost more than a zone may want.
pub(crate) fn prove(
    image: &Image,
    name: NameRef<'_>,
    missing: Missing<'_>,
    given: &mut Given,
    response: &mut Response<'_>,
) -> Result<(), Trouble> {
    if !response.dnssec_ok() {
        return Ok(());
    }
    let mut proof = Proof { given, response };
    match image.denial() {
        Denial::Unsigned => Ok(()),
        Denial::Nsec => by_nsec(image, name, missing, &mut proof),
        Denial::Nsec3(ring) if ring.is_too_dear() => Err(Trouble::TooDear),
        Denial::Nsec3(ring) => by_nsec3(ring, name, missing, &mut proof),
    }
}

struct Proof<'a, 'r> {
    given: &'a mut Given,
    response: &'a mut Response<'r>,
}

impl Proof<'_, '_> {
    fn add(&mut self, owner: Owner<'_>, rtype: Type) -> Result<(), Trouble> {
        match owner.rrset(rtype) {
            Some(rrset) if self.given.insert(owner) => Ok(self.response.rrset(Section::Authority, rrset)?),
            _ => Ok(()),
        }
    }
}

fn by_nsec(image: &Image, name: NameRef<'_>, missing: Missing<'_>, proof: &mut Proof<'_, '_>) -> Result<(), Trouble> {
    let mut add = |name: NameRef<'_>| match nsec_of(image, name) {
        Some(owner) => proof.add(owner, Type::NSEC),
        None => Ok(()),
    };
    match missing {
        Missing::Name { encloser } => {
            add(name)?;
            wildcard_below(encloser.name()).map_or(Ok(()), |wildcard| add(wildcard.borrow()))
        }
        Missing::Type { owner } => add(owner.name()),
        Missing::TypeOfWildcard { wildcard, .. } => {
            add(wildcard.name())?;
            add(name)
        }
        Missing::NameAlone { .. } => add(name),
    }
}

/// The owner of the NSEC record that matches or covers `name`.
fn nsec_of<'a>(image: &'a Image, name: NameRef<'_>) -> Option<Owner<'a>> {
    let mut owner = image.predecessor(name);
    for _ in 0..STEPS_BACK_MAX {
        // What lies below a cut has no NSEC record; the cut has.
        if let Some(above) = owner.occluded_by() {
            owner = above;
        }
        if !owner.is_empty_non_terminal() {
            break;
        }
        owner = image.before(owner)?;
    }
    Some(owner)
}

fn by_nsec3(
    ring: Ring<'_>,
    name: NameRef<'_>,
    missing: Missing<'_>,
    proof: &mut Proof<'_, '_>,
) -> Result<(), Trouble> {
    match missing {
        Missing::Name { encloser } => {
            let encloser = closest_encloser(ring, encloser, name, proof)?;
            proof.add(ring.of_wildcard_below(encloser), Type::NSEC3)
        }
        Missing::Type { owner } => match (ring.matching(owner), owner.parent()) {
            (Some(matching), _) => proof.add(matching, Type::NSEC3),
            // RFC 5155 §7.2.4, §7.2.7: where records are left out for unsigned delegations.
            (None, Some(parent)) => closest_encloser(ring, parent, owner.name(), proof).map(drop),
            (None, None) => Ok(()),
        },
        Missing::TypeOfWildcard { encloser, wildcard } => {
            closest_encloser(ring, encloser, name, proof)?;
            match ring.matching(wildcard) {
                Some(matching) => proof.add(matching, Type::NSEC3),
                None => Ok(()),
            }
        }
        Missing::NameAlone { encloser } => proof.add(ring.of(next_closer(name, encloser)), Type::NSEC3),
    }
}

/// Proves that this is the closest ancestor of `name` that can be proved to be there (RFC 5155 §7.2.1), and gives it.
fn closest_encloser<'a>(
    ring: Ring<'_>,
    encloser: Owner<'a>,
    name: NameRef<'_>,
    proof: &mut Proof<'_, '_>,
) -> Result<Owner<'a>, Trouble> {
    let mut provable = encloser;
    loop {
        if let Some(matching) = ring.matching(provable) {
            proof.add(matching, Type::NSEC3)?;
            break;
        }
        match provable.parent() {
            Some(parent) => provable = parent,
            None => break,
        }
    }
    proof.add(ring.of(next_closer(name, provable)), Type::NSEC3)?;
    Ok(provable)
}

/// The name one label longer than its encloser (RFC 5155 §1.3).
fn next_closer<'a>(name: NameRef<'a>, encloser: Owner<'_>) -> NameRef<'a> {
    let mut next = name;
    while let Some(parent) = next.parent().filter(|parent| parent.octets() > encloser.name().octets()) {
        next = parent;
    }
    next
}
