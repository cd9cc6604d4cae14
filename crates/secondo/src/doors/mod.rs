//! The API's doors, as this node opens them.

mod accounts;
mod catalogs;
mod contents;
mod delegation;
mod examination;
mod intent;
mod ownership;
mod requests;
mod status;

pub(crate) use catalogs::configured as configured_catalog;
pub(crate) use examination::Examinations;
pub(crate) use intent::row;

use std::net::SocketAddr;
use std::sync::Arc;

use api::{Code, Doors, Problem};
use dns::Name;
use inventory::{Hashed, Inventory, InventoryError, TenantId};
use server::{Counters, Heard};

use crate::accounts::tries::Tries;
use crate::certificate::Certificate;
use crate::claims::Claims;
use crate::delegations::Delegations;
use crate::followed::Followed;
use crate::node::Node;
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
    pub(crate) http: SocketAddr,
    /// The console's URL.
    pub(crate) console: String,
    pub(crate) examinations: Examinations,
    pub(crate) delegations: Arc<Delegations>,
    pub(crate) claims: Arc<Claims>,
    /// The machine's own token; none where it can be neither read nor made.
    pub(crate) admin_token: Option<Hashed>,
    pub(crate) tries: Tries,
}

pub(crate) fn open(house: House) -> Doors {
    let house = Arc::new(house);
    Doors {
        accounts: house.clone(),
        intent: house.clone(),
        requests: house.clone(),
        contents: house.clone(),
        status: house.clone(),
        ownership: house,
    }
}

impl House {
    fn inventory(&self) -> Result<Arc<Inventory>, Problem> {
        self.node.inventory.load_full().ok_or_else(|| {
            let detail = "the inventory is not available: stored zones are served, but nothing can be added, removed or \
                          looked up; the server's log says why";
            Problem::new(Code::InventoryUnavailable, detail)
        })
    }

    fn zone_named(&self, tenant: TenantId, name: &Name) -> Result<Arc<Followed>, Problem> {
        self.node.zone_of(tenant, name).ok_or_else(|| unknown(name))
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
    Problem::new(Code::InventoryUnavailable, error.to_string())
}
