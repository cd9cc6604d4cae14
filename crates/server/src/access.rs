//! Who may do what: keys, whom NOTIFYs are taken from, and who may take zones away.
//!
//! Plain tables, made by whoever knows the zones and replaced as a whole; this module only looks things up. A copy with a few
//! changes costs little, however many zones there are.

mod spread;

use std::net::IpAddr;
use std::sync::Arc;

use answer::ZoneTable;
use dns::{Name, NameRef};
use xfr::notify::{NotifyRule, SignedBy};
use xfr::{Admission, Key};
use zone::TenantId;

pub use spread::Spread;

/// So many tenants' keys of one name are tried on a message at the most: anybody can claim a name, and have a key of any
/// name, and each that is tried costs an HMAC.
const OWNERS_MAX: usize = 16;

/// Everything that the desk asks before it does what a message wants.
#[derive(Clone, Debug, Default)]
pub struct Access {
    pub keys: Keys,
    /// For each zone name, letter case aside, the zones of that name and who may notify them.
    pub notify: Spread<Name, Arc<[NotifyRule]>>,
    pub rules: Rules,
    pub transfer_out: TransferOut,
}

/// TSIG keys, each of one tenant: two may give theirs the same name.
#[derive(Clone, Debug, Default)]
pub struct Keys(Spread<(TenantId, Name), Arc<Key>>);

impl Keys {
    pub fn add(&mut self, tenant: TenantId, key: Arc<Key>) {
        self.0.insert((tenant, key.name().clone()), key);
    }

    pub fn remove(&mut self, tenant: TenantId, name: &Name) {
        self.0.remove(&(tenant, name.clone()));
    }

    /// The tenant's key of this name, letter case aside.
    pub fn get(&self, tenant: TenantId, name: &Name) -> Option<&Arc<Key>> {
        self.0.get(&(tenant, name.clone()))
    }
}

/// Whether all that is to be known of keys and NOTIFYs stands here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rules {
    #[default]
    Known,
    /// Who knows them could not be asked yet: the program starts, or does without. Nobody is told that a zone is not
    /// here, or a key, until that is known.
    Awaited,
}

/// Who may copy zones. Nobody else: a zone's whole contents are their owner's (RFC 5936 §5).
#[derive(Clone, Debug)]
pub struct TransferOut {
    /// Who may copy zones of which nothing else is said; their keys are those of [`TenantId::DEFAULT`], which is whoever runs
    /// the service.
    pub default: Vec<Admission>,
    /// What is said of zones by their names, letter case aside.
    pub zones: Spread<Name, Admissions>,
}

/// Who may copy one zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admissions {
    /// Whose the zone is, and the keys.
    pub tenant: TenantId,
    pub admitted: Vec<Admission>,
}

impl Default for TransferOut {
    /// This machine only.
    fn default() -> Self {
        Self { default: Admission::loopback(), zones: Spread::default() }
    }
}

impl TransferOut {
    pub fn allows(&self, zone: NameRef<'_>, address: IpAddr, signed_by: Option<SignedBy<'_>>) -> bool {
        let own = self.zones.get(&zone.to_name());
        let (tenant, admitted) = own.map_or((TenantId::DEFAULT, &self.default), |own| (own.tenant, &own.admitted));
        let key = signed_by.filter(|signed| signed.tenant == tenant).map(|signed| signed.key);
        admitted.iter().any(|admission| admission.admits(address, key))
    }
}

impl Access {
    /// The keys of this name that a message may be signed with which asks for, or tells of, a name: those of whoever
    /// has the zone that it lies in, of whoever runs the service, and of the tenants who are told of this zone.
    pub(crate) fn keys_for(
        &self,
        key: NameRef<'_>,
        asked: Option<NameRef<'_>>,
        zones: &ZoneTable,
    ) -> Vec<(TenantId, Arc<Key>)> {
        let answered = asked.and_then(|asked| zones.find(asked)).map(|zone| zone.tenant);
        let told = asked.map(|asked| self.notify_rules(asked)).unwrap_or_default();
        let key = key.to_name();
        let mut found: Vec<(TenantId, Arc<Key>)> = Vec::new();
        for tenant in answered.into_iter().chain([TenantId::DEFAULT]).chain(told.iter().map(|rule| rule.tenant)) {
            if let Some(of_tenant) = self.keys.get(tenant, &key)
                && found.len() < OWNERS_MAX
                && found.iter().all(|(other, _)| *other != tenant)
            {
                found.push((tenant, of_tenant.clone()));
            }
        }
        found
    }

