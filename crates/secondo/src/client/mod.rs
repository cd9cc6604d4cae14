//! The client commands: they talk to a server's HTTP API and show people, or programs, what it says.
//!
//! ```text
//! command ──▶ connection: where is the server, what is the token ──▶ server: requests ──▶ output: tables or JSON
//!                                                                     └─ failure: one sentence, a code, a status
//! ```
//!
//! Invariants: the exit status is 0 when done, 1 when it failed, 2 when it was typed wrong; what is asked for goes to
//! standard output and what went wrong to standard error, in one sentence with its code, or with `--json` as an object
//! of both; nothing waits for ever.
//!
//! It deliberately opens neither the store nor the inventory: the server is the only one who does.

mod alert;
mod audit;
mod catalog;
mod claim;
mod command;
mod connection;
mod doctor;
mod event;
mod failure;
mod job;
mod key;
mod member;
mod notifies;
mod output;
mod plan;
mod server;
mod status;
mod tenant;
mod token;
mod usage;
mod user;
mod zone;

#[cfg(test)]
mod tests;

use std::io::Write;
use std::process::ExitCode;

pub(crate) use command::Command;

use connection::Connection;
use failure::Failure;
use output::{Format, Output};
use server::Server;

/// Carries out a client command and says how it ended; needs no runtime around it.
pub(crate) fn run(command: Command) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let (mut out, mut errors) = (std::io::stdout().lock(), std::io::stderr());
    let status = match runtime {
        Ok(runtime) => runtime.block_on(run_to(command, &mut out, &mut errors)),
        Err(error) => report(
            &Failure::new("internal", format!("no runtime can be started: {error}")),
            Format::Text,
            &mut errors,
        ),
    };
    ExitCode::from(status)
}

async fn run_to(command: Command, out: &mut dyn Write, errors: &mut dyn Write) -> u8 {
    let format = command.connection().format();
    match carry_out(command, out, errors).await {
        Ok(()) => 0,
        Err(failure) => report(&failure, format, errors),
    }
}

async fn carry_out(command: Command, out: &mut dyn Write, errors: &mut dyn Write) -> Result<(), Failure> {
    let open = |connection: &Connection| Ok::<_, Failure>((Server::find(connection)?, connection.format()));
    match command {
        Command::Zone { action, connection } => {
            let (server, format) = open(&connection)?;
            zone::carry_out(action, &server, &mut Output::new(out, format), errors).await
        }
        Command::Key { action, connection } => {
            let (server, format) = open(&connection)?;
            key::carry_out(action, &server, &mut Output::new(out, format)).await
        }
        Command::Catalog { action, connection } => {
            let (server, format) = open(&connection)?;
            catalog::carry_out(action, &server, &mut Output::new(out, format)).await
        }
        Command::Token { action, connection } => {
            let (server, format) = open(&connection)?;
            token::carry_out(action, &server, &mut Output::new(out, format)).await
        }
        Command::User { action, connection } => {
            let (server, format) = open(&connection)?;
            user::carry_out(action, &server, &mut Output::new(out, format)).await
        }
        Command::Claim { action, connection } => {
            let (server, format) = open(&connection)?;
            claim::carry_out(action, &server, &mut Output::new(out, format)).await
        }
        Command::Tenant { action, connection } => {
            let (server, format) = open(&connection)?;
            tenant::carry_out(action, &server, &mut Output::new(out, format)).await
        }
        Command::Member { action, connection } => {
            let (server, format) = open(&connection)?;
            member::carry_out(action, &server, &mut Output::new(out, format)).await
        }
        Command::Plan { action, connection } => {
            let (server, format) = open(&connection)?;
            plan::carry_out(action, &server, &mut Output::new(out, format)).await
        }
        Command::Event { action, connection } => {
            let (server, format) = open(&connection)?;
            event::carry_out(action, &server, &mut Output::new(out, format)).await
        }
        Command::Alert { action, connection } => {
            let (server, format) = open(&connection)?;
            alert::carry_out(action, &server, &mut Output::new(out, format)).await
        }
        Command::Job { action, connection } => {
            let (server, format) = open(&connection)?;
            job::carry_out(action, &server, &mut Output::new(out, format)).await
        }
        Command::Audit { limit, connection } => {
            let (server, format) = open(&connection)?;
            audit::show(limit, &server, &mut Output::new(out, format)).await
        }
        Command::Doctor { examine, connection } => doctor::carry_out(examine, &connection, out).await,
        Command::Notifies { limit, connection } => {
            let (server, format) = open(&connection)?;
            notifies::show(limit, &server, &mut Output::new(out, format)).await
        }
        Command::Usage { month, csv, connection } => {
            let (server, format) = open(&connection)?;
            let shape = if csv { usage::Shape::Csv } else { usage::Shape::AsAsked };
            usage::show(month, shape, &server, &mut Output::new(out, format)).await
        }
        Command::Status { connection } => {
            let (server, format) = open(&connection)?;
            status::show(&server, &mut Output::new(out, format)).await
        }
    }
}

fn report(failure: &Failure, format: Format, errors: &mut dyn Write) -> u8 {
    let said = match format {
        Format::Text => failure.sentence().map(|sentence| format!("secondo: {sentence}")),
        Format::Json => failure.json().map(|value| value.to_string()),
    };
    if let Some(said) = said {
        // With standard error gone there is nobody left to tell.
        let _ = writeln!(errors, "{said}");
    }
    failure.exit_status()
}
