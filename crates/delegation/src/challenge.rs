//! The texts at a zone's challenge, from the servers to which the parent delegates now.
//!
//! Whoever can put a record there has the zone in hand as the world sees it, wherever else a copy of it may be. So nobody
//! else is asked: no other server, no resolver, no copy of ours; and an answer counts only with authority (AA). An alias
//! at the name is not followed, and a delegation of the name away from the zone's servers leads nowhere: both would make
//! it somebody else's word.

use std::collections::VecDeque;

use dns::{Name, NameBuf, Type};

use crate::Server;
use crate::failure::{Failure, Trouble};
use crate::reply::Reply;
use crate::views::{Delegation, Verdict};
use crate::walk::Walk;

/// What stands before the zone's name.
pub const CHALLENGE_LABEL: &str = "_secondo-challenge";
/// So many of the zone's servers are to say something.
const ANSWERS: usize = 2;
/// Servers that are asked for so many answers.
const SERVERS_MAX: usize = 6;
/// Texts of one answer that are looked at: whoever claims the name puts one there, and several may.
const TEXTS_MAX: usize = 64;

/// The texts at a zone's challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    pub delegation: Delegation,
    /// The name that was asked for.
    pub name: Name,
    /// Each of the zone's servers that was asked, and the texts that it has there: none if it says that there are none.
    pub answers: Vec<(Server, Result<Vec<String>, Trouble>)>,
}

impl Challenge {
    /// Whether the zone's servers show this text: all of those that say anything, and there is one that does. Not while the
    /// parent's servers name different ones: then it is not seen whose word counts.
    ///
    /// That the parent itself delegates to them is for the verdict about the delegation to say.
    pub fn shows(&self, text: &str) -> bool {
        if self.delegation.verdict() == Verdict::Differing {
            return false;
        }
        let mut said = self.answers.iter().filter_map(|(_, answer)| answer.as_ref().ok()).peekable();
        said.peek().is_some() && said.all(|texts| texts.iter().any(|shown| shown == text))
    }
}

impl Walk<'_> {
    pub(crate) async fn challenge(&self, zone: &Name) -> Result<Challenge, Failure> {
        let delegation = self.delegation(zone).await?;
        let name = challenge_name(zone)?;
        let ns = delegation.name_servers();
        // The first address of each name server before the second of any, as far as one is needed.
        let (mut names, mut later) = (ns.names.iter().collect::<VecDeque<_>>(), VecDeque::new());
        let mut answers: Vec<(Server, Result<Vec<String>, Trouble>)> = Vec::new();
        let enough = |answers: &[(Server, Result<Vec<String>, Trouble>)]| {
            answers.iter().filter(|(_, answer)| answer.is_ok()).count() >= ANSWERS || answers.len() >= SERVERS_MAX
        };
        while !enough(&answers) {
            let server = if let Some(name) = names.pop_front() {
                let mut all = self.addresses(&ns, name).await.into_iter();
                let first = all.next();
                later.extend(all.map(|address| Server { name: name.clone(), address }));
                first.map(|address| Server { name: name.clone(), address })
            } else if let Some(server) = later.pop_front() {
                Some(server)
            } else {
                break;
            };
            // Two names may be one server.
            if let Some(server) = server
                && answers.iter().all(|(asked, _)| asked.address != server.address)
            {
                let answer = self.texts(&server, &name, zone).await;
                answers.push((server, answer));
            }
        }
        Ok(Challenge { delegation, name, answers })
    }

    async fn texts(&self, server: &Server, name: &Name, zone: &Name) -> Result<Vec<String>, Trouble> {
        match self.ask_again(server, name.borrow(), Type::TXT, zone).await? {
            Reply::Answer { data, .. } => Ok(data.iter().take(TEXTS_MAX).map(|data| text(data)).collect()),
            Reply::Denied { .. } => Ok(Vec::new()),
            Reply::Referral { cut, .. } => Err(Trouble::RefersAway { to: cut }),
        }
    }
}

