//! Patience with those who try passwords and codes, and with those who have mails sent.
//!
//! One network may try so often for one address, and so often whatever for; and for one address there are so many tries
//! wherever from: many more, so that nobody keeps somebody else out from one place alone. Several places together could:
//! therefore whoever tries with a browser that the address was signed in with before has tries of its own, which nobody
//! else can use up. What was right does not count.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use api::{Code, Problem};
use inventory::Hashed;
use xfr::Prefix;

use super::patience::{Measure, Patience};

/// From one network for one address: ten, and one more every three minutes, which is 480 a day.
const FROM_ONE_FOR_ONE: Measure = Measure { burst: 10, each: Duration::from_secs(180) };
/// For one address, from everywhere together.
const FOR_ONE: Measure = Measure { burst: 60, each: Duration::from_secs(60) };
/// From one network: enough for an office behind one address.
const FROM_ONE: Measure = Measure { burst: 40, each: Duration::from_secs(30) };
/// Mails that one network has sent: an office whose people come on one day.
const MAILS_FROM_ONE: Measure = Measure { burst: 20, each: Duration::from_secs(5 * 60) };
/// Mails to one address of one sort: nobody's letter box is filled by us, and nobody keeps somebody from a new password by
/// having them invited.
const MAILS_FOR_ONE: Measure = Measure { burst: 4, each: Duration::from_secs(15 * 60) };
/// Invitations of one organisation.
const INVITATIONS_OF_ONE: Measure = Measure { burst: 50, each: Duration::from_secs(5 * 60) };
/// Addresses that one organisation wants confirmed, and tests that it makes: nobody else is flooded by way of us.
const ALERTS_OF_ONE: Measure = Measure { burst: 20, each: Duration::from_secs(5 * 60) };

pub(crate) struct Tries {
    by_both: Patience<Hashed>,
    by_email: Patience<Hashed>,
    by_network: Patience<Prefix>,
    by_device: Patience<Hashed>,
    mails_by_network: Patience<Prefix>,
    mails_by_email: Patience<(Sort, Hashed)>,
    invitations: Patience<u64>,
    alerts: Patience<u64>,
}

impl Default for Tries {
    fn default() -> Self {
        Self {
            by_both: Patience::new(FROM_ONE_FOR_ONE),
            by_email: Patience::new(FOR_ONE),
            by_network: Patience::new(FROM_ONE),
            by_device: Patience::new(FROM_ONE_FOR_ONE),
            mails_by_network: Patience::new(MAILS_FROM_ONE),
            mails_by_email: Patience::new(MAILS_FOR_ONE),
            invitations: Patience::new(INVITATIONS_OF_ONE),
            alerts: Patience::new(ALERTS_OF_ONE),
        }
    }
}

/// What a mail that a stranger has sent is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Sort {
    SignUp,
    Forgotten,
    OtherAddress,
    Invitation,
    Alert,
}

/// A try that was counted.
#[must_use]
pub(crate) struct Try<'a> {
    tries: &'a Tries,
    keys: Keys,
}

enum Keys {
    Device(Hashed),
    Others { network: Option<Prefix>, both: Hashed, email: Hashed },
}

impl Tries {
    /// Counts a try; `device` is that of a browser that the address was signed in with before.
    ///
    /// # Errors
    /// [`Code::TooManyAttempts`] when there were too many: then nothing is to be compared.
    pub(crate) fn count(
        &self,
        email: &str,
        address: Option<IpAddr>,
        device: Option<Hashed>,
    ) -> Result<Try<'_>, Problem> {
        let now = Instant::now();
        let network = address.map(Prefix::of_customer);
        if let Some(device) = device {
            self.by_device.take(device.clone(), now).map_err(too_many)?;
            return Ok(Try { tries: self, keys: Keys::Device(device) });
        }
        if let Some(network) = network {
            self.by_network.take(network, now).map_err(too_many)?;
        }
        // Hashes, so that a very long address takes no more room than a short one.
        let email = email.to_lowercase();
        let both = Hashed::of(&format!("{network:?} {email}"));
        self.by_both.take(both.clone(), now).map_err(too_many)?;
        let email = Hashed::of(&email);
        self.by_email.take(email.clone(), now).map_err(too_many)?;
        Ok(Try { tries: self, keys: Keys::Others { network, both, email } })
    }

    /// Counts a mail that somebody who is not signed in has sent to an address, whether or not one is sent.
    ///
    /// # Errors
    /// [`Code::TooManyAttempts`].
    pub(crate) fn count_mail(&self, sort: Sort, email: &str, address: Option<IpAddr>) -> Result<(), Problem> {
        let now = Instant::now();
        if let Some(network) = address.map(Prefix::of_customer) {
            self.mails_by_network.take(network, now).map_err(too_many)?;
        }
        self.mails_by_email.take((sort, Hashed::of(&email.to_lowercase())), now).map_err(too_many)
    }

    /// Counts an invitation of an organisation.
    ///
    /// # Errors
    /// [`Code::TooManyAttempts`].
    pub(crate) fn count_invitation(&self, tenant: u64, email: &str) -> Result<(), Problem> {
        self.count_of_tenant(&self.invitations, tenant, (Sort::Invitation, email))
    }

    /// Counts what an organisation has sent to where its alerts are to go, by somebody's wish and not for an event.
    ///
    /// # Errors
    /// [`Code::TooManyAttempts`].
    pub(crate) fn count_alert(&self, tenant: u64, target: &str) -> Result<(), Problem> {
        self.count_of_tenant(&self.alerts, tenant, (Sort::Alert, target))
    }

    fn count_of_tenant(&self, counted: &Patience<u64>, tenant: u64, to: (Sort, &str)) -> Result<(), Problem> {
        let (now, (sort, target)) = (Instant::now(), to);
        counted.take(tenant, now).map_err(too_many)?;
        self.mails_by_email.take((sort, Hashed::of(&target.to_lowercase())), now).map_err(too_many)
    }
}

