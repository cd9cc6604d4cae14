//! What can be typed: the client commands. Those of `catalog`, `token` and `user` are defined beside what they do.
//!
//! Names and addresses are read here, so that a wrong one ends with status 2 before anything is sent.

use std::net::IpAddr;
use std::path::PathBuf;

use api::doors::NewZone;
use api::json::{KeyAlgorithm, Month, State, ZoneOrder};
use api::text::{self, ListFormat};
use clap::{Args, Subcommand};
use dns::Name;
use xfr::{Primary, Setting};

use super::Connection;
use super::alert::AlertAction;
use super::catalog::CatalogAction;
use super::event::EventAction;
use super::job::JobAction;
use super::member::MemberAction;
use super::plan::PlanAction;
use super::tenant::TenantAction;
use super::token::TokenAction;
use super::user::UserAction;
use super::zone::promote;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Add, list, show, refresh, change, export, import and remove zones.
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
    /// List the claims on names that are not proven, and decide about them, where organisations share the service.
    #[command(after_help = "Example:\n  secondo claim list")]
    Claim {
        #[command(subcommand)]
        action: ClaimAction,
        #[command(flatten)]
        connection: Connection,
    },
    /// Add, list, show, change and remove catalogs: zones that list the zones to copy (RFC 9432).
    #[command(after_help = "Example:\n  secondo catalog add catalog.example.org --primary 192.0.2.1")]
    Catalog {
        #[command(subcommand)]
        action: CatalogAction,
        #[command(flatten)]
        connection: Connection,
    },
    /// Add, list and remove the access tokens of the API, for programs.
    #[command(after_help = "Example:\n  secondo token add deployment --scope read,zones --ends-in 90d")]
    Token {
        #[command(subcommand)]
        action: TokenAction,
        #[command(flatten)]
        connection: Connection,
    },
    /// Add, list and remove those who may sign in to the console.
    #[command(after_help = "Example:\n  secondo user add alice@example.org --role editor")]
    User {
        #[command(subcommand)]
        action: UserAction,
        #[command(flatten)]
        connection: Connection,
    },
    /// Add, list, rename and remove the organisations that use this service.
    #[command(after_help = "Example:\n  secondo tenant add 'Example Ltd' --owner alice@example.org")]
    Tenant {
        #[command(subcommand)]
        action: TenantAction,
        #[command(flatten)]
        connection: Connection,
    },
    /// List those who belong to an organisation, invite others, and change what they may.
    #[command(after_help = "Example:\n  secondo member invite alice@example.org --role editor")]
    Member {
        #[command(subcommand)]
        action: MemberAction,
        #[command(flatten)]
        connection: Connection,
    },
    /// Show, make and change plans: what organisations may have.
    #[command(after_help = "Example:\n  secondo plan own")]
    Plan {
        #[command(subcommand)]
        action: PlanAction,
        #[command(flatten)]
        connection: Connection,
    },
    /// Show what your organisation was told of: limits that are near, names that are lost.
    #[command(after_help = "Example:\n  secondo event list")]
    Event {
        #[command(subcommand)]
        action: EventAction,
        #[command(flatten)]
        connection: Connection,
    },
    /// Have events sent to people by mail, and to programs as signed messages.
    #[command(after_help = "Example:\n  secondo alert add noc@example.net")]
    Alert {
        #[command(subcommand)]
        action: AlertAction,
        #[command(flatten)]
        connection: Connection,
    },
    /// Show long work that programs asked for without waiting for it.
    #[command(after_help = "Example:\n  secondo job list")]
    Job {
        #[command(subcommand)]
        action: JobAction,
        #[command(flatten)]
        connection: Connection,
    },
    /// Show what was changed, when, by whom and from where, newest first.
    #[command(after_help = "Example:\n  secondo audit --limit 20")]
    Audit {
        /// How many changes to show at most, 1 to 1000.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
        #[command(flatten)]
        connection: Connection,
    },
    /// Examine a zone at its primaries step by step, say what is wrong, and what to paste into their configuration.
    #[command(after_help = DOCTOR_HELP)]
    Doctor {
        #[command(flatten)]
        examine: Examine,
        #[command(flatten)]
        connection: Connection,
    },
    /// Show from where NOTIFYs came for zones that are not here.
    #[command(after_help = "Example:\n  secondo notifies --limit 20")]
    Notifies {
        /// How many blocks of addresses to show at most, 1 to 1000.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
        #[command(flatten)]
        connection: Connection,
    },
    /// Show what was used in a month, for bills: your organisation's own usage, or everybody's if you run the service.
    #[command(after_help = "Examples:\n  secondo usage --month 2026-11\n  secondo usage --csv > usage.csv")]
    Usage {
        /// The month in UTC, as in 2026-11; the present one unless said otherwise.
        #[arg(long, value_parser = month)]
        month: Option<Month>,
        /// As a table for spreadsheets.
        #[arg(long, conflicts_with = "json")]
        csv: bool,
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

/// What `doctor` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Examine {
    /// The zone and a primary of it; the zone alone for one that is here.
    #[arg(value_name = "NAME@ADDR[:PORT][,OPTION]...", value_parser = patient)]
    pub(crate) patient: Patient,
    /// More primaries of the zone, to be compared.
    #[arg(value_name = "ADDR[:PORT][,OPTION]...", value_parser = primary)]
    pub(crate) others: Vec<Primary>,
    /// The TSIG key for primaries that name none.
    #[arg(long, value_name = "NAME", value_parser = key_name)]
    pub(crate) key: Option<Name>,
    /// The algorithm of the key whose secret is given.
    #[arg(long, requires = "secret_file", default_value = "hmac-sha256", value_parser = key_algorithm)]
    pub(crate) algorithm: KeyAlgorithm,
    /// A file with the key's secret in base64, `-` for standard input: for a key that no server here has.
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) secret_file: Option<PathBuf>,
    /// An address that the world is to ask us at, to find whether a name server of the zone is us; may be repeated.
    #[arg(long = "own", value_name = "ADDR", value_parser = own_address)]
    pub(crate) own_addresses: Vec<IpAddr>,
    /// Show what to paste for every server, not only for the one that the primary may be.
    #[arg(long)]
    pub(crate) all: bool,
}

