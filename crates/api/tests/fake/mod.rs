//! A program behind the doors that keeps everything in memory, for tests of the API and of its client.
//!
//! Zones named `slow.example` and `refusing.example` behave as their names say; `huge.example` exports a lot. Of how zones
//! are delegated, [`delegation`] has one for each state, by the zone's name.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

mod alerts;
mod delegation;
mod jobs;
mod organisations;
mod plans;
mod promotions;
mod queries;
mod removed;
mod requested;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use api::doors::{
    Accounts, Actor, AttemptPage, Caller, CatalogChange, Doors, Export, LinkUse, ListPlace, Listed, MemberTemplate,
    Membership, NamePage, NewCatalog, NewKey, NewToken, NewUser, NewZone, News, Opened, Ownership, QuerySpan,
    RecordPage, Records, SecondFactorOffer, Signatures, SignedIn, Text, Visitor, ZoneChange, ZoneList,
};
use api::json::{self, Time};
use api::{Code, Contents, Intent, Problem, Requests, Status};
use async_trait::async_trait;
use dns::Name;
use futures_util::StreamExt;
use xfr::Setting;

/// Opens everything.
pub const TOKEN: &str = "a-token-for-tests";
/// Whoever has this may look, and nothing else.
pub const READING_TOKEN: &str = "a-token-that-reads";
/// Opens everything, and is removed as soon as it has.
pub const TOKEN_FOR_ONCE: &str = "a-token-for-once";
/// What a browser shows that is signed in as the operator.
pub const SESSION: &str = "a-session-for-tests";
/// What a browser shows that is signed in as an owner of the first organisation, who is no operator.
pub const OWNERS_SESSION: &str = "an-owners-session-for-tests";
/// What the forms of these sessions hold.
pub const FORM_TOKEN: &str = "a-form-token-for-tests";
/// How many pieces of text `huge.example` exports.
pub const HUGE_PIECES: usize = 1_000;

#[derive(Default)]
pub struct Fake {
    zones: Mutex<BTreeMap<String, json::Zone>>,
    removed: Mutex<BTreeMap<String, json::Zone>>,
    token_was_used: AtomicBool,
    keys: Mutex<BTreeMap<String, json::Key>>,
    catalogs: Mutex<BTreeMap<String, json::Catalog>>,
    tokens: Mutex<BTreeMap<String, json::Token>>,
    users: Mutex<BTreeMap<String, json::User>>,
    /// By what they are called: what was sent, and what was answered.
    requested: Mutex<BTreeMap<String, (String, Option<String>)>>,
    jobs: Mutex<Vec<api::doors::KeptJob>>,
}

pub fn doors() -> Doors {
    let fake = Arc::new(Fake::default());
    Doors {
        accounts: fake.clone(),
        alerts: fake.clone(),
        newcomers: fake.clone(),
        organisations: fake.clone(),
        intent: fake.clone(),
        requests: fake.clone(),
        contents: fake.clone(),
        status: fake.clone(),
        ownership: fake.clone(),
        plans: fake.clone(),
        promotions: fake.clone(),
        removals: fake.clone(),
        requested: fake.clone(),
        jobs: fake,
    }
}

pub fn router() -> axum::Router {
    api::router(doors(), api::Front::default())
}

fn lower(name: &Name) -> String {
    name.to_lower().to_string()
}

fn unknown(name: &Name) -> Problem {
    Problem::new(Code::ZoneUnknown, format!("there is no zone {name}: see `secondo zone list`"))
}

fn pending(id: u64, zone: &NewZone) -> json::Zone {
    json::Zone {
        id,
        name: zone.name().to_string(),
        state: json::State::Pending,
        freshness: json::Freshness::Pending,
        hold: json::Hold::None,
        service: json::Service::Answering,
        volatile: false,
        serial: None,
        generation: None,
        digest: None,
        records: None,
        primaries: zone.primaries().iter().map(json::Primary::from).collect(),
        settings: zone.settings.to_texts(),
        tags: zone.tags.iter().map(str::to_owned).collect(),
        origin: json::Origin::Configured,
        catalog: None,
        created_at: Time::from_unix_ms(1_795_262_400_000),
        last_success: None,
        next_refresh: None,
        expires_at: None,
        answers_until: None,
        signed_until: None,
        held_back: None,
        warnings: Vec::new(),
        silent: Vec::new(),
        transfers: Vec::new(),
        last_attempt: None,
    }
}

