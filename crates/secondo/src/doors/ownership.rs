//! Whose names are.

use api::doors::{Caller, Ownership};
use api::json::{OwnershipChallenge, OwnershipNeighbour, OwnershipProof, OwnershipSeen, OwnershipState};
use api::{Code, Problem, json};
use async_trait::async_trait;
use delegation::CHALLENGE_LABEL;
use dns::Name;
use inventory::{Around, Claim, Inventory, Proof, ProveError, Proving, Shown, TenantId, ZoneId, is_public_suffix};

use super::{House, unavailable};
use crate::claims::{NotLooked, Seen};
use crate::configuration::Mode;
use crate::ledger::time;

#[async_trait]
impl Ownership for House {
    fn wants_proofs(&self) -> bool {
        self.node.mode == Mode::Multi
    }

    async fn ownership(&self, caller: &Caller, name: &Name) -> Result<json::Ownership, Problem> {
        let inventory = self.inventory()?;
        let claim = self.claim_of(&inventory, caller.tenant, name).await?;
        self.shown_ownership(&inventory, &claim).await
    }

    async fn look_for_proof(&self, caller: &Caller, name: &Name) -> Result<json::Ownership, Problem> {
        let inventory = self.inventory()?;
        let before = self.claim_of(&inventory, caller.tenant, name).await?;
        if self.wants_proofs() {
            self.claims.look_anew(&inventory, &before).await.map_err(|error| not_looked(&error))?;
        }
        let after = self.claim_of(&inventory, caller.tenant, name).await?;
        self.until_owned(&after).await;
        self.shown_ownership(&inventory, &after).await
    }

    async fn hand_over(&self, caller: &Caller, name: &Name, to: &str) -> Result<json::Ownership, Problem> {
        let inventory = self.inventory()?;
        self.claim_of(&inventory, caller.tenant, name).await?;
        let handed = inventory.hand_over(&self.by_caller(caller), caller.tenant, name, to).await;
        handed.map_err(|error| not_proven(&error))?;
        tracing::info!(zone = %name, tenant = caller.tenant.0, "the name is handed over to another organisation");
        let after = self.claim_of(&inventory, caller.tenant, name).await?;
        self.until_owned(&after).await;
        self.shown_ownership(&inventory, &after).await
    }

    async fn claims(&self, _: &Caller, after: u64, limit: u32) -> Result<json::Claims, Problem> {
        let inventory = self.inventory()?;
        let found = inventory.waiting_claims(ZoneId(after), limit).await.map_err(|error| unavailable(&error))?;
        let next = found.last().filter(|_| found.len() == limit as usize).map(|last| last.zone.0);
        let claims = found.into_iter().map(|claim| json::Claim {
            id: claim.zone.0,
            tenant: claim.tenant.0,
            organisation: claim.organisation,
            claimed_at: time(claim.claimed_at),
            looked_at: claim.looked_at.map(time),
            is_held: claim.is_held,
            is_public_suffix: is_public_suffix(&claim.name),
            name: claim.name.to_string(),
        });
        Ok(json::Claims { claims: claims.collect(), next })
    }

    async fn approve(&self, caller: &Caller, zone: u64) -> Result<(), Problem> {
        let proving = Proving { zone: ZoneId(zone), proof: Proof::Operator, consenting: None, is_seen: false };
        let taken = self.inventory()?.prove(&self.by_caller(caller), &proving).await;
        taken.map_err(|error| not_proven(&error))?.iter().for_each(|taken| self.claims.tell_that_taken(taken));
        tracing::info!(zone, "the operator has given the name to this claim");
        Ok(())
    }

    async fn disprove(&self, caller: &Caller, zone: u64) -> Result<(), Problem> {
        let taken = self.inventory()?.disprove(&self.by_caller(caller), ZoneId(zone)).await;
        taken.map_err(|error| not_proven(&error))?.iter().for_each(|taken| self.claims.tell_that_disproven(taken));
        tracing::info!(zone, "the operator has taken the name from this zone");
        Ok(())
    }
}

