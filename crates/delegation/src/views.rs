//! What the parent's servers say about the zone, two of them side by side.
//!
//! Two, because one may be behind, or lie; of different addresses, and of different names if there are. Others are asked
//! only where one of these fails, or answers from the zone itself and so hides what the parent delegates.

use std::collections::BTreeSet;

use dns::{Name, Type};

use crate::Server;
use crate::budget::{DEPTH_MAX, TRIES_MAX};
use crate::failure::{Failure, Spent, Told, Trouble};
use crate::reply::{Denial, NsSet, Reply};
use crate::walk::{Cut, Walk, tries};

/// So many of the parent's servers are to say something.
const VIEWS: usize = 2;

/// What the parent's servers say about a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegation {
    pub zone: Name,
    /// The zone that delegates this one, or would.
    pub parent: Name,
    /// Each server that was asked and what it said, in the order of asking; at least one has said something.
    pub views: Vec<View>,
}

/// One server of the parent, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    pub server: Server,
    pub said: Said,
}

/// What a server of the parent says about the zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// The parent delegates it so.
    Delegated { ns: NsSet, ds: Ds },
    /// It serves the zone beside its parent and answers from the zone: these are the zone's own NS records. What the
    /// parent delegates cannot be seen from it.
    Itself { ns: NsSet, ds: Ds },
    /// The parent delegates no such zone.
    Denied(Denial),
    /// Nothing that can be used.
    Nothing(Trouble),
}

/// The DS records of a delegation (RFC 4034 §5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ds {
    /// Their data; empty when the parent says that there are none: the zone is not signed for those who validate.
    Records(BTreeSet<Vec<u8>>),
    /// The server did not say.
    Unknown(Trouble),
}

/// What all views together come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// All servers of the parent that were heard name these.
    Delegated(&'a BTreeSet<Name>),
    /// Nothing is seen but the zone's own NS records, from servers that hold both zones.
    OnlyItself(&'a BTreeSet<Name>),
    NotDelegated(Denial),
    /// The parent's servers name different name servers, or one delegates the zone and another does not.
    Differing,
}

/// In what the parent's servers differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// The name servers, or whether there is a delegation at all.
    pub name_servers: bool,
    pub glue: bool,
    pub ds: bool,
}

impl Delegation {
    /// Views that show what the parent itself delegates.
    fn delegated(&self) -> impl Iterator<Item = (&NsSet, &Ds)> {
        self.views.iter().filter_map(|view| match &view.said {
            Said::Delegated { ns, ds } => Some((ns, ds)),
            _ => None,
        })
    }

    fn itself(&self) -> impl Iterator<Item = &NsSet> {
        self.views.iter().filter_map(|view| match &view.said {
            Said::Itself { ns, .. } => Some(ns),
            _ => None,
        })
    }

    fn denied(&self) -> Option<Denial> {
        self.views.iter().find_map(|view| match view.said {
            Said::Denied(denial) => Some(denial),
            _ => None,
        })
    }

    pub fn verdict(&self) -> Verdict<'_> {
        if self.differences().name_servers {
            return Verdict::Differing;
        }
        let delegated = self.delegated().map(|(ns, _)| Verdict::Delegated(&ns.names)).next();
        let denied = || self.denied().map(Verdict::NotDelegated);
        let itself = || self.itself().next().map(|ns| Verdict::OnlyItself(&ns.names));
        // One of them holds when there is a view at all that says something.
        delegated.or_else(denied).or_else(itself).unwrap_or(Verdict::Differing)
    }

    /// In what those differ that show what the parent delegates.
    pub fn differences(&self) -> Differences {
        let Some((first, first_ds)) = self.delegated().next() else { return Differences::default() };
        let is_denied = self.denied().is_some();
        let records = |ds: &Ds| matches!(ds, Ds::Records(_));
        Differences {
            name_servers: is_denied || self.delegated().any(|(ns, _)| ns.names != first.names),
            glue: self.delegated().any(|(ns, _)| ns.glue != first.glue),
            ds: self.delegated().any(|(_, ds)| records(ds) && records(first_ds) && ds != first_ds),
        }
    }

    /// The servers that the zone is delegated to by any of the views, with all glue: what the parent delegates, and only
    /// where nothing shows that, what the zone says of itself.
    pub(crate) fn name_servers(&self) -> NsSet {
        let mut all = NsSet::default();
        let mut add = |ns: &NsSet| {
            all.names.extend(ns.names.iter().cloned());
            for (name, addresses) in &ns.glue {
                all.glue.entry(name.clone()).or_default().extend(addresses);
            }
        };
        self.delegated().for_each(|(ns, _)| add(ns));
        if self.delegated().next().is_none() && self.denied().is_none() {
            self.itself().for_each(add);
        }
        all
    }
}

