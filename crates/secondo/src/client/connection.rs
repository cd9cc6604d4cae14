//! Where the server is and what opens it: flags, variables, or what `serve` left in its data directory.

use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use super::failure::Failure;
use super::output::Format;
use crate::published::{ADMIN_TOKEN, HTTP_ADDRESS, LOCAL_SOCKET, reachable};

/// How a server is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// On this machine, whatever its HTTP port speaks.
    Socket(PathBuf),
    /// `http://` or `https://` and an authority, without a slash at the end.
    Url(String),
}

/// How to reach the server; the same for every client command.
#[derive(Debug, clap::Args)]
pub(crate) struct Connection {
    /// The server's HTTP API; without it, the one that runs with the data directory.
    #[arg(long, global = true, env = "SECONDO_SERVER", value_name = "URL")]
    server: Option<String>,
    /// The access token; without it, the one in the data directory.
    #[arg(long, global = true, env = "SECONDO_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// The data directory of a server on this machine; without it ./secondo-data, or where that is not, a package's
    /// /var/lib/secondo.
    #[arg(long, global = true, env = "SECONDO_DATA", value_name = "DIR", default_value_os_t = usual_data(), hide_default_value = true)]
    data: PathBuf,
    /// The number of the organisation to act for: for whoever runs the service; everybody else acts for their own.
    #[arg(long, global = true, env = "SECONDO_ORGANISATION", value_name = "NUMBER")]
    organisation: Option<u64>,
    /// Write JSON, for programs.
    #[arg(long, global = true)]
    json: bool,
}

/// Where `serve` keeps everything that is told nothing about it.
const BESIDE: &str = "./secondo-data";
/// Where it does as a service of the system.
const OF_THE_SYSTEM: &str = "/var/lib/secondo";

fn usual_data() -> PathBuf {
    let is_of_the_system = !Path::new(BESIDE).exists() && Path::new(OF_THE_SYSTEM).exists();
    PathBuf::from(if is_of_the_system { OF_THE_SYSTEM } else { BESIDE })
}

impl Connection {
    pub(crate) fn format(&self) -> Format {
        if self.json { Format::Json } else { Format::Text }
    }

    /// Whether a server was named: then another way will not do.
    pub(crate) fn names_a_server(&self) -> bool {
        self.server.is_some()
    }

    /// Whom an operator acts for; none for their own organisation.
    pub(crate) fn organisation(&self) -> Option<u64> {
        self.organisation
    }

    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// How the server is reached.
    pub(crate) fn way(&self) -> Result<Way, Failure> {
        match &self.server {
            Some(server) => named_base(server).map(Way::Url),
            None => self.local_way(),
        }
    }

    /// The token for the server that is reached so.
    ///
    /// The data directory's token opens the server on this machine, and is sent to no other.
    pub(crate) fn token(&self, way: &Way) -> Result<String, Failure> {
        if let Some(token) = &self.token {
            return Ok(token.clone());
        }
        if let Way::Url(base) = way
            && !is_on_this_machine(base)
            && self.local_base().ok().as_deref() != Some(base)
        {
            let sentence =
                format!("the server {base} is not on this machine: give its token with --token or SECONDO_TOKEN");
            return Err(Failure::usage("token_missing", sentence));
        }
        let file = self.data.join(ADMIN_TOKEN);
        read_line(&file).map_err(|error| {
            let sentence = format!(
                "no access token: {} cannot be read ({error}); name the server's data directory with --data, or give the token with --token or SECONDO_TOKEN",
                file.display()
            );
            Failure::new("token_missing", sentence)
        })
    }

    /// The socket where there is one; only a server that runs is asked through it, as anywhere else.
    fn local_way(&self) -> Result<Way, Failure> {
        let socket = self.data.join(LOCAL_SOCKET);
        // One that cannot be asked for its lock may run all the same: the socket is nobody else's.
        let may_run = !matches!(store::is_in_use(&self.data), Ok(false));
        if may_run && is_socket(&socket) { Ok(Way::Socket(socket)) } else { self.local_base().map(Way::Url) }
    }

    fn local_base(&self) -> Result<String, Failure> {
        let (file, data) = (self.data.join(HTTP_ADDRESS), self.data.display());
        let start = format!("start one with `secondo serve --data {data}`, or name one with --data or --server");
        let sentence = match (read_line(&file), store::is_in_use(&self.data)) {
            // The file of a server that was killed names a port that anybody may have taken, to be told the token.
            (Ok(_), Ok(false)) => {
                format!("no server runs with the data directory {data} (the last one was killed); {start}")
            }
            (Ok(text), _) => match text.parse::<SocketAddr>() {
                Ok(address) => return Ok(format!("http://{}", reachable(address))),
                Err(_) => format!("{} holds no address, but {text:?}", file.display()),
            },
            (Err(_), Ok(true)) => format!(
                "the server with the data directory {data} has not said where it is: it is starting, or its disk is full; wait, or name it with --server"
            ),
            (Err(error), _) => {
                format!("no server runs with the data directory {data} ({}: {error}); {start}", file.display())
            }
        };
        Err(Failure::new("server_unknown", sentence))
    }
}

/// A scheme and an authority, without a slash at the end; `http://` where no scheme is given.
fn named_base(server: &str) -> Result<String, Failure> {
    let trimmed = server.trim_end_matches('/');
    let (scheme, authority) = match trimmed.strip_prefix("https://") {
        Some(authority) => ("https", authority),
        None => ("http", trimmed.strip_prefix("http://").unwrap_or(trimmed)),
    };
    let base = format!("{scheme}://{authority}");
    let host = reqwest::Url::parse(&base).ok().and_then(|url| url.host_str().map(str::to_owned));
    if host.is_none() || authority.ends_with(':') || authority.contains(['/', '@', '?', '#']) {
        let sentence =
            format!("{server:?} is not a server: write it like http://127.0.0.1:8053 or https://console.example.net");
        return Err(Failure::usage("server_invalid", sentence));
    }
    Ok(base)
}

fn is_on_this_machine(base: &str) -> bool {
    let Some(host) = reqwest::Url::parse(base).ok().and_then(|url| url.host_str().map(str::to_owned)) else {
        return false;
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn is_socket(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| found.file_type().is_socket())
}

fn read_line(file: &Path) -> std::io::Result<String> {
    Ok(std::fs::read_to_string(file)?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::{is_on_this_machine, named_base};

    #[test]
    fn a_server_is_named_with_or_without_its_scheme() {
        for (text, base) in [
            ("127.0.0.1:8053", "http://127.0.0.1:8053"),
            ("http://127.0.0.1:8053/", "http://127.0.0.1:8053"),
            ("[::1]:8053", "http://[::1]:8053"),
            ("dns.example.org", "http://dns.example.org"),
            ("https://dns.example.org:8443/", "https://dns.example.org:8443"),
        ] {
            assert_eq!(named_base(text).ok().as_deref(), Some(base));
        }
        for text in ["", "https://", "https://a/b", "http://", "ftp://example.org", "http://a@b", "http://a/b"] {
            assert_eq!(named_base(text).err().map(|failure| failure.exit_status()), Some(2), "{text:?}");
        }
    }

    #[test]
    fn the_local_token_stays_on_this_machine() {
        for base in ["http://127.0.0.1:8053", "http://[::1]:1", "https://localhost:8053"] {
            assert!(is_on_this_machine(base), "{base}");
        }
        for base in ["http://192.0.2.1:8053", "http://127.0.0.1.example.org", "http://[2001:db8::1]:1"] {
            assert!(!is_on_this_machine(base), "{base}");
        }
    }
}
