//! The same work for many things, on all processors: while nothing is answered yet, nobody else wants them.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread;

/// Fewer are not worth a thread, and are gone through one after the other.
const ABREAST_MIN: usize = 4096;

/// What becomes of each, in their order.
pub(crate) fn map<T: Send, U: Send>(mut things: Vec<T>, work: impl Fn(T) -> U + Sync) -> Vec<U> {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    if things.len() < ABREAST_MIN || processors == 1 {
        return things.into_iter().map(work).collect();
    }
    let share = things.len().div_ceil(processors);
    let mut done = Vec::with_capacity(things.len());
    thread::scope(|scope| {
        let mut working = Vec::with_capacity(processors);
        while !things.is_empty() {
            let rest = things.split_off(share.min(things.len()));
            let (part, work) = (std::mem::replace(&mut things, rest), &work);
            working.push(scope.spawn(move || part.into_iter().map(work).collect::<Vec<U>>()));
        }
        for part in working {
            done.extend(part.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
    });
    done
}

#[cfg(test)]
mod tests {
    use super::{ABREAST_MIN, map};

    #[test]
    fn what_becomes_of_many_things_stands_in_their_order() {
        for count in [0, 1, ABREAST_MIN - 1, ABREAST_MIN, 3 * ABREAST_MIN + 1] {
            let doubled = map((0..count).collect(), |number: usize| 2 * number);
            assert!(doubled.iter().copied().eq((0..count).map(|number| 2 * number)), "{count}");
        }
    }
}
