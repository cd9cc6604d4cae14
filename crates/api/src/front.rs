//! What every request passes first, whoever it is for: which name it was sent to, and where it came from.
//!
//! A page of somebody else's whose name is made to lead here (DNS rebinding) sends that name along: requests are answered
//! under addresses, `localhost` and the names that are configured, and under no other.
//!
//! What proxies say about their clients is believed of those that are configured, and of nobody else: the client is the last
//! address in `X-Forwarded-For` that is no such proxy.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use xfr::Prefix;

use crate::console::{device, refusal_elsewhere};
use crate::doors::Visitor;
use crate::problem::{Code, Problem};
use crate::router::{Served, is_of_api};

/// A browser's name for itself is kept so far, in characters.
const AGENT_MAX: usize = 200;

/// Where load balancers ask.
pub(crate) const HEALTH: &str = "/healthz";

/// How requests reach us.
#[derive(Clone, Debug, Default)]
pub struct Front {
    /// The names under which requests are answered, besides addresses and `localhost`; in lower case, without ports.
    pub names: Vec<String>,
    /// What these say about their clients is believed.
    pub trusted_proxies: Vec<Prefix>,
}

/// The connection that a request came over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connection {
    /// None for a connection on this machine that has no address.
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) is_secure: bool,
}

/// Whether the client talks to us, or to a trusted proxy, over TLS.
pub(crate) fn is_secure(parts: &Parts, served: &Served) -> bool {
    is_over_tls(&parts.extensions, &parts.headers, served)
}

fn is_over_tls(extensions: &Extensions, headers: &HeaderMap, served: &Served) -> bool {
    let Some(connection) = extensions.get::<Connection>() else { return false };
    let is_forwarded = || {
        let peer = connection.peer.map(|peer| peer.ip().to_canonical());
        let is_trusted = peer.is_some_and(|peer| served.front.trusts(peer));
        let protocol = headers.get("x-forwarded-proto").and_then(|value| value.to_str().ok());
        // With several proxies on the way each adds what it was spoken to: the first is the client's own. Who lies about it
        // gets a cookie that their own browser does not keep.
        let of_client = protocol.and_then(|protocol| protocol.split(',').next());
        is_trusted && of_client.is_some_and(|protocol| protocol.trim().eq_ignore_ascii_case("https"))
    };
    connection.is_secure || is_forwarded()
}

/// Who has sent the request.
pub(crate) fn visitor(parts: &Parts, served: &Served) -> Visitor {
    let peer = parts.extensions.get::<Connection>().and_then(|connection| connection.peer);
    let agent = parts.headers.get(header::USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()));
    Visitor {
        address: peer.map(|peer| served.front.client(peer.ip().to_canonical(), &parts.headers)),
        agent: agent.unwrap_or_default().chars().filter(|c| !c.is_control()).take(AGENT_MAX).collect(),
        device: device(parts, served),
    }
}

/// Whoever has sent the request, for handlers that take nobody in particular.
pub(crate) struct Sender(pub(crate) Visitor);

impl FromRequestParts<Served> for Sender {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, served: &Served) -> Result<Self, Infallible> {
        Ok(Self(visitor(parts, served)))
    }
}

impl Front {
    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|prefix| prefix.contains(address))
    }

    /// Whose address counts.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.trusts(peer) {
            return peer;
        }
        let values: Vec<&str> =
            headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect();
        let mut client = peer;
        for said in values.iter().flat_map(|value| value.split(',')).rev() {
            // Whatever stands before something that is no address may be anybody's.
            let Some(address) = forwarded(said.trim()) else { break };
            client = address.to_canonical();
            if !self.trusts(client) {
                break;
            }
        }
        client
    }

    /// Whether the request was sent to us.
    ///
    /// # Errors
    /// [`Code::HostInvalid`], [`Code::HostUnknown`].
    fn judge_host(&self, request: &Request) -> Result<(), Problem> {
        let invalid = |detail: &str| Err(Problem::new(Code::HostInvalid, detail));
        let mut hosts = request.headers().get_all(header::HOST).iter();
        // RFC 9112 §3.2: a request without this field, or with two, is to be answered with 400.
        let host = match (hosts.next(), hosts.next()) {
            (Some(host), None) => match host.to_str() {
                Ok(host) => Some(host),
                Err(_) => return invalid("the Host of the request is no name"),
            },
            (None, _) if request.version() < Version::HTTP_11 => None,
            (None, _) => return invalid("the request has no Host: say which server it is for"),
            (Some(_), Some(_)) => {
                return invalid("the request has more than one Host: say once which server it is for");
            }
        };
        // RFC 9112 §3.2.2: what a whole URI says is what counts, whatever the field holds.
        let asked_for = request.uri().authority().map(Authority::as_str).or(host);
        match asked_for {
            Some(host) if !self.answers_to(host) => {
                let detail = format!(
                    "{host:?} is not a name of this server: use its address, or have the name among those in our \
                     configuration ([http] names)"
                );
                Err(Problem::new(Code::HostUnknown, detail))
            }
            _ => Ok(()),
        }
    }

    fn answers_to(&self, host: &str) -> bool {
        // RFC 9110 §7.2: an address of version 6 stands in brackets, and a port may follow.
        if let Some(rest) = host.strip_prefix('[') {
            return rest.split_once(']').is_some_and(|(address, _)| address.parse::<std::net::Ipv6Addr>().is_ok());
        }
        let name = host.split_once(':').map_or(host, |(name, _)| name).trim_end_matches('.').to_ascii_lowercase();
        name.parse::<std::net::Ipv4Addr>().is_ok() || name == "localhost" || self.names.contains(&name)
    }
}

