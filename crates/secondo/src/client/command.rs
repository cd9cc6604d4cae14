//! What can be typed: the definitions of `zone`, `key` and `status`.
//!
//! Names and addresses are read here, so that a wrong one ends with status 2 before anything is sent.

use std::path::PathBuf;

use api::doors::Primary;
use api::json::KeyAlgorithm;
use api::text;
use clap::Subcommand;
use dns::Name;

use super::Connection;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add, list, show, refresh, export, import and remove zones.
    #[command(after_help = "Example:\n  secondo zone add example.org --primary 192.0.2.1")]
    Zone {
        #[command(subcommand)]
        action: ZoneAction,
        #[command(flatten)]
        connection: Connection,
    },
    /// Add, list and remove the TSIG keys that transfers are signed with.
    #[command(after_help = "Example:\n  secondo key add transfer.example.org")]
    Key {
        #[command(subcommand)]
        action: KeyAction,
        #[command(flatten)]
        connection: Connection,
    },
    /// Show how the server is: addresses, zones by condition, warnings.
    #[command(after_help = "Example:\n  secondo status --json")]
    Status {
        #[command(flatten)]
        connection: Connection,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ZoneAction {
    /// Add a zone and have it transferred.
    #[command(after_help = "\
Examples:
  secondo zone add example.org --primary 192.0.2.1
  secondo zone add example.org --primary 192.0.2.1:5353,key=transfer.example.org --primary '[2001:db8::1]:53'")]
    Add {
        /// The zone's name.
        #[arg(value_parser = zone_name)]
        name: Name,
        /// A server to copy the zone from, with the key to sign requests with; may be given several times.
        #[arg(long = "primary", required = true, value_name = "ADDR[:PORT][,key=NAME]", value_parser = primary)]
        primaries: Vec<Primary>,
    },
    /// List the zones.
    #[command(after_help = "Example:\n  secondo zone list --json")]
    List,
    /// Show a zone with its condition and its last attempt.
    #[command(after_help = "Example:\n  secondo zone show example.org")]
    Show {
        /// The zone's name.
        #[arg(value_parser = known_zone_name)]
        name: Name,
    },
    /// Bring a zone up to its primaries now, and wait for what comes of it.
    #[command(after_help = "Example:\n  secondo zone refresh example.org --full")]
    Refresh {
        /// The zone's name.
        #[arg(value_parser = known_zone_name)]
        name: Name,
        /// Transfer the whole zone, even if its serial is the same.
        #[arg(long)]
        full: bool,
    },
    /// Show the versions that are kept and the attempts on record, newest first.
    #[command(after_help = "Example:\n  secondo zone history example.org --limit 20")]
    History {
        /// The zone's name.
        #[arg(value_parser = known_zone_name)]
        name: Name,
        /// How many attempts to show at most, 1 to 1000.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// Write the served version as a zone file to standard output.
    #[command(after_help = "Example:\n  secondo zone export example.org > example.org.zone")]
    Export {
        /// The zone's name.
        #[arg(value_parser = known_zone_name)]
        name: Name,
    },
    /// Remove a zone with its contents and its history.
    #[command(after_help = "Example:\n  secondo zone remove example.org")]
    Remove {
        /// The zone's name.
        #[arg(value_parser = known_zone_name)]
        name: Name,
    },
    /// Add many zones from a file, each line wholly or not at all.
    #[command(after_help = "\
A line is: NAME ADDR[:PORT][,ADDR[:PORT]...] [KEY]     # begins a comment

Examples:
  secondo zone import zones.txt
  generate-zones | secondo zone import -")]
    Import {
        /// The file; `-` for standard input.
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyAction {
    /// Add a TSIG key; without a file its secret is generated, and shown this once.
    #[command(after_help = "\
Examples:
  secondo key add transfer.example.org
  secondo key add transfer.example.org --algorithm hmac-sha512 --secret-file secret.txt")]
    Add {
        /// The key's name.
        #[arg(value_parser = key_name)]
        name: Name,
        #[arg(long, default_value = "hmac-sha256", value_parser = key_algorithm)]
        algorithm: KeyAlgorithm,
        /// A file with the secret in base64; `-` for standard input.
        #[arg(long, value_name = "FILE")]
        secret_file: Option<PathBuf>,
    },
    /// List the TSIG keys, without their secrets.
    #[command(after_help = "Example:\n  secondo key list")]
    List,
    /// Remove a TSIG key that no zone uses.
    #[command(after_help = "Example:\n  secondo key remove transfer.example.org")]
    Remove {
        /// The key's name.
        #[arg(value_parser = key_name)]
        name: Name,
    },
}

impl Command {
    pub(crate) fn connection(&self) -> &Connection {
        match self {
            Self::Zone { connection, .. } | Self::Key { connection, .. } | Self::Status { connection } => connection,
        }
    }
}

fn zone_name(text: &str) -> Result<Name, String> {
    text::zone_name(text).map_err(with_code)
}

fn known_zone_name(text: &str) -> Result<Name, String> {
    text::known_zone_name(text).map_err(with_code)
}

fn key_name(text: &str) -> Result<Name, String> {
    text::key_name(text).map_err(with_code)
}

fn primary(text: &str) -> Result<Primary, String> {
    text::primary(text).map_err(with_code)
}

fn key_algorithm(text: &str) -> Result<KeyAlgorithm, String> {
    text::key_algorithm(text).map_err(with_code)
}

fn with_code(problem: api::Problem) -> String {
    format!("{problem} ({})", problem.code())
}
