//! Patience with those who try passwords and codes.
//!
//! One network may try so often for one address, and so often whatever for; and for one address there are so many tries
//! wherever from: many more, so that nobody keeps somebody else out from one place alone. Then there are as many again as
//! time has passed. In memory: a restart forgives. What counts is each try, also a right one.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use api::{Code, Problem};
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, NotUntil, Quota, RateLimiter};
use xfr::Prefix;

/// From one network for one address: ten, and one more every three minutes, which is 480 a day.
const FROM_ONE_FOR_ONE: (u32, Duration) = (10, Duration::from_secs(180));
/// For one address, from everywhere together.
const FOR_ONE: (u32, Duration) = (60, Duration::from_secs(60));
/// From one network: enough for an office behind one address.
const FROM_ONE: (u32, Duration) = (40, Duration::from_secs(30));
/// What is remembered is tidied when so much has come together.
const REMEMBERED_MAX: usize = 10_000;

pub(crate) struct Tries {
    by_both: DefaultKeyedRateLimiter<inventory::Hashed>,
    by_email: DefaultKeyedRateLimiter<inventory::Hashed>,
    by_network: DefaultKeyedRateLimiter<Prefix>,
}

impl Default for Tries {
    fn default() -> Self {
        Self {
            by_both: RateLimiter::keyed(quota(FROM_ONE_FOR_ONE)),
            by_email: RateLimiter::keyed(quota(FOR_ONE)),
            by_network: RateLimiter::keyed(quota(FROM_ONE)),
        }
    }
}

impl Tries {
    /// Counts a try.
    ///
    /// # Errors
    /// [`Code::TooManyAttempts`] when there were too many: then nothing is to be compared.
    pub(crate) fn count(&self, email: &str, address: Option<IpAddr>) -> Result<(), Problem> {
        for limiter in [&self.by_both, &self.by_email] {
            if limiter.len() > REMEMBERED_MAX {
                limiter.retain_recent();
            }
        }
        if self.by_network.len() > REMEMBERED_MAX {
            self.by_network.retain_recent();
        }
        // Hashes, so that a very long address takes no more room than a short one.
        let email = email.to_lowercase();
        let network = address.map(Prefix::of_customer);
        if let Some(network) = network {
            self.by_network.check_key(&network).map_err(|until| too_many(&until))?;
        }
        let both = inventory::Hashed::of(&format!("{network:?} {email}"));
        self.by_both.check_key(&both).map_err(|until| too_many(&until))?;
        self.by_email.check_key(&inventory::Hashed::of(&email)).map_err(|until| too_many(&until))
    }
}

fn quota((burst, each): (u32, Duration)) -> Quota {
    let burst = NonZeroU32::new(burst).expect("the constants above are not zero");
    Quota::with_period(each).expect("the constants above are not zero").allow_burst(burst)
}

fn too_many(until: &NotUntil<<DefaultClock as Clock>::Instant>) -> Problem {
    let secs = until.wait_time_from(DefaultClock::default().now()).as_secs() + 1;
    Problem::new(Code::TooManyAttempts, format!("there were too many attempts: try again in {secs} s"))
}

#[cfg(test)]
mod tests {
    use super::{FOR_ONE, FROM_ONE, FROM_ONE_FOR_ONE, Tries};

    #[test]
    fn one_network_tries_so_often_for_one_address_and_keeps_nobody_else_out() {
        let tries = Tries::default();
        let from = Some([192, 0, 2, 1].into());
        for _ in 0..FROM_ONE_FOR_ONE.0 {
            tries.count("Alice@example.org", from).unwrap();
        }
        let refused = tries.count("alice@EXAMPLE.org", from).unwrap_err();
        assert!(refused.detail().starts_with("there were too many attempts: try again in "), "{}", refused.detail());
        tries.count("alice@example.org", Some([198, 51, 100, 1].into())).unwrap();
        tries.count("bob@example.org", from).unwrap();
    }

    #[test]
    fn one_address_is_tried_so_often_wherever_from() {
        let tries = Tries::default();
        for number in 0..FOR_ONE.0 {
            let from = Some([192, 0, 2, u8::try_from(number).unwrap()].into());
            tries.count("alice@example.org", from).unwrap();
        }
        assert!(tries.count("alice@example.org", Some([198, 51, 100, 1].into())).is_err());
        tries.count("bob@example.org", Some([198, 51, 100, 1].into())).unwrap();
    }

    #[test]
    fn one_network_tries_so_often_whatever_for() {
        let tries = Tries::default();
        for number in 0..FROM_ONE.0 {
            let from = format!("2001:db8:0:7::{number:x}").parse().unwrap();
            tries.count(&format!("{number}@example.org"), Some(from)).unwrap();
        }
        assert!(tries.count("x@example.org", Some("2001:db8:0:7:ffff::1".parse().unwrap())).is_err());
        tries.count("x@example.org", Some("2001:db8:0:8::1".parse().unwrap())).unwrap();
    }
}