/// A catalog at serial 7 with a member, one that waits and one that is skipped.
fn catalog(zone: &NewZone) -> json::Catalog {
    let guard = json::Guard { delay: "1d".into(), share_percent: 20, zones_min: 3 };
    json::Catalog {
        zone: json::Zone { serial: Some(7), origin: json::Origin::Catalog, ..pending(1, zone) },
        suffixes: vec![".".into()],
        members: json::MemberTemplate::default(),
        groups: BTreeMap::new(),
        guard,
        created_at: Time::from_unix_ms(1_795_262_400_000),
        followed_serial: Some(7),
        fault: None,
        member_count: 2,
        waiting_count: 1,
        skipped_count: 1,
    }
}

fn change(catalog: &mut json::Catalog, change: CatalogChange) {
    let shown = |template: MemberTemplate| json::MemberTemplate {
        primaries: template.primaries.iter().map(json::Primary::from).collect(),
        settings: template.settings.to_texts(),
    };
    if let Some(suffixes) = change.suffixes {
        catalog.suffixes = suffixes.iter().map(ToString::to_string).collect();
    }
    if let Some(primaries) = change.members.primaries {
        catalog.members.primaries = primaries.iter().map(json::Primary::from).collect();
    }
    for (setting, value) in change.members.settings {
        set(&mut catalog.members.settings, setting, value);
    }
    if let Some(groups) = change.groups {
        catalog.groups = groups.into_iter().map(|(group, template)| (group, shown(template))).collect();
    }
    if let Some(delay) = change.guard.delay {
        catalog.guard.delay = api::text::guard_delay_text(delay);
    }
}

fn set(settings: &mut BTreeMap<String, String>, setting: Setting, value: Option<String>) {
    match value {
        Some(value) => settings.insert(setting.to_string(), value),
        None => settings.remove(setting.name()),
    };
}

fn no_catalog(name: &Name) -> Problem {
    Problem::new(Code::CatalogUnknown, format!("there is no catalog {name}: see `secondo catalog list`"))
}

fn attempt(zone: &json::Zone, transfer: json::Transfer) -> json::Attempt {
    let refused = json::Reason {
        code: "refused".into(),
        fault: json::Fault::Primary,
        message: "the primary 192.0.2.1:53 refused the transfer".into(),
        advice: "allow this server's address there".into(),
    };
    let refuses = zone.name.eq_ignore_ascii_case("refusing.example.");
    let at = Time::from_unix_ms(1_795_262_460_000);
    json::Attempt {
        at,
        last_at: at,
        count: 1,
        primary: Some(zone.primaries[0].address.clone()),
        trigger: json::Trigger::Request,
        kind: match transfer {
            json::Transfer::Full => json::AttemptKind::Axfr,
            json::Transfer::Incremental => json::AttemptKind::Ixfr,
        },
        from_serial: zone.serial,
        to_serial: (!refuses).then_some(7),
        bytes: 512,
        records: 9,
        millis: 3,
        outcome: if refuses { json::AttemptOutcome::Failed } else { json::AttemptOutcome::Updated },
        reason: refuses.then_some(refused),
    }
}

/// Well, unless the zone is called otherwise.
fn examination(zone: &NewZone, own_addresses: &[IpAddr]) -> json::Examination {
    let (step, code) = match lower(zone.name()).as_str() {
        "unheld.example." => ("udp_soa", Some("refused")),
        "private.example." => ("udp_soa", Some("address_refused")),
        "refusing.example." => ("axfr", Some("refused")),
        _ => ("axfr", None),
    };
    let refuses = code.is_some();
    let primary = zone.primaries()[0].address.to_string();
    let found = "the primary refused our AXFR request".to_owned();
    let reason = json::Reason {
        code: code.unwrap_or_default().into(),
        fault: json::Fault::Configuration,
        message: found.clone(),
        advice: "Allow our addresses at the primary.".into(),
    };
    let outcome = if refuses { json::StepOutcome::Failed } else { json::StepOutcome::Passed };
    let part = json::PastePart {
        place: "in named.conf, in the zone's block".into(),
        lines: own_addresses.iter().map(|own| format!("allow-transfer {{ {own}; }};")).collect(),
    };
    let holding = json::PastePart {
        place: "in named.conf".into(),
        lines: vec![format!("zone \"{}\" {{ type primary; }};", zone.name())],
    };
    let paste = |software, title: &str| json::Paste {
        software,
        title: title.into(),
        parts: vec![part.clone()],
        holding: vec![holding.clone()],
        notes: Vec::new(),
    };
    json::Examination {
        name: zone.name().to_string(),
        outcome,
        steps: vec![json::Step {
            name: step.into(),
            primary: Some(primary.clone()),
            outcome,
            found: if refuses { found } else { "it gives the zone".into() },
            reason: refuses.then_some(reason),
        }],
        primaries: vec![json::ExaminedPrimary {
            address: primary,
            source: None,
            pin: None,
            guess: Some(json::PrimarySoftware::Bind),
            says: Some("9.18".into()),
            paste: vec![paste(json::PrimarySoftware::Bind, "BIND"), paste(json::PrimarySoftware::Knot, "Knot DNS")],
        }],
    }
}

