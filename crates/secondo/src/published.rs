//! What a running server leaves in its data directory for the clients on its machine: where it is, and the admin token.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use tokio::net::UnixListener;

/// The file with the token that opens the API; only its owner reads it.
pub(crate) const ADMIN_TOKEN: &str = "admin-token";
/// The file with the API's address.
pub(crate) const HTTP_ADDRESS: &str = "http-address";
/// The socket on which the API is answered to clients on this machine.
pub(crate) const LOCAL_SOCKET: &str = "api-socket";
/// The file with the addresses that DNS is answered on, one a line.
pub(crate) const DNS_ADDRESS: &str = "dns-address";

/// Random octets in a token.
const TOKEN_OCTETS: usize = 32;

/// The admin token, made at the first start.
pub(crate) fn admin_token(data: &Path) -> io::Result<String> {
    let file = data.join(ADMIN_TOKEN);
    match fs::read_to_string(&file) {
        Ok(token) if !token.trim().is_empty() => return Ok(token.trim().to_owned()),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut octets = [0; TOKEN_OCTETS];
    getrandom::fill(&mut octets).map_err(|error| io::Error::other(error.to_string()))?;
    let token = hex::encode(octets);
    write(data, ADMIN_TOKEN, &format!("{token}\n"))?;
    Ok(token)
}

/// Says where the server is; only when it is ready.
pub(crate) fn addresses(data: &Path, dns: &[SocketAddr], http: SocketAddr) -> io::Result<()> {
    let lines: String = dns.iter().map(|address| format!("{address}\n")).collect();
    write(data, DNS_ADDRESS, &lines)?;
    write(data, HTTP_ADDRESS, &format!("{http}\n"))
}

/// Opens the socket for clients on this machine; none where it cannot be (a path of over a hundred octets is none for a
/// socket): they go to the HTTP address then.
pub(crate) fn local_socket(data: &Path) -> Option<UnixListener> {
    let path = data.join(LOCAL_SOCKET);
    // A killed server's is in the way; nobody else's is there, because of the lock.
    let _ = fs::remove_file(&path);
    match UnixListener::bind(&path) {
        Ok(listener) => Some(listener),
        Err(error) => {
            tracing::warn!("clients on this machine go to the HTTP address, because of {}: {error}", path.display());
            None
        }
    }
}

/// Takes back what [`addresses`] has said.
pub(crate) fn withdraw(data: &Path) {
    for file in [DNS_ADDRESS, HTTP_ADDRESS, LOCAL_SOCKET] {
        // It may not have been written.
        let _ = fs::remove_file(data.join(file));
    }
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

/// Whole or not at all: a client never reads half a token.
fn write(data: &Path, name: &str, text: &str) -> io::Result<()> {
    let beside = data.join(format!("{name}.new"));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(beside, data.join(name))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_token_is_made_once_and_only_its_owner_reads_it() {
        let data = tempfile::tempdir().unwrap();
        let token = super::admin_token(data.path()).unwrap();
        assert_eq!(token.len(), 64);
        assert_eq!(super::admin_token(data.path()).unwrap(), token);
        let mode = std::fs::metadata(data.path().join(super::ADMIN_TOKEN)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_server_on_every_address_is_reached_on_the_loopback_one() {
        assert_eq!(super::reachable("0.0.0.0:8053".parse().unwrap()).to_string(), "127.0.0.1:8053");
        assert_eq!(super::reachable("[::]:8053".parse().unwrap()).to_string(), "[::1]:8053");
        assert_eq!(super::reachable("192.0.2.1:80".parse().unwrap()).to_string(), "192.0.2.1:80");
    }
}
