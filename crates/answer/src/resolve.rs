//! The walk through a zone's contents (RFC 1034 §4.3.2): down to the name, along aliases, to an answer, a referral or a
//! denial. An alias may lead on into another zone of the same tenant.

use dns::{NameBuf, NameRef, Rcode, RecordRef, Section, Type, rdata};
use zone::ZoneId;
use zone::image::{Deepest, Denial, Image, Owner, Rrset, wildcard_below};

use crate::Kind;
use crate::additional;
use crate::denial::{self, Given, Missing};
use crate::places::Places;
use crate::response::{Response, Trouble};
use crate::view::View;

/// Aliases followed for one question. Longer chains are cut short; the client asks on.
const ALIASES_MAX: usize = 16;

/// Writes what the zone says about `name` and `qtype`.
///
/// # Errors
/// When it does not fit, or cannot be proved; what has been written then must not be sent.
pub(crate) fn resolve(
    view: View<'_>,
    name: NameRef<'_>,
    qtype: Type,
    response: &mut Response<'_>,
) -> Result<(), Trouble> {
    let walk = Walk { view, name, qtype, seen: None, owed: None, substituted: None };
    let place = walk.place();
    // RFC 1034 §4.1.1: AA speaks of the name in the question.
    if !matches!(place, Place::Cut(_)) {
        response.authoritative();
    }
    match walk.at(place, response) {
        Err(trouble) => Err(trouble),
        Ok(Next::Done) => Ok(()),
        Ok(Next::Alias { target, by }) => {
            let held = Held { zone: view.zone.id, image: view.image, before: None };
            Chain::of(qtype).go_on(&walk, by, &held, target, response)
        }
    }
}

/// Owners of DNAMEs.
type Substituted = Places<ALIASES_MAX>;

/// One step: a name in one zone.
struct Walk<'a> {
    view: View<'a>,
    name: NameRef<'a>,
    qtype: Type,
    seen: Option<&'a Seen<'a>>,
    owed: Option<&'a Owed<'a>>,
    /// The DNAMEs that are in the answer already.
    substituted: Option<&'a Substituted>,
}

/// Proofs that names on the way here are not there, for which wildcards have answered. They come behind the answer
/// (RFC 1035 §4.1), which ends with the last alias.
struct Owed<'a> {
    image: &'a Image,
    name: NameRef<'a>,
    encloser: Owner<'a>,
    before: Option<&'a Owed<'a>>,
}

#[expect(clippy::large_enum_variant, reason = "it lives on the stack for one step; a box would allocate")]
enum Next<'a> {
    Done,
    Alias { target: NameBuf, by: By<'a> },
}

/// What an alias was found by.
#[derive(Clone, Copy)]
enum By<'a> {
    Name,
    Wildcard { encloser: Owner<'a> },
    Dname(Owner<'a>),
}

/// What stands in the way to a name, or at it.
enum Place<'a> {
    /// Below, or at, a zone cut.
    Cut(Owner<'a>),
    /// Below a DNAME.
    Dname(Owner<'a>),
    Name(Owner<'a>),
    /// The name does not exist, and a wildcard stands for it (RFC 4592).
    Wildcard {
        encloser: Owner<'a>,
        wildcard: Owner<'a>,
    },
    Nothing {
        encloser: Owner<'a>,
    },
}

/// Aliases that have been followed. Apart from [`Walk`] because few questions come here.
struct Chain {
    qtype: Type,
    substituted: Substituted,
    step: usize,
}

/// The names on the way here.
#[derive(Clone, Copy)]
struct Seen<'a> {
    name: NameRef<'a>,
    before: Option<&'a Seen<'a>>,
}

impl Seen<'_> {
    fn contains(&self, name: NameRef<'_>) -> bool {
        self.name == name || self.before.is_some_and(|before| before.contains(name))
    }
}

/// The zones that a query has been in, each with the contents that it had then: whoever comes back finds the same.
struct Held<'a> {
    zone: ZoneId,
    image: &'a Image,
    before: Option<&'a Held<'a>>,
}

impl Held<'_> {
    fn image(&self, zone: ZoneId) -> Option<&Image> {
        if self.zone == zone { Some(self.image) } else { self.before?.image(zone) }
    }
}

