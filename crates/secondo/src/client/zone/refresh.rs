//! `secondo zone refresh`.

use api::json::{Attempt, AttemptOutcome, Refresh, Refreshed, Transfer};
use dns::Name;

use super::path;
use super::show::attempt_text;
use crate::client::failure::Failure;
use crate::client::output::{Format, Output, or_dash};
use crate::client::server::Server;

pub(crate) async fn refresh(
    name: &Name,
    transfer: Transfer,
    server: &Server,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let refreshed: Refreshed = server.post_and_wait(&path(name, "/refresh"), &Refresh { transfer }).await?;
    if output.format() == Format::Json {
        output.json(&refreshed)?;
    }
    let Some(attempt) = refreshed.attempt else {
        let sentence = format!("the refresh of {name} takes long and goes on: see `secondo zone show {name}`");
        return Err(Failure::new("refresh_running", sentence));
    };
    if attempt.outcome == AttemptOutcome::Failed {
        return Err(failed(name, &attempt));
    }
    if output.format() == Format::Text {
        let serial = refreshed.zone.and_then(|zone| zone.serial).or(attempt.to_serial);
        output.line(&format!("{name} is at serial {}; {}", or_dash(serial), attempt_text(&attempt)))?;
    }
    Ok(())
}

fn failed(name: &Name, attempt: &Attempt) -> Failure {
    match &attempt.reason {
        Some(reason) => {
            let sentence =
                format!("{name} was not refreshed: {}; fault: {}; {}", reason.message, reason.fault, reason.advice);
            Failure::new(reason.code.clone(), sentence)
        }
        None => Failure::new("internal", format!("{name} was not refreshed, and the server did not say why")),
    }
}
