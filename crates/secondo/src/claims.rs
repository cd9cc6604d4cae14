//! Claims on names: looks for what proves them, and after what has proven them.
//!
//! ```text
//!  a claim is made ─► look ─► inventory::Look ─► finding ─► prove, or wait, or say that the proof has lapsed
//!                      ▲  the parent's delegation, the claim's text, the zones above         │
//!                      └──────────── again: soon while it is young, then daily ◄─────────────┘
//! ```
//!
//! Invariants: only what the parent's servers and those that they delegate to say counts, and never what came in a transfer
//! of the claimant's; where a proven zone of ours lies above, its contents are the parent's word. What could not be seen
//! changes nothing. A few are looked at side by side, however many claims there are.

mod looking;
mod name_servers;
mod seen;
mod turns;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dns::Name;
use inventory::{
    By, Claim, EventKind, Finding, Inventory, InventoryError, ProveError, Proving, Severity, Shown, TenantId, ZoneId,
};
use tokio::task::JoinSet;
use tokio::time::Instant;
use xfr::Moment;

use crate::delegations::Delegations;
use crate::events::{self, Event};
use crate::node::Node;
use name_servers::Pool;
use turns::Turns;

pub(crate) use name_servers::NameServers;

/// Claims that are looked at side by side without anybody's asking.
const SIDE_BY_SIDE: usize = 4;
/// Claims that are read at a time.
const READ_AT_ONCE: u32 = 500;
/// How often it is seen which claims are due, unless something changes.
const EVERY: Duration = Duration::from_secs(30);
/// Changes come in crowds.
const AFTER_A_CHANGE: Duration = Duration::from_millis(200);
/// How often a claim is looked at that nobody has proven yet: by its age, within these.
const YOUNG_EVERY: Duration = Duration::from_secs(60);
const OLD_EVERY: Duration = Duration::from_secs(24 * 3600);
/// After that it is looked at only when somebody asks.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(60 * 24 * 3600);
/// How often what has proven a claim is looked after.
const PROVEN_EVERY: Duration = Duration::from_secs(24 * 3600);
/// What was seen less than that ago is not looked at again, whoever asks.
const FRESH_FOR: Duration = Duration::from_secs(3);
/// Zones of which what was seen last is kept to be shown.
const SEEN_MAX: usize = 4096;
/// How often those are looked after that keep a claim from being proven, and how many of them each time.
const IN_THE_WAY_ROUNDS: usize = 3;
const IN_THE_WAY_MAX: usize = 4;
/// Looks that one tenant's people may have under way.
const EACH_AT_ONCE_MAX: usize = 2;
/// Random octets in a claim's text.
const TEXT_OCTETS: usize = 20;

/// What was seen of a claim's name, to be shown.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) at: Moment,
    /// To whom the parent delegates; none where that is not known.
    pub(crate) delegated_to: Option<Vec<Name>>,
    pub(crate) shown: Shown,
    /// Why nothing more was seen.
    pub(crate) trouble: Option<String>,
    /// Why it is not proven although it could be.
    pub(crate) obstacle: Option<String>,
}

/// Why nothing was looked at.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotLooked {
    #[error("too many names are being looked at: try again in a minute")]
    NoPlace,
    #[error("{EACH_AT_ONCE_MAX} names of the organisation's are being looked at: wait for one of them")]
    TooMany,
    #[error("no random numbers can be had: {0}")]
    NoRandom(getrandom::Error),
    #[error(transparent)]
    Inventory(#[from] InventoryError),
}

/// Which claims are looked at.
#[derive(Clone, Copy)]
enum Which {
    /// Those that nobody has looked at yet: all that a change can bring.
    New,
    Due,
}

pub(crate) struct Claims {
    node: Arc<Node>,
    delegations: Arc<Delegations>,
    pool: Pool,
    seen: Mutex<HashMap<ZoneId, Seen>>,
    /// How many looks each tenant's people have under way.
    asking: Mutex<HashMap<TenantId, usize>>,
}

/// One look that somebody waits for, until this is dropped.
struct Asking<'a>(&'a Claims, TenantId);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        let mut asking = self.0.asking.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = asking.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                asking.remove(&self.1);
            }
        }
    }
}