fn stranger() -> json::NotifyReason {
    json::NotifyReason {
        code: "stranger".into(),
        message: "it comes from no address that may notify the zone".into(),
        advice: "allow it".into(),
    }
}

impl Fake {
    fn keys_are_here(&self, zone: &NewZone) -> Result<(), Problem> {
        for key in zone.primaries().iter().filter_map(|primary| primary.key.as_ref()) {
            if !self.keys.lock().unwrap().contains_key(&lower(key)) {
                return Err(Problem::new(Code::KeyUnknown, format!("there is no key {key}: add it first")));
            }
        }
        Ok(())
    }
}

fn caller(scopes: &[json::Scope], name: &str) -> Caller {
    let (tenant, actor) = (zone::TenantId::DEFAULT, Actor::Token(name.into()));
    Caller { tenant, actor, address: None, scopes: scopes.to_vec() }
}

fn nobody() -> Problem {
    Problem::new(Code::SignInRefused, "nobody signs in here")
}

/// Tokens and sessions are those of the constants above; whatever else there is to be kept is not.
#[async_trait]
impl Accounts for Fake {
    async fn holder(&self, token: &str, _visitor: &Visitor) -> Result<Caller, Problem> {
        match token {
            TOKEN => Ok(caller(json::Scope::ALL, "tests")),
            READING_TOKEN => Ok(caller(&[json::Scope::Read], "reader")),
            TOKEN_FOR_ONCE if !self.token_was_used.swap(true, Ordering::Relaxed) => {
                Ok(caller(json::Scope::ALL, "once"))
            }
            _ => Err(Problem::new(Code::TokenInvalid, "the access token opens nothing here")),
        }
    }

    async fn signed_in(&self, secret: &str) -> Result<Option<SignedIn>, Problem> {
        let membership = Membership {
            tenant: zone::TenantId::DEFAULT,
            name: "default".into(),
            scopes: json::Scope::ALL.to_vec(),
            role: Some(json::Role::Owner),
        };
        let (user, is_operator) = match secret {
            SESSION => (1, true),
            OWNERS_SESSION => (2, false),
            _ => return Ok(None),
        };
        Ok(Some(SignedIn {
            user,
            email: if is_operator { "operator@example.org" } else { "owner@example.org" }.into(),
            is_operator,
            has_second_factor: false,
            wants_code: false,
            tenants: vec![membership],
            secret: secret.into(),
            form_token: FORM_TOKEN.into(),
        }))
    }

    async fn still_signed_in(&self, secret: &str) -> Result<Option<SignedIn>, Problem> {
        self.signed_in(secret).await
    }

    async fn has_operator(&self) -> Result<bool, Problem> {
        Ok(true)
    }

    async fn sign_in(&self, _: &Visitor, _: &str, _: &str) -> Result<Opened, Problem> {
        Err(nobody())
    }

    async fn show_code(&self, _: &Visitor, _: &str, _: &str) -> Result<Opened, Problem> {
        Err(nobody())
    }

    async fn sign_out(&self, _: &str) -> Result<(), Problem> {
        Ok(())
    }

    async fn sign_out_elsewhere(&self, _: &Visitor, _: &SignedIn) -> Result<(), Problem> {
        Ok(())
    }

    async fn link(&self, _: &str) -> Result<LinkUse, Problem> {
        Err(Problem::new(Code::LinkInvalid, "the link has been used"))
    }

    async fn create_operator(&self, _: &Visitor, _: &str, _: &str, _: &str) -> Result<Opened, Problem> {
        Err(nobody())
    }

    async fn set_password(&self, _: &Visitor, _: &str, _: &str) -> Result<Opened, Problem> {
        Err(nobody())
    }

    async fn change_password(&self, _: &Visitor, _: &SignedIn, _: &str, _: &str) -> Result<(), Problem> {
        Err(nobody())
    }

    async fn recovery_codes(&self, _: &SignedIn) -> Result<u64, Problem> {
        Ok(7)
    }

    async fn remove_second_factor_of(&self, _: &Caller, email: &str) -> Result<(), Problem> {
        Err(no_user(email))
    }

    async fn offer_second_factor(&self, _: &SignedIn) -> Result<SecondFactorOffer, Problem> {
        Ok(SecondFactorOffer { secret: "GEZDGNBVGY3TQOJQ".into(), url: "otpauth://totp/Secondo:operator".into() })
    }

