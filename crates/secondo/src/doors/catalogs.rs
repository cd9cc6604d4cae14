//! Catalogs: what they may do, what became of what they list, and who may change a member.
//!
//! A member is the catalog's: its primaries and settings are the template's, and whether it is here is what the catalog
//! says. So whatever would change one by hand is refused rather than undone at the catalog's next version; whoever wants
//! a member as a zone of their own adds it, and what is configured goes before every catalog.

use std::collections::BTreeMap;
use std::time::Duration;

use api::doors::{Caller, CatalogChange, MemberTemplate, NamePage, NewCatalog, TemplateChange};
use api::{Code, Problem, json, text};
use dns::{Name, Serial};
use inventory::{Catalog, CatalogError, CatalogMember, CatalogSettings, Inventory, TenantId};
use xfr::SettingError;
use zone::catalog::Guard;

use super::intent::{not_added, not_settable, row};
use super::{House, unavailable, unknown};
use crate::catalogs::{self, Undone, Unfollowed, keys_of_template};
use crate::followed::Role;
use crate::ledger::time;
use crate::roster::sort_key;

/// A catalog of which nothing has been said: it may list every name, and its members are copied from its own primaries.
/// That is what whoever runs both ends expects; who does not trust the catalog's maker that far names suffixes.
fn usual() -> CatalogSettings {
    CatalogSettings {
        suffixes: vec![Name::root()],
        template: catalogs::write_template(&MemberTemplate::default()),
        groups: BTreeMap::new(),
        guard: Guard::default(),
    }
}

/// The settings of a catalog that somebody configures.
pub(crate) fn configured(change: CatalogChange) -> CatalogSettings {
    let plain = MemberTemplate::default();
    settings(&usual(), plain, change).expect("what is to be set was read, and has all been set together")
}

/// The settings of a catalog after a change; `members` is what its members were made of.
fn settings(
    before: &CatalogSettings,
    mut members: MemberTemplate,
    change: CatalogChange,
) -> Result<CatalogSettings, SettingError> {
    let CatalogChange { suffixes, members: TemplateChange { primaries, settings }, groups, guard } = change;
    members.primaries = primaries.unwrap_or(members.primaries);
    members.settings.change(&settings)?;
    let written = |(group, template)| (group, catalogs::write_template(&template));
    Ok(CatalogSettings {
        suffixes: suffixes.unwrap_or_else(|| before.suffixes.clone()),
        template: catalogs::write_template(&members),
        groups: groups.map_or_else(|| before.groups.clone(), |groups| groups.into_iter().map(written).collect()),
        guard: Guard {
            delay: guard.delay.unwrap_or(before.guard.delay),
            share_percent: guard.share_percent.unwrap_or(before.guard.share_percent),
            zones_min: guard.zones_min.unwrap_or(before.guard.zones_min),
        },
    })
}

impl House {
    /// Refuses what would be done to a member by hand.
    pub(super) async fn refuse_members(
        &self,
        inventory: &Inventory,
        tenant: TenantId,
        name: &Name,
    ) -> Result<(), Problem> {
        let catalog = inventory.catalog_of(tenant, name).await.map_err(|error| unavailable(&error))?;
        let Some(catalog) = catalog else { return Ok(()) };
        let detail = format!(
            "the zone {name} is a member of the catalog {catalog}, which says what becomes of it: change it there, or see \
             `secondo catalog set {catalog} --help`; to have it as a zone of its own whatever the catalog says, configure \
             it with `secondo zone add {name}`"
        );
        Err(Problem::new(Code::ZoneOfCatalog, detail))
    }

    /// A catalog must not go unnoticed that it is one: its members would be followed no longer.
    pub(super) fn refuse_catalogs(&self, tenant: TenantId, name: &Name) -> Result<(), Problem> {
        let is_catalog = |zone: std::sync::Arc<crate::followed::Followed>| {
            let instructions = zone.instructions();
            instructions.role == Role::Catalog && instructions.is_listed()
        };
        if !self.node.zone_of(tenant, name).is_some_and(is_catalog) {
            return Ok(());
        }
        let detail = format!(
            "the zone {name} is a catalog: remove it with `secondo catalog remove {name}`; its members stay, as zones of \
             their own"
        );
        Err(Problem::new(Code::ZoneIsCatalog, detail))
    }

