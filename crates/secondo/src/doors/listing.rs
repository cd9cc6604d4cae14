//! The list of zones: which of an organisation's zones are shown, and in which order.
//!
//! In the order of names without a filter a page costs what is on it. Else every zone of the organisation is looked at, and no
//! zone of another one: what is made for showing is made of those on the page alone. A page begins where the one before has
//! ended, by what its zones go by and by name, so that nothing is kept between pages.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::doors::{Direction, ListPlace, Listed, TAGS_LISTED_MAX, ZoneList};
use api::json::{AttemptOutcome, State, TagCount, ZoneOrder};
use dns::Name;
use inventory::{Outcome, TenantId};
use xfr::Moment;

use super::House;
use super::status::{shown_freshness, shown_hold_word, shown_service};
use crate::followed::Followed;
use crate::roster::sort_key;

/// The rank of what has none: at the end, whichever way round.
const NO_RANK: u64 = u64::MAX;

impl House {
    pub(super) fn listed(&self, tenant: TenantId, list: &ZoneList) -> Listed {
        let now = self.node.clock.now();
        let (zones, next) = if list.order == ZoneOrder::Name && list.direction == Direction::Usual {
            self.by_name(tenant, list, now)
        } else {
            part(&self.node.page(tenant, None, usize::MAX), list, now)
        };
        Listed { zones: zones.iter().map(|zone| self.shown(zone)).collect(), next }
    }

    fn by_name(&self, tenant: TenantId, list: &ZoneList, now: Moment) -> (Vec<Arc<Followed>>, Option<ListPlace>) {
        let limit = list.limit as usize;
        let is_whole =
            list.find.is_empty() && list.tag.is_none() && list.state.is_none() && list.last_attempt.is_none();
        let after = list.after.as_ref().map(|place| &place.name);
        let mut zones = self.node.page(tenant, after, if is_whole { limit } else { usize::MAX });
        if !is_whole {
            zones = zones.into_iter().filter(|zone| is_wanted(zone, list, now)).take(limit).collect();
        }
        let last = zones.last().filter(|_| zones.len() == limit);
        let next = last.map(|last| ListPlace { rank: 0, name: last.name.clone() });
        (zones, next)
    }

    /// The tags of the tenant's zones: those that most have, in their order.
    pub(super) fn tags_of(&self, tenant: TenantId) -> Vec<TagCount> {
        let mut counts = BTreeMap::<String, u64>::new();
        for zone in self.node.page(tenant, None, usize::MAX) {
            for tag in zone.instructions().tags.iter() {
                match counts.get_mut(tag) {
                    Some(count) => *count += 1,
                    None => _ = counts.insert(tag.to_owned(), 1),
                }
            }
        }
        let mut tags: Vec<TagCount> = counts.into_iter().map(|(tag, zones)| TagCount { tag, zones }).collect();
        if tags.len() > TAGS_LISTED_MAX {
            tags.sort_by_key(|tag| std::cmp::Reverse(tag.zones));
            tags.truncate(TAGS_LISTED_MAX);
            tags.sort_by(|one, other| one.tag.cmp(&other.tag));
        }
        tags
    }
}

/// A part of these zones, which are in the order of their names, and where to go on.
fn part(zones: &[Arc<Followed>], list: &ZoneList, now: Moment) -> (Vec<Arc<Followed>>, Option<ListPlace>) {
    let limit = list.limit as usize;
    let position = |index: usize| match (list.order, list.direction) {
        (ZoneOrder::Name, Direction::Reversed) => zones.len() - index,
        _ => index,
    };
    let after = list.after.as_ref().map(|place| (place.rank, position_of(zones, &place.name)));
    let is_behind = |rank: u64, index: usize| match after {
        None => true,
        Some((last_rank, _)) if rank != last_rank => rank > last_rank,
        Some((_, Ok(last))) => position(index) > position(last),
        // It is gone: where it was is between two others.
        Some((_, Err(next))) => match list.order {
            ZoneOrder::Name => index < next,
            _ => index >= next,
        },
    };
    let ranked = zones.iter().enumerate().filter(|(_, zone)| is_wanted(zone, list, now));
    let ranked = ranked.map(|(index, zone)| (turned(rank(zone, list.order, now), list), index));
    let mut ranked: Vec<(u64, usize)> = ranked.filter(|(rank, index)| is_behind(*rank, *index)).collect();
    let key = |(rank, index): &(u64, usize)| (*rank, position(*index));
    if ranked.len() > limit {
        ranked.select_nth_unstable_by_key(limit, key);
        ranked.truncate(limit);
    }
    ranked.sort_unstable_by_key(key);
    let last = ranked.last().filter(|_| ranked.len() == limit);
    let next = last.map(|(rank, index)| ListPlace { rank: *rank, name: zones[*index].name.clone() });
    (ranked.into_iter().map(|(_, index)| zones[index].clone()).collect(), next)
}