    async fn set_second_factor(
        &self,
        _: &Visitor,
        _: &SignedIn,
        _: &str,
        _: &str,
        _: &str,
    ) -> Result<Vec<String>, Problem> {
        Err(Problem::new(Code::CodeWrong, "this is not the code"))
    }

    async fn remove_second_factor(&self, _: &Visitor, _: &SignedIn, _: &str) -> Result<(), Problem> {
        Err(nobody())
    }

    async fn sessions(&self, _: &SignedIn) -> Result<Vec<json::Session>, Problem> {
        Ok(Vec::new())
    }

    async fn tokens(&self, _: &Caller) -> Result<Vec<json::Token>, Problem> {
        Ok(self.tokens.lock().unwrap().values().cloned().collect())
    }

    async fn add_token(&self, _: &Caller, token: NewToken) -> Result<json::AddedToken, Problem> {
        let mut tokens = self.tokens.lock().unwrap();
        if tokens.contains_key(&token.name) {
            return Err(Problem::new(Code::TokenExists, format!("there is a token {} already", token.name)));
        }
        let made = json::Token {
            name: token.name.clone(),
            scopes: token.scopes,
            made_by: "tests".into(),
            created_at: Time::from_unix_ms(1_795_262_400_000),
            ends_at: token.ends_at,
            used_at: None,
        };
        tokens.insert(token.name.clone(), made);
        Ok(json::AddedToken { name: token.name, token: "secondo_0".into() })
    }

    async fn remove_token(&self, _: &Caller, name: &str) -> Result<(), Problem> {
        let removed = self.tokens.lock().unwrap().remove(name);
        removed.map(drop).ok_or_else(|| Problem::new(Code::TokenUnknown, format!("there is no token {name}")))
    }

    async fn users(&self, _: &Caller) -> Result<Vec<json::User>, Problem> {
        Ok(self.users.lock().unwrap().values().cloned().collect())
    }

    async fn add_user(&self, _: &Caller, user: NewUser) -> Result<json::PasswordLink, Problem> {
        let mut users = self.users.lock().unwrap();
        if users.contains_key(&user.email) {
            return Err(Problem::new(Code::UserExists, format!("there is a user {} already", user.email)));
        }
        let made = json::User {
            email: user.email.clone(),
            operator: user.is_operator,
            role: Some(user.role),
            second_factor: false,
            created_at: Time::from_unix_ms(1_795_262_400_000),
            seen_at: None,
            verified_at: None,
        };
        users.insert(user.email.clone(), made);
        Ok(password_link(&user.email))
    }

    async fn link_for_password(&self, _: &Caller, email: &str) -> Result<json::PasswordLink, Problem> {
        let is_here = self.users.lock().unwrap().contains_key(email);
        if is_here { Ok(password_link(email)) } else { Err(no_user(email)) }
    }

    async fn remove_user(&self, _: &Caller, email: &str) -> Result<(), Problem> {
        self.users.lock().unwrap().remove(email).map(drop).ok_or_else(|| no_user(email))
    }

    async fn audit(&self, _: &Caller, _: Option<u64>, limit: u32) -> Result<json::Audit, Problem> {
        let entry = |id: u64| json::AuditEntry {
            id,
            at: Time::from_unix_ms(1_795_262_400_000),
            actor: "alice@example.org".into(),
            address: Some("203.0.113.9".into()),
            act: "zone.ordered".into(),
            subject: "example.org.".into(),
            details: serde_json::json!({ "order": "publish", "generation": id }),
        };
        Ok(json::Audit { entries: (1..=3).rev().take(limit as usize).map(entry).collect(), next: None })
    }
}

fn password_link(email: &str) -> json::PasswordLink {
    let ends_at = Time::from_unix_ms(1_795_262_400_000);
    json::PasswordLink { email: email.into(), path: Some("/link/0".into()), ends_at }
}

fn no_user(email: &str) -> Problem {
    Problem::new(Code::UserUnknown, format!("there is no user {email}"))
}

#[async_trait]
impl Intent for Fake {
    async fn add_zone(&self, _: &Caller, zone: NewZone) -> Result<json::Zone, Problem> {
        self.keys_are_here(&zone)?;
        let mut zones = self.zones.lock().unwrap();
        let id = zones.len() as u64 + 1;
        let name = lower(zone.name());
        if zones.contains_key(&name) {
            return Err(Problem::new(Code::ZoneExists, format!("the zone {} exists already", zone.name())));
        }
        zones.insert(name, pending(id, &zone));
        Ok(pending(id, &zone))
    }

    async fn import_zones(&self, caller: &Caller, zones: Vec<NewZone>) -> Result<Vec<Result<(), Problem>>, Problem> {
        let mut results = Vec::new();
        for zone in zones {
            results.push(self.add_zone(caller, zone).await.map(drop));
        }
        Ok(results)
    }

