//! `[http]`: where the console and the API are answered, how, and under which names.

use std::net::SocketAddr;
use std::path::PathBuf;

use api::Front;
use serde::Deserialize;
use toml::Spanned;

use super::listen_address;
use super::problems::Problems;
use super::tls::read_pair;
use crate::published::reachable;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct HttpSection {
    listen: Option<Spanned<String>>,
    names: Vec<Spanned<String>>,
    trusted_proxies: Vec<Spanned<String>>,
    tls: Option<Spanned<bool>>,
    certificate: Option<Spanned<PathBuf>>,
    key: Option<Spanned<PathBuf>>,
    allow_clear_text: bool,
}

impl HttpSection {
    /// Where the address stands; the beginning of the file if it stands nowhere.
    pub(super) fn listen_at(&self) -> usize {
        self.listen.as_ref().map_or(0, |listen| listen.span().start)
    }
}

/// Where and how the console and the API are answered.
#[derive(Clone, Debug)]
pub(crate) struct HttpSettings {
    pub(crate) listen: SocketAddr,
    pub(crate) front: Front,
    pub(crate) tls: HttpTls,
    /// Whether somebody has said that passwords may be sent in clear text over a network.
    pub(crate) allow_clear_text: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HttpTls {
    Off,
    /// With the certificate that clients of DNS and primaries are shown too.
    Ours,
    /// With another one: its file and its key's.
    Own(PathBuf, PathBuf),
}

impl Default for HttpSettings {
    fn default() -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 8053));
        Self { listen, front: Front::default(), tls: HttpTls::Off, allow_clear_text: false }
    }
}

impl HttpSettings {
    /// Whether passwords would go in clear text to where others can read them, without anybody's having said so.
    pub(crate) fn is_careless(&self) -> bool {
        self.tls == HttpTls::Off && !self.listen.ip().to_canonical().is_loopback() && !self.allow_clear_text
    }

    /// The console's URL once it is listened for at `http`: under the first name, if there is one. Where there are proxies,
    /// they are at the name, and speak TLS there.
    pub(crate) fn console(&self, http: SocketAddr) -> String {
        let is_behind = self.tls == HttpTls::Off && !self.front.trusted_proxies.is_empty();
        let scheme = if self.tls == HttpTls::Off { "http" } else { "https" };
        match self.front.names.first() {
            None => format!("{scheme}://{}", reachable(http)),
            Some(name) if is_behind => format!("https://{name}"),
            Some(name) => format!("{scheme}://{name}:{}", http.port()),
        }
    }
}

pub(super) fn read_http(section: &HttpSection, has_certificate: bool, problems: &mut Problems) -> HttpSettings {
    let mut settings = HttpSettings { allow_clear_text: section.allow_clear_text, ..HttpSettings::default() };
    if let Some(listen) = problems.read_if_given(section.listen.as_ref(), listen_address) {
        settings.listen = listen;
    }
    let names = section.names.iter().filter_map(|text| problems.read(text, host_name)).collect();
    settings.front = Front { names, trusted_proxies: problems.read_all(&section.trusted_proxies) };
    let own = read_pair(section.certificate.as_ref(), section.key.as_ref(), problems);
    let has_own = section.certificate.is_some() || section.key.is_some();
    settings.tls = match (&section.tls, own) {
        (Some(tls), _) if !*tls.get_ref() => {
            if has_own {
                let message = "a certificate is given and TLS switched off: leave out one of the two";
                problems.note(tls.span().start, message);
            }
            HttpTls::Off
        }
        (_, Some((certificate, key))) => HttpTls::Own(certificate, key),
        (None, None) => HttpTls::Off,
        (Some(tls), None) => {
            if !has_certificate && !has_own {
                let message = "TLS needs a certificate and its key: give both below [tls], or here";
                problems.note(tls.span().start, message);
            }
            HttpTls::Ours
        }
    };
    settings
}

/// A name as browsers send it: without a port.
fn host_name(text: &str) -> Result<String, String> {
    let name = api::text::zone_name(text).map_err(super::detail)?;
    Ok(name.to_lower().to_string().trim_end_matches('.').to_owned())
}

#[cfg(test)]
mod tests {
    use api::Front;

    use super::{HttpSettings, HttpTls};

    #[test]
    fn the_consoles_url_is_one_that_people_can_follow() {
        let url = |names: &[&str], proxies: &[&str], tls: HttpTls, at: &str| {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            let trusted_proxies = proxies.iter().map(|proxy| proxy.parse().unwrap()).collect();
            let front = Front { names, trusted_proxies };
            HttpSettings { front, tls, ..HttpSettings::default() }.console(at.parse().unwrap())
        };
        let (name, proxy) = ("dns.example.net", "192.0.2.0/24");
        assert_eq!(url(&[], &[], HttpTls::Off, "127.0.0.1:8053"), "http://127.0.0.1:8053");
        assert_eq!(url(&[], &[], HttpTls::Ours, "0.0.0.0:443"), "https://127.0.0.1:443");
        assert_eq!(url(&[name, "other"], &[], HttpTls::Ours, "[::]:8443"), "https://dns.example.net:8443");
        assert_eq!(url(&[name], &[], HttpTls::Off, "127.0.0.1:8053"), "http://dns.example.net:8053");
        assert_eq!(url(&[name], &[proxy], HttpTls::Off, "127.0.0.1:8053"), "https://dns.example.net");
        assert_eq!(url(&[name], &[proxy], HttpTls::Ours, "127.0.0.1:8053"), "https://dns.example.net:8053");
    }
}
