//! What settings name besides themselves: keys that must be there, and servers that something is sent to.

use dns::Name;

use super::{Setting, Settings};
use crate::policy::Policy;
use crate::secondaries::Target;

impl Settings {
    /// The keys that are named in what is set.
    pub fn keys(&self) -> Vec<Name> {
        let Policy { notify_keys, notify_to, allow_transfer, .. } = self.alone();
        let of_targets = notify_to.into_iter().filter_map(|target| target.key);
        let of_admissions = allow_transfer.into_iter().filter_map(|admission| admission.key);
        notify_keys.into_iter().chain(of_targets).chain(of_admissions).collect()
    }

    /// The servers that are to be told of new versions by what is set.
    pub fn targets(&self) -> Vec<Target> {
        self.alone().notify_to
    }

    /// What is set, on top of nothing that names anybody; whether its numbers go together is not looked at.
    fn alone(&self) -> Policy {
        let mut policy = Policy { allow_transfer: Vec::new(), ..Policy::default() };
        for (setting, value) in self.iter().filter(|(setting, _)| setting.names_others()) {
            policy.set(setting, value).expect("what is set has been read");
        }
        policy
    }
}

impl Setting {
    fn names_others(self) -> bool {
        matches!(self, Self::NotifyKeys | Self::NotifyTo | Self::AllowTransfer)
    }
}

#[cfg(test)]
mod tests {
    use super::{Setting, Settings};

    #[test]
    fn keys_and_servers_are_named_by_what_is_set_alone() {
        let mut settings = Settings::default();
        assert!(settings.keys().is_empty() && settings.targets().is_empty());
        for (setting, value) in [
            (Setting::NotifyKeys, "one.example,two.example"),
            (Setting::NotifyTo, "192.0.2.1,key=three.example 192.0.2.2:5353"),
            (Setting::AllowTransfer, "192.0.2.0/24 192.0.2.0/24,key=four.example key=five.example"),
            (Setting::RetryMin, "3h"),
        ] {
            settings.set(setting, Some(value)).unwrap();
        }
        let keys: Vec<String> = settings.keys().iter().map(ToString::to_string).collect();
        assert_eq!(keys, ["one.example.", "two.example.", "three.example.", "four.example.", "five.example."]);
        let targets: Vec<String> = settings.targets().iter().map(ToString::to_string).collect();
        assert_eq!(targets, ["192.0.2.1:53,key=three.example.", "192.0.2.2:5353"]);
    }
}