    async fn change_zone(&self, _: &Caller, name: &Name, change: ZoneChange) -> Result<json::Zone, Problem> {
        let mut zones = self.zones.lock().unwrap();
        let zone = zones.get_mut(&lower(name)).ok_or_else(|| unknown(name))?;
        if let Some(primaries) = &change.primaries {
            zone.primaries = primaries.iter().map(json::Primary::from).collect();
        }
        for (setting, value) in change.settings {
            set(&mut zone.settings, setting, value);
        }
        if let Some(tags) = &change.tags {
            zone.tags = tags.iter().map(str::to_owned).collect();
        }
        match change.service {
            Some(json::ServiceOrder::Resume | json::ServiceOrder::Enable) => zone.service = json::Service::Answering,
            Some(json::ServiceOrder::Pause) => zone.service = json::Service::Paused,
            Some(json::ServiceOrder::Disable) => zone.service = json::Service::Disabled,
            None => {}
        }
        zone.state = json::State::derive(zone.freshness, zone.hold, zone.service);
        Ok(zone.clone())
    }

    async fn add_catalog(&self, _: &Caller, new: NewCatalog) -> Result<json::Catalog, Problem> {
        let mut made = catalog(&new.zone);
        change(&mut made, new.rules);
        self.catalogs.lock().unwrap().insert(lower(new.zone.name()), made.clone());
        Ok(made)
    }

    async fn change_catalog(&self, _: &Caller, name: &Name, wanted: CatalogChange) -> Result<json::Catalog, Problem> {
        let mut catalogs = self.catalogs.lock().unwrap();
        let catalog = catalogs.get_mut(&lower(name)).ok_or_else(|| no_catalog(name))?;
        change(catalog, wanted);
        Ok(catalog.clone())
    }

    async fn remove_catalog(&self, _: &Caller, name: &Name) -> Result<(), Problem> {
        self.catalogs.lock().unwrap().remove(&lower(name)).map(drop).ok_or_else(|| no_catalog(name))
    }

    fn check_primary(&self, _primary: &xfr::Primary) -> Result<(), Problem> {
        Ok(())
    }

    async fn add_key(&self, _: &Caller, key: NewKey) -> Result<json::AddedKey, Problem> {
        let mut keys = self.keys.lock().unwrap();
        if keys.contains_key(&lower(&key.name)) {
            return Err(Problem::new(Code::KeyExists, format!("the key {} exists already", key.name)));
        }
        if key.secret.as_deref().is_some_and(|secret| secret.contains('!')) {
            return Err(Problem::new(Code::SecretInvalid, "the secret is not base64"));
        }
        let kept = json::Key {
            name: key.name.to_string(),
            algorithm: key.algorithm,
            created_at: Time::from_unix_ms(0),
            primaries: 0,
        };
        keys.insert(lower(&key.name), kept);
        let secret = if key.secret.is_none() { Some("Z2VuZXJhdGVk".to_owned()) } else { None };
        Ok(json::AddedKey { name: key.name.to_string(), algorithm: key.algorithm, secret })
    }

    async fn keys(&self, _: &Caller) -> Result<Vec<json::Key>, Problem> {
        Ok(self.keys.lock().unwrap().values().cloned().collect())
    }

    async fn remove_key(&self, _: &Caller, name: &Name) -> Result<(), Problem> {
        let zones = self.zones.lock().unwrap();
        let used = |primary: &json::Primary| primary.key.as_ref().is_some_and(|key| *key == lower(name));
        if zones.values().any(|zone| zone.primaries.iter().any(used)) {
            return Err(Problem::new(Code::KeyInUse, format!("the key {name} is in use")));
        }
        let removed = self.keys.lock().unwrap().remove(&lower(name));
        removed.map(drop).ok_or_else(|| Problem::new(Code::KeyUnknown, format!("there is no key {name}")))
    }
}

#[async_trait]
impl Requests for Fake {
    async fn examine(
        &self,
        _: &Caller,
        zone: &NewZone,
        own_addresses: Vec<IpAddr>,
    ) -> Result<json::Examination, Problem> {
        self.keys_are_here(zone)?;
        Ok(examination(zone, &own_addresses))
    }

    async fn refresh(
        &self,
        caller: &Caller,
        name: &Name,
        transfer: json::Transfer,
    ) -> Result<json::Attempt, Problem> {
        let zone = self.zone(caller, name).await?;
        if lower(name) == "slow.example." {
            std::future::pending::<()>().await;
        }
        let attempt = attempt(&zone, transfer);
        if let Some(zone) = self.zones.lock().unwrap().get_mut(&lower(name)) {
            zone.serial = attempt.to_serial;
            zone.last_attempt = Some(attempt.clone());
        }
        Ok(attempt)
    }

