//! The walk through one zone's contents (RFC 1034 §4.3.2): down to the name, along aliases, to an answer, a referral
//! or a denial.

use dns::{Full, NameBuf, Rcode, RecordRef, Section, Type, rdata};
use zone::image::{Deepest, Image, Owner, Rrset, wildcard_below};

use crate::Kind;
use crate::additional;
use crate::response::Response;

/// Aliases followed for one question. Longer chains are cut short; the client asks on.
const ALIASES_MAX: usize = 16;

/// Writes what the zone says about `name` and `qtype`.
///
/// # Errors
/// When it does not fit; what has been written then must not be sent.
pub(crate) fn resolve(image: &Image, name: NameBuf, qtype: Type, response: &mut Response<'_>) -> Result<(), Full> {
    let mut walk = Walk { image, name, qtype, substituted: [usize::MAX; ALIASES_MAX], step: 0 };
    let place = walk.place();
    // RFC 1034 §4.1.1: AA speaks of the name in the question.
    if !matches!(place, Place::Cut(_)) {
        response.authoritative();
    }
    match walk.at(place, response)? {
        Next::Done => Ok(()),
        Next::Alias(target) => walk.follow(target, response),
    }
}

struct Walk<'a> {
    image: &'a Image,
    name: NameBuf,
    qtype: Type,
    /// Ranks of the owners whose DNAMEs are in the answer, by step.
    substituted: [usize; ALIASES_MAX],
    /// Aliases followed so far.
    step: usize,
}

#[expect(clippy::large_enum_variant, reason = "it lives on the stack for one step; a box would allocate")]
enum Next {
    Done,
    Alias(NameBuf),
}

