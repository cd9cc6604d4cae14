//! Cookies (RFC 7873) that all servers of one set understand, of whatever make (RFC 9018): who shows one has had an answer
//! of ours at the address that it asks from.
//!
//! ```text
//! server cookie:  version 1 │ reserved:3 │ seconds:4 │ hash:8
//!                 hash = SipHash-2-4(secret, client cookie │ version … seconds │ client's address)
//! ```
//!
//! Secrets roll over without a cookie being refused (RFC 9018 §5): the new one is added behind the old one everywhere, then
//! put first everywhere, then the old one is removed. The first makes cookies, all are good for verifying.

use std::hash::Hasher;
use std::net::IpAddr;

use siphasher::sip::SipHasher24;

/// What a server keeps to itself: 16 random octets.
pub type CookieSecret = [u8; 16];

const CLIENT_OCTETS: usize = 8;
/// The client's part, and ours.
pub(crate) const COOKIE_OCTETS: usize = CLIENT_OCTETS + SERVER_OCTETS;
const SERVER_OCTETS: usize = 16;
/// The only version there is (RFC 9018 §4).
const VERSION: u8 = 1;
/// How long a cookie of ours is good, and how long before it is made anew (RFC 9018 §4.3).
const GOOD_SECS: i32 = 3600;
const FRESH_SECS: i32 = 1800;
/// How far the clock of the server that made it may be ahead (RFC 9018 §4.3).
const AHEAD_SECS: i32 = 300;

/// What a query shows of cookies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CookieShown {
    #[default]
    None,
    /// The client's own, without ours or with one that is not good.
    Client,
    /// One that this server has given to this address, or another server with the same secret.
    Ours,
}

/// A COOKIE option has neither of the lengths that there are (RFC 7873 §5.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Misshapen;

/// The option's data of a query.
#[derive(Clone, Copy)]
pub(crate) struct Cookie<'a> {
    client: [u8; CLIENT_OCTETS],
    server: &'a [u8],
}

impl<'a> Cookie<'a> {
    pub(crate) fn parse(data: &'a [u8]) -> Result<Self, Misshapen> {
        let (client, server) = data.split_first_chunk().ok_or(Misshapen)?;
        match server.len() {
            0 | 8..=32 => Ok(Self { client: *client, server }),
            _ => Err(Misshapen),
        }
    }
}

/// The secrets, the first of which makes cookies.
#[derive(Clone, PartialEq, Eq)]
pub struct Cookies(Vec<CookieSecret>);

impl Cookies {
    /// None when there is no secret.
    pub fn new(secrets: Vec<CookieSecret>) -> Option<Self> {
        (!secrets.is_empty()).then_some(Self(secrets))
    }

    /// What the query has shown, and the option's data for the answer. `now_secs` are Unix seconds.
    pub(crate) fn answer(
        &self,
        cookie: Cookie<'_>,
        address: IpAddr,
        now_secs: u64,
    ) -> (CookieShown, [u8; COOKIE_OCTETS]) {
        let mut answer = [0; COOKIE_OCTETS];
        answer[..CLIENT_OCTETS].copy_from_slice(&cookie.client);
        let now_secs = now_secs as u32;
        if let Some(age_secs) = self.age_secs(cookie, address, now_secs) {
            let is_of_first = hash(&self.0[0], cookie.client, head(cookie.server), address) == tail(cookie.server);
            if age_secs <= FRESH_SECS && is_of_first {
                answer[CLIENT_OCTETS..].copy_from_slice(cookie.server);
                return (CookieShown::Ours, answer);
            }
            answer[CLIENT_OCTETS..].copy_from_slice(&self.server_cookie(cookie.client, address, now_secs));
            return (CookieShown::Ours, answer);
        }
        answer[CLIENT_OCTETS..].copy_from_slice(&self.server_cookie(cookie.client, address, now_secs));
        (CookieShown::Client, answer)
    }

    /// How old a cookie of ours is; none when it is not ours, or not good any more.
    fn age_secs(&self, cookie: Cookie<'_>, address: IpAddr, now_secs: u32) -> Option<i32> {
        if cookie.server.len() != SERVER_OCTETS || cookie.server[0] != VERSION {
            return None;
        }
        let [.., a, b, c, d] = head(cookie.server);
        // RFC 9018 §4.3: compared as serials are, so that it goes on in 2106.
        let age_secs = now_secs.wrapping_sub(u32::from_be_bytes([a, b, c, d])).cast_signed();
        let is_made_with = |secret: &CookieSecret| {
            // Not in constant time: what a stranger would learn is a cookie for the address that it asks from.
            hash(secret, cookie.client, head(cookie.server), address) == tail(cookie.server)
        };
        ((-AHEAD_SECS..=GOOD_SECS).contains(&age_secs) && self.0.iter().any(is_made_with)).then_some(age_secs)
    }

    fn server_cookie(&self, client: [u8; CLIENT_OCTETS], address: IpAddr, now_secs: u32) -> [u8; SERVER_OCTETS] {
        let [a, b, c, d] = now_secs.to_be_bytes();
        let head = [VERSION, 0, 0, 0, a, b, c, d];
        let mut cookie = [0; SERVER_OCTETS];
        cookie[..8].copy_from_slice(&head);
        cookie[8..].copy_from_slice(&hash(&self.0[0], client, head, address));
        cookie
    }
}