/// An address as proxies write it down: some add the port (`192.0.2.1:4711`, `[2001:db8::1]:4711`).
fn forwarded(said: &str) -> Option<IpAddr> {
    let bare = said.strip_prefix('[').and_then(|said| said.strip_suffix(']')).unwrap_or(said);
    bare.parse().ok().or_else(|| said.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

/// Turns requests away that were sent to a name that is not ours.
pub(crate) async fn check_host(State(served): State<Served>, request: Request, next: Next) -> Response {
    // Load balancers ask under whatever name they have, and are told nothing that anybody could use.
    let is_health = request.uri().path() == HEALTH;
    let mut response = match served.front.judge_host(&request) {
        Err(problem) if !is_health => astray(&request, &problem),
        _ => {
            let is_secure = is_over_tls(request.extensions(), request.headers(), &served);
            let mut response = next.run(request).await;
            if is_secure {
                let headers = response.headers_mut();
                headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(TLS_FROM_NOW_ON));
            }
            response
        }
    };
    if response.status() == StatusCode::REQUEST_TIMEOUT {
        // RFC 9110 §15.5.9. What may still come of the body is no next request.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// A page for people, who ask for one where there are pages; JSON for everybody else.
fn astray(request: &Request, problem: &Problem) -> Response {
    let mut accepted = request.headers().get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let wants_page = accepted.any(|value| value.to_ascii_lowercase().contains("text/html"));
    if wants_page && !is_of_api(request.uri()) {
        return refusal_elsewhere(problem);
    }
    problem.clone().into_response()
}

/// For half a year (RFC 6797): whoever has seen us over TLS sends nothing in clear text any more.
const TLS_FROM_NOW_ON: &str = "max-age=15552000";

/// What every answer says: nothing here is to be framed, guessed at, sent on or kept by others.
const ALWAYS: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
];

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::Front;

    fn front() -> Front {
        Front {
            names: vec!["console.example.net".into()],
            trusted_proxies: vec!["192.0.2.0/24".parse().unwrap(), "2001:db8::/32".parse().unwrap()],
        }
    }

    #[test]
    fn requests_are_answered_under_our_names_and_addresses_alone() {
        let ours = ["127.0.0.1", "127.0.0.1:8053", "[::1]:8053", "[2001:db8::1]", "localhost:8053"];
        for host in ours.into_iter().chain(["Console.Example.NET", "console.example.net.:443"]) {
            assert!(front().answers_to(host), "{host}");
        }
        let others = ["evil.example", "127.0.0.1.evil.example", "[evil]", "", "localhost.evil.example", "[::1"];
        for host in others {
            assert!(!front().answers_to(host), "{host}");
        }
    }

    #[test]
    fn only_trusted_proxies_say_who_their_clients_are() {
        let client = |peer: &str, forwarded: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in forwarded {
                headers.append("x-forwarded-for", value.parse().unwrap());
            }
            front().client(peer.parse().unwrap(), &headers).to_string()
        };
        assert_eq!(client("198.51.100.7", &["203.0.113.9"]), "198.51.100.7", "nobody's proxy");
        assert_eq!(client("192.0.2.1", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(client("192.0.2.1", &["10.0.0.1, 203.0.113.9", "192.0.2.7"]), "203.0.113.9", "its own word first");
        assert_eq!(client("192.0.2.1", &["203.0.113.9, nonsense"]), "192.0.2.1");
        assert_eq!(client("2001:db8::1", &["::ffff:203.0.113.9"]), "203.0.113.9");
        assert_eq!(client("192.0.2.1", &[]), "192.0.2.1");
        // Some add the port.
        assert_eq!(client("192.0.2.1", &["203.0.113.9:4711"]), "203.0.113.9");
        assert_eq!(client("192.0.2.1", &["[2001:db9::1]:4711"]), "2001:db9::1");
        assert_eq!(client("192.0.2.1", &["[2001:db9::1]"]), "2001:db9::1");
        assert_eq!(client("192.0.2.1", &["203.0.113.9, 192.0.2.9:80"]), "203.0.113.9");
    }
}