impl House {
    /// Until the zone is answered, or not any more, as its claim now says.
    async fn until_owned(&self, claim: &Claim) {
        let wanted = crate::followed::Ownership::of(claim.proven.as_ref().map(|proven| proven.by));
        let is_matched =
            async || self.node.zone(claim.zone).is_none_or(|zone| zone.instructions().ownership == wanted);
        self.until_matched(is_matched).await;
    }

    async fn shown_ownership(&self, inventory: &Inventory, claim: &Claim) -> Result<json::Ownership, Problem> {
        let set = self.claims.name_servers(inventory, claim.tenant).await.map_err(|error| not_looked(&error))?;
        let is_public_suffix = is_public_suffix(&claim.name);
        let challenge = match is_public_suffix {
            true => None,
            false => {
                let text = self.claims.text(inventory, claim).await.map_err(|error| not_looked(&error))?;
                Some(OwnershipChallenge { name: format!("{CHALLENGE_LABEL}.{}", claim.name), text })
            }
        };
        let proven = claim.proven.as_ref();
        let neighbour = match proven {
            Some(proven) if proven.lapsed_at.is_none() => Ok(Around::Nowhere),
            _ if self.wants_proofs() => inventory.others_around(claim).await,
            _ => Ok(Around::Nowhere),
        };
        Ok(json::Ownership {
            name: claim.name.to_string(),
            state: match proven {
                None => OwnershipState::Claimed,
                Some(proven) if proven.lapsed_at.is_some() => OwnershipState::Lapsed,
                Some(_) => OwnershipState::Proven,
            },
            proof: proven.map(|proven| shown_proof(proven.by)),
            proven_at: proven.map(|proven| time(proven.at)),
            lapsed_at: proven.and_then(|proven| proven.lapsed_at).map(time),
            challenge,
            name_servers: set.names.iter().map(ToString::to_string).collect(),
            name_servers_are_own: set.is_own,
            is_public_suffix,
            neighbour: match neighbour.map_err(|error| unavailable(&error))? {
                Around::Nowhere => None,
                Around::Above => Some(OwnershipNeighbour::Above),
                Around::Below => Some(OwnershipNeighbour::Below),
            },
            seen: self.claims.seen(claim.zone).map(|seen| shown_seen(seen, proven.is_some())),
        })
    }

    async fn claim_of(&self, inventory: &Inventory, tenant: TenantId, name: &Name) -> Result<Claim, Problem> {
        let claim = inventory.claim(tenant, name).await.map_err(|error| unavailable(&error))?;
        claim.ok_or_else(|| self.not_theirs(tenant, name))
    }
}

fn shown_seen(seen: Seen, is_proven: bool) -> OwnershipSeen {
    OwnershipSeen {
        at: time(seen.at),
        delegated_to: seen.delegated_to.map(|names| names.iter().map(ToString::to_string).collect()),
        text_shown: match seen.shown {
            Shown::Yes => Some(true),
            Shown::No => Some(false),
            Shown::Unknown => None,
        },
        message: seen.obstacle.filter(|_| !is_proven).or(seen.trouble),
    }
}

fn shown_proof(proof: Proof) -> OwnershipProof {
    match proof {
        Proof::Operator => OwnershipProof::Operator,
        Proof::Delegation => OwnershipProof::Delegation,
        Proof::Challenge => OwnershipProof::Challenge,
        Proof::Above => OwnershipProof::Above,
        Proof::HandedOver => OwnershipProof::HandedOver,
    }
}

fn not_looked(error: &NotLooked) -> Problem {
    match error {
        NotLooked::TooMany => Problem::new(Code::RateLimited, error.to_string()),
        NotLooked::NoPlace => Problem::new(Code::TimedOut, error.to_string()),
        NotLooked::NoRandom(_) => Problem::new(Code::Internal, error.to_string()),
        NotLooked::Inventory(error) => unavailable(error),
    }
}

fn not_proven(error: &ProveError) -> Problem {
    let code = match error {
        ProveError::Gone | ProveError::NoSuchClaim(_) => Code::ClaimUnknown,
        ProveError::NotHeld(_) => Code::NameNotProven,
        ProveError::Held(_) | ProveError::Below(_) | ProveError::Above(_) => Code::ZoneNameTaken,
        ProveError::Inventory(error) => return unavailable(error),
    };
    Problem::new(code, error.to_string())
}
