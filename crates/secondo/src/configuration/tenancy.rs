//! `[tenancy]`: whether one organisation uses this service, or many that do not trust each other.

use std::net::IpAddr;

use serde::Deserialize;
use toml::Spanned;
use xfr::{Destinations, Prefix};

use super::problems::Problems;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TenancySection {
    mode: Mode,
    sign_up: Option<Spanned<SignUp>>,
    allow_addresses: Vec<Spanned<String>>,
    own_addresses: Vec<Spanned<String>>,
    source_addresses: Vec<Spanned<String>>,
}

/// Who uses the service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    /// Those who run it. Every zone is theirs, and any address may be asked.
    #[default]
    Single,
    /// Organisations that know nothing of each other: each proves that a name is its own, has a plan with limits, and names
    /// public addresses only.
    Multi,
}

/// Whether people come by themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SignUp {
    /// Operators make organisations, and owners invite people.
    #[default]
    Closed,
    /// Whoever has an address makes an organisation of their own.
    Open,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct TenancySettings {
    pub(crate) mode: Mode,
    pub(crate) sign_up: SignUp,
    /// What may be asked in mode `multi` although it is not public.
    pub(crate) allow_addresses: Vec<Prefix>,
    /// Addresses that lead to this service besides those that it listens on: of a proxy, of other machines of it.
    pub(crate) own_addresses: Vec<IpAddr>,
    /// What organisations may choose in mode `multi` as the address of ours that a primary is asked from.
    pub(crate) source_addresses: Vec<IpAddr>,
}

impl TenancySettings {
    /// What may be asked, where the service is reached at `listening` too.
    pub(crate) fn destinations(&self, listening: impl IntoIterator<Item = IpAddr>) -> Destinations {
        match self.mode {
            Mode::Single => Destinations::Anything,
            Mode::Multi => {
                let ours = listening.into_iter().chain(self.own_addresses.iter().copied());
                Destinations::PublicOnly { allowed: self.allow_addresses.clone(), ours: ours.collect() }
            }
        }
    }

    /// What may be chosen as the address of ours that a primary is asked from; any where this is none.
    pub(crate) fn sources(&self) -> Option<Vec<IpAddr>> {
        (self.mode == Mode::Multi).then(|| self.source_addresses.clone())
    }
}

pub(super) fn read_tenancy(section: &TenancySection, has_mail: bool, problems: &mut Problems) -> TenancySettings {
    let mut addresses = section.allow_addresses.iter().chain(&section.own_addresses).chain(&section.source_addresses);
    if let (Mode::Single, Some(first)) = (section.mode, addresses.next()) {
        let message =
            "in mode \"single\" any address may be asked, and from any: this counts with mode = \"multi\" alone";
        problems.note(first.span().start, message);
    }
    let sign_up = section.sign_up.as_ref().map(|sign_up| *sign_up.get_ref()).unwrap_or_default();
    if let (SignUp::Open, Some(written)) = (sign_up, &section.sign_up) {
        let at = written.span().start;
        if section.mode == Mode::Single {
            problems.note(at, "strangers sign up where they know nothing of each other: have mode = \"multi\" too");
        }
        if !has_mail {
            problems.note(at, "whoever signs up is sent a link: say below [mail] through which server");
        }
    }
    TenancySettings {
        mode: section.mode,
        sign_up,
        allow_addresses: problems.read_all(&section.allow_addresses),
        own_addresses: problems.read_all(&section.own_addresses),
        source_addresses: problems.read_all(&section.source_addresses),
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::super::Configuration;
    use super::SignUp;

    #[test]
    fn in_mode_multi_public_addresses_are_asked_and_those_that_are_allowed() {
        let text =
            "[tenancy]\nmode = \"multi\"\nallow_addresses = [\"10.1.0.0/16\"]\nown_addresses = [\"8.8.8.8\"]\n";
        let tenancy = Configuration::parse(text).unwrap_or_default().tenancy;
        let listening: IpAddr = "9.9.9.9".parse().unwrap();
        let destinations = tenancy.destinations([listening]);
        let is_asked = |address: &str| destinations.judge(address.parse().unwrap()).is_ok();
        assert!(is_asked("1.1.1.1") && is_asked("10.1.2.3"));
        assert!(!is_asked("10.2.2.3") && !is_asked("127.0.0.1") && !is_asked("8.8.8.8") && !is_asked("9.9.9.9"));
        let alone = Configuration::default().tenancy.destinations([listening]);
        assert!(alone.judge(listening).is_ok());
    }

    #[test]
    fn strangers_sign_up_where_that_is_said_and_they_can_be_written_to() {
        let mail = "[mail]\nserver = \"localhost:25\"\ntls = \"off\"\nfrom = \"dns@example.net\"\n";
        let read = |tenancy: &str, mail: &str| {
            let read = Configuration::parse(&format!("[tenancy]\n{tenancy}\n{mail}"));
            read.map(|read| read.tenancy.sign_up).map_err(|problems| problems[0].message.clone())
        };
        assert_eq!(read("mode = \"multi\"", mail), Ok(SignUp::Closed));
        assert_eq!(read("mode = \"multi\"\nsign_up = \"open\"", mail), Ok(SignUp::Open));
        assert!(read("sign_up = \"open\"", mail).is_err_and(|message| message.contains("mode = \"multi\"")));
        assert!(read("mode = \"multi\"\nsign_up = \"open\"", "").is_err_and(|message| message.contains("[mail]")));
    }

    #[test]
    fn in_mode_multi_answers_are_limited_and_nobody_copies_zones_unless_that_is_configured() {
        let read = |text: &str| Configuration::parse(text).unwrap_or_else(|wrong| panic!("{wrong:?}"));
        let (single, multi) = (read(""), read("[tenancy]\nmode = \"multi\"\n"));
        assert!(single.rate.is_none() && !single.defaults.allow_transfer.is_empty());
        assert!(multi.rate.is_some() && multi.defaults.allow_transfer.is_empty());
        let told = read(
            "[tenancy]\nmode = \"multi\"\n[rate_limit]\nresponses_per_second = 0\n[transfer_out]\nallow = [\"192.0.2.1\"]\n",
        );
        assert!(told.rate.is_none());
        assert_eq!(told.defaults.allow_transfer.len(), 1);
    }
}
