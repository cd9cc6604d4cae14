//! `secondo claim list | approve | disprove`: for whoever runs the service.

use api::json::{Claim, Claims};

use super::command::ClaimAction;
use super::failure::Failure;
use super::output::{Format, Output, time_text};
use super::server::Server;

/// Claims that are asked for at a time.
const AT_ONCE: &str = "1000";

pub(crate) async fn carry_out(action: ClaimAction, server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    match action {
        ClaimAction::List => list(server, output).await,
        ClaimAction::Approve { id } => {
            server.post_nothing(&format!("/claims/{id}/approve")).await?;
            said(output, &format!("claim {id} is approved: the zone is answered as it is copied there"))
        }
        ClaimAction::Disprove { id } => {
            server.post_nothing(&format!("/claims/{id}/disprove")).await?;
            said(output, &format!("zone {id} has lost its name: it is copied, and not answered"))
        }
    }
}

fn said(output: &mut Output<'_>, sentence: &str) -> Result<(), Failure> {
    match output.format() {
        Format::Text => Ok(output.line(sentence)?),
        Format::Json => Ok(()),
    }
}

async fn list(server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    let mut all: Vec<Claim> = Vec::new();
    let mut after = Some(0);
    while let Some(last) = after {
        let query = [("after", last.to_string()), ("limit", AT_ONCE.to_owned())];
        let part: Claims = server.get("/claims", &query).await?;
        all.extend(part.claims);
        after = part.next;
    }
    if output.format() == Format::Json {
        return Ok(output.json(&all)?);
    }
    if all.is_empty() {
        return Ok(output.line("no claim waits for a proof")?);
    }
    let rows = all.into_iter().map(|claim| {
        let now = match (claim.is_held, claim.is_public_suffix) {
            (true, _) => "another's",
            (false, true) => "public suffix",
            (false, false) => "nobody's",
        };
        vec![claim.id.to_string(), claim.name, claim.tenant.to_string(), time_text(claim.claimed_at), now.to_owned()]
    });
    Ok(output.table(&["ID", "NAME", "ORGANISATION", "CLAIMED", "NOW"], rows)?)
}