/// Where the zone of this name is, or would be.
fn position_of(zones: &[Arc<Followed>], name: &Name) -> Result<usize, usize> {
    let key = sort_key(name);
    zones.binary_search_by(|zone| sort_key(&zone.name).cmp(&key))
}

fn turned(rank: u64, list: &ZoneList) -> u64 {
    match (list.direction, list.order) {
        (Direction::Usual, _) | (_, ZoneOrder::Name) => rank,
        (Direction::Reversed, _) if rank == NO_RANK => rank,
        (Direction::Reversed, _) => NO_RANK - 1 - rank,
    }
}

/// What the order goes by, the first of it first.
fn rank(zone: &Followed, order: ZoneOrder, now: Moment) -> u64 {
    let condition = zone.condition();
    let highest_first = |number: Option<u64>| number.map_or(NO_RANK, |number| NO_RANK - 1 - number);
    match order {
        ZoneOrder::Name => 0,
        ZoneOrder::Serial => highest_first(condition.held.as_ref().map(|held| held.image.serial().0.into())),
        ZoneOrder::Records => highest_first(condition.held.as_ref().map(|held| held.image.record_count())),
        ZoneOrder::Confirmed => condition.timers.confirmed_at().map_or(NO_RANK, |at| at.0),
        ZoneOrder::Expires => condition.timers.expires_at().map_or(NO_RANK, |at| at.0),
        ZoneOrder::State => {
            let is_failing = matches!(&condition.last_attempt, Some(last) if last.attempt.outcome.is_failure());
            drop(condition);
            seriousness(state(zone, now)) * 2 + u64::from(!is_failing)
        }
    }
}

/// What needs somebody comes first, then what somebody has ordered, and at the end what is well.
fn seriousness(state: State) -> u64 {
    match state {
        State::Expired => 0,
        State::Suspended => 1,
        State::OverLimit => 2,
        State::Held => 3,
        State::Stale => 4,
        State::Pending => 5,
        State::Unproven => 6,
        State::Frozen => 7,
        State::Paused => 8,
        State::Disabled => 9,
        State::Active => 10,
    }
}

fn state(zone: &Followed, now: Moment) -> State {
    let service = shown_service(&zone.instructions());
    let condition = zone.condition();
    State::derive(shown_freshness(condition.freshness(now)), shown_hold_word(&condition.hold), service)
}

fn is_wanted(zone: &Followed, list: &ZoneList, now: Moment) -> bool {
    list.tag.as_ref().is_none_or(|tag| zone.instructions().tags.has(tag))
        && is_found(&zone.name, &list.find)
        && list.last_attempt.is_none_or(|wanted| has_ended(zone, wanted))
        && list.state.is_none_or(|wanted| state(zone, now) == wanted)
}

fn is_found(name: &Name, find: &str) -> bool {
    if find.is_empty() {
        return true;
    }
    let name = sort_key(name);
    // Other letters than ASCII are in no name, and in what some stand for.
    name.contains(find) || !find.is_ascii() && api::text::unicode_name(&name).is_some_and(|name| name.contains(find))
}

