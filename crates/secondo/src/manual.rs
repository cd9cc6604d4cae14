//! What a package brings of the command line besides the program: manual pages and completions.

use std::io;
use std::path::PathBuf;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::command::CommandLine;

#[derive(Args, Debug)]
pub(crate) struct CompletionArguments {
    /// For which shell.
    shell: Shell,
}

#[derive(Args, Debug)]
pub(crate) struct ManualArguments {
    /// Where the pages are written to; it must be there.
    directory: PathBuf,
}

/// Writes a shell's completions.
///
/// # Errors
/// When nobody takes them.
pub(crate) fn complete(arguments: &CompletionArguments, out: &mut impl io::Write) -> io::Result<()> {
    // The crate's own writer panics at a closed pipe.
    let mut completions = Vec::new();
    clap_complete::generate(arguments.shell, &mut CommandLine::command(), "secondo", &mut completions);
    out.write_all(&completions)
}

/// Writes a page for each command: `secondo.1`, `secondo-zone-add.1` and so on.
///
/// # Errors
/// When they cannot be written.
pub(crate) fn write_pages(arguments: &ManualArguments) -> io::Result<()> {
    clap_mangen::generate_to(CommandLine::command(), &arguments.directory)
}
