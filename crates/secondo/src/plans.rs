//! What organisations may have by their plans, as the node goes by it; and whether they ask the API too often.
//!
//! The limits themselves are kept to where something is added (the inventory) and where a version is decided about (`holds`).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use inventory::{
    By, EventKind, Inventory, InventoryError, Limits, NewPlan, PlanError, PlanStanding, Severity, TenantId, Terms,
};
use xfr::Moment;

use crate::events::{self, Event};
use crate::node::Node;

/// In which a number of requests counts.
const MINUTE_MS: u64 = 60_000;

/// What organisations have where nobody has made a plan: enough for most, and an end to what a stranger can take.
const FIRST: Limits = Limits {
    zones_max: Some(100),
    records_max: Some(100_000),
    primaries_max: Some(8),
    members_max: Some(20),
    requests_per_minute: Some(600),
    queries_per_month: None,
    history_days: Some(30),
};
const FIRST_GRACE_DAYS: u64 = 14;

/// Makes a plan where organisations share the service and there is none; whether it did.
pub(crate) async fn make_first(inventory: &Inventory, now: Moment) -> Result<bool, InventoryError> {
    let first = NewPlan { name: "Standard".into(), limits: FIRST, grace_days: FIRST_GRACE_DAYS };
    match inventory.add_first_plan(&By::service(now), &first).await {
        Ok(is_made) => Ok(is_made),
        Err(PlanError::Inventory(error)) => Err(error),
        // Somebody else has made one meanwhile.
        Err(_) => Ok(false),
    }
}

#[derive(Default)]
pub(crate) struct Plans {
    terms: Mutex<Arc<HashMap<TenantId, Terms>>>,
    /// What each tenant has left of its requests.
    requests: Mutex<HashMap<TenantId, Bucket>>,
}

/// Requests that may still be made: refilled evenly, up to a minute's.
struct Bucket {
    /// In thousandths of a request times the milliseconds of a minute, so that nothing is lost to rounding.
    left: u64,
    filled_at: Moment,
}

impl Plans {
    /// What counts from now on for these tenants, while it stays as it is for others.
    pub(crate) fn follow_some(&self, node: &Node, terms: &HashMap<TenantId, Terms>) {
        let before = self.terms();
        if terms.iter().any(|(tenant, terms)| before.get(tenant) != Some(terms)) {
            let mut after = HashMap::clone(&before);
            after.extend(terms.iter().map(|(tenant, terms)| (*tenant, terms.clone())));
            self.follow(node, &after);
        }
    }

    /// What counts from now on; tells tenants whose plan has ended, or leaves them hardly room for what they have.
    pub(crate) fn follow(&self, node: &Node, terms: &HashMap<TenantId, Terms>) {
        let before = self.terms();
        let now = node.clock.now();
        for (tenant, terms) in terms {
            let standing = terms.standing(now);
            let told = before.get(tenant).map(|before| before.standing(now));
            if let Some(event) = ended(terms.name(), standing).filter(|_| told != Some(standing)) {
                events::tell(node, *tenant, event);
            }
            let limit = terms.limits().zones_max;
            if before.get(tenant).is_some_and(|before| before.limits().zones_max != limit) {
                let zones = node.page(*tenant, None, usize::MAX).len() as u64;
                events::tell_if_near(node, *tenant, limit, zones, "zones", "");
            }
        }
        *self.lock() = Arc::new(terms.clone());
    }

    /// When a plan or its grace ends next.
    pub(crate) fn next_end(&self, now: Moment) -> Option<Moment> {
        let terms = self.terms();
        terms.values().flat_map(|terms| [terms.ends_at, terms.grace_ends_at()]).flatten().filter(|at| *at > now).min()
    }

    /// Whether any plan is for so many queries.
    pub(crate) fn limit_queries(&self) -> bool {
        self.terms().values().any(|terms| terms.limits().queries_per_month.is_some())
    }

    /// The tenant's plan; an empty one where there is none.
    pub(crate) fn of(&self, tenant: TenantId) -> Terms {
        self.terms().get(&tenant).cloned().unwrap_or_default()
    }

    /// Counts a request of the tenant's to the API.
    ///
    /// # Errors
    /// With the seconds until there may be another one.
    pub(crate) fn count_request(&self, tenant: TenantId, now: Moment) -> Result<(), u64> {
        let Some(per_minute) = self.terms().get(&tenant).and_then(|terms| terms.limits().requests_per_minute) else {
            return Ok(());
        };
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let full = per_minute.saturating_mul(MINUTE_MS);
        let bucket = requests.entry(tenant).or_insert(Bucket { left: full, filled_at: now });
        let refill = now.0.saturating_sub(bucket.filled_at.0).saturating_mul(per_minute);
        (bucket.left, bucket.filled_at) = (bucket.left.saturating_add(refill).min(full), now);
        match bucket.left.checked_sub(MINUTE_MS) {
            Some(left) => {
                bucket.left = left;
                Ok(())
            }
            None => Err((MINUTE_MS - bucket.left).div_ceil(per_minute.max(1)).div_ceil(1000).max(1)),
        }
    }

    fn terms(&self) -> Arc<HashMap<TenantId, Terms>> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Arc<HashMap<TenantId, Terms>>> {
        self.terms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ended(plan: &str, standing: PlanStanding) -> Option<Event> {
    // Each is told once a day: the end of the grace is another event.
    let (kind, severity, message) = match standing {
        PlanStanding::InForce => return None,
        PlanStanding::Grace { until } => {
            let until = api::json::Time::from_unix_ms(until.0);
            let message =
                format!("the plan {plan:?} has ended: zones are answered until {until}, and none can be added");
            (EventKind::PlanEnded, Severity::Warning, message)
        }
        PlanStanding::Ended => {
            let message = format!(
                "the plan {plan:?} has ended, and its grace too: zones are neither answered nor followed, and nothing of \
                 them is deleted"
            );
            (EventKind::PlanGraceEnded, Severity::Error, message)
        }
    };
    Some(Event::about(kind, severity, "", message))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Arc;

    use inventory::{Limits, NewPlan, PlanId, TenantId, Terms};
    use xfr::Moment;

    use super::Plans;

    #[test]
    fn so_many_requests_are_answered_in_a_minute_and_others_limits_are_others() {
        let limits = Limits { requests_per_minute: Some(60), ..Limits::default() };
        let plan = NewPlan { name: "small".into(), limits, grace_days: 0 };
        let plans = Plans::default();
        let tenant = TenantId(2);
        *plans.lock() = Arc::new(HashMap::from([(tenant, Terms { plan: Some((PlanId(1), plan)), ends_at: None })]));
        let at = |ms: u64| Moment(1_000_000 + ms);
        assert!((0..60).all(|_| plans.count_request(tenant, at(0)).is_ok()));
        assert_eq!(plans.count_request(tenant, at(0)), Err(1));
        assert_eq!(plans.count_request(tenant, at(999)), Err(1));
        assert_eq!(plans.count_request(tenant, at(1000)), Ok(()));
        assert_eq!(plans.count_request(tenant, at(1000)), Err(1));
        assert!((0..1000).all(|_| plans.count_request(TenantId::DEFAULT, at(0)).is_ok()));
        assert!(
            (0..60).all(|_| plans.count_request(tenant, at(900_000)).is_ok()),
            "no more is saved than for a minute"
        );
        assert!(plans.count_request(tenant, at(900_000)).is_err());
    }
}
