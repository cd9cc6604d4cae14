//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::check::CheckArguments;
use crate::client;
use crate::configuration::listen_address;
use crate::demo::DemoArguments;
use crate::manual::{CompletionArguments, ManualArguments};

/// A secondary DNS service: copies zones from their primaries and goes on serving them.
#[derive(Debug, Parser)]
#[command(name = "secondo", version, propagate_version = true)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Answer DNS queries, and follow the zones' primaries.
    #[command(after_help = "Example:\n  secondo serve --zone example.org@192.0.2.1")]
    Serve(ServeArguments),
    /// Show what a secondary does: with a primary of its own, in a temporary directory, until Ctrl-C.
    #[command(after_help = "Example:\n  secondo demo")]
    Demo(DemoArguments),
    /// Say everything that is wrong with a configuration file, with lines and columns, and start nothing.
    #[command(
        after_help = "Example:\n  secondo check-config secondo.toml\n\nStatus: 0 if `serve` takes the file, 1 if it does not."
    )]
    CheckConfig(CheckArguments),
    /// Write what has a shell complete the words of this command line.
    #[command(after_help = "Example:\n  secondo completions bash > /etc/bash_completion.d/secondo")]
    Completions(CompletionArguments),
    /// Write a manual page for each command: for packages.
    #[command(hide = true, after_help = "Example:\n  secondo manual-pages /usr/local/share/man/man1")]
    ManualPages(ManualArguments),
    #[command(flatten)]
    Client(client::Command),
}

#[derive(Args, Clone, Debug)]
pub(crate) struct ServeArguments {
    /// The configuration file (TOML).
    #[arg(long, value_name = "FILE", env = "SECONDO_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Where everything is kept [default: ./secondo-data].
    #[arg(long, value_name = "DIR", env = "SECONDO_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// Where DNS is answered, UDP and TCP; may be given several times [default: 127.0.0.1:5300].
    #[arg(long, value_name = "ADDR:PORT", env = "SECONDO_DNS", value_delimiter = ',', value_parser = listen_address)]
    pub(crate) dns: Vec<SocketAddr>,
    /// Where the HTTP API is answered [default: 127.0.0.1:8053].
    #[arg(long, value_name = "ADDR:PORT", env = "SECONDO_HTTP", value_parser = listen_address)]
    pub(crate) http: Option<SocketAddr>,
    /// Let the console take passwords in clear text on an address that is not this machine's alone.
    #[arg(long, env = "SECONDO_HTTP_CLEAR_TEXT")]
    pub(crate) http_clear_text: bool,
    /// Make sure that this zone exists with this primary; may be given several times. Dropping the flag removes nothing.
    #[arg(long = "zone", value_name = "NAME@ADDR[:PORT]")]
    pub(crate) zones: Vec<String>,
    /// The process that started this one and without which it is to end, however that one ends.
    #[arg(long, value_name = "PID", hide = true)]
    pub(crate) end_with: Option<u32>,
}