    async fn delegation(&self, caller: &Caller, name: &Name) -> Result<json::Delegation, Problem> {
        self.zone(caller, name).await?;
        Ok(delegation::of(name))
    }

    async fn begin_delegation(&self, caller: &Caller, name: &Name) -> Result<bool, Problem> {
        self.zone(caller, name).await.map(|_| true)
    }

    async fn order_hold(&self, _: &Caller, name: &Name, order: json::OrderHold) -> Result<json::Zone, Problem> {
        let mut zones = self.zones.lock().unwrap();
        let zone = zones.get_mut(&lower(name)).ok_or_else(|| unknown(name))?;
        zone.hold = match order.order {
            json::HoldOrder::Freeze => json::Hold::Frozen,
            json::HoldOrder::Thaw => json::Hold::None,
            json::HoldOrder::Publish | json::HoldOrder::Keep => {
                return Err(Problem::new(Code::NothingHeld, format!("no version of {name} is held back")));
            }
        };
        Ok(zone.clone())
    }

    async fn accept_catalog(&self, _: &Caller, name: &Name, serial: u32) -> Result<json::Catalog, Problem> {
        let mut catalogs = self.catalogs.lock().unwrap();
        let catalog = catalogs.get_mut(&lower(name)).ok_or_else(|| no_catalog(name))?;
        if catalog.followed_serial != Some(serial) {
            return Err(Problem::new(Code::CatalogChanged, format!("{name} is at another serial than {serial}")));
        }
        (catalog.member_count, catalog.waiting_count) = (1, 0);
        Ok(catalog.clone())
    }
}

#[async_trait]
impl Contents for Fake {
    async fn diff(&self, caller: &Caller, name: &Name, from: u64, to: u64) -> Result<Text, Problem> {
        let zone = self.zone(caller, name).await?;
        if from.max(to) > 9 {
            let detail = format!("the generation {} is not among the versions that are kept", from.max(to));
            return Err(Problem::new(Code::GenerationUnknown, detail));
        }
        Ok(Box::new(std::iter::once(format!("- {name} 60 IN TXT \"{from}\"\n+ {} 60 IN TXT \"{to}\"\n", zone.name))))
    }

    async fn held_diff(&self, caller: &Caller, name: &Name) -> Result<Text, Problem> {
        self.zone(caller, name).await?;
        Err(Problem::new(Code::NothingHeld, "no version is held back"))
    }

    async fn records(&self, caller: &Caller, name: &Name, page: RecordPage) -> Result<Records, Problem> {
        let zone = self.zone(caller, name).await?;
        let Some(serial) = zone.serial else {
            return Err(Problem::new(Code::ZoneNotLoaded, format!("the zone {name} has not been transferred yet")));
        };
        let lines = (0..page.limit).map(|number| format!("{number}.{} 60 IN TXT \"<x>\"", zone.name)).collect();
        Ok(Records { serial, lines, next: None })
    }

    async fn export(&self, caller: &Caller, name: &Name, _: Signatures) -> Result<Export, Problem> {
        let zone = self.zone(caller, name).await?;
        let Some(serial) = zone.serial else {
            return Err(Problem::new(Code::ZoneNotLoaded, format!("the zone {name} has not been transferred yet")));
        };
        let pieces = if lower(name) == "huge.example." { HUGE_PIECES } else { 1 };
        let line = format!("{} 60 IN TXT \"x\"\n", zone.name);
        Ok(Export { serial, generation: 1, text: Box::new((0..pieces).map(move |_| line.repeat(1_000))) })
    }
}

#[async_trait]
impl Status for Fake {
    async fn zones(&self, _: &Caller, list: ZoneList) -> Result<Listed, Problem> {
        let after = list.after.as_ref().map(|place| lower(&place.name)).unwrap_or_default();
        let zones = self.zones.lock().unwrap();
        let has_tag = |zone: &json::Zone| list.tag.as_ref().is_none_or(|tag| zone.tags.contains(tag));
        let wanted = zones.iter().filter(|(name, zone)| **name > after && has_tag(zone));
        let zones: Vec<_> = wanted.take(list.limit as usize).map(|(_, zone)| zone.clone()).collect();
        let last = zones.last().filter(|_| zones.len() == list.limit as usize);
        let next = last.map(|last| ListPlace { rank: 7, name: last.name.parse().unwrap() });
        Ok(Listed { zones, next })
    }

