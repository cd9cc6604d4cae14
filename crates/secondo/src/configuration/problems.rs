//! What is wrong with the file: all of it, each at its place.

use std::collections::BTreeSet;
use std::fmt::{self, Display};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use dns::Name;
use toml::Spanned;

/// Nobody mends more in one go.
const SAID_MAX: usize = 100;

/// Something wrong at an octet of the file.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) at: usize,
    pub(super) message: String,
}

/// What was found to be wrong until now. Whoever reads a section notes what cannot be read and goes on with what would count
/// without it: nothing of that is used, since a file with problems is not.
#[derive(Debug)]
pub(super) struct Problems {
    found: Vec<Wrong>,
    tries_files: bool,
}

impl Problems {
    /// None yet. `tries_files` is whether files that are followed once the program runs are tried too.
    pub(super) fn new(tries_files: bool) -> Self {
        Self { found: Vec::new(), tries_files }
    }

    /// Notes what `trial` finds wrong with a file that is followed once the program runs.
    pub(super) fn try_file(&mut self, file: &Spanned<PathBuf>, trial: impl FnOnce(&Path) -> anyhow::Result<()>) {
        if self.tries_files
            && let Err(error) = trial(file.get_ref())
        {
            self.note(file.span().start, format!("{error:#}"));
        }
    }

    pub(super) fn note(&mut self, at: usize, message: impl Into<String>) {
        self.found.push(Wrong { at, message: message.into() });
    }

    /// What `read` makes of the text, or what is wrong there.
    pub(super) fn read<T>(
        &mut self,
        text: &Spanned<String>,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let read = read(text.get_ref());
        read.map_err(|message| self.note(text.span().start, message)).ok()
    }

    /// The same where nothing may be written.
    pub(super) fn read_if_given<T>(
        &mut self,
        text: Option<&Spanned<String>>,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        text.and_then(|text| self.read(text, read))
    }

    /// Those of the texts that are what they should be.
    pub(super) fn read_all<T: FromStr<Err: Display>>(&mut self, texts: &[Spanned<String>]) -> Vec<T> {
        let read = |text: &str| text.parse().map_err(|error: T::Err| error.to_string());
        texts.iter().filter_map(|text| self.read(text, read)).collect()
    }

    /// What a section cannot do without.
    pub(super) fn required<'a, T>(&mut self, field: Option<&'a T>, at: usize, what: &str) -> Option<&'a T> {
        if field.is_none() {
            self.note(at, format!("{what} is missing here"));
        }
        field
    }

    /// Notes a name that was read before.
    pub(super) fn once(&mut self, names: &mut BTreeSet<Name>, name: &Name, text: &Spanned<String>, what: &str) {
        if !names.insert(name.clone()) {
            let text_of_it = text.get_ref();
            self.note(text.span().start, format!("the {what} {text_of_it} is there twice: write one section for it"));
        }
    }

    pub(super) fn is_noted_on_line_of(&self, text: &str, at: usize) -> bool {
        let line = place(text, at).0;
        self.found.iter().any(|wrong| place(text, wrong.at).0 == line)
    }

    /// All of it in the order of the file, none if there is nothing.
    pub(super) fn placed(mut self, text: &str) -> Vec<Problem> {
        self.found.sort_by_key(|wrong| wrong.at);
        let placed = |Wrong { at, message }| {
            let (line, column) = place(text, at);
            // A parser's words may be of several lines.
            Problem { line, column, message: message.replace('\n', "; ") }
        };
        self.found.into_iter().map(placed).collect()
    }
}

/// The line and the column of an octet, both from 1; columns are counted in characters.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Problem {
    /// From 1.
    pub(crate) line: usize,
    /// In characters, from 1.
    pub(crate) column: usize,
    pub(crate) message: String,
}

/// All that is wrong with one file, as editors and people read it: a line for each, with its place.
#[derive(Clone, Debug)]
pub(crate) struct FileProblems {
    pub(crate) path: PathBuf,
    pub(crate) problems: Vec<Problem>,
}

impl FileProblems {
    pub(super) fn new(path: &Path, problems: Vec<Problem>) -> Self {
        Self { path: path.to_owned(), problems }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> String {
        match self.problems.len() {
            1 => "one problem".to_owned(),
            many => format!("{many} problems"),
        }
    }
}

impl Display for FileProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration file {} has {}", self.path.display(), self.count())?;
        for Problem { line, column, message } in self.problems.iter().take(SAID_MAX) {
            write!(f, "\n{}:{line}:{column}: {message}", self.path.display())?;
        }
        match self.problems.len().saturating_sub(SAID_MAX) {
            0 => Ok(()),
            more => write!(f, "\n… and {more} more"),
        }
    }
}
