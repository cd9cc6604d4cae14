//! The client commands: they talk to a server's HTTP API and show people, or programs, what it says.
//!
//! ```text
//! command ──▶ connection: where is the server, what is the token ──▶ server: requests ──▶ output: tables or JSON
//!                                                                     └─ failure: one sentence, a code, a status
//! ```
//!
//! Invariants: the exit status is 0 when done, 1 when it failed, 2 when it was typed wrong; what is asked for goes to
//! standard output and what went wrong to standard error, in one sentence with its code; nothing waits for ever.
//!
//! It deliberately opens neither the store nor the inventory: the server is the only one who does.

mod command;
mod connection;
mod failure;
mod key;
mod output;
mod server;
mod status;
mod zone;

#[cfg(test)]
mod tests;

use std::io::Write;
use std::process::ExitCode;

pub(crate) use command::Command;

use connection::Connection;
use failure::Failure;
use output::Output;
use server::Server;

/// Carries out a client command and says how it ended; needs no runtime around it.
pub(crate) fn run(command: Command) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let (mut out, mut errors) = (std::io::stdout().lock(), std::io::stderr());
    let status = match runtime {
        Ok(runtime) => runtime.block_on(run_to(command, &mut out, &mut errors)),
        Err(error) => report(&Failure::new("internal", format!("no runtime can be started: {error}")), &mut errors),
    };
    ExitCode::from(status)
}

async fn run_to(command: Command, out: &mut dyn Write, errors: &mut dyn Write) -> u8 {
    match carry_out(command, out, errors).await {
        Ok(()) => 0,
        Err(failure) => report(&failure, errors),
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
        Command::Status { connection } => {
            let (server, format) = open(&connection)?;
            status::show(&server, &mut Output::new(out, format)).await
        }
    }
}

fn report(failure: &Failure, errors: &mut dyn Write) -> u8 {
    if let Some(sentence) = failure.sentence() {
        // With standard error gone there is nobody left to tell.
        let _ = writeln!(errors, "secondo: {sentence}");
    }
    failure.exit_status()
}
