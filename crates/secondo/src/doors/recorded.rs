//! Whose doing something was, for the audit log.

use api::doors::{Actor, Caller, SignedIn, Visitor};
use inventory::{By, User, UserId};

use super::House;

impl House {
    pub(super) fn by(&self, visitor: &Visitor, who: &SignedIn) -> By {
        let actor = inventory::Actor::User { id: UserId(who.user), email: who.email.clone() };
        By { actor, address: visitor.address, at: self.node.clock.now() }
    }

    /// Who is to stand in the audit log.
    pub(super) fn by_caller(&self, caller: &Caller) -> By {
        let actor = match &caller.actor {
            Actor::User { id, email } => inventory::Actor::User { id: UserId(*id), email: email.clone() },
            Actor::Token(name) => inventory::Actor::Token(name.clone()),
            Actor::Machine => inventory::Actor::Machine,
        };
        By { actor, address: caller.address, at: self.node.clock.now() }
    }

    /// Puts on record what was done elsewhere than in the inventory, whose changes have their rows by themselves.
    pub(super) async fn record(&self, caller: &Caller, act: &str, subject: &str, details: serde_json::Value) {
        let Ok(inventory) = self.inventory() else { return };
        let by = self.by_caller(caller);
        let recorded = inventory.record_act(Some(caller.tenant), &by, act, subject, details);
        // It is done; that it is not in the log is for whoever reads the log of this program.
        if let Err(error) = recorded.await {
            tracing::error!(act, subject, "the audit log lacks what was done: {error}");
        }
    }
}

pub(super) fn by_user(house: &House, visitor: &Visitor, user: &User) -> By {
    let actor = inventory::Actor::User { id: user.id, email: user.email.clone() };
    By { actor, address: visitor.address, at: house.node.clock.now() }
}

pub(super) fn shown_address(visitor: &Visitor) -> String {
    visitor.address.map(|address| address.to_string()).unwrap_or_default()
}