/// What asking the servers of one cut came to.
enum Asked {
    Views(Vec<View>),
    /// There is another cut above the zone.
    Deeper {
        to: Name,
        ns: NsSet,
    },
}

impl Walk<'_> {
    pub(crate) async fn delegation(&self, zone: &Name) -> Result<Delegation, Failure> {
        if zone.borrow().is_root() {
            return Err(Failure::Root);
        }
        let mut cut = self.parent_of(zone).await?;
        for _ in 0..DEPTH_MAX {
            match self.views(&cut, zone).await? {
                Asked::Views(views) => {
                    return Ok(Delegation { zone: zone.clone(), parent: cut.zone.clone(), views });
                }
                Asked::Deeper { to, ns } => cut = self.learn(to, &ns, None)?,
            }
        }
        Err(Failure::Spent { zone: cut.zone.clone(), spent: Spent::Cuts { limit: DEPTH_MAX } })
    }

    async fn views(&self, cut: &Cut, zone: &Name) -> Result<Asked, Failure> {
        let (mut views, mut troubles): (Vec<View>, Vec<Told>) = (Vec::new(), Vec::new());
        let mut candidates = cut.candidates()?;
        let of_parent = |views: &[View]| {
            views.iter().filter(|view| matches!(view.said, Said::Delegated { .. } | Said::Denied(_))).count()
        };
        let said = |views: &[View]| views.iter().filter(|view| !matches!(view.said, Said::Nothing(_))).count();
        while of_parent(&views) < VIEWS && said(&views) + tries(&troubles) < TRIES_MAX {
            let Some(server) = self.next_of(&mut candidates, &troubles, 0).await? else { break };
            let said = match self.ask(&server, zone.borrow(), Type::NS, &cut.zone).await {
                Ok(Reply::Referral { cut: to, ns }) if to != *zone => return Ok(Asked::Deeper { to, ns }),
                Ok(Reply::Referral { ns, .. }) => Said::Delegated { ns, ds: self.ds(&server, zone, cut).await },
                Ok(Reply::Answer { ns, .. }) => Said::Itself { ns, ds: self.ds(&server, zone, cut).await },
                Ok(Reply::Denied { denial, .. }) => Said::Denied(denial),
                Err(trouble @ Trouble::Spent(spent)) => {
                    if views.iter().all(|view| matches!(view.said, Said::Nothing(_))) {
                        return Err(Failure::Spent { zone: zone.clone(), spent });
                    }
                    // What was said stands, and that no more could be asked.
                    views.push(View { server, said: Said::Nothing(trouble) });
                    break;
                }
                Err(trouble) => {
                    troubles.push(Told { server: server.clone(), trouble: trouble.clone() });
                    Said::Nothing(trouble)
                }
            };
            views.push(View { server, said });
        }
        if views.iter().all(|view| matches!(view.said, Said::Nothing(_))) {
            return Err(self.nobody_of(cut, troubles));
        }
        Ok(Asked::Views(views))
    }

    /// The parent's DS records; a server that has both zones is to answer from the parent (RFC 4035 §3.1.4.1).
    async fn ds(&self, server: &Server, zone: &Name, cut: &Cut) -> Ds {
        match self.ask_again(server, zone.borrow(), Type::DS, &cut.zone).await {
            Ok(Reply::Answer { data, .. }) => Ds::Records(data.into_iter().collect()),
            // Servers from before DNSSEC answer from the zone, which says nothing.
            Ok(Reply::Denied { by, .. }) if by.as_ref() == Some(zone) => Ds::Unknown(Trouble::NotAuthoritative),
            Ok(Reply::Denied { .. }) => Ds::Records(BTreeSet::new()),
            Ok(Reply::Referral { cut, .. }) => Ds::Unknown(Trouble::RefersAway { to: cut }),
            Err(trouble) => Ds::Unknown(trouble),
        }
    }
}
