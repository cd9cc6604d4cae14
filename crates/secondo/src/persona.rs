//! What the server says of itself, and the secrets of its cookies, which may roll over while it runs.
//!
//! Without a file the secret is made at the start and known to nobody else: enough for one server, whose clients get new
//! cookies after a restart. Servers that answer for each other have one file, the same everywhere (RFC 9018 §5): a line for
//! each secret, the first of which makes cookies. It is looked at every few seconds, and at once on SIGHUP; one that cannot be
//! read changes nothing but what is said about it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use answer::{CookieSecret, Cookies, Persona, PersonaText};
use anyhow::Context;
use dns::Name;
use tokio::sync::Mutex;

use crate::node::Node;
use crate::rereading::{self, Looks};

/// More secrets than any rollover needs, and each makes forged cookies dearer to refuse.
const SECRETS_MAX: usize = 4;
/// No file of ours is longer.
const FILE_OCTETS_MAX: u64 = 64 * 1024;

/// What is configured of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct PersonaSettings {
    pub(crate) name: Option<PersonaText>,
    pub(crate) version: Option<PersonaText>,
    pub(crate) report_agent: Option<Name>,
    pub(crate) cookie_secrets: Option<PathBuf>,
}

impl PersonaSettings {
    /// # Errors
    /// When the file cannot be read or holds no secrets, or this machine gives no random octets.
    pub(crate) fn begin(&self) -> anyhow::Result<Persona> {
        let cookies = match &self.cookie_secrets {
            Some(file) => read(file)?,
            None => {
                let mut secret = CookieSecret::default();
                let filled = getrandom::fill(&mut secret);
                filled
                    .map_err(|error| anyhow::anyhow!("this machine gives no random octets for cookies: {error}"))?;
                Cookies::new(vec![secret])
            }
        };
        let Self { name, version, report_agent, .. } = self.clone();
        Ok(Persona { name, version, report_agent, cookies })
    }
}

/// Follows the file of secrets, where there is one.
pub(crate) async fn follow_cookie_secrets(node: Arc<Node>, file: Option<PathBuf>, looks: Arc<Mutex<Looks>>) {
    let Some(file) = file else { return std::future::pending().await };
    let mut looks = looks.lock().await;
    let mut wrong = None;
    loop {
        looks.next().await;
        let path = file.clone();
        let read = tokio::task::spawn_blocking(move || read(&path)).await;
        match read.map_err(anyhow::Error::from).and_then(|read| read) {
            Ok(cookies) => {
                wrong = None;
                take(&node, cookies);
            }
            Err(error) => {
                let why = format!("{error:#}");
                if wrong.as_ref() != Some(&why) {
                    tracing::error!("the cookie secrets of before go on being used: {why}");
                    wrong = Some(why);
                }
            }
        }
    }
}

fn take(node: &Node, cookies: Option<Cookies>) {
    let persona = node.shared.persona.load_full();
    if persona.cookies == cookies {
        return;
    }
    tracing::info!("cookie secrets have changed");
    node.shared.persona.store(Arc::new(Persona { cookies, ..(*persona).clone() }));
}

/// # Errors
/// When the file cannot be read or holds no secrets.
pub(crate) fn check_cookie_secrets(file: &Path) -> anyhow::Result<()> {
    read(file).map(drop)
}

fn read(file: &Path) -> anyhow::Result<Option<Cookies>> {
    let octets = rereading::read(file, FILE_OCTETS_MAX)
        .with_context(|| format!("the cookie secrets in {} cannot be read", file.display()))?;
    let secrets = str::from_utf8(&octets).context("they are no text").and_then(secrets);
    Ok(Cookies::new(secrets.with_context(|| format!("the cookie secrets in {}", file.display()))?))
}

fn secrets(text: &str) -> anyhow::Result<Vec<CookieSecret>> {
    let mut secrets = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let mut secret = CookieSecret::default();
        // What stands there instead is not shown: it may be a secret with a slip in it.
        let is_one = hex::decode_to_slice(line, &mut secret).is_ok();
        anyhow::ensure!(
            is_one,
            "line {number} is no secret: write 32 hexadecimal digits, as `openssl rand -hex 16` gives"
        );
        secrets.push(secret);
    }
    anyhow::ensure!(
        !secrets.is_empty(),
        "there is none: write 32 hexadecimal digits, as `openssl rand -hex 16` gives"
    );
    anyhow::ensure!(secrets.len() <= SECRETS_MAX, "there are {}: at most {SECRETS_MAX} are used", secrets.len());
    Ok(secrets)
}

#[cfg(test)]
mod tests {
    use super::secrets;

    const ONE: &str = "e5e973e5a6b2a43f48e7dc849e37bfcf";

    #[test]
    fn secrets_are_read_line_by_line_and_slips_are_said_without_them() {
        let read =
            secrets(&format!("# rolled over in May\n{ONE}\n\n {} # the old one\n", ONE.to_uppercase())).unwrap();
        assert_eq!((read.len(), read[0][0], read[1]), (2, 0xe5, read[0]));
        for (text, says) in [
            (String::new(), "there is none"),
            (format!("{ONE}\n{}\n", &ONE[1..]), "line 2 is no secret"),
            (format!("{ONE}0\n"), "line 1 is no secret"),
            ([ONE; 5].join("\n"), "at most 4"),
        ] {
            let error = secrets(&text).unwrap_err().to_string();
            assert!(error.contains(says) && !error.contains(&ONE[1..]), "{text}: {error}");
        }
    }
}