impl Claims {
    /// `per_tenant` is how many of the service's name servers a tenant gets for itself; none where all have all.
    pub(crate) fn new(node: Arc<Node>, delegations: Arc<Delegations>, per_tenant: Option<usize>) -> Self {
        let pool = Pool::new(delegations.name_servers.clone(), per_tenant);
        Self { node, delegations, pool, seen: Mutex::default(), asking: Mutex::default() }
    }

    /// Looks at each claim when its time has come, for ever.
    pub(crate) async fn follow(self: Arc<Self>) {
        loop {
            let Some(inventory) = self.node.inventory.load_full() else {
                tokio::time::sleep(EVERY).await;
                continue;
            };
            self.follow_in(&inventory).await;
        }
    }

    /// The same until the inventory is another.
    async fn follow_in(self: &Arc<Self>, inventory: &Arc<Inventory>) {
        let mut changes = inventory.changes();
        let (mut turns, mut looking) = (Turns::default(), JoinSet::new());
        let mut under_way = HashMap::new();
        // A change is looked into a little after it: they come in crowds.
        let (mut new_at, mut all_at) = (None, Instant::now());
        loop {
            while looking.len() < SIDE_BY_SIDE
                && let Some(claim) = turns.next()
            {
                let (all, inventory, of) = (self.clone(), inventory.clone(), (claim.tenant, claim.zone));
                let look = async move {
                    if let Err(error) = all.look(&inventory, &claim).await {
                        tracing::debug!(zone = %claim.name, "the claim is looked at later: {error}");
                    }
                };
                under_way.insert(looking.spawn(look).id(), of);
            }
            let next = new_at.unwrap_or(all_at).min(all_at);
            tokio::select! {
                changed = changes.changed() => {
                    if changed.is_err() { return }
                    new_at.get_or_insert_with(|| Instant::now() + AFTER_A_CHANGE);
                }
                Some(ended) = looking.join_next_with_id() => {
                    let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
                    under_way.remove(&id).into_iter().for_each(|(tenant, zone)| turns.ended(tenant, zone));
                }
                () = tokio::time::sleep_until(next) => {
                    let which = if all_at <= Instant::now() { Which::Due } else { Which::New };
                    new_at = None;
                    if let Err(error) = self.find(inventory, which, &mut turns).await {
                        tracing::warn!("claims on names are looked at later: {error}");
                    }
                    if matches!(which, Which::Due) {
                        all_at = Instant::now() + EVERY;
                    }
                }
            }
        }
    }

    /// Has those claims wait for their turn that are to be looked at.
    async fn find(&self, inventory: &Inventory, which: Which, turns: &mut Turns) -> Result<(), InventoryError> {
        let mut after = ZoneId(0);
        let now = self.node.clock.now();
        let before = Moment(now.0.saturating_sub(PROVEN_EVERY.as_millis() as u64));
        loop {
            let claims = match which {
                Which::New => inventory.new_claims(after, READ_AT_ONCE).await?,
                Which::Due => inventory.claims_to_look_at(after, before, READ_AT_ONCE).await?,
            };
            let Some(last) = claims.last() else { return Ok(()) };
            after = last.zone;
            claims.into_iter().filter(|claim| is_due(claim, now)).for_each(|claim| turns.add(claim));
        }
    }

    /// Looks at the claim for somebody who has put something there, and so as it is from now on: where that was done just
    /// now, after a moment. Has it proven if it is.
    pub(crate) async fn look_anew(&self, inventory: &Inventory, claim: &Claim) -> Result<Seen, NotLooked> {
        let _one = self.ask(claim.tenant)?;
        let asked_at = self.node.clock.now();
        loop {
            let seen = self.look(inventory, claim).await?;
            if seen.at >= asked_at {
                return Ok(seen);
            }
            let age = self.node.clock.now().since(seen.at);
            tokio::time::sleep(FRESH_FOR.saturating_sub(age)).await;
        }
    }

