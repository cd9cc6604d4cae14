//! The configuration file: its sections, and what they make of the configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use api::doors::NewZone;
use dns::Name;
use serde::Deserialize;
use toml::Spanned;
use xfr::{Setting, SettingError};

use super::alerts::{AlertsSection, read_alerts};
use super::catalog::{CatalogSection, read_catalog};
use super::delegation::{DelegationSection, read_delegation};
use super::http::{HttpSection, read_http};
use super::inventory_location::{InventorySection, read_location};
use super::limits::{LimitsSection, read_limits};
use super::listening::{DnsSection, listen_addresses, persona};
use super::mail::{MailSection, read_mail};
use super::problems::{Problem, Problems};
use super::rate_limit::{RateLimitSection, read_rate_limit};
use super::tenancy::{TenancySection, read_tenancy};
use super::tls::{TlsSection, read_tls};
use super::zone::{KeySection, ZoneSection, read_key, read_zone};
use super::{Configuration, Mode, TIMERS, detail, shape};

/// The file, as it is written; it holds secrets, and is not for printing.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    data: Option<PathBuf>,
    inventory: InventorySection,
    dns: DnsSection,
    http: HttpSection,
    /// What counts where nothing is set for a zone; the first are those settings that are about time.
    timers: SettingsSection,
    defaults: SettingsSection,
    limits: LimitsSection,
    rate_limit: RateLimitSection,
    catalogs: CatalogsSection,
    tls: TlsSection,
    delegation: DelegationSection,
    transfer_out: TransferOutSection,
    tenancy: TenancySection,
    mail: Option<Spanned<MailSection>>,
    alerts: AlertsSection,
    key: Vec<Spanned<KeySection>>,
    zone: Vec<Spanned<ZoneSection>>,
    catalog: Vec<Spanned<CatalogSection>>,
}

/// Settings by their names.
pub(super) type SettingsSection = BTreeMap<Spanned<String>, Spanned<String>>;

/// What goes for all catalogs.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct CatalogsSection {
    keep_removed: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct TransferOutSection {
    allow: Option<Vec<Spanned<String>>>,
    notify: Option<Vec<Spanned<String>>>,
    catalog: Option<Spanned<String>>,
}

/// What a file says of all that takes another start. It holds secrets, and is not for printing.
#[derive(Default)]
pub(crate) struct Written(toml::Table);

/// What is taken over while the program runs; of `[transfer_out]` all but the catalog.
const TAKEN_OVER: [&str; 5] = ["key", "zone", "catalog", "timers", "defaults"];

impl Written {
    fn of(text: &str) -> Self {
        // That it is TOML was seen before.
        let mut sections: toml::Table = text.parse().unwrap_or_default();
        sections.retain(|name, _| !TAKEN_OVER.contains(&name));
        if let Some(toml::Value::Table(transfer_out)) = sections.get_mut("transfer_out") {
            transfer_out.retain(|name, _| name == "catalog");
        }
        sections.retain(|_, section| section.as_table().is_none_or(|section| !section.is_empty()));
        Self(sections)
    }

    /// The sections that differ.
    pub(crate) fn differing(&self, other: &Self) -> BTreeSet<String> {
        let names = self.0.keys().chain(other.0.keys());
        names.filter(|name| self.0.get(*name) != other.0.get(*name)).cloned().collect()
    }
}

impl std::fmt::Debug for Written {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Written").finish_non_exhaustive()
    }
}

/// What a file is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Flags are still to say where HTTP is listened for, and how.
    Start,
    /// There is nothing but the file.
    Check,
    /// Somebody has changed it. Whether certificates and cookie secrets can be used, those find out who follow them.
    Again,
}

/// Reads the file, and those that it names.
///
/// # Errors
/// Everything that is wrong with it, in the order of the file.
pub(super) fn read(text: &str, purpose: Purpose) -> Result<Configuration, Vec<Problem>> {
    let mut problems = Problems::new(purpose != Purpose::Again);
    let file: File = shape::read(text, &mut problems);
    let listen_at = file.http.listen_at();
    let mut configuration = file.into_configuration(text, &mut problems);
    configuration.written = Written::of(text);
    if purpose == Purpose::Check && configuration.http.is_careless() {
        problems.note(listen_at, super::ConfigurationError::ClearText(configuration.http.listen).to_string());
    }
    let problems = problems.placed(text);
    if problems.is_empty() { Ok(configuration) } else { Err(problems) }
}

