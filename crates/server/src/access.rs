//! Who may do what: keys, whom NOTIFYs are taken from, and who may take zones away.
//!
//! Plain tables, made by whoever knows the zones and replaced as a whole; this module only looks things up.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use dns::{Name, NameRef};
use xfr::notify::NotifyRule;
use xfr::{Admission, Key};

/// Everything that the desk asks before it does what a message wants.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// TSIG keys by name, letter case aside.
    pub keys: HashMap<Name, Arc<Key>>,
    /// For each zone name, letter case aside, the zones of that name and who may notify them.
    pub notify: HashMap<Name, Vec<NotifyRule>>,
    pub rules: Rules,
    pub transfer_out: TransferOut,
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferOut {
    /// Who may copy zones of which nothing else is said.
    pub default: Vec<Admission>,
    /// What is said of zones by their names, letter case aside.
    pub zones: HashMap<Name, Vec<Admission>>,
}

impl Default for TransferOut {
    /// This machine only.
    fn default() -> Self {
        Self { default: Admission::loopback(), zones: HashMap::new() }
    }
}

impl TransferOut {
    pub fn allows(&self, zone: NameRef<'_>, address: IpAddr, signed_by: Option<&Name>) -> bool {
        let own = if self.zones.is_empty() { None } else { self.zones.get(&zone.to_name()) };
        own.unwrap_or(&self.default).iter().any(|admission| admission.admits(address, signed_by))
    }
}

impl Access {
    pub(crate) fn key(&self, name: NameRef<'_>) -> Option<Arc<Key>> {
        self.keys.get(&name.to_name()).cloned()
    }

    pub(crate) fn notify_rules(&self, name: NameRef<'_>) -> &[NotifyRule] {
        self.notify.get(&name.to_name()).map(Vec::as_slice).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use dns::Name;

    use super::TransferOut;

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
        out.zones.insert("example.".parse().unwrap(), vec!["192.0.2.0/24".parse().unwrap()]);
        assert!(out.allows(zone.borrow(), address("192.0.2.1"), None));
        assert!(!out.allows(zone.borrow(), address("127.0.0.1"), None));
    }
}