/// # Errors
/// When the zone's name is so long that nothing can stand before it: then it has no challenge.
fn challenge_name(zone: &Name) -> Result<Name, Failure> {
    let mut label = vec![CHALLENGE_LABEL.len() as u8];
    label.extend(CHALLENGE_LABEL.as_bytes());
    let name = NameBuf::concatenate(&label, zone.borrow());
    name.map(|name| name.borrow().to_name()).map_err(|_| Failure::TooLong { zone: zone.clone() })
}

/// The strings of a TXT record in a row, as long ones have to be cut (RFC 1035 §3.3.14, RFC 7208 §3.3). What is no UTF-8
/// is shown as such, and is nobody's token.
fn text(data: &[u8]) -> String {
    let (mut octets, mut rest) = (Vec::new(), data);
    while let Some((length, behind)) = rest.split_first() {
        let (string, after) = behind.split_at(behind.len().min(usize::from(*length)));
        octets.extend(string);
        rest = after;
    }
    String::from_utf8_lossy(&octets).into_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Challenge, challenge_name, text};
    use crate::Server;
    use crate::failure::Trouble;
    use crate::reply::{Denial, NsSet};
    use crate::views::{Delegation, Ds, Said, View};

    #[test]
    fn a_text_is_shown_when_all_that_answer_have_it_and_the_parent_has_one_voice() {
        let server = Server { name: "ns.zone.test.".parse().unwrap(), address: [192, 0, 2, 1].into() };
        let delegated = |to: &str| Said::Delegated {
            ns: NsSet { names: [to.parse().unwrap()].into(), glue: BTreeMap::new() },
            ds: Ds::Records([].into()),
        };
        let shows = |said: [Said; 2], answers: &[Option<&[&str]>]| {
            let views = said.map(|said| View { server: server.clone(), said }).into();
            let delegation =
                Delegation { zone: "zone.test.".parse().unwrap(), parent: "test.".parse().unwrap(), views };
            let read = |answer: &Option<&[&str]>| {
                let texts = answer.map(|texts| texts.iter().map(ToString::to_string).collect());
                (server.clone(), texts.ok_or(Trouble::Silent { millis: 1500 }))
            };
            let answers = answers.iter().map(read).collect();
            Challenge { name: delegation.zone.clone(), delegation, answers }.shows("token")
        };
        let one_voice = || [delegated("ns.zone.test."), delegated("NS.zone.test.")];
        let (with, other): (Option<&[&str]>, Option<&[&str]>) = (Some(&["a", "token"]), Some(&["a"]));
        assert!(shows(one_voice(), &[with, with]));
        assert!(shows(one_voice(), &[None, with]));
        for answers in [&[][..], &[None, None], &[with, other], &[other, with], &[Some(&[]), with]] {
            assert!(!shows(one_voice(), answers), "{answers:?}");
        }
        assert!(!shows([delegated("ns.zone.test."), delegated("ns.new.test.")], &[with, with]));
        assert!(!shows([delegated("ns.zone.test."), Said::Denied(Denial::NxDomain)], &[with, with]));
    }

    #[test]
    fn texts_are_read_in_a_row_and_nothing_panics() {
        assert_eq!(text(b"\x03abc\x02de"), "abcde");
        assert_eq!(text(b"\x05abc"), "abc");
        assert_eq!(text(b"\x01\xff"), "\u{fffd}");
        assert_eq!(text(b""), "");
    }

    #[test]
    fn the_challenge_stands_before_the_zones_name_if_there_is_room() {
        let named = |zone: &str| challenge_name(&zone.parse().unwrap()).map(|name| name.to_string());
        assert_eq!(named("Example.org."), Ok("_secondo-challenge.Example.org.".into()));
        let long = format!("{}.{}.{}.{}.", "a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(50));
        assert_eq!(named(&long).unwrap_err().code(), "name_too_long");
    }
}
