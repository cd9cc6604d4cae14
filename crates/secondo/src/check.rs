//! `secondo check-config`: what `serve` would say of a configuration file, all at once, without starting anything.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use api::doors::NewZone;
use clap::Args;
use dns::Name;

use crate::configuration::{Configuration, ConfigurationError, Problem};

#[derive(Args, Debug)]
pub(crate) struct CheckArguments {
    /// The configuration file (TOML).
    #[arg(value_name = "FILE", env = "SECONDO_CONFIG")]
    file: PathBuf,
    /// Say it as JSON.
    #[arg(long)]
    json: bool,
}

/// What to say, and whether `serve` would take the file.
pub(crate) struct Finding {
    pub(crate) said: String,
    pub(crate) is_right: bool,
}

/// Reads the file, and those that it names. What the file takes for granted of variables and flags is not known here, and neither
/// is what is in the inventory.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn check(arguments: &CheckArguments) -> Result<Finding, ConfigurationError> {
    let file = arguments.file.as_path();
    match Configuration::check(file) {
        Ok(configuration) if arguments.json => Ok(as_json(&[], Some(&configuration))),
        Ok(configuration) => Ok(Finding { said: summary(file, &configuration), is_right: true }),
        Err(ConfigurationError::Wrong(found)) if arguments.json => Ok(as_json(&found.problems, None)),
        Err(ConfigurationError::Wrong(found)) => Ok(Finding { said: found.to_string(), is_right: false }),
        Err(error) => Err(error),
    }
}

fn as_json(problems: &[Problem], configuration: Option<&Configuration>) -> Finding {
    let is_right = configuration.is_some();
    let missing: Vec<String> = configuration
        .iter()
        .flat_map(|configuration| keys_elsewhere(configuration))
        .map(|key| key.to_string())
        .collect();
    let said = serde_json::json!({ "ok": is_right, "problems": problems, "keys_elsewhere": missing });
    Finding { said: said.to_string(), is_right }
}

fn summary(file: &Path, configuration: &Configuration) -> String {
    let Configuration { keys, zones, catalogs, .. } = configuration;
    let mut said = format!(
        "{} has no problems: {}, {}, {}",
        file.display(),
        counted(keys.len(), "key"),
        counted(zones.len(), "zone"),
        counted(catalogs.len(), "catalog"),
    );
    for key in keys_elsewhere(configuration) {
        // A string takes whatever is written to it.
        let _ = write!(
            said,
            "\nThe key {key} is not in this file: `secondo key add` must have added it before it is used."
        );
    }
    said
}

fn counted(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// Keys that zones and catalogs name and that the file does not hold.
fn keys_elsewhere(configuration: &Configuration) -> BTreeSet<Name> {
    let catalogs = configuration.catalogs.iter().map(|catalog| &catalog.zone);
    let primaries = configuration.zones.iter().chain(catalogs).flat_map(NewZone::primaries);
    let named = primaries.filter_map(|primary| primary.key.clone());
    named.filter(|name| configuration.keys.iter().all(|key| key.name() != name)).collect()
}
