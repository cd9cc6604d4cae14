//! Where the server is and what opens it: flags, variables, or what `serve` left in its data directory.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use super::failure::Failure;
use super::output::Format;
use crate::published::{ADMIN_TOKEN, HTTP_ADDRESS};

/// How to reach the server; the same for every client command.
#[derive(Debug, clap::Args)]
pub(crate) struct Connection {
    /// The server's HTTP API; without it, the one that runs with the data directory.
    #[arg(long, global = true, env = "SECONDO_SERVER", value_name = "URL")]
    server: Option<String>,
    /// The access token; without it, the one in the data directory.
    #[arg(long, global = true, env = "SECONDO_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// The data directory of a server on this machine.
    #[arg(long, global = true, env = "SECONDO_DATA", default_value = "./secondo-data", value_name = "DIR")]
    data: PathBuf,
    /// Write JSON, for programs.
    #[arg(long, global = true)]
    json: bool,
}

impl Connection {
    pub(crate) fn format(&self) -> Format {
        if self.json { Format::Json } else { Format::Text }
    }

    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// `http://` and an authority, without a slash at the end.
    pub(crate) fn base(&self) -> Result<String, Failure> {
        match &self.server {
            Some(server) => named_base(server),
            None => self.local_base(),
        }
    }

    /// The token for the server at `base`.
    ///
    /// The data directory's token opens the server on this machine, and is sent to no other.
    pub(crate) fn token(&self, base: &str) -> Result<String, Failure> {
        if let Some(token) = &self.token {
            return Ok(token.clone());
        }
        if !is_on_this_machine(base) && self.local_base().ok().as_deref() != Some(base) {
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

    fn local_base(&self) -> Result<String, Failure> {
        let file = self.data.join(HTTP_ADDRESS);
        let text = read_line(&file).map_err(|error| {
            let data = self.data.display();
            if store::is_in_use(&self.data).unwrap_or(false) {
                let sentence = format!(
                    "the server with the data directory {data} has not said where it is: it is starting, or its disk is full; wait, or name it with --server"
                );
                return Failure::new("server_unknown", sentence);
            }
            let sentence = format!(
                "no server runs with the data directory {data} ({}: {error}); start one with `secondo serve --data {data}`, or name one with --data or --server",
                file.display()
            );
            Failure::new("server_unknown", sentence)
        })?;
        // After a crash the file names a port that anybody may have taken meanwhile, to be told the token.
        if !store::is_in_use(&self.data).unwrap_or(true) {
            let data = self.data.display();
            let sentence = format!(
                "no server runs with the data directory {data} (the last one was killed); start one with `secondo serve --data {data}`, or name one with --data or --server"
            );
            return Err(Failure::new("server_unknown", sentence));
        }
        let address: SocketAddr = text.parse().map_err(|_| {
            Failure::new("server_unknown", format!("{} holds no address, but {text:?}", file.display()))
        })?;
        Ok(format!("http://{}", reachable(address)))
    }
}

fn named_base(server: &str) -> Result<String, Failure> {
    let trimmed = server.trim_end_matches('/');
    if trimmed.starts_with("https://") {
        let sentence = format!("{server} cannot be asked: HTTPS is not there yet; use http:// through a tunnel");
        return Err(Failure::usage("server_invalid", sentence));
    }
    let authority = trimmed.strip_prefix("http://").unwrap_or(trimmed);
    let base = format!("http://{authority}");
    let host = reqwest::Url::parse(&base).ok().and_then(|url| url.host_str().map(str::to_owned));
    if host.is_none() || authority.ends_with(':') || authority.contains(['/', '@', '?', '#']) {
        let sentence = format!("{server:?} is not a server: write it like http://127.0.0.1:8053");
        return Err(Failure::usage("server_invalid", sentence));
    }
    Ok(base)
}

/// A server that listens on every address is reached on the loopback one.
pub(crate) fn reachable(address: SocketAddr) -> SocketAddr {
    let host = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(host, address.port())
}

fn is_on_this_machine(base: &str) -> bool {
    let Some(host) = reqwest::Url::parse(base).ok().and_then(|url| url.host_str().map(str::to_owned)) else {
        return false;
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn read_line(file: &Path) -> std::io::Result<String> {
    Ok(std::fs::read_to_string(file)?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::{is_on_this_machine, named_base, reachable};

    #[test]
    fn a_server_is_named_with_or_without_its_scheme() {
        for (text, base) in [
            ("127.0.0.1:8053", "http://127.0.0.1:8053"),
            ("http://127.0.0.1:8053/", "http://127.0.0.1:8053"),
            ("[::1]:8053", "http://[::1]:8053"),
            ("dns.example.org", "http://dns.example.org"),
        ] {
            assert_eq!(named_base(text).ok().as_deref(), Some(base));
        }
        for text in ["", "https://example.org", "http://", "ftp://example.org", "http://a@b", "http://a/b"] {
            assert_eq!(named_base(text).err().map(|failure| failure.exit_status()), Some(2), "{text:?}");
        }
    }

    #[test]
    fn the_local_token_stays_on_this_machine() {
        for base in ["http://127.0.0.1:8053", "http://[::1]:1", "http://localhost:8053"] {
            assert!(is_on_this_machine(base), "{base}");
        }
        for base in ["http://192.0.2.1:8053", "http://127.0.0.1.example.org", "http://[2001:db8::1]:1"] {
            assert!(!is_on_this_machine(base), "{base}");
        }
    }

    #[test]
    fn a_server_on_every_address_is_reached_on_the_loopback_one() {
        assert_eq!(reachable("0.0.0.0:8053".parse().unwrap()).to_string(), "127.0.0.1:8053");
        assert_eq!(reachable("[::]:8053".parse().unwrap()).to_string(), "[::1]:8053");
        assert_eq!(reachable("192.0.2.1:80".parse().unwrap()).to_string(), "192.0.2.1:80");
    }
}
