//! To whom a zone is delegated: what its parent says beside what is wanted, and whether the servers that it names answer.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::{ZoneInTenant, path};
use crate::console::page::{Frame, page, refusal};
use crate::console::session::Member;
use crate::console::words::{self, names};
use crate::json::{self, Delegation, DelegationDifference, DelegationFit, DelegationState};
use crate::router::Served;

/// TTL of the lines for the parent: what registries give delegations themselves; most take no other.
const NS_TTL_SECS: u32 = 86_400;

#[derive(Template)]
#[template(path = "zone_delegation.html")]
struct Page {
    frame: Frame,
    path: String,
    name: String,
    found: Delegation,
    verdict: Verdict,
}

/// What all of it comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) tone: &'static str,
    pub(super) badge: &'static str,
    pub(super) text: String,
}

pub(crate) async fn delegation(
    member: Member,
    ZoneInTenant(name): ZoneInTenant,
    State(served): State<Served>,
) -> Response {
    let found = match served.doors.requests.delegation(&member.caller, &name).await {
        Ok(found) => found,
        Err(problem) => return refusal(&problem),
    };
    page(&Page {
        frame: Frame::of(&member, "zones"),
        path: path(&member.membership, &name),
        name: name.to_string(),
        verdict: verdict(&found),
        found,
    })
}

impl Page {
    /// What is to be given to the registrar, where something else or nothing is at the parent.
    fn lines(&self) -> Vec<String> {
        let is_right = match self.found.state {
            DelegationState::Unknown | DelegationState::OnlyItself => true,
            _ => self.found.fit == DelegationFit::Exactly || self.has_all_of_ours(),
        };
        if is_right {
            return Vec::new();
        }
        let zone = &self.found.name;
        self.found.wanted.iter().map(|name| format!("{zone} {NS_TTL_SECS} IN NS {name}")).collect()
    }

    fn has_all_of_ours(&self) -> bool {
        self.found.fit == DelegationFit::Among && self.found.missing().next().is_none()
    }

    fn parent(&self) -> &str {
        parent(&self.found)
    }

    /// Servers whose part of the world's questions gets no answer.
    fn bad_servers(&self) -> String {
        let bad = self.found.servers.iter().filter(|server| server.is_bad());
        names(bad.map(|server| &server.name))
    }

    fn differences(&self) -> String {
        let word = |difference: &DelegationDifference| match difference {
            DelegationDifference::NameServers => "name servers",
            DelegationDifference::Glue => "addresses (glue)",
            DelegationDifference::Ds => "DS records",
        };
        self.found.differences.iter().map(word).collect::<Vec<_>>().join(", ")
    }
}

/// What a page says of a delegation, in one word and in one sentence.
pub(super) fn verdict(found: &Delegation) -> Verdict {
    let named = names(&found.name_servers);
    let parent = parent(found);
    let of = |tone, badge, text| Verdict { tone, badge, text };
    match (found.state, found.fit) {
        (DelegationState::Unknown, _) => {
            let text =
                "To whom the zone is delegated could not be found out. Nothing is wrong with the zone for that.";
            of("off", "Not known", text.into())
        }
        (DelegationState::NotDelegated, _) => {
            let text = format!("The servers of {parent} delegate no such zone: nobody in the world finds it yet.");
            of("warn", "Not delegated yet", text)
        }
        (DelegationState::Differing, _) => {
            let text = format!(
                "The servers of {parent} do not say the same. After a change that is so for a while; if it stays so, whoever \
                 runs them has to look."
            );
            of("warn", "Differing", text)
        }
        (DelegationState::OnlyItself, _) => {
            let text = format!(
                "The servers of {parent} hold this zone too and answer from it, so that what they delegate cannot be seen."
            );
            of("off", "Not seen", text)
        }
        (DelegationState::Delegated, _) if found.servers.iter().any(|server| server.is_ours && server.is_lame()) => {
            of(
                "bad",
                "Lame",
                "The zone is delegated to us, and one of our name servers does not answer for it.".into(),
            )
        }
        (DelegationState::Delegated, DelegationFit::Exactly) => {
            of("good", "Delegated to us", format!("The servers of {parent} name exactly our name servers."))
        }
        (DelegationState::Delegated, DelegationFit::Among) => match names(found.missing()) {
            missing if missing.is_empty() => {
                let text =
                    format!("The servers of {parent} name all of ours, and beside them {}.", names(found.others()));
                of("good", "Delegated to us", text)
            }
            missing => {
                of("warn", "Delegated in part", format!("The servers of {parent} do not name {missing} of ours."))
            }
        },
        (DelegationState::Delegated, DelegationFit::None) => {
            let text =
                format!("The servers of {parent} name {named}, and none of our name servers: the world asks there.");
            of("warn", "Delegated elsewhere", text)
        }
        (DelegationState::Delegated, DelegationFit::Unknown) => {
            of("off", "Delegated", format!("The servers of {parent} name {named}."))
        }
    }
}

fn parent(found: &Delegation) -> &str {
    match found.parent.as_deref() {
        Some(".") => "the root",
        Some(parent) => words::bare(parent),
        None => "the parent",
    }
}

#[cfg(test)]
mod tests {
    use super::verdict;
    use crate::json::{DelegationFit, DelegationState, ServerFound, delegated_to};

    #[test]
    fn each_state_of_a_delegation_has_its_word_and_its_tone() {
        let ours = ["ns1.us.", "ns2.us."];
        let to = |named: &[&str], fit| delegated_to(named, &ours, fit);
        for (found, tone, badge, says) in [
            (to(&ours, DelegationFit::Exactly), "good", "Delegated to us", "exactly our name servers"),
            (
                to(&["ns1.us.", "ns2.us.", "ns.them."], DelegationFit::Among),
                "good",
                "Delegated to us",
                "beside them ns.them",
            ),
            (to(&["ns1.us."], DelegationFit::Among), "warn", "Delegated in part", "do not name ns2.us of ours"),
            (to(&["ns.them."], DelegationFit::None), "warn", "Delegated elsewhere", "name ns.them, and none"),
            (delegated_to(&["ns.them."], &[], DelegationFit::Unknown), "off", "Delegated", "org name ns.them."),
        ] {
            let verdict = verdict(&found);
            assert_eq!((verdict.tone, verdict.badge), (tone, badge), "{verdict:?}");
            assert!(verdict.text.contains(says), "{verdict:?}");
        }
        for (state, tone, badge) in [
            (DelegationState::NotDelegated, "warn", "Not delegated yet"),
            (DelegationState::Differing, "warn", "Differing"),
            (DelegationState::OnlyItself, "off", "Not seen"),
            (DelegationState::Unknown, "off", "Not known"),
        ] {
            let mut found = to(&[], DelegationFit::Unknown);
            found.state = state;
            assert_eq!((verdict(&found).tone, verdict(&found).badge), (tone, badge));
        }
    }

    #[test]
    fn only_a_lame_server_of_ours_makes_the_zone_lame() {
        let named = ["ns1.us.", "ns.them."];
        let mut found = delegated_to(&named, &["ns1.us."], DelegationFit::Among);
        found.servers[1].at[0].found = ServerFound::Lame;
        assert_eq!(verdict(&found).badge, "Delegated to us");
        found.servers[0].at[0].found = ServerFound::Lame;
        assert_eq!((verdict(&found).tone, verdict(&found).badge), ("bad", "Lame"));
    }
}
