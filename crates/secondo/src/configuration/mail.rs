//! `[mail]`: through which server people are written to. Without it nobody is: links are shown to operators instead.

use std::net::IpAddr;
use std::path::PathBuf;

use alerts::{Encryption, Login, MailSettings};
use serde::Deserialize;
use toml::Spanned;

use super::problems::Problems;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MailSection {
    server: Option<Spanned<String>>,
    from: Option<Spanned<String>>,
    tls: Option<Spanned<Protection>>,
    user: Option<Spanned<String>>,
    password_file: Option<Spanned<PathBuf>>,
    #[serde(default)]
    allow_clear_text: bool,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Protection {
    StartTls,
    Implicit,
    Off,
}

pub(super) fn read_mail(section: &Spanned<MailSection>, problems: &mut Problems) -> Option<MailSettings> {
    let (at, section) = (section.span().start, section.get_ref());
    let server_text = problems.required(section.server.as_ref(), at, "server");
    let server = server_text.and_then(|text| problems.read(text, server));
    let from = problems
        .required(section.from.as_ref(), at, "from")
        .and_then(|text| problems.read(text, |from| alerts::is_sender(from).map(|()| from.trim().to_owned())));
    let login = read_login(section, problems);
    let (host, port) = server?;
    let encryption = match section.tls.as_ref().map(|tls| *tls.get_ref()) {
        Some(Protection::StartTls) => Encryption::StartTls,
        Some(Protection::Implicit) => Encryption::Implicit,
        Some(Protection::Off) => Encryption::Off,
        // RFC 8314 §3.3: on this port TLS is spoken from the beginning on.
        None if port == alerts::TLS_PORT => Encryption::Implicit,
        None => Encryption::StartTls,
    };
    if let (Encryption::Off, Some(tls)) = (encryption, &section.tls)
        && !is_loopback(&host)
        && !section.allow_clear_text
    {
        let message = "without TLS others on the way could read the links in mails: have tls = \"starttls\" or \"implicit\", or \
                       say allow_clear_text = true";
        problems.note(tls.span().start, message);
    }
    Some(MailSettings { host, port, encryption, login, from: from? })
}

fn read_login(section: &MailSection, problems: &mut Problems) -> Option<Login> {
    let at = match (&section.user, &section.password_file) {
        (None, None) => return None,
        (Some(user), Some(file)) => {
            let path = file.get_ref();
            match std::fs::read_to_string(path) {
                Ok(text) => {
                    let password = text.trim_end_matches(['\r', '\n']).to_owned();
                    return Some(Login { user: user.get_ref().clone(), password });
                }
                Err(error) => {
                    let message =
                        format!("the mail server's password cannot be read from {}: {error}", path.display());
                    problems.note(file.span().start, message);
                    return None;
                }
            }
        }
        (Some(alone), None) => alone.span().start,
        (None, Some(alone)) => alone.span().start,
    };
    problems.note(at, "a mail server wants user and password_file, or neither");
    None
}

/// `host:port`; an address of version 6 in brackets.
fn server(text: &str) -> Result<(String, u16), String> {
    let wrong = || format!("{text:?} is no mail server: write it like \"smtp.example.net:587\"");
    let (host, port) = text.trim().rsplit_once(':').ok_or_else(wrong)?;
    let port: u16 = port.parse().ok().filter(|port| *port > 0).ok_or_else(wrong)?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let is_host = host.parse::<IpAddr>().is_ok() || host == "localhost" || api::text::zone_name(host).is_ok();
    if host.is_empty() || !is_host { Err(wrong()) } else { Ok((host.to_owned(), port)) }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use alerts::Encryption;

    use super::super::Configuration;

    fn read(text: &str) -> Result<alerts::MailSettings, String> {
        let read = Configuration::parse(&format!("[mail]\nfrom = \"Secondo <dns@example.net>\"\n{text}\n"));
        read.map(|read| read.mail.unwrap()).map_err(|problems| problems[0].message.clone())
    }

    #[test]
    fn mail_goes_by_tls_unless_the_server_is_on_this_machine_or_somebody_has_said_so() {
        for (text, encryption) in [
            ("server = \"smtp.example.net:587\"", Encryption::StartTls),
            ("server = \"smtp.example.net:465\"", Encryption::Implicit),
            ("server = \"smtp.example.net:25\"\ntls = \"implicit\"", Encryption::Implicit),
            ("server = \"localhost:25\"\ntls = \"off\"", Encryption::Off),
            ("server = \"[::1]:25\"\ntls = \"off\"", Encryption::Off),
            ("server = \"192.0.2.1:25\"\ntls = \"off\"\nallow_clear_text = true", Encryption::Off),
        ] {
            assert_eq!(read(text).unwrap().encryption, encryption, "{text}");
        }
        let refused = read("server = \"smtp.example.net:25\"\ntls = \"off\"").unwrap_err();
        assert!(refused.contains("others on the way could read"), "{refused}");
    }

    #[test]
    fn a_mail_server_that_cannot_be_one_is_said() {
        for (text, why) in [
            ("server = \"smtp.example.net\"", "is no mail server"),
            ("server = \"smtp.example.net:0\"", "is no mail server"),
            ("server = \"https://smtp:1:587\"", "is no mail server"),
            ("server = \"a.example:587\"\nuser = \"x\"", "user and password_file, or neither"),
            (
                "server = \"a.example:587\"\nuser = \"x\"\npassword_file = \"/nowhere/x\"",
                "cannot be read from /nowhere/x",
            ),
            ("server = \"a.example:587\"\ntls = \"maybe\"", "unknown variant"),
        ] {
            let said = read(text).unwrap_err();
            assert!(said.contains(why), "{text}: {said}");
        }
    }
}