impl Chain {
    #[inline(never)]
    fn of(qtype: Type) -> Self {
        Self { qtype, substituted: Substituted::default(), step: 0 }
    }

    /// Goes on at the target of an alias that was found in `walk`, as long as that is ours to answer.
    fn go_on(
        &mut self,
        walk: &Walk<'_>,
        by: By<'_>,
        held: &Held<'_>,
        target: NameBuf,
        response: &mut Response<'_>,
    ) -> Result<(), Trouble> {
        if let By::Dname(owner) = by {
            self.substituted.insert(owner);
        }
        self.step += 1;
        let (view, name) = (walk.view, walk.name);
        let owed = match by {
            By::Wildcard { encloser } => Some(Owed { image: view.image, name, encloser, before: walk.owed }),
            By::Name | By::Dname(_) => None,
        };
        let owed = owed.as_ref().or(walk.owed);
        let seen = Seen { name, before: walk.seen };
        let leads_in_a_circle = seen.contains(target.borrow());
        let zone = view.zone_for(target.borrow(), self.qtype);
        let zone = zone.filter(|_| !leads_in_a_circle && self.step < ALIASES_MAX);
        let Some(zone) = zone else { return end(owed, response) };
        let (qtype, substituted) = (self.qtype, self.substituted);
        let (name, seen, substituted) = (target.borrow(), Some(&seen), Some(&substituted));
        let walk = |view| Walk { view, name, qtype, seen, owed, substituted };
        if let Some(image) = held.image(zone.id) {
            return self.step(&walk(View { zone, image, ..view }), held, response);
        }
        let lent = zone.lent();
        let Some(snapshot) = &*lent else { return end(owed, response) };
        let held = Held { zone: zone.id, image: &snapshot.image, before: Some(held) };
        self.step(&walk(View { zone, image: &snapshot.image, ..view }), &held, response)
    }

    fn step(&mut self, walk: &Walk<'_>, held: &Held<'_>, response: &mut Response<'_>) -> Result<(), Trouble> {
        let next = match walk.place() {
            // RFC 6672 §3.2: it is in the answer already.
            Place::Dname(owner) if walk.has_given(owner) => walk.make_alias(owner, response)?,
            place => walk.at(place, response)?,
        };
        match next {
            Next::Done => Ok(()),
            Next::Alias { target, by } => self.go_on(walk, by, held, target, response),
        }
    }
}

/// Ends with what there is: the client asks on.
fn end(owed: Option<&Owed<'_>>, response: &mut Response<'_>) -> Result<(), Trouble> {
    response.conclude(Kind::Answer, Rcode::NOERROR);
    prove_owed(owed, &mut Given::default(), response)
}

fn prove_owed(mut owed: Option<&Owed<'_>>, given: &mut Given, response: &mut Response<'_>) -> Result<(), Trouble> {
    while let Some(Owed { image, name, encloser, before }) = owed {
        denial::prove(image, *name, Missing::NameAlone { encloser: *encloser }, given, response)?;
        owed = *before;
    }
    Ok(())
}