    pub(crate) fn notify_rules(&self, name: NameRef<'_>) -> &[NotifyRule] {
        self.notify.get(&name.to_name()).map(|rules| &**rules).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::Arc;

    use answer::{Contents, ServedZone, ZoneTable};
    use dns::Name;
    use xfr::Key;
    use xfr::notify::{Checks, NotifyRule, SignedBy};
    use xfr::policy::NotifyTrust;
    use xfr::tsig::Algorithm;
    use zone::{TenantId, ZoneId};

    use super::{Access, Admissions, TransferOut};

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn transfers_out_stay_on_this_machine_unless_told_otherwise() {
        let default = TransferOut::default();
        let zone: Name = "example.".parse().unwrap();
        let allows = |from| default.allows(zone.borrow(), address(from), None);
        assert!(allows("127.0.0.2") && allows("::1"));
        assert!(!allows("192.0.2.1") && !allows("2001:db8::1"));
    }

    #[test]
    fn what_is_said_of_a_zone_goes_before_what_is_said_of_all() {
        let mut out = TransferOut::default();
        let zone: Name = "Example.".parse().unwrap();
        let own = Admissions { tenant: TenantId(2), admitted: vec!["192.0.2.0/24".parse().unwrap()] };
        out.zones.insert("example.".parse().unwrap(), own);
        assert!(out.allows(zone.borrow(), address("192.0.2.1"), None));
        assert!(!out.allows(zone.borrow(), address("127.0.0.1"), None));
    }

    #[test]
    fn a_key_opens_its_tenants_zones_and_those_of_others_only_if_it_is_whose_who_runs_the_service() {
        let mut out = TransferOut { default: vec!["key=k".parse().unwrap()], ..TransferOut::default() };
        let own = Admissions { tenant: TenantId(2), admitted: vec!["key=k".parse().unwrap()] };
        out.zones.insert("two.".parse().unwrap(), own);
        let key: Name = "K.".parse().unwrap();
        let opens = |tenant, zone: &str| {
            let (zone, signed): (Name, _) = (zone.parse().unwrap(), SignedBy { tenant, key: &key });
            out.allows(zone.borrow(), address("192.0.2.1"), Some(signed))
        };
        assert!(opens(TenantId(2), "two.") && opens(TenantId::DEFAULT, "three."));
        assert!(!opens(TenantId(3), "two.") && !opens(TenantId::DEFAULT, "two."));
        assert!(!opens(TenantId(2), "three.") && !opens(TenantId(3), "three."));
    }

    #[test]
    fn of_a_name_that_many_claim_the_owners_keys_are_tried_and_few_others() {
        let key = |name: &str| Arc::new(Key::new(name.parse().unwrap(), Algorithm::HmacSha256, vec![7; 32]).unwrap());
        let mut access = Access::default();
        let rule = |tenant: u64| NotifyRule {
            zone: ZoneId(tenant),
            tenant: TenantId(tenant),
            senders: [].into(),
            keys: [].into(),
            trust: NotifyTrust::Any,
            checks: Checks::Made,
        };
        (1..=100).for_each(|tenant| access.keys.add(TenantId(tenant), key("k.")));
        access.notify.insert("example.".parse().unwrap(), (10..=90).map(rule).collect());
        let served = ServedZone::new(ZoneId(99), TenantId(99), "example.".parse().unwrap(), Contents::Absent);
        let zones = ZoneTable::new([Arc::new(served)]);
        let owners = |key: &str, asked: &str| -> Vec<u64> {
            let (key, asked): (Name, Name) = (key.parse().unwrap(), asked.parse().unwrap());
            let found = access.keys_for(key.borrow(), Some(asked.borrow()), &zones);
            found.iter().map(|(tenant, _)| tenant.0).collect()
        };
        assert_eq!(owners("K.", "Example."), [vec![99, 1], (10..24).collect()].concat());
        assert_eq!(owners("K.", "www.example."), [99, 1]);
        assert_eq!(owners("k.", "elsewhere."), [1]);
        assert_eq!(owners("another.", "example."), [] as [u64; 0]);
    }
}