impl Try<'_> {
    /// It was right, and does not count.
    pub(crate) fn was_right(self) {
        match &self.keys {
            Keys::Device(device) => self.tries.by_device.give_back(device),
            Keys::Others { network, both, email } => {
                if let Some(network) = network {
                    self.tries.by_network.give_back(network);
                }
                self.tries.by_both.give_back(both);
                self.tries.by_email.give_back(email);
            }
        }
    }
}

fn too_many(missing: Duration) -> Problem {
    let secs = missing.as_secs() + 1;
    Problem::new(Code::TooManyAttempts, format!("there were too many attempts: try again in {secs} s"))
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use api::Problem;
    use inventory::Hashed;

    use super::{FOR_ONE, FROM_ONE, FROM_ONE_FOR_ONE, MAILS_FOR_ONE, Sort, Tries};

    /// A wrong try.
    fn wrong(tries: &Tries, email: &str, from: Option<IpAddr>) -> Result<(), Problem> {
        tries.count(email, from, None).map(drop)
    }

    #[test]
    fn one_network_tries_so_often_for_one_address_and_keeps_nobody_else_out() {
        let tries = Tries::default();
        let from = Some([192, 0, 2, 1].into());
        for _ in 0..FROM_ONE_FOR_ONE.burst {
            wrong(&tries, "Alice@example.org", from).unwrap();
        }
        let refused = wrong(&tries, "alice@EXAMPLE.org", from).unwrap_err();
        assert!(refused.detail().starts_with("there were too many attempts: try again in "), "{}", refused.detail());
        wrong(&tries, "alice@example.org", Some([198, 51, 100, 1].into())).unwrap();
        wrong(&tries, "bob@example.org", from).unwrap();
    }

    #[test]
    fn one_address_is_tried_so_often_wherever_from_and_a_known_browser_comes_in_all_the_same() {
        let tries = Tries::default();
        for number in 0..FOR_ONE.burst {
            let from = Some([192, 0, 2, u8::try_from(number).unwrap()].into());
            wrong(&tries, "alice@example.org", from).unwrap();
        }
        let elsewhere = Some([198, 51, 100, 1].into());
        assert!(wrong(&tries, "alice@example.org", elsewhere).is_err());
        wrong(&tries, "bob@example.org", elsewhere).unwrap();
        let device = || Some(Hashed::of("hers"));
        for _ in 0..FROM_ONE_FOR_ONE.burst {
            drop(tries.count("alice@example.org", elsewhere, device()).unwrap());
        }
        assert!(tries.count("alice@example.org", elsewhere, device()).is_err(), "it may be stolen");
    }

    #[test]
    fn one_network_tries_so_often_whatever_for() {
        let tries = Tries::default();
        for number in 0..FROM_ONE.burst {
            let from = format!("2001:db8:0:7::{number:x}").parse().unwrap();
            wrong(&tries, &format!("{number}@example.org"), Some(from)).unwrap();
        }
        assert!(wrong(&tries, "x@example.org", Some("2001:db8:0:7:ffff::1".parse().unwrap())).is_err());
        wrong(&tries, "x@example.org", Some("2001:db8:0:8::1".parse().unwrap())).unwrap();
    }

    #[test]
    fn whoever_signs_in_rightly_is_never_kept_out_by_that() {
        let tries = Tries::default();
        let from = Some([192, 0, 2, 1].into());
        for _ in 0..10 * FROM_ONE.burst {
            tries.count("alice@example.org", from, None).unwrap().was_right();
        }
    }

    #[test]
    fn one_address_is_written_to_so_often() {
        let tries = Tries::default();
        for number in 0..MAILS_FOR_ONE.burst {
            let from = Some([192, 0, 2, u8::try_from(number).unwrap()].into());
            tries.count_mail(Sort::SignUp, "alice@example.org", from).unwrap();
            tries.count_invitation(7, "alice@example.org").unwrap();
        }
        let elsewhere = Some([198, 51, 100, 1].into());
        assert!(tries.count_mail(Sort::SignUp, "Alice@example.org", elsewhere).is_err());
        assert!(tries.count_invitation(8, "alice@example.org").is_err(), "whoever invites");
        tries.count_mail(Sort::Forgotten, "alice@example.org", elsewhere).unwrap();
        tries.count_mail(Sort::SignUp, "bob@example.org", elsewhere).unwrap();
    }
}