impl<'a> Walk<'a> {
    fn at(&self, place: Place<'a>, response: &mut Response<'_>) -> Result<Next<'a>, Trouble> {
        match place {
            Place::Cut(owner) => self.refer(owner, response).map(|()| Next::Done),
            Place::Dname(owner) => self.substitute(owner, response),
            Place::Name(owner) => self.answer(owner, None, response),
            Place::Wildcard { encloser, wildcard } => self.answer(wildcard, Some(encloser), response),
            Place::Nothing { encloser } => {
                self.deny(Kind::NameError, Missing::Name { encloser }, response).map(|()| Next::Done)
            }
        }
    }

    fn place(&self) -> Place<'a> {
        let (owner, exact) = match self.view.image.deepest(self.name) {
            // RFC 5155 §7.2.8: names that are hashes do not exist for who asks.
            Deepest::Exact(owner) | Deepest::Encloser(owner) if owner.is_hash() => {
                (owner.parent().unwrap_or(owner), false)
            }
            Deepest::Exact(owner) => (owner, true),
            Deepest::Encloser(owner) => (owner, false),
        };
        if let Some(above) = owner.occluded_by() {
            return if above.is_cut() { Place::Cut(above) } else { Place::Dname(above) };
        }
        // RFC 4035 §3.1.4.1: the DS at a cut is the parent's to answer.
        if owner.is_cut() && !(exact && self.qtype == Type::DS) {
            return Place::Cut(owner);
        }
        if exact {
            return Place::Name(owner);
        }
        if owner.has_dname() {
            return Place::Dname(owner);
        }
        if owner.has_wildcard_below() {
            let wildcard = wildcard_below(owner.name()).and_then(|name| self.view.image.owner(name.borrow()));
            if let Some(wildcard) = wildcard {
                return Place::Wildcard { encloser: owner, wildcard };
            }
        }
        Place::Nothing { encloser: owner }
    }

    /// Answers from `owner`: the name itself, or a wildcard below its closest encloser.
    fn answer(
        &self,
        owner: Owner<'a>,
        encloser: Option<Owner<'a>>,
        response: &mut Response<'_>,
    ) -> Result<Next<'a>, Trouble> {
        response.is_about(owner);
        let before = response.answer_count();
        let mut named = None;
        match self.qtype {
            Type::RRSIG => self.signatures(owner, response)?,
            Type::ANY => self.any(owner, response)?,
            qtype => {
                named = owner.rrset(qtype);
                if qtype == Type::DNAME && self.has_given(owner) {
                    response.conclude(Kind::Answer, Rcode::NOERROR);
                    return self.prove(None, response).map(|()| Next::Done);
                } else if let Some(rrset) = named {
                    response.rrset_as(Section::Answer, rrset, self.name)?;
                // RFC 4035 §2.5: NSEC may stand beside a CNAME, so that its absence is no reason to go elsewhere.
                } else if let Some(alias) = owner.rrset(Type::CNAME).filter(|_| qtype != Type::NSEC) {
                    response.rrset_as(Section::Answer, alias, self.name)?;
                    let target = target(alias).expect("an alias in an image has a name as its data");
                    let by = encloser.map_or(By::Name, |encloser| By::Wildcard { encloser });
                    return Ok(Next::Alias { target, by });
                }
            }
        }
        // A DNAME's signatures may be the only ones, and in the answer already.
        let gave_signatures = self.qtype == Type::RRSIG && self.has_given_signatures(owner, response);
        let is_denied = response.answer_count() == before && !gave_signatures;
        match encloser {
            Some(encloser) if is_denied => {
                self.deny(Kind::NoData, Missing::TypeOfWildcard { encloser, wildcard: owner }, response)?;
            }
            None if is_denied => self.deny(Kind::NoData, Missing::Type { owner }, response)?,
            _ => {
                response.conclude(Kind::Answer, Rcode::NOERROR);
                self.prove(encloser.map(|encloser| Missing::NameAlone { encloser }), response)?;
            }
        }
        if let Some(rrset) = named {
            additional::add(self.view, rrset, response);
        }
        Ok(Next::Done)
    }

    /// Whether the owner's DNAME is in the answer already.
    fn has_given(&self, owner: Owner<'_>) -> bool {
        self.substituted.is_some_and(|given| given.contains(owner))
    }

    /// The same of the signatures of the owner's DNAME.
    fn has_given_signatures(&self, owner: Owner<'_>, response: &Response<'_>) -> bool {
        let is_signed = |dname: Rrset<'_>| dname.signatures().next().is_some();
        response.dnssec_ok() && self.has_given(owner) && owner.rrset(Type::DNAME).is_some_and(is_signed)
    }

    fn any(&self, owner: Owner<'a>, response: &mut Response<'_>) -> Result<(), Trouble> {
        let rrsets = || owner.rrsets().filter(|rrset| rrset.has_records());
        let add = |rrset| Ok(response.rrset_as(Section::Answer, rrset, self.name)?);
        if self.view.zone.answers_any_in_full() {
            return rrsets().try_for_each(add);
        }
        // RFC 8482 §4.1: one RRset is answer enough; of what is not there nobody has asked.
        let is_data = |rrset: &Rrset<'_>| !matches!(rrset.rtype(), Type::NSEC | Type::NSEC3);
        rrsets().find(is_data).or_else(|| rrsets().next()).map_or(Ok(()), add)
    }

    fn signatures(&self, owner: Owner<'a>, response: &mut Response<'_>) -> Result<(), Trouble> {
        let gave_signatures = self.has_given_signatures(owner, response);
        let is_given = |rrset: &Rrset<'_>| gave_signatures && rrset.rtype() == Type::DNAME;
        let mut rrsets = owner.rrsets().filter(|rrset| !is_given(rrset));
        rrsets.try_for_each(|rrset| Ok(response.records_as(Section::Answer, &mut rrset.signatures(), self.name)?))
    }

    /// RFC 6672 §3.1: the DNAME, and a CNAME made from it.
    fn substitute(&self, owner: Owner<'a>, response: &mut Response<'_>) -> Result<Next<'a>, Trouble> {
        if let Some(dname) = owner.rrset(Type::DNAME) {
            response.rrset(Section::Answer, dname)?;
        }
        self.make_alias(owner, response)
    }

    fn make_alias(&self, owner: Owner<'a>, response: &mut Response<'_>) -> Result<Next<'a>, Trouble> {
        response.is_about(owner);
        let name = self.name;
        let dname = owner.rrset(Type::DNAME);
        let made = dname.and_then(|dname| Some((dname.ttl(), substituted(name, owner.name(), dname)?)));
        let Some((ttl, target)) = made else {
            response.conclude(Kind::Failure, Rcode::YXDOMAIN);
            self.prove(None, response)?;
            return Ok(Next::Done);
        };
        let record = RecordRef { owner: name, rtype: Type::CNAME, ttl, rdata: target.borrow().as_wire() };
        response.record(Section::Answer, record)?;
        if matches!(self.qtype, Type::CNAME | Type::ANY) {
            // The alias is the answer (RFC 1034 §4.3.2, step 3a).
            response.conclude(Kind::Answer, Rcode::NOERROR);
            self.prove(None, response)?;
            return Ok(Next::Done);
        }
        Ok(Next::Alias { target, by: By::Dname(owner) })
    }

    fn refer(&self, cut: Owner<'a>, response: &mut Response<'_>) -> Result<(), Trouble> {
        response.conclude(Kind::Referral, Rcode::NOERROR);
        response.is_about(cut);
        let Some(servers) = cut.rrset(Type::NS) else { return Ok(()) };
        response.rrset(Section::Authority, servers)?;
        let ds = cut.rrset(Type::DS);
        // RFC 4035 §3.1.4 speaks of signed zones: in another one, a DS is no link of any chain.
        let is_signed = || !matches!(self.view.image.denial(), Denial::Unsigned);
        if let Some(ds) = ds.filter(|_| response.dnssec_ok() && is_signed()) {
            response.rrset(Section::Authority, ds)?;
        }
        self.prove(ds.is_none().then_some(Missing::Type { owner: cut }), response)?;
        additional::add_glue(self.view, cut, servers, response)
    }

    /// RFC 2308 §3: the SOA, for as long as the denial may be kept; and the proof.
    fn deny(&self, kind: Kind, missing: Missing<'_>, response: &mut Response<'_>) -> Result<(), Trouble> {
        response.conclude(kind, if kind == Kind::NameError { Rcode::NXDOMAIN } else { Rcode::NOERROR });
        let image = self.view.image;
        if let Some(soa) = image.apex_owner().rrset(Type::SOA) {
            response.rrset_with_ttl(Section::Authority, soa, image.minimum_secs())?;
        }
        self.prove(Some(missing), response)
    }

    /// Proves what is missing here, if anything is, and what is owed from the way here.
    fn prove(&self, missing: Option<Missing<'_>>, response: &mut Response<'_>) -> Result<(), Trouble> {
        let mut given = Given::default();
        if let Some(missing) = missing {
            denial::prove(self.view.image, self.name, missing, &mut given, response)?;
        }
        prove_owed(self.owed, &mut given, response)
    }
}

fn target(alias: Rrset<'_>) -> Option<NameBuf> {
    let record = alias.records().next()?;
    rdata::alias_target(record.rdata).map(NameBuf::from)
}

/// The name with what is above a DNAME's owner replaced by its target; none when that is too long (RFC 6672 §2.2).
fn substituted(name: NameRef<'_>, above: NameRef<'_>, dname: Rrset<'_>) -> Option<NameBuf> {
    let prefix = &name.as_wire()[..name.octets() - above.octets()];
    NameBuf::concatenate(prefix, target(dname)?.borrow()).ok()
}
