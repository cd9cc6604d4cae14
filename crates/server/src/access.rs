//! Who may do what: keys, whom NOTIFYs are taken from, and who may take zones away.
//!
//! Plain tables, made by whoever knows the zones and replaced as a whole; this module only looks things up.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use dns::{Name, NameRef};
use xfr::notify::NotifyRule;
use xfr::{Key, Prefix};

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

/// Where transfers out may go. Nowhere else: a zone's whole contents are their owner's (RFC 5936 §5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferOut(pub Vec<Prefix>);

impl Default for TransferOut {
    /// This machine only.
    fn default() -> Self {
        let one = Prefix::of_one(std::net::Ipv6Addr::LOCALHOST.into());
        Self(vec![Prefix::loopback_v4(), one])
    }
}

impl TransferOut {
    pub fn allows(&self, address: IpAddr) -> bool {
        self.0.iter().any(|prefix| prefix.contains(address))
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

    use super::TransferOut;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn transfers_out_stay_on_this_machine_unless_told_otherwise() {
        let default = TransferOut::default();
        assert!(default.allows(address("127.0.0.2")) && default.allows(address("::1")));
        assert!(!default.allows(address("192.0.2.1")) && !default.allows(address("2001:db8::1")));
    }
}
