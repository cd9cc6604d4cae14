//! What happened, as a number that two runs of one seed must have in common, and in words for the zone that is watched.

use std::collections::VecDeque;
use std::fmt::Arguments;

/// Lines that are kept; older ones are forgotten.
const LINES_MAX: usize = 4_000;

/// What the program says in its log on this thread, as long as somebody listens.
pub(super) mod log {
    use std::cell::RefCell;
    use std::io;

    use tracing::subscriber::DefaultGuard;

    thread_local! {
        static SAID: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }

    struct Ear;

    impl io::Write for Ear {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            SAID.with_borrow_mut(|said| said.extend(octets));
            Ok(octets.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Listens until the guard is dropped.
    pub(in crate::simulation) fn listen() -> DefaultGuard {
        let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_writer(|| Ear);
        tracing::subscriber::set_default(subscriber.without_time().with_ansi(false).with_target(false).finish())
    }

    pub(super) fn take() -> String {
        String::from_utf8_lossy(&SAID.take()).into_owned()
    }
}

#[derive(Default)]
pub(super) struct Trace {
    hash: u64,
    events: u64,
    watched: Watched,
    lines: VecDeque<String>,
}

/// Whose story is kept in words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Watched {
    #[default]
    Nobody,
    Zone(usize),
    Everybody,
}

impl Trace {
    pub(super) fn watching(watched: Watched) -> Self {
        Self { watched, ..Self::default() }
    }

    /// Notes something about one zone, or about all, and before it what the program has said since the last time.
    pub(super) fn note(&mut self, at_ms: u64, zone: Option<usize>, what: Arguments<'_>) {
        self.events += 1;
        if let Watched::Zone(watched) = self.watched {
            let name = format!("zone=z{watched}.example. ");
            let said = log::take();
            self.lines
                .extend(said.lines().filter(|line| line.contains(&name)).map(|line| format!("    {}", line.trim())));
        }
        let is_watched = match self.watched {
            Watched::Nobody => false,
            Watched::Zone(watched) => zone.is_none_or(|zone| zone == watched),
            Watched::Everybody => true,
        };
        if !is_watched {
            return;
        }
        let zone = zone.map(|zone| format!("z{zone} ")).unwrap_or_default();
        let (days, millis) = (at_ms / 86_400_000, at_ms % 86_400_000);
        let clock =
            format!("{:02}:{:02}:{:06.3}", millis / 3_600_000, millis / 60_000 % 60, millis as f64 % 60e3 / 1e3);
        self.lines.push_back(format!("day {days} {clock}  {zone}{what}"));
        if self.lines.len() > LINES_MAX && self.watched != Watched::Everybody {
            self.lines.pop_front();
        }
    }

    /// Adds to the number.
    pub(super) fn count(&mut self, numbers: &[u64]) {
        for number in numbers {
            self.hash = (self.hash ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        }
    }

    pub(super) fn hash(&self) -> u64 {
        self.hash
    }

    pub(super) fn events(&self) -> u64 {
        self.events
    }

    pub(super) fn story(&self) -> impl Iterator<Item = &String> {
        self.lines.iter()
    }
}