/// What is to be examined.
#[derive(Clone, Debug)]
pub(crate) enum Patient {
    At(NewZone),
    /// A zone of the server, at its primaries.
    Here(Name),
}

/// Which zones are listed, and in which order.
#[derive(Clone, Debug, Args)]
pub(crate) struct WantedZones {
    /// Only zones with this in their names.
    #[arg(long, value_name = "TEXT")]
    pub(crate) find: Option<String>,
    /// Only zones that have this tag.
    #[arg(long, value_name = "TAG", value_parser = tag)]
    pub(crate) tag: Option<String>,
    /// Only zones in this state.
    #[arg(long, value_name = "STATE")]
    pub(crate) state: Option<State>,
    /// Only zones whose last attempt failed, whatever their state.
    #[arg(long)]
    pub(crate) failing: bool,
    /// What the list goes by: name, state, serial, records, confirmed or expires.
    #[arg(long, value_name = "ORDER", default_value = "name")]
    pub(crate) sort: ZoneOrder,
    /// The other way round.
    #[arg(long)]
    pub(crate) reversed: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ZoneAction {
    /// Add a zone and have it transferred.
    #[command(after_help = "\
Examples:
  secondo zone add example.org --primary 192.0.2.1
  secondo zone add example.org --primary 192.0.2.1:5353,key=transfer.example.org --primary '[2001:db8::1]:53'
  secondo zone add example.org --primary 192.0.2.1,tls=ns1.example.org --set serial-went-back=accept

A primary is ADDR[:PORT] with options behind it, each after a comma:
  key=NAME                the TSIG key that requests are signed with
  source=ADDR             the address of ours that it is asked from
  tls, tls=NAME           ask over TLS (port 853); its certificate is for this address, or this name
  pin=BASE64              ask over TLS; its public key has this SHA-256
  alpn=may-be-missing     it may leave out the protocol's name, as NSD up to 4.6 does")]
    Add {
        /// The zone's name, also as people type or paste it.
        #[arg(value_parser = typed_zone_name)]
        name: Name,
        /// A server to copy the zone from, and how it is to be asked; may be given several times.
        #[arg(long = "primary", required = true, value_name = "ADDR[:PORT][,OPTION]...", value_parser = primary)]
        primaries: Vec<Primary>,
        /// What is to differ from the defaults, as for `zone set`; may be given several times.
        #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
        settings: Vec<(Setting, Option<String>)>,
        /// A word to sort zones by; may be given several times.
        #[arg(long = "tag", value_name = "TAG", value_parser = tag)]
        tags: Vec<String>,
    },
    /// List the zones.
    #[command(
        after_help = "Examples:\n  secondo zone list --tag customers --sort expires\n  secondo zone list --failing --json\n\nServers that follow no catalog, such as NSD 4.6, take the names; PATTERN has `request-xfr` and \
                      `allow-notify` for this server:\n  secondo zone list --names | sed 's/$/ PATTERN/' | nsd-control addzones"
    )]
    List {
        /// Only the names of the zones that are answered, one a line.
        #[arg(long)]
        names: bool,
        #[command(flatten)]
        wanted: WantedZones,
    },
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
    /// Change a zone's primaries, its tags, and what differs from the defaults.
    #[command(after_help = settings_help())]
    Set {
        /// The zone's name.
        #[arg(value_parser = known_zone_name)]
        name: Name,
        /// What is to be set; without a value the default counts again.
        #[arg(value_name = "NAME=VALUE", value_parser = setting, required_unless_present_any = ["primaries", "tags"])]
        settings: Vec<(Setting, Option<String>)>,
        /// The servers to copy the zone from now on, in the place of those before.
        #[arg(long = "primary", value_name = "ADDR[:PORT][,OPTION]...", value_parser = primary)]
        primaries: Vec<Primary>,
        /// A word to sort zones by, in the place of those before; may be given several times, and empty for none at all.
        #[arg(long = "tag", value_name = "TAG", value_parser = tag_or_none)]
        tags: Vec<String>,
    },
    /// Make no checks and no transfers of a zone; answers go on until it expires.
    #[command(after_help = "Example:\n  secondo zone pause example.org")]
    Pause {
        /// The zone's name.
        #[arg(value_parser = known_zone_name)]
        name: Name,
    },
    /// Check and transfer a paused zone again.
    #[command(after_help = "Example:\n  secondo zone resume example.org")]
    Resume {
        /// The zone's name.
        #[arg(value_parser = known_zone_name)]
        name: Name,
    },
    /// Answer a zone with REFUSED, and make no checks and no transfers, until it is enabled again.
    #[command(after_help = "Example:\n  secondo zone disable example.org")]
    Disable {
        /// The zone's name.
        #[arg(value_parser = known_zone_name)]
        name: Name,
    },
    /// Answer and follow a disabled zone again.
    #[command(after_help = "\