impl File {
    fn into_configuration(self, text: &str, problems: &mut Problems) -> Configuration {
        let mut configuration = Configuration {
            mail: self.mail.as_ref().and_then(|section| read_mail(section, problems)),
            alerts: read_alerts(&self.alerts, problems),
            tenancy: read_tenancy(&self.tenancy, self.mail.is_some(), problems),
            ..Configuration::default()
        };
        if configuration.tenancy.mode == Mode::Multi {
            // A tenant's zone is not for everybody on this machine.
            configuration.defaults.allow_transfer = Vec::new();
        }
        if let Some(data) = self.data {
            configuration.data = data;
        }
        configuration.postgres = read_location(&self.inventory, problems);
        configuration.persona = persona(&self.dns, problems);
        if let Some(listen) = &self.dns.listen {
            configuration.dns = listen_addresses(listen, problems);
        }
        if let Some(allow) = &self.transfer_out.allow {
            configuration.defaults.allow_transfer = problems.read_all(allow);
        }
        if let Some(targets) = &self.transfer_out.notify {
            configuration.defaults.notify_to = problems.read_all(targets);
        }
        read_defaults(&self.timers, &self.defaults, text, &mut configuration, problems);
        configuration.limits = read_limits(&self.limits, problems);
        configuration.rate = read_rate_limit(&self.rate_limit, configuration.tenancy.mode, problems);
        if let Some(time) = problems.read_if_given(self.catalogs.keep_removed.as_ref(), time_or_off) {
            configuration.keep_removed = time;
        }
        configuration.tls = read_tls(&self.tls, problems);
        configuration.delegation = read_delegation(&self.delegation, problems);
        configuration.http = read_http(&self.http, self.tls.has_certificate(), problems);
        configuration.dns_over_tls = listen_addresses(&self.dns.tls_listen, problems);
        configuration.dns_over_quic = listen_addresses(&self.dns.quic_listen, problems);
        let has_secured = !configuration.dns_over_tls.is_empty() || !configuration.dns_over_quic.is_empty();
        let mut secured = self.dns.tls_listen.iter().chain(&self.dns.quic_listen);
        if let (true, Some(first), false) = (has_secured, secured.next(), self.tls.has_certificate()) {
            let message = "TLS and QUIC need a certificate and its key: give both below [tls]";
            problems.note(first.span().start, message);
        }
        read_what_is_here(&self.key, &self.zone, &self.catalog, &self.transfer_out, &mut configuration, problems);
        configuration
    }
}

/// `[timers]` and `[defaults]`.
fn read_defaults(
    timers: &SettingsSection,
    defaults: &SettingsSection,
    text: &str,
    configuration: &mut Configuration,
    problems: &mut Problems,
) {
    for (name, value) in timers.iter().chain(defaults) {
        let Some(setting) = problems.read(name, setting_name) else { continue };
        if timers.contains_key(name) && !TIMERS.contains(&setting) {
            problems.note(name.span().start, format!("{setting} is no timer: write it below [defaults]"));
            continue;
        }
        let set = |value: &str| configuration.defaults.set(setting, value).map_err(|error| error.to_string());
        problems.read(value, set);
    }
    if let Err(error) = configuration.defaults.check() {
        problems.note(text.find("[timers]").unwrap_or(0), error.to_string());
    }
}

/// Keys, zones and catalogs.
fn read_what_is_here(
    keys: &[Spanned<KeySection>],
    zones: &[Spanned<ZoneSection>],
    catalogs: &[Spanned<CatalogSection>],
    transfer_out: &TransferOutSection,
    configuration: &mut Configuration,
    problems: &mut Problems,
) {
    let mut names = BTreeSet::new();
    for section in keys {
        let Some(key) = read_key(section, &mut names, problems) else { continue };
        configuration.keys.push(key);
    }
    let mut names: BTreeSet<Name> = BTreeSet::new();
    for section in zones {
        let Some(zone) = read_zone(section, &mut names, problems) else { continue };
        if let Err(error) = configuration.defaults.with(&zone.settings) {
            problems.note(section.get_ref().at(section.span().start), error.to_string());
        }
        configuration.zones.push(zone);
    }
    if let Some(text) = &transfer_out.catalog {
        let name = problems.read(text, |text| api::text::zone_name(text).map_err(detail));
        if let Some(name) = &name {
            problems.once(&mut names, name, text, "zone");
        }
        configuration.catalog_out = name;
    }
    for section in catalogs {
        configuration.catalogs.extend(read_catalog(section, &mut names, problems));
    }
}

pub(super) fn setting_name(name: &str) -> Result<Setting, String> {
    name.parse().map_err(|error: SettingError| error.to_string())
}

pub(super) fn time_or_off(text: &str) -> Result<Duration, String> {
    if text == "off" {
        return Ok(Duration::ZERO);
    }
    let secs = xfr::span::seconds(text).map_err(|error| format!("{error}; off for not at all"))?;
    Ok(Duration::from_secs(secs.into()))
}

/// A zone's name, as the section's field has it.
pub(super) fn zone_name(
    field: Option<&Spanned<String>>,
    at: usize,
    names: &mut BTreeSet<Name>,
    problems: &mut Problems,
) -> Option<Name> {
    let text = problems.required(field, at, "name")?;
    let name = problems.read(text, |text| api::text::zone_name(text).map_err(detail))?;
    problems.once(names, &name, text, "zone");
    Some(name)
}

/// A zone of these; none where something is wrong, which is noted at `at`.
pub(super) fn new_zone(
    name: Option<Name>,
    primaries: Option<Vec<xfr::Primary>>,
    at: usize,
    problems: &mut Problems,
) -> Option<NewZone> {
    NewZone::new(name?, primaries?).map_err(|problem| problems.note(at, detail(problem))).ok()
}
