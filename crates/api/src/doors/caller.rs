//! Who asks.

use std::net::IpAddr;

use zone::TenantId;

use crate::json::Scope;
use crate::problem::{Code, Problem};

/// Who asks, for whom, and what they may. Whoever makes one has seen a token or a session.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Whose zones and keys it is about.
    pub tenant: TenantId,
    pub actor: Actor,
    /// Where they are; none for what did not come over the network.
    pub address: Option<IpAddr>,
    pub scopes: Vec<Scope>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Somebody who is signed in, by their number and address.
    User { id: u64, email: String },
    /// An API token, by its name.
    Token(String),
    /// Whoever may read the data directory.
    Machine,
}

impl Caller {
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// # Errors
    /// [`Code::NotAllowed`].
    pub(crate) fn must(&self, scope: Scope) -> Result<(), Problem> {
        if self.may(scope) {
            return Ok(());
        }
        let detail = match &self.actor {
            Actor::Token(name) => format!(
                "the token {name} may not do that: it lacks the scope {scope}; make one that has it with `secondo token add`"
            ),
            _ if scope == Scope::Operate => "only an operator, who runs the whole service, may do that".to_owned(),
            _ => format!("you may not do that: it takes the scope {scope}; ask an owner of the organisation"),
        };
        Err(Problem::new(Code::NotAllowed, detail))
    }
}

/// Whoever has not shown who they are yet.
#[derive(Clone, Debug, Default)]
pub struct Visitor {
    pub address: Option<IpAddr>,
    /// What the browser calls itself.
    pub agent: String,
    /// What it was given to keep when somebody signed in with it.
    pub device: Option<String>,
}
