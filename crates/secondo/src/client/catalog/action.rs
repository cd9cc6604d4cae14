//! What can be typed behind `secondo catalog`.

use std::path::PathBuf;

use clap::Subcommand;
use dns::Name;
use xfr::{Primary, Setting};

use crate::client::command::{known_zone_name, primary, setting, with_code, zone_name};

#[derive(Debug, Subcommand)]
pub(crate) enum CatalogAction {
    /// Add a catalog, and have the zones copied that it lists.
    #[command(after_help = "\
Examples:
  secondo catalog add catalog.example.org --primary 192.0.2.1
  secondo catalog add catalog.example.org --primary 192.0.2.1,key=k --suffix example.org --suffix example.net
  secondo catalog add catalog.example.org --primary 192.0.2.1 --member-primary 192.0.2.2 --groups groups.toml

A file of groups says what the members are made of that the catalog puts into a group:
  [gold]
  primaries = [\"192.0.2.7,key=k\"]
  settings = { refresh-max = \"10m\" }

The catalog's own zone is followed as any zone, and never answered: what it lists is nobody else's business.")]
    Add {
        /// The catalog's name, which is the name of its zone.
        #[arg(value_parser = zone_name)]
        name: Name,
        /// A server to copy the catalog from, as for `zone add`; may be given several times.
        #[arg(long = "primary", required = true, value_name = "ADDR[:PORT][,OPTION]...", value_parser = primary)]
        primaries: Vec<Primary>,
        #[command(flatten)]
        rules: Rules,
    },
    /// List the catalogs.
    #[command(after_help = "Example:\n  secondo catalog list --json")]
    List,
    /// Show a catalog, its members, those that wait to go, and what it lists in vain.
    #[command(after_help = "Example:\n  secondo catalog show catalog.example.org")]
    Show {
        /// The catalog's name.
        #[arg(value_parser = known_zone_name)]
        name: Name,
    },
    /// Change what a catalog may do and what its members are made of; what is not given stays.
    #[command(after_help = "\
Examples:
  secondo catalog set catalog.example.org --suffix example.org
  secondo catalog set catalog.example.org --guard-delay 12h
  secondo catalog set catalog.example.org --member-set refresh-max=1h --member-set notify=

Where the catalog itself is copied from is changed with `secondo zone set`.")]
    Set {
        /// The catalog's name.
        #[arg(value_parser = known_zone_name)]
        name: Name,
        #[command(flatten)]
        rules: Rules,
    },
    /// Have those members go at once that the catalog does not list any more.
    #[command(after_help = "Example:\n  secondo catalog accept catalog.example.org --serial 2026112101")]
    Accept {
        /// The catalog's name.
        #[arg(value_parser = known_zone_name)]
        name: Name,
        /// The version that you have looked at; without it, the one that `catalog show` would show now.
        #[arg(long)]
        serial: Option<u32>,
    },
    /// Remove a catalog; its members stay, as zones of their own.
    #[command(after_help = "Example:\n  secondo catalog remove catalog.example.org")]
    Remove {
        /// The catalog's name.
        #[arg(value_parser = known_zone_name)]
        name: Name,
    },
}

/// What a catalog may do, and what its members are made of.
#[derive(Debug, clap::Args)]
pub(crate) struct Rules {
    /// Take up only zones at or below this name; may be given several times. Without it: any zone.
    #[arg(long = "suffix", value_name = "NAME", value_parser = zone_name)]
    pub(super) suffixes: Vec<Name>,
    /// A server to copy members from; may be given several times. Without it: the catalog's own.
    #[arg(long = "member-primary", value_name = "ADDR[:PORT][,OPTION]...", value_parser = primary)]
    pub(super) member_primaries: Vec<Primary>,
    /// Copy members from the catalog's own primaries again.
    #[arg(long, conflicts_with = "member_primaries")]
    pub(super) own_primaries: bool,
    /// What is to differ from the defaults for members, as for `zone set`; may be given several times, and without a
    /// value the default counts again.
    #[arg(long = "member-set", value_name = "NAME=VALUE", value_parser = setting)]
    pub(super) member_settings: Vec<(Setting, Option<String>)>,
    /// A file (TOML) with what the members of groups are made of instead, all of them.
    #[arg(long, value_name = "FILE")]
    pub(super) groups: Option<PathBuf>,
    /// How long many members that go at a time wait; `off` to have them go at once [unless said: 1d].
    #[arg(long, value_name = "TIME", value_parser = delay)]
    pub(super) guard_delay: Option<String>,
    /// How many of a hundred members are many [unless said: 20].
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(super) guard_share: Option<u8>,
    /// Fewer members than this are never many [unless said: 3].
    #[arg(long, value_name = "NUMBER")]
    pub(super) guard_zones: Option<u32>,
}

/// Read by the server; wrong ones end here.
fn delay(text: &str) -> Result<String, String> {
    api::text::guard_delay(text).map(|_| text.to_owned()).map_err(with_code)
}