Example:
  secondo zone enable example.org

A zone that was paused before it was disabled is followed again too. One that is paused is not enabled but resumed.")]
    Enable {
        /// The zone's name.
        #[arg(value_parser = known_zone_name)]
        name: Name,
    },
    /// Publish the version that is held back because it lost so many records.
    #[command(after_help = "Example:\n  secondo zone publish example.org")]
    Publish {
        /// The zone's name.
        #[arg(value_parser = known_zone_name)]
        name: Name,
    },
    /// Keep what is served, and pass over the version that is held back.
    #[command(after_help = "Example:\n  secondo zone keep example.org")]
    Keep {
        /// The zone's name.
        #[arg(value_parser = known_zone_name)]
        name: Name,
    },
    /// Serve one version, whatever the primaries send, until the zone is thawed.
    #[command(after_help = "\
Examples:
  secondo zone freeze example.org
  secondo zone freeze example.org 12884901889     (a generation that zone history shows)")]
    Freeze {
        /// The zone's name.
        #[arg(value_parser = known_zone_name)]
        name: Name,
        /// The version to serve; without one, that which is served now.
        generation: Option<u64>,
    },
    /// Have a frozen zone follow its primaries again.
    #[command(after_help = "Example:\n  secondo zone thaw example.org")]
    Thaw {
        /// The zone's name.
        #[arg(value_parser = known_zone_name)]
        name: Name,
    },
    /// Make a new primary of what is here when the zone's own is gone for good, point the zone at it, and back.
    #[command(after_help = "\