    async fn tags(&self, _: &Caller) -> Result<Vec<json::TagCount>, Problem> {
        let mut tags = BTreeMap::<String, u64>::new();
        for zone in self.zones.lock().unwrap().values() {
            zone.tags.iter().for_each(|tag| *tags.entry(tag.clone()).or_default() += 1);
        }
        Ok(tags.into_iter().map(|(tag, zones)| json::TagCount { tag, zones }).collect())
    }

    async fn zone(&self, _: &Caller, name: &Name) -> Result<json::Zone, Problem> {
        self.zones.lock().unwrap().get(&lower(name)).cloned().ok_or_else(|| unknown(name))
    }

    async fn glance(&self, caller: &Caller, name: &Name) -> Result<json::Zone, Problem> {
        self.zone(caller, name).await
    }

    fn default_of(&self, setting: Setting) -> String {
        xfr::Policy::default().text(setting)
    }

    fn news(&self, _zone: u64) -> News {
        futures_util::stream::pending().boxed()
    }

    async fn lines(&self, _: &Caller, _: &Name) -> Result<Vec<json::PrimaryLines>, Problem> {
        Ok(Vec::new())
    }

    async fn known_delegation(&self, caller: &Caller, name: &Name) -> Result<Option<json::Delegation>, Problem> {
        self.zone(caller, name).await?;
        Ok(Some(delegation::of(name)))
    }

    async fn counts(&self, _: &Caller) -> Result<json::ZoneCounts, Problem> {
        Ok(json::ZoneCounts { total: self.zones.lock().unwrap().len() as u64, ..Default::default() })
    }

    async fn addresses(&self) -> Vec<String> {
        vec!["127.0.0.1:5300".into()]
    }

    fn source_towards(&self, server: SocketAddr) -> Option<IpAddr> {
        server.is_ipv4().then_some([203, 0, 113, 9].into())
    }

    async fn history(&self, caller: &Caller, name: &Name, page: AttemptPage) -> Result<json::History, Problem> {
        let zone = self.zone(caller, name).await?;
        let version = json::Version {
            generation: 1,
            serial: 7,
            at: Time::from_unix_ms(1_795_262_460_000),
            from_generation: None,
            from_serial: None,
            removed: 0,
            added: 9,
        };
        let attempts = zone.last_attempt.into_iter().take(page.limit as usize).collect();
        Ok(json::History { versions: vec![version], attempts, next: page.before })
    }

    async fn catalogs(&self, _: &Caller) -> Result<Vec<json::Catalog>, Problem> {
        Ok(self.catalogs.lock().unwrap().values().cloned().collect())
    }

    async fn catalog(&self, _: &Caller, name: &Name) -> Result<json::Catalog, Problem> {
        self.catalogs.lock().unwrap().get(&lower(name)).cloned().ok_or_else(|| no_catalog(name))
    }

    async fn catalog_members(
        &self,
        caller: &Caller,
        name: &Name,
        page: NamePage,
    ) -> Result<Vec<json::CatalogMember>, Problem> {
        self.catalog(caller, name).await?;
        let member = |name: &str, state| json::CatalogMember {
            name: name.into(),
            state,
            label: Some("l".into()),
            group: None,
            since: None,
            until: None,
            why: None,
        };
        let time = |hours: u64| Some(Time::from_unix_ms(1_795_262_400_000 + hours * 3_600_000));
        let waiting = json::CatalogMember {
            since: time(0),
            until: time(24),
            ..member("b.example.", json::MemberState::Waiting)
        };
        let skipped = json::CatalogMember {
            why: Some("a zone of this name is configured".into()),
            ..member("c.example.", json::MemberState::Skipped)
        };
        let members = [member("a.example.", json::MemberState::Member), waiting, skipped];
        let after = page.after.as_ref().map(lower).unwrap_or_default();
        let members = members.into_iter().filter(|member| member.name > after);
        Ok(members.take(page.limit as usize).collect())
    }

    async fn notifies(&self, caller: &Caller, name: &Name, limit: u32) -> Result<Vec<json::Notify>, Problem> {
        self.zone(caller, name).await?;
        let at = Time::from_unix_ms(1_795_262_460_000);
        let accepted = json::Notify {
            at,
            last_at: at,
            count: 1,
            from: "192.0.2.1".into(),
            standing: json::NotifyStanding::Known,
            transport: json::NotifyTransport::Tls,
            signed_by: Some("transfer.example.".into()),
            serial: Some(7),
            outcome: json::NotifyOutcome::Accepted,
            reason: None,
        };
        let refused = json::Notify {
            from: "198.51.100.0/24".into(),
            standing: json::NotifyStanding::Stranger,
            signed_by: None,
            outcome: json::NotifyOutcome::Refused,
            reason: Some(stranger()),
            ..accepted.clone()
        };
        Ok([accepted, refused].into_iter().take(limit as usize).collect())
    }