    pub(super) async fn catalog_named(
        &self,
        inventory: &Inventory,
        tenant: TenantId,
        name: &Name,
    ) -> Result<Catalog, Problem> {
        let catalogs = inventory.list_catalogs(tenant).await.map_err(|error| unavailable(&error))?;
        catalogs.into_iter().find(|catalog| catalog.name == *name).ok_or_else(|| no_catalog(name))
    }

    pub(super) async fn add_catalog_and_zone(
        &self,
        caller: &Caller,
        catalog: NewCatalog,
    ) -> Result<json::Catalog, Problem> {
        let (inventory, tenant) = (self.inventory()?, caller.tenant);
        self.check_zone(&catalog.zone)?;
        let (row, settings) = (row(&self.node, tenant, &catalog.zone), configured(catalog.rules));
        self.check_templates(&settings)?;
        let id = inventory.add_catalog(&self.by_caller(caller), tenant, &row, &settings, keys_of_template).await;
        let id = id.map_err(|error| not_added(&error))?;
        let is_listed = || self.node.zone(id).is_some_and(|zone| zone.instructions().is_listed());
        self.until_matched(async || is_listed()).await;
        let catalog = self.catalog_named(&inventory, tenant, &row.name).await?;
        self.shown_catalog(&inventory, &catalog).await
    }

    pub(super) async fn change_rules(
        &self,
        caller: &Caller,
        name: &Name,
        change: CatalogChange,
    ) -> Result<json::Catalog, Problem> {
        let (inventory, tenant) = (self.inventory()?, caller.tenant);
        let decide = |before: &CatalogSettings| {
            let members = read_template(&before.template)?;
            let after = settings(before, members, change).map_err(|error| not_settable(&error))?;
            self.check_templates(&after)?;
            Ok(after)
        };
        let changed = inventory.change_catalog(&self.by_caller(caller), tenant, name, keys_of_template, decide).await;
        changed.map_err(|error| problem(&error))??;
        let catalog = self.catalog_named(&inventory, tenant, name).await?;
        self.shown_catalog(&inventory, &catalog).await
    }

    pub(super) async fn remove_catalog_and_zone(&self, caller: &Caller, name: &Name) -> Result<(), Problem> {
        let inventory = self.inventory()?;
        let removed = inventory.remove_catalog(&self.by_caller(caller), caller.tenant, name).await;
        let id = removed.map_err(|error| problem(&error))?;
        self.until_removed(&inventory, id).await;
        Ok(())
    }

    pub(super) async fn accept_version(
        &self,
        tenant: TenantId,
        name: &Name,
        serial: Serial,
    ) -> Result<json::Catalog, Problem> {
        let inventory = self.inventory()?;
        let catalog = self.catalog_named(&inventory, tenant, name).await?;
        let (task_node, task_inventory, task_catalog) = (self.node.clone(), inventory.clone(), catalog.clone());
        // In a task of its own: whoever asked may go away, and what they accepted is done to its end.
        let accepting =
            tokio::spawn(async move { catalogs::accept(&task_node, &task_inventory, &task_catalog, serial).await });
        match accepting.await {
            Ok(Ok(())) => self.shown_catalog(&inventory, &catalog).await,
            Ok(Err(Unfollowed::Catalog(error))) => Err(problem(&error)),
            Ok(Err(error @ Unfollowed::Changed { .. })) => Err(Problem::new(Code::CatalogChanged, error.to_string())),
            Ok(Err(error)) => Err(Problem::new(Code::CatalogNotRead, error.to_string())),
            Err(error) => Err(Problem::new(Code::Internal, error.to_string())),
        }
    }

    /// Whether members can be followed as the templates say.
    fn check_templates(&self, settings: &CatalogSettings) -> Result<(), Problem> {
        for template in settings.groups.values().chain([&settings.template]) {
            let members = read_template(template)?;
            self.check_settings(&members.settings)?;
            self.check_primaries(&members.primaries)?;
        }
        Ok(())
    }

    pub(super) async fn all_catalogs(&self, tenant: TenantId) -> Result<Vec<json::Catalog>, Problem> {
        let inventory = self.inventory()?;
        let mut catalogs = inventory.list_catalogs(tenant).await.map_err(|error| unavailable(&error))?;
        catalogs.sort_by_cached_key(|catalog| sort_key(&catalog.name));
        let mut shown = Vec::with_capacity(catalogs.len());
        for catalog in &catalogs {
            shown.push(self.shown_catalog(&inventory, catalog).await?);
        }
        Ok(shown)
    }