    fn ask(&self, tenant: TenantId) -> Result<Asking<'_>, NotLooked> {
        let mut asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        let count = asking.entry(tenant).or_default();
        if *count >= EACH_AT_ONCE_MAX {
            return Err(NotLooked::TooMany);
        }
        *count += 1;
        Ok(Asking(self, tenant))
    }

    /// Looks at the claim now, unless that was done just now, and has it proven if it is.
    async fn look(&self, inventory: &Inventory, claim: &Claim) -> Result<Seen, NotLooked> {
        let now = self.node.clock.now();
        if let Some(seen) = self.seen(claim.zone).filter(|seen| now.since(seen.at) < FRESH_FOR) {
            return Ok(seen);
        }
        let (seen, finding) = self.see(inventory, claim, now).await?;
        let seen = match finding {
            Finding::Proves(proof) => {
                let obstacle = self.prove(inventory, claim, proof).await?;
                Seen { obstacle: obstacle.map(|error| error.to_string()), ..seen }
            }
            Finding::Nothing | Finding::Lapses | Finding::ShowsAgain | Finding::Ends => seen,
        };
        self.keep(claim.zone, seen.clone());
        if let Some(zone) = self.node.zone(claim.zone) {
            self.node.tell_lookers(&zone);
        }
        Ok(seen)
    }

    fn tell_that_lapsed(&self, claim: &Claim) {
        let message = format!(
            "what proved that the name {} is yours does not show any more: it is answered on, and falls to whoever else \
             proves it; the zone's page says what would show it again",
            claim.name
        );
        let event = Event::about(EventKind::ProofLost, Severity::Warning, claim.name.to_string(), message);
        events::tell(&self.node, claim.tenant, event);
        tracing::warn!(
            zone = %claim.name,
            "what proved that the name is its tenant's does not show any more: it is answered on, and falls to whoever else proves it"
        );
    }

    /// Has the claim proven; what keeps it from that, if anything does.
    async fn prove(
        &self,
        inventory: &Inventory,
        claim: &Claim,
        proof: inventory::Proof,
    ) -> Result<Option<ProveError>, NotLooked> {
        let consenting = self.consenting(inventory, claim).await?;
        let proving = Proving { zone: claim.zone, proof, consenting, is_seen: true };
        let by = By::service(self.node.clock.now());
        let mut proven = inventory.prove(&by, &proving).await;
        for _ in 0..IN_THE_WAY_ROUNDS {
            let mut is_free = false;
            // What others have may have been lost since it was last looked at.
            for other in self.in_the_way(inventory, claim, &proven).await? {
                let (_, finding) = self.see(inventory, &other, by.at).await?;
                is_free |= matches!(finding, Finding::Lapses | Finding::Ends);
            }
            if !is_free {
                break;
            }
            proven = inventory.prove(&by, &proving).await;
        }
        match proven {
            Ok(taken) => {
                taken.iter().for_each(|taken| self.tell_that_taken(taken));
                tracing::info!(zone = %claim.name, tenant = claim.tenant.0, %proof, "the name is proven");
                Ok(None)
            }
            Err(ProveError::Inventory(error)) => Err(error.into()),
            Err(error) => {
                tracing::info!(zone = %claim.name, tenant = claim.tenant.0, "the name is not proven: {error}");
                Ok(Some(error))
            }
        }
    }

    /// Others' claims whose proofs keep this one from being proven, a few at a time.
    async fn in_the_way(
        &self,
        inventory: &Inventory,
        claim: &Claim,
        proven: &Result<Option<Claim>, ProveError>,
    ) -> Result<Vec<Claim>, InventoryError> {
        match proven {
            Err(ProveError::Held(_)) => Ok(Vec::from_iter(inventory.holder(&claim.name).await?)),
            Err(ProveError::Below(_)) => Ok(Vec::from_iter(inventory.nearest_above(&claim.name).await?)),
            Err(ProveError::Above(_)) => inventory.others_below(claim.tenant, &claim.name, IN_THE_WAY_MAX).await,
            _ => Ok(Vec::new()),
        }
    }

    /// Tells whoever had a name until now.
    pub(crate) fn tell_that_taken(&self, before: &Claim) {
        let message = format!(
            "the name {} is no longer answered for you: it is proven for another organisation, or whoever runs this service \
             has given it to one",
            before.name
        );
        self.tell_of_loss(before, message);
    }

    /// Tells whoever has lost a name to the zone above.
    fn tell_that_ended(&self, claim: &Claim) {
        let message = format!(
            "the name {} is no longer answered for you: the zone above it is another organisation's, and does not delegate it \
             to name servers of yours",
            claim.name
        );
        self.tell_of_loss(claim, message);
    }

    /// Tells whoever has lost a name by the word of whoever runs the service.
    pub(crate) fn tell_that_disproven(&self, claim: &Claim) {
        let message =
            format!("the name {} is no longer answered for you: whoever runs this service says so", claim.name);
        self.tell_of_loss(claim, message);
    }

    fn tell_of_loss(&self, before: &Claim, message: String) {
        let event = Event::about(EventKind::NameTaken, Severity::Error, before.name.to_string(), message);
        events::tell(&self.node, before.tenant, event);
    }

    /// The text that proves the claim.
    pub(crate) async fn text(&self, inventory: &Inventory, claim: &Claim) -> Result<String, NotLooked> {
        if let Some(text) = &claim.challenge {
            return Ok(text.clone());
        }
        let mut octets = [0; TEXT_OCTETS];
        getrandom::fill(&mut octets).map_err(NotLooked::NoRandom)?;
        let fresh = format!("secondo-{}", hex::encode(octets));
        Ok(inventory.challenge(claim.zone, &fresh).await?.unwrap_or(fresh))
    }

    /// The name servers that the tenant's names are to be delegated to.
    pub(crate) async fn name_servers(
        &self,
        inventory: &Inventory,
        tenant: TenantId,
    ) -> Result<NameServers, NotLooked> {
        self.pool.of(inventory, tenant).await
    }

    /// What was seen last of the zone's name, since the program started.
    pub(crate) fn seen(&self, zone: ZoneId) -> Option<Seen> {
        self.kept().get(&zone).cloned()
    }

    fn keep(&self, zone: ZoneId, seen: Seen) {
        let mut kept = self.kept();
        if kept.len() >= SEEN_MAX && !kept.contains_key(&zone) {
            let oldest = kept.iter().min_by_key(|(_, seen)| seen.at).map(|(zone, _)| *zone);
            oldest.map(|oldest| kept.remove(&oldest));
        }
        kept.insert(zone, seen);
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<ZoneId, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_due(claim: &Claim, now: Moment) -> bool {
    let (Some(looked_at), None) = (claim.looked_at, &claim.proven) else { return true };
    let age = now.since(claim.taken_at.map_or(claim.claimed_at, |taken_at| taken_at.max(claim.claimed_at)));
    age < GIVEN_UP_AFTER && now.since(looked_at) >= (age / 6).clamp(YOUNG_EVERY, OLD_EVERY)
}

#[cfg(test)]
mod tests {
    use inventory::{Claim, TenantId, ZoneId};
    use xfr::Moment;

    use super::is_due;

    #[test]
    fn claims_are_looked_at_often_while_they_are_young_and_are_given_up_some_day() {
        const MINUTE: u64 = 60_000;
        const DAY: u64 = 24 * 60 * MINUTE;
        let due = |age: u64, looked_before: Option<u64>| {
            let now = Moment(100 * DAY);
            let ago = |ms: u64| Moment(now.0 - ms);
            let claim = Claim {
                zone: ZoneId(1),
                tenant: TenantId(2),
                name: "example.".parse().unwrap(),
                claimed_at: ago(age),
                proven: None,
                seen_elsewhere_at: None,
                looked_at: looked_before.map(ago),
                challenge: None,
                handed: None,
                taken_at: None,
                disproven_at: None,
            };
            is_due(&claim, now)
        };
        assert!(due(0, None) && due(MINUTE, Some(MINUTE)) && !due(MINUTE, Some(MINUTE - 1)));
        assert!(due(DAY, Some(4 * 60 * MINUTE)) && !due(DAY, Some(4 * 60 * MINUTE - 1)));
        assert!(due(59 * DAY, Some(DAY)) && !due(59 * DAY, Some(DAY - 1)));
        assert!(!due(60 * DAY, Some(9 * DAY)));
    }
}
