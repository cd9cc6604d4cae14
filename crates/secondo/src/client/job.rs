//! `secondo job list | show`: what was asked for by programs that did not wait.

use api::json::{Job, JobState, Jobs};
use clap::Subcommand;

use super::failure::Failure;
use super::output::{Format, Output, time_or_dash, time_text};
use super::server::Server;

#[derive(Debug, Subcommand)]
pub(crate) enum JobAction {
    /// List the jobs of the last week, newest first: what was asked for with `Prefer: respond-async`.
    #[command(after_help = "Example:\n  secondo job list --limit 20")]
    List {
        /// How many jobs to show at most, 1 to 1000.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// Show how far a job is, and what came of it.
    #[command(after_help = "Example:\n  secondo job show 17 --json")]
    Show {
        /// Its number, which `secondo job list` shows.
        id: u64,
    },
}

pub(super) async fn carry_out(action: JobAction, server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    match action {
        JobAction::List { limit } => list(limit, server, output).await,
        JobAction::Show { id } => show(&server.get(&format!("/jobs/{id}"), &[]).await?, output),
    }
}

async fn list(limit: u32, server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    let Jobs { jobs, .. } = server.get("/jobs", &[("limit", limit.to_string())]).await?;
    if output.format() == Format::Json {
        return Ok(output.json(&jobs)?);
    }
    if jobs.is_empty() {
        return Ok(output.line("there was no job within the last week")?);
    }
    let row = |job: Job| {
        let state = state_text(&job);
        vec![job.id.to_string(), job.operation, state, time_text(job.created_at), time_or_dash(job.finished_at)]
    };
    Ok(output.table(&["NUMBER", "WHAT", "STATE", "ASKED FOR", "ENDED"], jobs.into_iter().map(row))?)
}

fn show(job: &Job, output: &mut Output<'_>) -> Result<(), Failure> {
    if output.format() == Format::Json {
        return Ok(output.json(job)?);
    }
    let mut facts = vec![
        ("number", job.id.to_string()),
        ("what", job.operation.clone()),
        ("state", state_text(job)),
        ("asked for", time_text(job.created_at)),
        ("ended", time_or_dash(job.finished_at)),
    ];
    if let Some(problem) = &job.problem {
        facts.push(("because", format!("{} ({})", problem.detail, problem.code)));
    }
    output.facts(facts)?;
    if let Some(result) = &job.result {
        output.line("")?;
        output.json(result)?;
    }
    Ok(())
}

fn state_text(job: &Job) -> String {
    match (job.state, job.progress) {
        (JobState::Running, Some(progress)) => format!("running, {} of {}", progress.done, progress.total),
        (state, _) => state.to_string(),
    }
}
