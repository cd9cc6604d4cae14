//! `secondo tenant add | list | show | rename | plan | remove`: the organisations that use this service.

use api::json::{AddOrganisation, AddedOrganisation, ChangeOrganisation, Organisation, Organisations, SetPlan, Time};
use api::{percent_encoded, text};
use clap::Subcommand;

use super::command::with_code;
use super::failure::Failure;
use super::output::{Format, Output, time_or_dash, time_text};
use super::server::Server;
use super::user::{email, given};

/// Organisations that are asked for at once.
const PAGE: u32 = 1_000;

#[derive(Debug, Subcommand)]
pub(crate) enum TenantAction {
    /// Add an organisation, and invite whoever is to own it.
    #[command(after_help = "Example:\n  secondo tenant add 'Example Ltd' --owner alice@example.org")]
    Add {
        /// What it is called; several may be called the same.
        #[arg(value_parser = name)]
        name: String,
        /// The e-mail address of whoever is to own it.
        #[arg(long, value_parser = email)]
        owner: Option<String>,
    },
    /// List organisations with their numbers.
    #[command(after_help = "Example:\n  secondo tenant list --find example")]
    List {
        /// Only those with this in their names.
        #[arg(long, default_value = "")]
        find: String,
    },
    /// Show an organisation.
    #[command(after_help = "Example:\n  secondo tenant show 7")]
    Show {
        /// Its number, which `secondo tenant list` shows.
        id: u64,
    },
    /// Call an organisation something else.
    #[command(after_help = "Example:\n  secondo tenant rename 7 'Example Inc'")]
    Rename {
        /// Its number.
        id: u64,
        #[arg(value_parser = name)]
        name: String,
    },
    /// Give an organisation a plan.
    #[command(after_help = "\
Examples:
  secondo tenant plan 7 2
  secondo tenant plan 7 2 --until 2027-12-31T00:00:00Z
  secondo tenant plan 7 --default                 the oldest plan, which those have who were given none")]
    Plan {
        /// Its number.
        id: u64,
        /// The plan's number, which `secondo plan list` shows.
        #[arg(required_unless_present = "default")]
        plan: Option<u64>,
        /// The oldest plan, as for those who were given none.
        #[arg(long, conflicts_with = "plan")]
        default: bool,
        /// When it ends; never unless said otherwise.
        #[arg(long, value_name = "TIME", value_parser = time)]
        until: Option<Time>,
    },
    /// Remove an organisation with its zones, keys, tokens and those of its members who belong nowhere else.
    #[command(after_help = "Example:\n  secondo tenant remove 7 --name 'Example Ltd'")]
    Remove {
        /// Its number.
        id: u64,
        /// What it is called, so that it is the right one.
        #[arg(long)]
        name: String,
    },
}

pub(super) async fn carry_out(action: TenantAction, server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    match action {
        TenantAction::Add { name, owner } => add(AddOrganisation { name, owner }, server, output).await,
        TenantAction::List { find } => list(&find, server, output).await,
        TenantAction::Show { id } => {
            let organisation: Organisation = server.get(&format!("/organisations/{id}"), &[]).await?;
            show(&organisation, output)
        }
        TenantAction::Rename { id, name } => {
            let change = ChangeOrganisation { name };
            let organisation: Organisation = server.patch(&format!("/organisations/{id}"), &change).await?;
            show(&organisation, output)
        }
        TenantAction::Plan { id, plan, default: _, until } => {
            let set = SetPlan { plan, ends_at: until };
            server.put_and_hear_nothing(&format!("/organisations/{id}/plan"), &set).await?;
            if output.format() == Format::Text {
                let plan = plan.map_or_else(|| "the oldest plan".to_owned(), |plan| format!("the plan {plan}"));
                let until = until.map_or_else(String::new, |until| format!(" until {}", time_text(until)));
                output.line(&format!("the organisation {id} has {plan}{until}"))?;
            }
            Ok(())
        }
        TenantAction::Remove { id, name } => {
            server.delete(&format!("/organisations/{id}?name={}", percent_encoded(&name))).await?;
            if output.format() == Format::Text {
                output.line(&format!("removed the organisation {id}, {name}"))?;
            }
            Ok(())
        }
    }
}

async fn add(organisation: AddOrganisation, server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    let added: AddedOrganisation = server.post("/organisations", &organisation).await?;
    let done = format!("added the organisation {}, {}", added.organisation.id, added.organisation.name);
    let url = match added.invitation.as_ref().and_then(|link| link.path.as_deref()) {
        Some(path) => Some(server.page(path).await?),
        None => None,
    };
    if output.format() == Format::Json {
        let shown =
            serde_json::json!({ "organisation": added.organisation, "owner": organisation.owner, "url": url });
        return Ok(output.json(&shown)?);
    }
    match &added.invitation {
        Some(link) => output.line(&format!("{done}\n\n{}", given("Its owner joins", link, url.as_deref())))?,
        None => output.line(&done)?,
    }
    Ok(())
}

async fn list(find: &str, server: &Server, output: &mut Output<'_>) -> Result<(), Failure> {
    let mut organisations: Vec<Organisation> = Vec::new();
    loop {
        let mut query = vec![("find", find.to_owned()), ("limit", PAGE.to_string())];
        query.extend(organisations.last().map(|last| ("after", last.id.to_string())));
        let page: Organisations = server.get("/organisations", &query).await?;
        organisations.extend(page.organisations);
        if page.next.is_none() {
            break;
        }
    }
    if output.format() == Format::Json {
        return Ok(output.json(&organisations)?);
    }
    if organisations.is_empty() {
        return Ok(output.line("there is no organisation with that in its name")?);
    }
    Ok(output.table(&["NUMBER", "NAME", "MEMBERS", "ZONES", "SINCE"], organisations.into_iter().map(row))?)
}

fn show(organisation: &Organisation, output: &mut Output<'_>) -> Result<(), Failure> {
    if output.format() == Format::Json {
        return Ok(output.json(organisation)?);
    }
    let titles = ["NUMBER", "NAME", "MEMBERS", "ZONES", "SINCE"];
    Ok(output.table(&titles, std::iter::once(row(organisation.clone())))?)
}

fn row(organisation: Organisation) -> Vec<String> {
    vec![
        organisation.id.to_string(),
        organisation.name,
        organisation.members.to_string(),
        organisation.zones.to_string(),
        time_or_dash(organisation.created_at),
    ]
}

fn time(text: &str) -> Result<Time, String> {
    text.parse().map_err(|error: api::json::NotATime| format!("{error}: write it like 2027-12-31T00:00:00Z"))
}

fn name(text: &str) -> Result<String, String> {
    text::organisation_name(text).map_err(with_code)
}
