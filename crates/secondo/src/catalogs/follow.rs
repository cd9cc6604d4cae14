//! One catalog's step from what is here to what it lists.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use api::doors::MemberTemplate;
use dns::Name;
use inventory::{Catalog, CatalogMember, Inventory, NewZone, Proof};
use xfr::Primary;
use zone::ZoneId;
use zone::catalog::{Action, Consent, Holdings, Listing, plan};

use super::{Current, Seen, Undone, Unfollowed, template};
use crate::node::Node;

/// Rows that are written in one transaction: a second or so, during which nothing else is.
const ACTIONS_AT_ONCE_MAX: usize = 10_000;

/// The most zones that the log tells of one by one in a pass: a catalog may list a million in vain.
const SAID_MAX: usize = 100;

/// Makes a plan for the catalog and carries it out.
pub(super) async fn follow(
    node: &Arc<Node>,
    inventory: &Inventory,
    current: &Current,
    all: &[Current],
    consent: Consent,
) -> Result<(), Unfollowed> {
    let Current { catalog, listing, confirmed_at } = current;
    let Some(workshop) = Workshop::of(node, catalog) else { return Ok(()) };
    // As long as this version is known to be the newest one, and no longer, has it been without what it does not list.
    let (holdings, members) = inventory.holdings(catalog, *confirmed_at).await?;
    let waiting = members.iter().filter(|member| member.missing_since.is_some());
    let waiting: HashSet<Name> = waiting.map(|member| member.name.clone()).collect();
    let others = all.iter().filter(|other| other.catalog.tenant == catalog.tenant && other.catalog.id != catalog.id);
    let others = others.map(|other| other.listing.clone()).collect();
    let mut actions = planned(catalog, listing.clone(), holdings, others, consent).await;
    actions.extend(made_otherwise(node, listing, members, &workshop, &actions));
    let make = |name: &Name, group: Option<&str>| workshop.make(name, group);
    let mut undone = BTreeMap::new();
    let mut done = Tally::default();
    for part in actions.chunks(ACTIONS_AT_ONCE_MAX) {
        let now = node.clock.now();
        let results = inventory.apply_plan(catalog, part, &make, now, now.plus(node.keep_removed)).await?;
        for (action, result) in part.iter().zip(results) {
            let what = match (action, result) {
                (Action::Skip { why, .. }, _) => Undone::Skipped(why.to_string()),
                (_, Err(error)) => Undone::Failed(error.to_string()),
                (Action::Hold { zone, .. }, Ok(())) => {
                    done.held += usize::from(!waiting.contains(zone));
                    continue;
                }
                (action, Ok(())) => {
                    done.count(action);
                    continue;
                }
            };
            let zone = action.zone();
            undone.insert(zone.to_lower().to_string(), (zone.clone(), what));
        }
    }
    done.say(catalog, listing);
    remember(node, catalog, Seen { followed: Some(listing.serial()), broken: None, undone });
    Ok(())
}

/// Off the runtime's threads: a large one takes a second.
async fn planned(
    catalog: &Catalog,
    listing: Arc<Listing>,
    mut holdings: Holdings,
    others: Vec<Arc<Listing>>,
    consent: Consent,
) -> Vec<Action> {
    let rules = catalog.rules();
    let work = move || {
        others.iter().for_each(|other| holdings.note_offers(other));
        plan(&listing, &holdings, &rules, consent)
    };
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        tracing::error!(catalog = %catalog.name, "planning ended by a fault of ours: {error}");
        Vec::new()
    })
}

/// Members whose templates say something else than when they were made, because somebody changed those: they are given
/// their group again.
fn made_otherwise(
    node: &Node,
    listing: &Listing,
    members: Vec<CatalogMember>,
    workshop: &Workshop,
    planned: &[Action],
) -> Vec<Action> {
    let planned: HashSet<&Name> = planned.iter().map(Action::zone).collect();
    let listed: HashSet<&Name> = listing.entries().iter().map(|entry| &entry.zone).collect();
    let mut actions = Vec::new();
    for member in members {
        let Some(zone) = node.zone(member.id).filter(|zone| zone.instructions().is_listed()) else { continue };
        if planned.contains(&member.name) || !listed.contains(&member.name) {
            continue;
        }
        let instructions = zone.instructions();
        let template = workshop.template(member.group.as_deref());
        let primaries = instructions.sources.iter().map(|source| &source.configured);
        if instructions.settings != template.settings || !primaries.eq(workshop.primaries(template)) {
            actions.push(Action::ChangeGroup { zone: member.name, group: member.group });
        }
    }
    actions
}