Examples:
  secondo zone promote example.org --to knot --primary 192.0.2.9
  secondo zone promote example.org --finish --primary 192.0.2.9,key=transfer.example.org
  secondo zone promote example.org --back

The first freezes the zone, and shows what to do and what to paste into the configuration of the new primary. --finish and
--back fetch what is there, show how it differs from what is served, and point the zone there in one step; where they
cannot, the zone stays as it is. A zone that the server's own configuration names goes back to what stands there with the
next start: change it there too. docs/promote.md tells all of it.")]
    Promote(promote::Arguments),
    /// Show what differs between two versions that are kept.
    #[command(after_help = "Example:\n  secondo zone diff example.org 12884901888 12884901889")]
    Diff {
        /// The zone's name.
        #[arg(value_parser = known_zone_name)]
        name: Name,
        /// The generation to begin at, as zone history shows it.
        from: u64,
        /// The generation to end at.
        to: u64,
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
    /// Show how often a zone was asked, for what, with which results, and for which names most.
    #[command(
        after_help = "Examples:\n  secondo zone queries example.org\n  secondo zone queries example.org --days 35 --json"
    )]
    Queries {
        /// The zone's name.
        #[arg(value_parser = known_zone_name)]
        name: Name,
        /// So many hours back, by hours, 1 to 840; 24 unless said otherwise.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=840), conflicts_with = "days")]
        hours: Option<u32>,
        /// So many days back, by days, 1 to 731.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=731))]
        days: Option<u32>,
    },
    /// Show the NOTIFYs for a zone, those that were refused too, with why.
    #[command(after_help = "Example:\n  secondo zone notifies example.org --limit 20")]
    Notifies {
        /// The zone's name.
        #[arg(value_parser = known_zone_name)]
        name: Name,
        /// How many rows to show at most, 1 to 1000; a row stands for those that were alike.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// Show to whom the zone is delegated: what its parent's servers say, and whether the servers that they name answer.
    #[command(after_help = "Example:\n  secondo zone delegation example.org")]
    Delegation {
        /// The zone's name.
        #[arg(value_parser = known_zone_name)]
        name: Name,
    },
    /// Show whether the name is proven to be yours, and what would prove it, where organisations share the service.
    #[command(after_help = "Example:\n  secondo zone ownership example.org --look")]
    Ownership {
        /// The zone's name.
        #[arg(value_parser = known_zone_name)]
        name: Name,
        /// Look for a proof now: at the name's parent, and where it is delegated to.
        #[arg(long)]
        look: bool,
    },
    /// Hand a proven name over to another organisation that has created the zone too.
    #[command(after_help = "Example:\n  secondo zone hand-over example.org secondo-1f3a…")]
    HandOver {
        /// The zone's name.
        #[arg(value_parser = known_zone_name)]
        name: Name,
        /// The text of their claim, which `secondo zone ownership` shows them.
        text: String,
    },
    /// Show the records that are served, or those of them that are looked for.
    #[command(
        after_help = "Examples:\n  secondo zone records example.org --search www\n  secondo zone records example.org --type MX --json"
    )]
    Records {
        /// The zone's name.
        #[arg(value_parser = known_zone_name)]
        name: Name,
        /// Only names with this in them.
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        /// Only this type: `MX`, or `TYPE15`.
        #[arg(long = "type", value_name = "TYPE")]
        rtype: Option<String>,
        /// How many to show, and the rest of the last name's; all unless said otherwise.
        #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
        limit: Option<u64>,
    },
    /// Show the lines that have the zone's primaries give it to us and tell us of its changes. Nobody is asked for them.
    #[command(after_help = "Example:\n  secondo zone lines example.org")]
    Lines {
        /// The zone's name.
        #[arg(value_parser = known_zone_name)]
        name: Name,
    },
    /// Write the version that is here as a zone file to standard output, also of a zone that has expired.
    #[command(after_help = "Example:\n  secondo zone export example.org > example.org.zone")]
    Export {
        /// The zone's name.
        #[arg(value_parser = known_zone_name)]
        name: Name,
        /// Leave out what signing has made: signatures, keys, and the proofs of what is not there.
        #[arg(long)]
        unsigned: bool,
    },
    /// Remove a zone; for 7 days it can be had back.
    #[command(after_help = "\
