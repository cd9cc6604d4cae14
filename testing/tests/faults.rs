//! The faults of `testing/faults` can be put into the program as it is now, and the tests exist that must see them.
//!
//! That these tests do go red is shown by `./faults`, which builds each fault; this builds nothing, and keeps the patches
//! from growing old.

#![expect(clippy::unwrap_used, reason = "tests may")]

mod workspace;

use std::path::Path;

/// There are never fewer: one for each promise that a secondary must not break.
const FAULTS_MIN: usize = 12;
/// What the command of every test begins with.
const CARGO_TEST: &str = "cargo test --release --locked -p ";

/// A patch: what it says about itself, and its only change.
struct Fault {
    name: String,
    header: Vec<String>,
    /// The file that is changed.
    path: String,
    /// The line that says where, and how many lines there are.
    place: String,
    /// Lines as in the patch: what stays begins with a space, what changes with a sign.
    lines: Vec<String>,
}

impl Fault {
    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let mut lines = text.lines().map(str::to_owned);
        let header: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
        let mut next = || lines.next().unwrap_or_else(|| panic!("{name} ends too early"));
        let (of, before, after, place) = (next(), next(), next(), next());
        let path = before.strip_prefix("--- a/").unwrap_or_else(|| panic!("{name}: {before}")).to_owned();
        assert_eq!([of, after], [format!("diff --git a/{path} b/{path}"), format!("+++ b/{path}")], "{name}");
        Self { header, path, place, lines: lines.collect(), name }
    }

    /// What follows this word in the header.
    fn said<'a>(&'a self, word: &'a str) -> impl Iterator<Item = &'a str> {
        self.header.iter().filter_map(move |line| line.strip_prefix(word))
    }

    /// The lines that bear one of these signs, without it.
    fn lines(&self, signs: [char; 2]) -> Vec<&str> {
        self.lines.iter().filter_map(|line| line.strip_prefix(signs)).collect()
    }
}

fn faults() -> Vec<Fault> {
    let folder = workspace::root().join("testing/faults");
    let faults: Vec<Fault> = workspace::files(&folder, "patch").iter().map(|path| Fault::read(path)).collect();
    assert!(faults.len() >= FAULTS_MIN, "{}", faults.len());
    faults
}

#[test]
fn every_fault_fits_the_program_in_one_place() {
    for fault in faults() {
        let Fault { name, path, .. } = &fault;
        assert!(path.starts_with("crates/") && path.contains("/src/"), "{name} is to change the program: {path}");
        let text = std::fs::read_to_string(workspace::root().join(path)).unwrap_or_else(|_| panic!("{name}: {path}"));
        let program: Vec<&str> = text.lines().take_while(|line| *line != "#[cfg(test)]").collect();
        let before = fault.lines([' ', '-']);
        let places = program.windows(before.len()).filter(|lines| *lines == before).count();
        assert_eq!(places, 1, "{name} fits {path} so often; make it anew with `git diff -U1`");
    }
}

#[test]
fn every_fault_changes_one_line() {
    for Fault { name, place, lines, .. } in faults() {
        let count = |signs: [char; 2]| lines.iter().filter(|line| line.starts_with(signs)).count();
        let [removed, added, kept] = ['-', '+', ' '].map(|sign| count([sign; 2]));
        assert!(removed <= 1 && added <= 1 && removed + added > 0, "{name}: {removed} removed, {added} added");
        assert_eq!(removed + added + kept, lines.len(), "{name} has other lines too");
        let is_between = [lines.first(), lines.last()].iter().all(|line| line.unwrap().starts_with(' '));
        assert!(is_between, "{name}: a line before and one behind say where it goes");
        let [_, from, to, _] = place.split(' ').collect::<Vec<_>>()[..] else { panic!("{name}: {place}") };
        let octets = |range: &str| range.split_once(',').and_then(|(_, lines)| lines.parse().ok());
        let counted = (Some(count([' ', '-'])), Some(count([' ', '+'])));
        assert_eq!((octets(from), octets(to)), counted, "{name}: {place}");
    }
}

#[test]
fn every_fault_says_what_it_breaks_and_which_tests_must_see_it() {
    let tests = workspace::tests();
    for fault in faults() {
        let name = &fault.name;
        let [broken] = fault.said("Broken: ").collect::<Vec<_>>()[..] else { panic!("{name} breaks one promise") };
        assert!(broken.ends_with('.'), "{name}: {broken}");
        let commands: Vec<&str> = fault.said("Red: ").collect();
        assert!(!commands.is_empty(), "{name} names no test");
        assert_eq!(fault.header.len(), 1 + commands.len(), "{name}: {:?}", fault.header);
        for command in commands {
            let words: Vec<&str> =
                command.strip_prefix(CARGO_TEST).unwrap_or_else(|| panic!("{name}: {command}")).split(' ').collect();
            assert!(workspace::root().join("crates").join(words[0]).is_dir(), "{name}: {command}");
            assert!(tests.contains(*words.last().unwrap()), "{name}: there is no such test: {command}");
        }
    }
}