    async fn stranger_notifies(&self, _limit: u32) -> Result<Vec<json::StrangerNotify>, Problem> {
        let at = Time::from_unix_ms(1_795_262_460_000);
        Ok(vec![json::StrangerNotify {
            at,
            last_at: at,
            count: 1_000_000,
            from: "2001:db8:1::/48".into(),
            last_address: "2001:db8:1::2".into(),
            last_transport: json::NotifyTransport::Udp,
            last_zone: Some("nowhere.example.".into()),
            last_reason: stranger(),
        }])
    }

    async fn queries(&self, caller: &Caller, name: &Name, span: QuerySpan) -> Result<json::ZoneQueries, Problem> {
        self.zone(caller, name).await?;
        Ok(queries::of(name, span))
    }

    async fn usage(&self, caller: &Caller, month: Option<json::Month>) -> Result<json::Usage, Problem> {
        let month = month.unwrap_or(json::Month { year: 2026, month: 11 });
        Ok(queries::usage(caller.may(json::Scope::Operate), month))
    }

    async fn node(&self) -> Result<json::NodeStatus, Problem> {
        Ok(json::NodeStatus {
            version: "0.1.0".into(),
            started_at: Time::from_unix_ms(1_795_262_400_000),
            uptime_secs: 60,
            dns: vec!["127.0.0.1:5300".into()],
            dns_over_tls: vec!["127.0.0.1:853".into()],
            dns_over_quic: vec!["127.0.0.1:853".into()],
            certificate: None,
            console_certificate: None,
            http: "127.0.0.1:8053".into(),
            console: "https://console.example.net".into(),
            zones: json::ZoneCounts { total: self.zones.lock().unwrap().len() as u64, ..Default::default() },
            inventory: json::InventoryStatus::Available,
            warnings: vec!["the disk is nearly full".into()],
            queries: json::QueryCounts::default(),
            notifies: json::NotifyCounts { accepted: 3, refused: 2, ..Default::default() },
            announced: json::AnnounceCounts::default(),
            transfers_out: json::TransferOutCounts::default(),
            attempts_dropped: 0,
        })
    }
}

/// Names are proven by saying so.
#[async_trait]
impl Ownership for Fake {
    fn wants_proofs(&self) -> bool {
        true
    }

    async fn ownership(&self, caller: &Caller, name: &Name) -> Result<json::Ownership, Problem> {
        self.zone(caller, name).await?;
        Ok(json::Ownership {
            name: name.to_string(),
            state: json::OwnershipState::Claimed,
            proof: None,
            proven_at: None,
            lapsed_at: None,
            challenge: Some(json::OwnershipChallenge {
                name: format!("_secondo-challenge.{name}"),
                text: "secondo-text".into(),
            }),
            name_servers: vec!["ns1.us.".into(), "ns2.us.".into()],
            name_servers_are_own: true,
            neighbour: None,
            is_public_suffix: false,
            seen: None,
        })
    }

    async fn look_for_proof(&self, caller: &Caller, name: &Name) -> Result<json::Ownership, Problem> {
        let found = self.ownership(caller, name).await?;
        let (state, proof) = (json::OwnershipState::Proven, Some(json::OwnershipProof::Challenge));
        Ok(json::Ownership { state, proof, ..found })
    }

    async fn hand_over(&self, caller: &Caller, name: &Name, to: &str) -> Result<json::Ownership, Problem> {
        match to {
            "secondo-theirs" => self.ownership(caller, name).await,
            _ => Err(Problem::new(Code::ClaimUnknown, "no other organisation's claim has this text")),
        }
    }

    async fn claims(&self, _: &Caller, after: u64, limit: u32) -> Result<json::Claims, Problem> {
        let claim = |id| json::Claim {
            id,
            name: format!("zone{id}.example."),
            tenant: 2,
            organisation: "<b>Gesellschaft & Co</b>".to_owned(),
            claimed_at: Time::from_unix_ms(1_795_262_400_000),
            looked_at: None,
            is_held: id == 1,
            is_public_suffix: false,
        };
        let claims: Vec<json::Claim> = (after + 1..=3).take(limit as usize).map(claim).collect();
        let next = claims.last().map(|last| last.id).filter(|last| *last < 3);
        Ok(json::Claims { claims, next })
    }

    async fn approve(&self, _: &Caller, zone: u64) -> Result<(), Problem> {
        if zone <= 3 { Ok(()) } else { Err(Problem::new(Code::ClaimUnknown, "there is no such claim")) }
    }

    async fn disprove(&self, caller: &Caller, zone: u64) -> Result<(), Problem> {
        self.approve(caller, zone).await
    }
}
