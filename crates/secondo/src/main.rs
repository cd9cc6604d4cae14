//! The program: one binary, one `match` that names every mode.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod abreast;
mod accounts;
mod agenda;
mod alerts;
mod alike;
mod attempt;
mod catalogs;
mod certificate;
mod check;
mod claims;
mod client;
mod clock;
mod command;
mod configuration;
mod crowd;
mod delegations;
mod demo;
mod differences;
mod doors;
mod events;
mod examination;
mod followed;
mod history;
mod holds;
mod kept;
mod lasting;
mod ledger;
mod manual;
mod memory;
mod node;
mod note;
mod notifies;
mod orders;
mod pace;
mod persona;
mod plans;
mod promotion;
mod published;
mod reconcile;
mod refresh;
mod reload;
mod rereading;
mod room;
mod roster;
mod scheduler;
mod serve;
#[cfg(test)]
mod simulation;
mod statistics;
mod supervised;
mod telling;
mod tls;
mod upkeep;
mod warnings;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use rustix::process::Signal;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use check::{CheckArguments, Finding};
use command::{Command, CommandLine, ServeArguments};
use configuration::Configuration;
use demo::DemoArguments;

/// The request failed.
const FAILED: u8 = 1;
/// The request was wrong.
const WRONG_USAGE: u8 = 2;

/// Work off the runtime's threads that is not done so long after the end of all else is given up.
const ABANDONED_AFTER: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    match CommandLine::parse().command {
        Command::Serve(arguments) => serve(&arguments),
        Command::Demo(arguments) => demo(arguments),
        Command::CheckConfig(arguments) => check_config(&arguments),
        Command::Completions(arguments) => ended(manual::complete(&arguments, &mut std::io::stdout())),
        Command::ManualPages(arguments) => ended(manual::write_pages(&arguments)),
        Command::Client(command) => client::run(command),
    }
}

/// Takes as many file descriptors as the system lets us have: the usual 1,024 are fewer than the connections that we
/// serve at a time, and a flood of those must not keep us from opening files.
fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!("the limit of open files stays as it is: {error}");
    }
}

/// Has a file that may not grow any further (`ulimit -f`) be an error like a full disk, and not our end.
fn outlive_limits_of_file_sizes(runtime: &Runtime) {
    let _entered = runtime.enter();
    // That the signal is taken is enough: nobody needs to listen.
    if let Err(error) = signal(SignalKind::from_raw(Signal::XFSZ.as_raw())) {
        tracing::warn!("a limit of file sizes, if there is one, may end us: {error}");
    }
}

/// Has this process end as soon as the one that started it has ended.
///
/// # Errors
/// When that has happened already.
fn end_with(parent: u32) -> Result<(), &'static str> {
    use rustix::process::{getppid, set_parent_process_death_signal};
    set_parent_process_death_signal(Some(Signal::TERM)).map_err(|_| "this system tells nobody of a parent's end")?;
    let is_alive = getppid().is_some_and(|process| process.as_raw_nonzero().get().cast_unsigned() == parent);
    if is_alive { Ok(()) } else { Err("who started this has ended") }
}

fn serve(arguments: &ServeArguments) -> ExitCode {
    if let Some(Err(error)) = arguments.end_with.map(end_with) {
        return end(&error, FAILED);
    }
    let filter = EnvFilter::try_from_env("SECONDO_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let is_terminal = std::io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(is_terminal)
        // It would be told of on standard error too, and panic there: a log on a full disk must not stop a task.
        .log_internal_errors(false)
        .init();
    let configuration = match Configuration::of(arguments) {
        Ok(configuration) => configuration,
        Err(error) => return end(&error, WRONG_USAGE),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return end(&format!("the system gives us no threads: {error}"), FAILED),
    };
    raise_open_files();
    outlive_limits_of_file_sizes(&runtime);
    let result = runtime.block_on(serve::serve(configuration, arguments));
    // A large zone may just be built; nothing of it has been promised.
    runtime.shutdown_timeout(ABANDONED_AFTER);
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => end(&format!("{error:#}"), FAILED),
    }
}

fn ended(done: std::io::Result<()>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => end(&error, FAILED),
    }
}

fn check_config(arguments: &CheckArguments) -> ExitCode {
    match check::check(arguments) {
        Ok(Finding { said, is_right }) => {
            let is_written = writeln!(std::io::stdout(), "{said}").is_ok();
            if is_right && is_written { ExitCode::SUCCESS } else { ExitCode::from(FAILED) }
        }
        Err(error) => end(&error, FAILED),
    }
}

fn demo(arguments: DemoArguments) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return end(&format!("the system gives us no threads: {error}"), FAILED),
    };
    match runtime.block_on(demo::show(arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        // Who has seen enough (`| head`) needs no explanation.
        Err(error) if is_of_closed_pipe(&error) => ExitCode::from(FAILED),
        Err(error) => end(&format!("{error:#}"), FAILED),
    }
}

fn is_of_closed_pipe(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<std::io::Error>();
    error.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

fn end(sentence: &impl std::fmt::Display, status: u8) -> ExitCode {
    // Nobody reads it if this fails; the status still says it.
    let _ = writeln!(std::io::stderr(), "secondo: {sentence}");
    ExitCode::from(status)
}