/// What stands in the way to a name, or at it.
enum Place<'a> {
    /// Below, or at, a zone cut.
    Cut(Owner<'a>),
    /// Below a DNAME.
    Dname(Owner<'a>),
    Name(Owner<'a>),
    /// The name does not exist, and a wildcard stands for it (RFC 4592).
    Wildcard(Owner<'a>),
    Nothing,
}

impl<'a> Walk<'a> {
    /// Goes on along aliases. Apart from [`resolve`] because few questions come here, and remembering names takes room.
    #[inline(never)]
    fn follow(mut self, mut target: NameBuf, response: &mut Response<'_>) -> Result<(), Full> {
        let mut seen = [NameBuf::root(); ALIASES_MAX];
        while self.step + 1 < ALIASES_MAX {
            seen[self.step] = self.name;
            self.step += 1;
            let is_ours = target.borrow().is_at_or_below(self.image.apex());
            let leads_in_a_circle = seen[..self.step].iter().any(|name| name.borrow() == target.borrow());
            if !is_ours || leads_in_a_circle {
                break;
            }
            self.name = target;
            match self.at(self.place(), response)? {
                Next::Done => return Ok(()),
                Next::Alias(next) => target = next,
            }
        }
        response.conclude(Kind::Answer, Rcode::NOERROR);
        Ok(())
    }

    fn at(&mut self, place: Place<'a>, response: &mut Response<'_>) -> Result<Next, Full> {
        match place {
            Place::Cut(owner) => self.refer(owner, response).map(|()| Next::Done),
            Place::Dname(owner) => self.substitute(owner, response),
            Place::Name(owner) | Place::Wildcard(owner) => self.answer(owner, response),
            Place::Nothing => self.deny(Kind::NameError, Rcode::NXDOMAIN, response).map(|()| Next::Done),
        }
    }

    fn place(&self) -> Place<'a> {
        let (owner, exact) = match self.image.deepest(self.name.borrow()) {
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
            let wildcard = wildcard_below(owner.name()).and_then(|name| self.image.owner(name.borrow()));
            if let Some(wildcard) = wildcard {
                return Place::Wildcard(wildcard);
            }
        }
        Place::Nothing
    }

    fn answer(&self, owner: Owner<'a>, response: &mut Response<'_>) -> Result<Next, Full> {
        let name = self.name.borrow();
        let found = match self.qtype {
            // RFC 8482 §4.1: one RRset is answer enough.
            Type::ANY => owner.rrsets().find(|rrset| rrset.record_count() > 0),
            Type::RRSIG => return self.answer_signatures(owner, response).map(|()| Next::Done),
            qtype => owner.rrset(qtype),
        };
        if let Some(rrset) = found {
            response.rrset_as(Section::Answer, rrset, name)?;
            response.conclude(Kind::Answer, Rcode::NOERROR);
            additional::add(self.image, rrset, response);
            return Ok(Next::Done);
        }
        // RFC 4035 §2.5: NSEC may stand beside a CNAME, so that its absence is no reason to go elsewhere.
        if let Some(alias) = owner.rrset(Type::CNAME).filter(|_| self.qtype != Type::NSEC) {
            response.rrset_as(Section::Answer, alias, name)?;
            return Ok(Next::Alias(target(alias).expect("an alias in an image has a name as its data")));
        }
        self.deny(Kind::NoData, Rcode::NOERROR, response).map(|()| Next::Done)
    }

    fn answer_signatures(&self, owner: Owner<'a>, response: &mut Response<'_>) -> Result<(), Full> {
        let before = response.answer_count();
        for rrset in owner.rrsets() {
            response.records_as(Section::Answer, rrset.signatures(), self.name.borrow())?;
        }
        if response.answer_count() == before {
            return self.deny(Kind::NoData, Rcode::NOERROR, response);
        }
        response.conclude(Kind::Answer, Rcode::NOERROR);
        Ok(())
    }

    /// RFC 6672 §3.1: the DNAME, and a CNAME made from it.
    fn substitute(&mut self, owner: Owner<'a>, response: &mut Response<'_>) -> Result<Next, Full> {
        let Some(dname) = owner.rrset(Type::DNAME) else {
            return self.deny(Kind::NameError, Rcode::NXDOMAIN, response).map(|()| Next::Done);
        };
        if !self.substituted.contains(&owner.rank()) {
            response.rrset(Section::Answer, dname)?;
            self.substituted[self.step] = owner.rank();
        }
        let name = self.name.borrow();
        let prefix = &name.as_wire()[..name.octets() - owner.name().octets()];
        let target = dname.records().next().and_then(|record| rdata::alias_target(record.rdata));
        let Some(Ok(target)) = target.map(|target| NameBuf::concatenate(prefix, target)) else {
            response.conclude(Kind::Failure, Rcode::YXDOMAIN);
            return Ok(Next::Done);
        };
        let made = RecordRef { owner: name, rtype: Type::CNAME, ttl: dname.ttl(), rdata: target.borrow().as_wire() };
        response.record(Section::Answer, made)?;
        if matches!(self.qtype, Type::CNAME | Type::ANY) {
            // The alias is the answer (RFC 1034 §4.3.2, step 3a).
            response.conclude(Kind::Answer, Rcode::NOERROR);
            return Ok(Next::Done);
        }
        Ok(Next::Alias(target))
    }

    fn refer(&self, cut: Owner<'a>, response: &mut Response<'_>) -> Result<(), Full> {
        response.conclude(Kind::Referral, Rcode::NOERROR);
        let Some(servers) = cut.rrset(Type::NS) else {
            return Ok(());
        };
        response.rrset(Section::Authority, servers)?;
        if response.dnssec_ok()
            && let Some(ds) = cut.rrset(Type::DS)
        {
            response.rrset(Section::Authority, ds)?;
        }
        additional::add_glue(self.image, cut, servers, response)
    }

    /// RFC 2308 §3: the SOA, for as long as the denial may be kept.
    fn deny(&self, kind: Kind, rcode: Rcode, response: &mut Response<'_>) -> Result<(), Full> {
        response.conclude(kind, rcode);
        match self.image.apex_owner().rrset(Type::SOA) {
            Some(soa) => response.rrset_with_ttl(Section::Authority, soa, self.image.soa().minimum),
            None => Ok(()),
        }
    }
}

fn target(alias: Rrset<'_>) -> Option<NameBuf> {
    let record = alias.records().next()?;
    rdata::alias_target(record.rdata).map(NameBuf::from)
}
