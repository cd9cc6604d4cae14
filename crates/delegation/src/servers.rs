//! The servers to which the parent delegates a zone: whether each answers for it, and with which serial.
//!
//! One that does not, though it is named, is *lame*: part of the world's questions about the zone get no answer.

use std::net::IpAddr;

use dns::{Name, Serial, Soa, Type};
use futures_util::future::join_all;

use crate::Server;
use crate::failure::{Failure, Trouble};
use crate::reply::{Denial, NsSet, Reply};
use crate::views::Delegation;
use crate::walk::Walk;

/// Addresses of one name server that are asked: one of each family, and as many again.
const ADDRESSES_MAX: usize = 4;

/// A zone's delegation, and its name servers one by one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examined {
    pub delegation: Delegation,
    /// In the order of their names.
    pub servers: Vec<NameServer>,
}

/// One name that the zone is delegated to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameServer {
    pub name: Name,
    /// What is found at each of its addresses; empty when it has none, which is as bad as lame.
    pub at: Vec<(IpAddr, Found)>,
}

/// What a name server says when it is asked for the zone's SOA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// It answers with authority.
    Serves { serial: Serial },
    /// It is there and does not serve the zone.
    Lame(Trouble),
    /// It serves a zone in which this one has no apex.
    LameByDenial(Denial),
    /// It says nothing that can be used.
    Nothing(Trouble),
}

impl NameServer {
    /// Whether it answers for the zone at all of its addresses.
    pub fn serves(&self) -> bool {
        !self.at.is_empty() && self.at.iter().all(|(_, found)| matches!(found, Found::Serves { .. }))
    }

    /// Whether it answers at one of its addresses that it does not serve the zone.
    pub fn is_lame(&self) -> bool {
        self.at.iter().any(|(_, found)| matches!(found, Found::Lame(_) | Found::LameByDenial(_)))
    }
}

impl Walk<'_> {
    pub(crate) async fn servers(&self, zone: &Name) -> Result<Examined, Failure> {
        let delegation = self.delegation(zone).await?;
        let mut servers = Vec::new();
        let ns = delegation.name_servers();
        // Looked for one after the other: each may find on its way what the next one needs.
        for name in &ns.names {
            servers.push((name, self.addresses(&ns, name).await));
        }
        let found = servers.into_iter().map(|(name, addresses)| async move {
            let asked = addresses.into_iter().take(ADDRESSES_MAX).map(|address| async move {
                let server = Server { name: name.clone(), address };
                (address, self.found(&server, zone).await)
            });
            NameServer { name: name.clone(), at: join_all(asked).await }
        });
        let servers = join_all(found).await;
        Ok(Examined { delegation, servers })
    }

    /// Where a name server of the zone is: by its glue, as resolvers go, or else by a walk of its own. None also when the
    /// walk may cost no more.
    pub(crate) async fn addresses(&self, ns: &NsSet, name: &Name) -> Vec<IpAddr> {
        match ns.glue.get(name) {
            Some(glue) => glue.iter().copied().collect(),
            None => self.addresses_of(name, 0).await.unwrap_or_default(),
        }
    }

    async fn found(&self, server: &Server, zone: &Name) -> Found {
        match self.ask_again(server, zone.borrow(), Type::SOA, zone).await {
            Ok(Reply::Answer { data, .. }) => match data.iter().find_map(|data| Soa::parse(data)) {
                Some(soa) => Found::Serves { serial: soa.serial },
                None => Found::Lame(Trouble::NotAuthoritative),
            },
            Ok(Reply::Denied { denial, .. }) => Found::LameByDenial(denial),
            Ok(Reply::Referral { cut, .. }) => Found::Lame(Trouble::RefersAway { to: cut }),
            Err(trouble) if trouble.is_lame() => Found::Lame(trouble),
            Err(trouble) => Found::Nothing(trouble),
        }
    }
}