impl std::fmt::Debug for Cookies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} cookie secrets", self.0.len())
    }
}

/// Version, reserved octets and seconds.
fn head(server: &[u8]) -> [u8; 8] {
    server.first_chunk().copied().unwrap_or_default()
}

fn tail(server: &[u8]) -> [u8; 8] {
    server.last_chunk().copied().unwrap_or_default()
}

fn hash(secret: &CookieSecret, client: [u8; CLIENT_OCTETS], head: [u8; 8], address: IpAddr) -> [u8; 8] {
    let mut hasher = SipHasher24::new_with_key(secret);
    hasher.write(&client);
    hasher.write(&head);
    match address.to_canonical() {
        IpAddr::V4(address) => hasher.write(&address.octets()),
        IpAddr::V6(address) => hasher.write(&address.octets()),
    }
    // RFC 9018 §4.4: as the reference implementation writes it, the lowest octet first.
    hasher.finish().to_le_bytes()
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::{Cookie, CookieSecret, CookieShown, Cookies};

    fn octets<const N: usize>(hex: &str) -> [u8; N] {
        let pairs = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
        let octets: Vec<u8> = pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect();
        octets.try_into().unwrap()
    }

    fn answer(secrets: &[CookieSecret], cookie: &[u8], address: &str, now_secs: u64) -> (CookieShown, [u8; 24]) {
        let address: IpAddr = address.parse().unwrap();
        Cookies::new(secrets.to_vec()).unwrap().answer(Cookie::parse(cookie).ok().unwrap(), address, now_secs)
    }

    const SECRET: &str = "e5e973e5a6b2a43f48e7dc849e37bfcf";
    const MADE_SECS: u64 = 1_559_731_985;

    #[test]
    fn cookies_are_those_of_the_rfcs_examples() {
        // RFC 9018 Appendix A.1.
        let given = answer(&[octets(SECRET)], &octets::<8>("2464c4abcf10c957"), "198.51.100.100", MADE_SECS);
        let whole: [u8; 24] = octets("2464c4abcf10c957010000005cf79f111f8130c3eee29480");
        assert_eq!(given, (CookieShown::Client, whole));
        // Appendix A.2: older than half an hour, it is made anew.
        let (shown, renewed) = answer(&[octets(SECRET)], &whole, "198.51.100.100", 1_559_734_385);
        assert_eq!(shown, CookieShown::Ours);
        assert_eq!(renewed, octets("2464c4abcf10c957010000005cf7a871d4a564a1442aca77"));
        // Appendix A.4: over IPv6, made with a secret that is on its way out.
        let secrets = [octets("445536bcd2513298075a5d379663c962"), octets("dd3bdf9344b678b185a6f5cb60fca715")];
        let old: [u8; 24] = octets("22681ab97d52c298010000005cf7c57926556bd0934c72f8");
        let (shown, renewed) = answer(&secrets, &old, "2001:db8:220:1:59de:d0f4:8769:82b8", 1_559_741_961);
        assert_eq!(shown, CookieShown::Ours);
        assert_eq!(renewed, octets("22681ab97d52c298010000005cf7c609a6bb79d16625507a"));
    }

    #[test]
    fn a_cookie_is_good_for_its_client_its_address_and_an_hour() {
        let secrets = [octets(SECRET)];
        let (_, whole) = answer(&secrets, &octets::<8>("2464c4abcf10c957"), "198.51.100.100", MADE_SECS);
        let shown = |cookie: &[u8], address: &str, now_secs| answer(&secrets, cookie, address, now_secs).0;
        for now_secs in [MADE_SECS - 300, MADE_SECS, MADE_SECS + 3600] {
            assert_eq!(shown(&whole, "198.51.100.100", now_secs), CookieShown::Ours, "{now_secs}");
            assert_eq!(shown(&whole, "::ffff:198.51.100.100", now_secs), CookieShown::Ours);
        }
        assert_eq!(answer(&secrets, &whole, "198.51.100.100", MADE_SECS + 1800).1, whole, "it is fresh");
        assert_eq!(shown(&whole, "198.51.100.100", MADE_SECS + 3601), CookieShown::Client);
        assert_eq!(shown(&whole, "198.51.100.100", MADE_SECS - 301), CookieShown::Client);
        assert_eq!(shown(&whole, "198.51.100.101", MADE_SECS), CookieShown::Client);
        for at in 0..whole.len() {
            let mut forged = whole;
            forged[at] ^= 1;
            assert_eq!(shown(&forged, "198.51.100.100", MADE_SECS), CookieShown::Client, "octet {at}");
        }
        assert_eq!(
            shown(&[&whole[..], &[0]].concat(), "198.51.100.100", MADE_SECS),
            CookieShown::Client,
            "another's"
        );
        let other = answer(&[octets("dd3bdf9344b678b185a6f5cb60fca715")], &whole, "198.51.100.100", MADE_SECS).0;
        assert_eq!(other, CookieShown::Client);
    }

    #[test]
    fn lengths_that_no_cookie_has_are_misshapen() {
        for octets in (0..8).chain(9..16).chain(41..44) {
            assert!(Cookie::parse(&vec![0; octets]).is_err(), "{octets} octets");
        }
        for octets in [8, 16, 24, 40] {
            assert!(Cookie::parse(&vec![0; octets]).is_ok(), "{octets} octets");
        }
    }
}