    pub(super) async fn shown_catalog(
        &self,
        inventory: &Inventory,
        catalog: &Catalog,
    ) -> Result<json::Catalog, Problem> {
        let zone = self.node.zone(catalog.id).ok_or_else(|| unknown(&catalog.name))?;
        let members = inventory.catalog_members(catalog).await.map_err(|error| unavailable(&error))?;
        let seen = self.node.catalogs.seen(catalog.id);
        let CatalogSettings { suffixes, template, groups, guard } = &catalog.settings;
        let groups = groups.iter().map(|(group, template)| Ok((group.clone(), shown_template(template)?)));
        Ok(json::Catalog {
            zone: self.shown(&zone),
            suffixes: suffixes.iter().map(ToString::to_string).collect(),
            members: shown_template(template)?,
            groups: groups.collect::<Result<_, _>>()?,
            guard: json::Guard {
                delay: text::guard_delay_text(guard.delay),
                share_percent: guard.share_percent,
                zones_min: guard.zones_min,
            },
            created_at: time(catalog.created_at),
            followed_serial: seen.followed.map(|serial| serial.0),
            fault: seen.broken.map(|(_, broken)| broken.to_string()),
            member_count: members.len() as u64,
            waiting_count: members.iter().filter(|member| member.missing_since.is_some()).count() as u64,
            skipped_count: seen.undone.values().filter(|(_, what)| matches!(what, Undone::Skipped(_))).count() as u64,
        })
    }

    pub(super) async fn members_of_catalog(
        &self,
        tenant: TenantId,
        name: &Name,
        page: NamePage,
    ) -> Result<Vec<json::CatalogMember>, Problem> {
        let inventory = self.inventory()?;
        let catalog = self.catalog_named(&inventory, tenant, name).await?;
        let members = inventory.catalog_members(&catalog).await.map_err(|error| unavailable(&error))?;
        let delay = catalog.settings.guard.delay;
        let mut undone = self.node.catalogs.seen(catalog.id).undone;
        let mut shown: BTreeMap<String, json::CatalogMember> = BTreeMap::new();
        for member in members {
            let key = sort_key(&member.name);
            let why = undone.remove(&key).map(|(_, what)| why(what));
            shown.insert(key, shown_member(member, delay, why));
        }
        shown.extend(undone.into_iter().map(|(key, (name, what))| (key, shown_skip(&name, what))));
        let after = page.after.as_ref().map(sort_key);
        let shown = shown.into_iter().filter(|(key, _)| after.as_ref().is_none_or(|after| key > after));
        Ok(shown.take(page.limit as usize).map(|(_, member)| member).collect())
    }
}

fn shown_member(member: CatalogMember, delay: Duration, why: Option<String>) -> json::CatalogMember {
    let since = member.missing_since;
    json::CatalogMember {
        name: member.name.to_string(),
        state: if since.is_some() { json::MemberState::Waiting } else { json::MemberState::Member },
        label: Some(member.label.to_string()),
        group: member.group,
        since: since.map(time),
        until: since.map(|since| time(since.plus(delay))),
        why,
    }
}

fn shown_skip(name: &Name, what: Undone) -> json::CatalogMember {
    json::CatalogMember {
        name: name.to_string(),
        state: json::MemberState::Skipped,
        label: None,
        group: None,
        since: None,
        until: None,
        why: Some(why(what)),
    }
}

fn why(what: Undone) -> String {
    let (Undone::Skipped(why) | Undone::Failed(why)) = what;
    why
}

fn read_template(text: &str) -> Result<MemberTemplate, Problem> {
    catalogs::read_template(text).map_err(|error| Problem::new(Code::Internal, error))
}

fn shown_template(text: &str) -> Result<json::MemberTemplate, Problem> {
    let template = read_template(text)?;
    Ok(json::MemberTemplate {
        primaries: template.primaries.iter().map(json::Primary::from).collect(),
        settings: template.settings.to_texts(),
    })
}

fn problem(error: &CatalogError) -> Problem {
    match error {
        CatalogError::NotCatalog(name) => no_catalog(name),
        CatalogError::Invalid(error) => not_added(error),
        CatalogError::Inventory(error) => unavailable(error),
    }
}

fn no_catalog(name: &Name) -> Problem {
    Problem::new(Code::CatalogUnknown, format!("there is no catalog {name}: see `secondo catalog list`"))
}
