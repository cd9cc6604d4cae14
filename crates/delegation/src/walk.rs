//! From one cut to the next, down to a zone's parent; and to the addresses of name servers that have no glue.
//!
//! All walks of one [`Walk`] share its budget and what it has learned; it is as old as one question of somebody's, and
//! goes with it. Invariants: each referral leads nearer to what is looked for; walks to addresses lie within each other
//! no deeper than [`NESTING_MAX`], and none waits for itself.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dns::{Name, NameRef, Type};

use crate::budget::{Budget, DEPTH_MAX, EMPTY_IN_A_ROW_MAX, GLUELESS_MAX, NESTING_MAX, TRIES_MAX};
use crate::exchange::Exchange;
use crate::failure::{Failure, Spent, Told, Trouble};
use crate::hints::address_in;
use crate::reply::{Denial, NsSet, Question, Reply};
use crate::{Server, Walker};

/// One walk, with all that it asks on the way.
pub(crate) struct Walk<'a> {
    walker: &'a Walker,
    budget: Budget,
    learned: Mutex<Learned>,
}

/// What this walk has learned; bounded, because each entry has cost a query.
#[derive(Default)]
struct Learned {
    cuts: BTreeMap<Name, Arc<Cut>>,
    /// Of name servers without glue. One that is being looked for has none: whoever needs it for that needs itself.
    addresses: BTreeMap<Name, Vec<IpAddr>>,
}

/// A zone, and the servers that it is delegated to.
#[derive(Debug)]
pub(crate) struct Cut {
    pub(crate) zone: Name,
    servers: BTreeMap<Name, Vec<IpAddr>>,
}

/// Servers of one cut in the order in which they are tried: those whose addresses are known before those whose addresses
/// must be looked for.
///
/// No address comes twice: several names may be one server, and one server has one word.
pub(crate) struct Candidates {
    ready: VecDeque<Server>,
    glueless: VecDeque<Name>,
    tried: BTreeSet<IpAddr>,
}

impl Cut {
    /// What a referral leads to; `known` is a server of it whose address is known otherwise.
    fn new(zone: Name, ns: &NsSet, known: Option<&Server>) -> Self {
        let addresses = |name: &Name| ns.glue.get(name).map(|all| all.iter().copied().collect()).unwrap_or_default();
        let mut servers: BTreeMap<Name, Vec<IpAddr>> =
            ns.names.iter().map(|name| (name.clone(), addresses(name))).collect();
        if let Some(Server { name, address }) = known {
            let addresses = servers.entry(name.clone()).or_default();
            if !addresses.contains(address) {
                addresses.push(*address);
            }
        }
        Self { zone, servers }
    }

    /// Beginning with another server each time, and with the first address of each before the second of any: two in a row
    /// have two addresses, and two names if there are two.
    pub(crate) fn candidates(&self) -> Result<Candidates, Failure> {
        let mut octets = [0; 8];
        getrandom::fill(&mut octets)
            .map_err(|error| Failure::Ours { detail: format!("the system gave no random numbers: {error}") })?;
        let first = u64::from_be_bytes(octets) as usize % self.servers.len().max(1);
        let mut servers: Vec<(&Name, &Vec<IpAddr>)> = self.servers.iter().collect();
        servers.rotate_left(first);
        let most = servers.iter().map(|(_, addresses)| addresses.len()).max().unwrap_or(0);
        let mut ready: VecDeque<Server> = VecDeque::new();
        for at in 0..most {
            for (name, addresses) in &servers {
                ready.extend(addresses.get(at).map(|address| Server { name: (*name).clone(), address: *address }));
            }
        }
        let glueless = servers.iter().filter(|(_, addresses)| addresses.is_empty());
        let glueless = glueless.map(|(name, _)| (*name).clone()).take(GLUELESS_MAX).collect();
        Ok(Candidates { ready, glueless, tried: BTreeSet::new() })
    }

    fn names(&self) -> Vec<Name> {
        self.servers.keys().cloned().collect()
    }
}

impl Candidates {
    /// The next server to try; none when there is no other.
    pub(crate) async fn next(&mut self, walk: &Walk<'_>, nesting: usize) -> Result<Option<Server>, Failure> {
        loop {
            if let Some(server) = self.ready.pop_front() {
                if self.tried.insert(server.address.to_canonical()) {
                    return Ok(Some(server));
                }
                continue;
            }
            let Some(name) = self.glueless.pop_front() else { return Ok(None) };
            for address in walk.addresses_of(&name, nesting).await? {
                self.ready.push_back(Server { name: name.clone(), address });
            }
        }
    }
}