/// Keeps what was seen, and says what is new about it.
fn remember(node: &Node, catalog: &Catalog, now: Seen) {
    let mut seen = node.catalogs.lock();
    let before = seen.insert(catalog.id, now.clone()).unwrap_or_default();
    let is_new = |(key, (_, what)): &(&String, &(Name, Undone))| {
        before.undone.get(*key).is_none_or(|(_, earlier)| earlier != what)
    };
    let new = now.undone.iter().filter(is_new).count();
    if new > SAID_MAX {
        let name = &catalog.name;
        tracing::warn!(catalog = %name, zones = new, "much of what the catalog says is not done: see `secondo catalog show {name}`");
    }
    for (_, (zone, what)) in now.undone.iter().filter(is_new).take(SAID_MAX) {
        match what {
            Undone::Skipped(why) => {
                tracing::warn!(catalog = %catalog.name, %zone, "the catalog lists a zone in vain: {why}");
            }
            Undone::Failed(why) => {
                tracing::error!(catalog = %catalog.name, %zone, "what the catalog says is not done: {why}");
            }
        }
    }
}

/// Makes zones of what the catalog's templates say.
struct Workshop {
    /// Of the catalog's own zone.
    primaries: Vec<Primary>,
    plain: MemberTemplate,
    groups: HashMap<String, MemberTemplate>,
    /// Of the catalog's tenant, zones that only the store knows: one of a member's name goes on as that member.
    stored: HashMap<Name, ZoneId>,
    /// What shows that members' names are the tenant's.
    proof: Option<Proof>,
}

impl Workshop {
    /// None when templates cannot be read, which is said.
    fn of(node: &Node, catalog: &Catalog) -> Option<Self> {
        let read = |text: &str| {
            let unreadable = |error: String| {
                tracing::error!(catalog = %catalog.name, "what the catalog's members are made of cannot be read, they stay as they are: {error}");
            };
            template::read(text).map_err(unreadable).ok()
        };
        let groups = catalog.settings.groups.iter().map(|(group, text)| Some((group.clone(), read(text)?)));
        let instructions = node.zone(catalog.id)?.instructions();
        Some(Self {
            primaries: instructions.sources.iter().map(|source| source.configured.clone()).collect(),
            plain: read(&catalog.settings.template)?,
            groups: groups.collect::<Option<_>>()?,
            stored: node
                .kept
                .all()
                .iter()
                .chain(&node.all_unlisted())
                .filter(|zone| zone.tenant == catalog.tenant)
                .map(|zone| (zone.name.clone(), zone.id))
                .collect(),
            proof: node.proof_at_once(catalog.tenant),
        })
    }

    fn template(&self, group: Option<&str>) -> &MemberTemplate {
        group.and_then(|group| self.groups.get(group)).unwrap_or(&self.plain)
    }

    fn primaries<'a>(&'a self, template: &'a MemberTemplate) -> &'a [Primary] {
        let both = [&template.primaries, &self.plain.primaries, &self.primaries];
        both.into_iter().find(|primaries| !primaries.is_empty()).unwrap_or(&self.primaries)
    }

    fn make(&self, name: &Name, group: Option<&str>) -> NewZone {
        let template = self.template(group);
        NewZone {
            settings: template.settings.clone(),
            stored_as: self.stored.get(name).copied(),
            proof: self.proof,
            ..NewZone::answering(name.clone(), self.primaries(template).to_vec())
        }
    }
}

/// What was done, for the log.
#[derive(Default, PartialEq, Eq)]
struct Tally {
    added: usize,
    removed: usize,
    reset: usize,
    changed: usize,
    moved: usize,
    held: usize,
    found: usize,
}

impl Tally {
    fn count(&mut self, action: &Action) {
        *match action {
            Action::Add { .. } => &mut self.added,
            Action::Remove { .. } => &mut self.removed,
            Action::Reset { .. } => &mut self.reset,
            Action::ChangeGroup { .. } => &mut self.changed,
            Action::Migrate { .. } => &mut self.moved,
            Action::Hold { .. } => &mut self.held,
            Action::Found { .. } => &mut self.found,
            Action::Skip { .. } => return,
        } += 1;
    }

    fn say(&self, catalog: &Catalog, listing: &Listing) {
        if *self == Self::default() {
            return;
        }
        let (name, serial) = (&catalog.name, listing.serial().0);
        let Self { added, removed, reset, changed, moved, held, found } = self;
        tracing::info!(catalog = %name, serial, added, removed, reset, changed, moved, held, found, "the catalog is followed");
        if *held > 0 {
            tracing::warn!(
                catalog = %name, serial, zones = held,
                "the catalog does not list many zones any more; they stay until it has gone without them for {} s, or until \
                 `secondo catalog accept {name}`",
                catalog.settings.guard.delay.as_secs()
            );
        }
    }
}