Examples:
  secondo zone remove example.org
  secondo zone remove --now example.org

Removed zones are neither answered nor followed, and kept for 7 days, in case somebody wants them back; those that a catalog
has removed for as long as the configuration says. With --now what they hold is deleted at once.")]
    Remove {
        /// The zone's name.
        #[arg(value_parser = known_zone_name)]
        name: Name,
        /// Delete what it holds at once, also if it was removed before.
        #[arg(long)]
        now: bool,
    },
    /// Have a removed zone back, with its settings, primaries and contents.
    #[command(after_help = "Example:\n  secondo zone restore example.org")]
    Restore {
        /// The zone's name.
        #[arg(value_parser = known_zone_name)]
        name: Name,
    },
    /// List the removed zones that can be had back.
    #[command(after_help = "Example:\n  secondo zone removed")]
    Removed,
    /// Add many zones from a list, each wholly or not at all.
    #[command(after_help = "\
A line is: NAME ADDR[:PORT][,ADDR[:PORT]...] [KEY] [tags=TAG,TAG...]     # begins a comment

Tables with a header (name,primaries,key,tags) are read too, and configurations of BIND, NSD and Knot and PowerDNS's lists:
secondary zones are copied from where they were, and primary ones from where --primary says.

Examples:
  secondo zone import zones.txt
  generate-zones | secondo zone import -
  secondo zone import /etc/bind/named.conf.local --primary 192.0.2.1,key=transfer.example.org
  pdnsutil list-all-zones | secondo zone import - --format powerdns --primary 192.0.2.1")]
    Import {
        /// The file; `-` for standard input.
        file: PathBuf,
        /// How it is written, where that is not seen: lines, csv, named, nsd, knot or powerdns.
        #[arg(long)]
        format: Option<ListFormat>,
        /// Where zones are copied from of which the list does not say it, with options as for `zone add`.
        #[arg(long = "primary", value_name = "ADDR", value_parser = primary)]
        primaries: Vec<Primary>,
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

#[derive(Debug, Subcommand)]
pub(crate) enum ClaimAction {
    /// List the zones that are copied and not answered, because nothing has proven their names.
    #[command(after_help = "Example:\n  secondo claim list")]
    List,
    /// Give the name to this claim, whoever has it now.
    #[command(after_help = "Example:\n  secondo claim approve 17")]
    Approve {
        /// The claim's number, as `secondo claim list` shows it.
        id: u64,
    },
    /// Take the name from this zone: it is a claim like others from then on.
    #[command(after_help = "Example:\n  secondo claim disprove 17")]
    Disprove {
        /// The zone's number, as `secondo zone show --json` has it.
        id: u64,
    },
}

impl Command {
    pub(crate) fn connection(&self) -> &Connection {
        match self {
            Self::Zone { connection, .. }
            | Self::Key { connection, .. }
            | Self::Claim { connection, .. }
            | Self::Catalog { connection, .. }
            | Self::Token { connection, .. }
            | Self::User { connection, .. }
            | Self::Tenant { connection, .. }
            | Self::Member { connection, .. }
            | Self::Plan { connection, .. }
            | Self::Event { connection, .. }
            | Self::Alert { connection, .. }
            | Self::Job { connection, .. }
            | Self::Audit { connection, .. }
            | Self::Doctor { connection, .. }
            | Self::Notifies { connection, .. }
            | Self::Usage { connection, .. }
            | Self::Status { connection } => connection,
        }
    }
}

const DOCTOR_HELP: &str = "\
Examples:
  secondo doctor example.org@192.0.2.1
  secondo doctor example.org@192.0.2.1,key=transfer.example.org '[2001:db8::1]:5353'
  secondo doctor example.org                  a zone that is here, at its primaries
  secondo doctor example.org@192.0.2.1 --key transfer.example.org --secret-file secret.txt

It asks from the server that runs with the data directory, with its keys; without one, or with a secret of its own, it
asks from where it is called. The options of primaries are those of `zone add`. What it never does is change anything.";

fn patient(text: &str) -> Result<Patient, String> {
    match text.contains('@') {
        true => text::zone_at_primary(text).map(Patient::At).map_err(with_code),
        false => text::known_zone_name(text).map(Patient::Here).map_err(with_code),
    }
}

fn own_address(text: &str) -> Result<IpAddr, String> {
    text::own_address(text).map_err(with_code)
}

pub(super) fn zone_name(text: &str) -> Result<Name, String> {
    text::zone_name(text).map_err(with_code)
}

fn typed_zone_name(text: &str) -> Result<Name, String> {
    // What is a name stays as it was typed.
    text::zone_name(text).or_else(|_| text::typed_zone_name(text).map(|typed| typed.name)).map_err(with_code)
}

pub(super) fn known_zone_name(text: &str) -> Result<Name, String> {
    text::known_zone_name(text).map_err(with_code)
}

pub(super) fn key_name(text: &str) -> Result<Name, String> {
    text::key_name(text).map_err(with_code)
}

pub(super) fn primary(text: &str) -> Result<Primary, String> {
    text::primary(text).map_err(with_code)
}

pub(super) fn setting(text: &str) -> Result<(Setting, Option<String>), String> {
    text::setting(text).map_err(with_code)
}

fn settings_help() -> String {
    let mut help = "\
Examples:
  secondo zone set example.org refresh-max=2h serial-went-back=accept
  secondo zone set example.org refresh-max= --primary 192.0.2.1
  secondo zone set example.org --tag customers --tag site:berlin

What can be set:\n"
        .to_owned();
    let defaults = xfr::Policy::default();
    for setting in Setting::ALL {
        let (name, about) = (setting.name().replace('_', "-"), setting.about());
        let default = match defaults.text(setting) {
            none if none.is_empty() => "none".to_owned(),
            default => default,
        };
        help.push_str(&format!("  {name:<18} {about} (unless the server is told otherwise: {default})\n"));
    }
    help
}

fn tag(text: &str) -> Result<String, String> {
    text::tag(text).map_err(with_code)
}

fn tag_or_none(text: &str) -> Result<String, String> {
    if text.is_empty() { Ok(String::new()) } else { tag(text) }
}

fn month(text: &str) -> Result<Month, String> {
    text.parse().map_err(|error: api::json::NotAMonth| format!("{error} (query_invalid)"))
}

fn key_algorithm(text: &str) -> Result<KeyAlgorithm, String> {
    text::key_algorithm(text).map_err(with_code)
}

pub(super) fn with_code(problem: api::Problem) -> String {
    format!("{problem} ({})", problem.code())
}
