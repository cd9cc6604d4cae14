//! The same work for many things, on all processors: while nothing is answered yet, nobody else wants them.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread::{self, ScopedJoinHandle};

/// Fewer are not worth a thread, and are gone through one after the other.
const ABREAST_MIN: usize = 4096;

/// What becomes of each, in their order.
pub(crate) fn map<T: Send, U: Send>(things: Vec<T>, work: impl Fn(T) -> U + Sync) -> Vec<U> {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    if things.len() < ABREAST_MIN || processors == 1 {
        return things.into_iter().map(work).collect();
    }
    let mut done = Vec::with_capacity(things.len());
    thread::scope(|scope| {
        let work = &work;
        let begin = |part: Vec<T>| scope.spawn(move || part.into_iter().map(work).collect::<Vec<U>>());
        let working: Vec<_> = parts(things, processors).map(begin).collect();
        working.into_iter().for_each(|part| done.extend(joined(part)));
    });
    done
}

/// Both at the same time.
pub(crate) fn both<T, U: Send>(one: impl FnOnce() -> T, other: impl FnOnce() -> U + Send) -> (T, U) {
    thread::scope(|scope| {
        let other = scope.spawn(other);
        (one(), joined(other))
    })
}

fn joined<T>(work: ScopedJoinHandle<'_, T>) -> T {
    work.join().unwrap_or_else(|panic| resume_unwind(panic))
}

/// So many parts, one behind the other. Each thing is moved once, and no part has room for more than it holds.
fn parts<T>(things: Vec<T>, count: usize) -> impl Iterator<Item = Vec<T>> {
    let share = things.len().div_ceil(count);
    let mut rest = things.into_iter();
    std::iter::from_fn(move || Some(Vec::from_iter(rest.by_ref().take(share))).filter(|part| !part.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::{ABREAST_MIN, map, parts};

    #[test]
    fn what_becomes_of_many_things_stands_in_their_order() {
        for count in [0, 1, ABREAST_MIN - 1, ABREAST_MIN, 3 * ABREAST_MIN + 1] {
            let doubled = map((0..count).collect(), |number: usize| 2 * number);
            assert!(doubled.iter().copied().eq((0..count).map(|number| 2 * number)), "{count}");
        }
    }

    #[test]
    fn many_parts_take_no_more_room_than_the_whole() {
        for count in [1, 2, 7, 64] {
            let parts: Vec<Vec<usize>> = parts((0..1_000).collect(), count).collect();
            assert!(parts.len() <= count && parts.concat().into_iter().eq(0..1_000), "{count}");
            let room: usize = parts.iter().map(Vec::capacity).sum();
            assert!(room <= 1_000 + 4 * count, "{room} for 1,000 in {count} parts");
        }
    }
}