fn has_ended(zone: &Followed, wanted: AttemptOutcome) -> bool {
    zone.condition().last_attempt.as_ref().is_some_and(|last| {
        wanted
            == match &last.attempt.outcome {
                Outcome::Unchanged => AttemptOutcome::Unchanged,
                Outcome::Updated => AttemptOutcome::Updated,
                Outcome::Held(_) => AttemptOutcome::Held,
                Outcome::Failed(_) => AttemptOutcome::Failed,
            }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use api::doors::{Direction, ListPlace, ZoneList};
    use api::json::{State, ZoneOrder};
    use dns::{Serial, Soa};
    use inventory::Service;
    use xfr::{Bounds, Moment, Timers};
    use zone::{Generation, Tags, TenantId, ZoneId};

    use super::{is_found, part};
    use crate::followed::{Followed, Instructions};

    const NOW: Moment = Moment(1_000_000);

    /// Zones a to f; b and e were never confirmed, the others at 1, 3, 4 and 6 seconds, f with c's time again.
    fn zones() -> Vec<Arc<Followed>> {
        let confirmed = [Some(1), None, Some(3), Some(4), None, Some(3)];
        let made = ["a", "b", "c", "d", "e", "f"].iter().zip(confirmed).zip(1..).map(|((name, confirmed), id)| {
            let bounds = Bounds::default();
            let mut timers = Timers::pending(&bounds, Moment(0));
            if let Some(secs) = confirmed {
                let (serial, refresh, retry, expire) = (Serial(1), 3_600, 600, 864_000);
                let soa = Soa { serial, refresh, retry, expire, minimum: 60 };
                timers.confirmed(&soa, None, &bounds, Moment(secs * 1000), 0);
            }
            let name = format!("{name}.example.").parse().unwrap();
            let zone = Followed::new(ZoneId(id), TenantId::DEFAULT, name, timers, Generation(0));
            let words: &[&str] = if id % 2 == 1 { &["odd", "all"] } else { &["all"] };
            let tags = Tags::read(words.iter().copied()).unwrap();
            let service = if id == 4 { Service::Disabled } else { Service::Answering };
            zone.instruct(Instructions { tags, service, ..Instructions::default() });
            Arc::new(zone)
        });
        made.collect()
    }

    /// The names of all pages, with `|` between pages.
    fn pages(zones: &[Arc<Followed>], mut list: ZoneList) -> String {
        let mut shown = Vec::new();
        loop {
            let (page, next) = part(zones, &list, NOW);
            shown.push(page.iter().map(|zone| zone.name.to_string()[..1].to_owned()).collect::<String>());
            list.after = next;
            if list.after.is_none() {
                return shown.join("|");
            }
        }
    }

    fn list(order: ZoneOrder, limit: u32) -> ZoneList {
        ZoneList { order, limit, ..ZoneList::default() }
    }

    #[test]
    fn zones_are_seen_once_each_page_by_page_in_each_order() {
        let zones = zones();
        assert_eq!(pages(&zones, list(ZoneOrder::Confirmed, 9)), "acfdbe");
        assert_eq!(pages(&zones, list(ZoneOrder::Confirmed, 2)), "ac|fd|be|");
        assert_eq!(pages(&zones, list(ZoneOrder::State, 4)), "beda|cf");
        for order in ZoneOrder::ALL {
            for direction in [Direction::Usual, Direction::Reversed] {
                for limit in 1..=7 {
                    let seen = pages(&zones, ZoneList { direction, ..list(*order, limit) });
                    let mut names: Vec<char> = seen.chars().filter(|name| *name != '|').collect();
                    names.sort_unstable();
                    assert_eq!(
                        names.iter().collect::<String>(),
                        "abcdef",
                        "{order} {direction:?} by {limit}: {seen}"
                    );
                }
            }
        }
    }

    #[test]
    fn reversed_what_has_nothing_to_go_by_stays_at_the_end() {
        let reversed = |order| ZoneList { direction: Direction::Reversed, ..list(order, 2) };
        assert_eq!(pages(&zones(), reversed(ZoneOrder::Confirmed)), "dc|fa|be|");
        assert_eq!(pages(&zones(), reversed(ZoneOrder::Name)), "fe|dc|ba|");
    }

    #[test]
    fn tags_and_states_leave_out_the_others() {
        let zones = zones();
        let tagged = |tag: &str| ZoneList { tag: Some(tag.into()), ..list(ZoneOrder::Confirmed, 9) };
        assert_eq!(
            [pages(&zones, tagged("odd")), pages(&zones, tagged("all")), pages(&zones, tagged("od"))],
            ["ace", "acfdbe", ""]
        );
        let in_state = |state| ZoneList { state: Some(state), ..list(ZoneOrder::Expires, 9) };
        assert_eq!([pages(&zones, in_state(State::Pending)), pages(&zones, in_state(State::Disabled))], ["be", "d"]);
    }

    #[test]
    fn a_page_goes_on_where_a_zone_was_that_is_gone() {
        let mut zones = zones();
        let place = |rank, name: &str| Some(ListPlace { rank, name: name.parse().unwrap() });
        let after = |order, direction, after| pages(&zones, ZoneList { after, direction, ..list(order, 9) });
        assert_eq!(after(ZoneOrder::Confirmed, Direction::Usual, place(3000, "cc.example.")), "fdbe");
        assert_eq!(after(ZoneOrder::Name, Direction::Reversed, place(0, "cc.example.")), "cba");
        zones.clear();
        assert_eq!(pages(&zones, ZoneList { after: place(3, "c."), ..list(ZoneOrder::State, 9) }), "");
    }

    #[test]
    fn a_name_is_found_by_a_part_of_it_in_the_letters_that_it_stands_for() {
        let name = "xn--bcher-kva.Example.".parse().unwrap();
        assert!(is_found(&name, "") && is_found(&name, "kva.exa") && is_found(&name, "büch"));
        assert!(!is_found(&name, "buch"));
    }
}