impl<'a> Walk<'a> {
    pub(crate) fn new(walker: &'a Walker) -> Self {
        Self { walker, budget: Budget::new(walker.limits), learned: Mutex::default() }
    }

    fn exchange(&self) -> Exchange<'_> {
        Exchange { destinations: &self.walker.destinations, port: self.walker.port, budget: &self.budget }
    }

    /// Puts one question to one server of `serving`.
    pub(crate) async fn ask(
        &self,
        server: &Server,
        name: NameRef<'_>,
        qtype: Type,
        serving: &Name,
    ) -> Result<Reply, Trouble> {
        self.exchange().ask(server.address, Question { name, qtype, serving: serving.borrow() }).await
    }

    /// The same, once more if the server is silent: where nobody else can say it, a lost datagram is no silence.
    pub(crate) async fn ask_again(
        &self,
        server: &Server,
        name: NameRef<'_>,
        qtype: Type,
        serving: &Name,
    ) -> Result<Reply, Trouble> {
        match self.ask(server, name, qtype, serving).await {
            Err(Trouble::Silent { .. }) => self.ask(server, name, qtype, serving).await,
            said => said,
        }
    }

    /// The zone above `zone` that is cut last, by its own delegation, and its servers.
    pub(crate) async fn parent_of(&self, zone: &Name) -> Result<Arc<Cut>, Failure> {
        let labels = zone.borrow().label_count();
        let mut cut = if labels > 1 { self.kept_above(zone) } else { self.root() };
        let (mut next, mut empty) = (cut.zone.borrow().label_count() + 1, 0);
        while next < labels && empty < EMPTY_IN_A_ROW_MAX {
            let name = zone.borrow().suffix(next);
            let (server, reply) = match self.step(&cut, name, Type::NS, 0).await {
                Ok(step) => step,
                // Some servers say so of names without records (RFC 9156 §3). What they say of the zone itself decides.
                Err(Failure::NobodyAnswers { troubles, .. }) if has_an_rcode(&troubles) => break,
                Err(failure) => return Err(failure),
            };
            match reply {
                Reply::Referral { cut: to, ns } => cut = self.learn(to, &ns, None)?,
                // It serves both: what the upper zone delegates is hidden, and what resolvers see is this.
                Reply::Answer { ns, .. } => cut = self.learn(name.to_name(), &ns, Some(&server))?,
                Reply::Denied { denial: Denial::NoData, .. } => {
                    (next, empty) = (next + 1, empty + 1);
                    continue;
                }
                // Nothing is below it (RFC 8020); or it is a server that says so of names without records, too.
                Reply::Denied { denial: Denial::NxDomain, .. } => break,
            }
            (next, empty) = (cut.zone.borrow().label_count() + 1, 0);
        }
        Ok(cut)
    }

    /// The first usable answer of a server of this cut.
    async fn step(
        &self,
        cut: &Cut,
        name: NameRef<'_>,
        qtype: Type,
        nesting: usize,
    ) -> Result<(Server, Reply), Failure> {
        let mut troubles: Vec<Told> = Vec::new();
        let mut candidates = cut.candidates()?;
        while tries(&troubles) < TRIES_MAX
            && let Some(server) = self.next_of(&mut candidates, &troubles, nesting).await?
        {
            match self.ask(&server, name, qtype, &cut.zone).await {
                Ok(reply) => return Ok((server, reply)),
                Err(Trouble::Spent(spent)) => return Err(Failure::Spent { zone: cut.zone.clone(), spent }),
                Err(trouble) => troubles.push(Told { server, trouble }),
            }
        }
        Err(self.nobody_of(cut, troubles))
    }

    /// The next candidate; where all were silent and are few, the first of them once more: a datagram may be lost.
    pub(crate) async fn next_of(
        &self,
        candidates: &mut Candidates,
        troubles: &[Told],
        nesting: usize,
    ) -> Result<Option<Server>, Failure> {
        /// Where more are silent, it is not by loss.
        const SILENT_MAX: usize = 2;
        if let Some(server) = candidates.next(self, nesting).await? {
            return Ok(Some(server));
        }
        let Some((first, others)) = troubles.split_first() else { return Ok(None) };
        let are_silent = troubles.iter().all(|told| matches!(told.trouble, Trouble::Silent { .. }));
        let is_the_first_time = others.iter().all(|told| told.server != first.server);
        let is_wanted = are_silent && is_the_first_time && troubles.len() <= SILENT_MAX;
        Ok(is_wanted.then(|| first.server.clone()))
    }

    /// The addresses of a name server for which nobody gave any that is believed; none if there are none.
    ///
    /// # Errors
    /// When the whole walk is over.
    pub(crate) fn addresses_of<'w>(
        &'w self,
        host: &'w Name,
        nesting: usize,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<IpAddr>, Failure>> + Send + 'w>> {
        Box::pin(async move {
            if let Some(known) = self.learned().addresses.get(host) {
                return Ok(known.clone());
            }
            if nesting >= NESTING_MAX {
                return Ok(Vec::new());
            }
            self.learned().addresses.insert(host.clone(), Vec::new());
            let found = match self.look_up(host, nesting + 1).await {
                Err(failure @ (Failure::Spent { .. } | Failure::Ours { .. })) => return Err(failure),
                found => found.unwrap_or_default(),
            };
            self.learned().addresses.insert(host.clone(), found.clone());
            Ok(found)
        })
    }

    async fn look_up(&self, host: &Name, nesting: usize) -> Result<Vec<IpAddr>, Failure> {
        let mut cut = self.deepest_known(host);
        let (server, first) = loop {
            match self.step(&cut, host.borrow(), Type::A, nesting).await? {
                (_, Reply::Referral { cut: to, ns }) => cut = self.learn(to, &ns, None)?,
                answered => break answered,
            }
        };
        let second = self.ask(&server, host.borrow(), Type::AAAA, &cut.zone).await;
        let of = |reply: Result<Reply, Trouble>, rtype| match reply {
            Ok(Reply::Answer { data, .. }) => data.iter().filter_map(|data| address_in(rtype, data)).collect(),
            _ => Vec::new(),
        };
        Ok([of(Ok(first), Type::A), of(second, Type::AAAA)].concat())
    }

    pub(crate) fn learn(&self, zone: Name, ns: &NsSet, known: Option<&Server>) -> Result<Arc<Cut>, Failure> {
        let mut learned = self.learned();
        let above = learned.cuts.keys().filter(|other| zone.borrow().is_below(other.borrow())).count();
        if above >= DEPTH_MAX {
            return Err(Failure::Spent { zone, spent: Spent::Cuts { limit: DEPTH_MAX } });
        }
        let cut = Arc::new(Cut::new(zone.clone(), ns, known));
        learned.cuts.insert(zone, cut.clone());
        self.walker.kept.keep(&cut);
        Ok(cut)
    }

    fn root(&self) -> Arc<Cut> {
        let servers = self.walker.hints.servers().map(|(name, addresses)| (name.clone(), addresses.clone()));
        Arc::new(Cut { zone: Name::root(), servers: servers.collect() })
    }

    /// The TLD's servers if an earlier walk has learned them, else the root's.
    fn kept_above(&self, name: &Name) -> Arc<Cut> {
        let kept = self.walker.kept.above(name.borrow(), self.walker.limits.tlds_kept);
        kept.unwrap_or_else(|| self.root())
    }

    /// What it comes to that no server of this cut gives an answer: it is looked for anew the next time.
    pub(crate) fn nobody_of(&self, cut: &Cut, troubles: Vec<Told>) -> Failure {
        self.walker.kept.forget(&cut.zone);
        cut.nobody(troubles)
    }

    fn deepest_known(&self, name: &Name) -> Arc<Cut> {
        let learned = self.learned();
        let above = learned.cuts.values().filter(|cut| name.borrow().is_at_or_below(cut.zone.borrow()));
        let deepest = above.max_by_key(|cut| cut.zone.borrow().label_count());
        deepest.map_or_else(|| self.kept_above(name), Arc::clone)
    }

    fn learned(&self) -> MutexGuard<'_, Learned> {
        // Whole between any two statements.
        self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn has_an_rcode(troubles: &[Told]) -> bool {
    troubles.iter().any(|told| matches!(told.trouble, Trouble::Answers(_)))
}

/// How many servers something was sent to in vain.
pub(crate) fn tries(troubles: &[Told]) -> usize {
    troubles.iter().filter(|told| told.trouble.has_cost_a_query()).count()
}

impl Cut {
    fn nobody(&self, troubles: Vec<Told>) -> Failure {
        if troubles.is_empty() {
            return Failure::NoAddresses { zone: self.zone.clone(), to: self.names() };
        }
        Failure::NobodyAnswers { zone: self.zone.clone(), troubles }
    }
}
