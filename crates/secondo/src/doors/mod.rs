//! The API's doors, as this node opens them.

mod accounts;
mod alerts;
mod catalogs;
mod contents;
mod delegation;
mod examination;
mod exported;
mod intent;
mod jobs;
mod listing;
mod newcomers;
mod organisations;
mod ownership;
mod plans;
mod promotions;
mod recorded;
mod refusals;
mod removals;
mod requested;
mod requests;
mod roles;
mod sessions;
mod status;

pub(crate) use catalogs::configured as configured_catalog;
pub(crate) use examination::Examinations;
pub(crate) use intent::row;

use std::net::SocketAddr;
use std::sync::Arc;

use ::alerts::{Letter, NotAnAddress};
use api::{Code, Doors, Problem};
use dns::Name;
use inventory::{Hashed, Inventory, InventoryError, Sent, TenantId};
use server::{Counters, Heard};
use tokio::sync::Semaphore;

use crate::accounts::tries::Tries;
use crate::alerts::Messengers;
use crate::certificate::Certificate;
use crate::claims::Claims;
use crate::configuration::SignUp;
use crate::delegations::Delegations;
use crate::followed::Followed;
use crate::node::Node;
use crate::reload::Reloading;
use crate::statistics::Statistics;

/// What stands behind all doors of one node.
pub(crate) struct House {
    pub(crate) node: Arc<Node>,
    pub(crate) counters: Counters,
    pub(crate) heard: Heard,
    pub(crate) statistics: Arc<Statistics>,
    pub(crate) dns: Vec<SocketAddr>,
    pub(crate) dns_over_tls: Vec<SocketAddr>,
    pub(crate) dns_over_quic: Vec<SocketAddr>,
    pub(crate) certificate: Option<Arc<Certificate>>,
    /// The configuration as it was read last.
    pub(crate) reloading: Arc<Reloading>,
    /// What browsers are shown, where that is another one.
    pub(crate) console_certificate: Option<Arc<Certificate>>,
    pub(crate) http: SocketAddr,
    /// The console's URL.
    pub(crate) console: String,
    pub(crate) examinations: Examinations,
    pub(crate) delegations: Arc<Delegations>,
    pub(crate) claims: Arc<Claims>,
    /// The machine's own token; none where it can be neither read nor made.
    pub(crate) admin_token: Option<Hashed>,
    pub(crate) tries: Tries,
    /// What carries letters and alerts outside.
    pub(crate) messengers: Arc<Messengers>,
    pub(crate) sign_up: SignUp,
    /// What is done after an answer was given, so that the answer says nothing.
    pub(crate) afterwards: Arc<Semaphore>,
    /// Exports under way.
    pub(crate) exports: Arc<Semaphore>,
}

/// Letters that are made up at a time, of those who ask for links.
pub(crate) const AFTERWARDS_MAX: usize = 64;
/// Exports at a time: each reads the inventory all along.
pub(crate) const EXPORTS_MAX: usize = 4;

pub(crate) fn open(house: House) -> Doors {
    let house = Arc::new(house);
    Doors {
        accounts: house.clone(),
        alerts: house.clone(),
        newcomers: Arc::new(newcomers::Reception(house.clone())),
        organisations: house.clone(),
        intent: house.clone(),
        requests: house.clone(),
        contents: house.clone(),
        status: house.clone(),
        ownership: house.clone(),
        plans: house.clone(),
        promotions: Arc::new(promotions::Promoter(house.clone())),
        removals: house.clone(),
        requested: house.clone(),
        jobs: house,
    }
}

impl House {
    /// A page's URL, for people.
    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.console)
    }

    /// How links get to people.
    fn sent(&self) -> Sent {
        if self.messengers.post.is_some() { Sent::ByMail } else { Sent::ByHand }
    }

    /// Sends a letter, if letters are sent.
    fn write(&self, letter: Result<Letter, NotAnAddress>) {
        let Some(post) = &self.messengers.post else { return };
        match letter {
            Ok(letter) => post.send(letter),
            Err(error) => tracing::error!("a mail is not sent: {error}"),
        }
    }

    /// Sends a link by mail; where none is sent, its path, for whoever is to hand it over.
    fn handed_over(&self, secret: &str, letter: impl FnOnce(&str) -> Result<Letter, NotAnAddress>) -> Option<String> {
        let path = format!("/link/{secret}");
        if self.messengers.post.is_none() {
            return Some(path);
        }
        self.write(letter(&self.url(&path)));
        None
    }

    fn inventory(&self) -> Result<Arc<Inventory>, Problem> {
        self.node.inventory.load_full().ok_or_else(|| {
            let detail = "the inventory is not available: stored zones are served, but nothing can be added, removed or \
                          looked up; the server's log says why";
            Problem::new(Code::InventoryUnavailable, detail)
        })
    }

    fn zone_named(&self, tenant: TenantId, name: &Name) -> Result<Arc<Followed>, Problem> {
        self.node.zone_of(tenant, name).ok_or_else(|| self.not_theirs(tenant, name))
    }

    /// What somebody is told who asks for a zone that their organisation has not: the same whether or not another one has it,
    /// which only the log knows.
    fn not_theirs(&self, tenant: TenantId, name: &Name) -> Problem {
        if self.node.is_followed_for_anybody(name) {
            tracing::warn!(zone = %name, tenant = tenant.0, "somebody was refused a zone of another organisation");
        }
        unknown(name)
    }
}

fn unknown(name: &Name) -> Problem {
    Problem::new(Code::ZoneUnknown, format!("there is no zone {name}: see secondo zone list"))
}

/// What was ordered is done, and there is no room to write it down.
fn not_on_disk(name: &Name) -> Problem {
    let detail = format!(
        "what was ordered for the zone {name} holds as long as the program runs, but could not be written to our disk, which \
         is full or fails, as the log says: a restart may forget it; make room, and it is written within seconds: give \
         the order again to see whether it is"
    );
    Problem::new(Code::NotOnDisk, detail)
}

fn unavailable(error: &InventoryError) -> Problem {
    let code = match error {
        InventoryError::Overtaken => Code::Overtaken,
        _ => Code::InventoryUnavailable,
    };
    Problem::new(code, error.to_string())
}

#[cfg(test)]
mod tests {
    use api::Code;
    use inventory::InventoryError;

    use super::unavailable;

    #[test]
    fn who_was_overtaken_is_not_told_that_the_inventory_is_gone() {
        let problem = unavailable(&InventoryError::Overtaken);
        assert_eq!((problem.code(), problem.code().status()), (Code::Overtaken, 409));
        assert_eq!(unavailable(&InventoryError::Locked).code(), Code::InventoryUnavailable);
    }
}
