//! What the program is told: defaults, then the configuration file, then `SECONDO_*` variables, then flags.
//!
//! Everything is parsed here, once; inside, types carry the proof. Every problem in the file names its line.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use api::doors::{NewZone, Primary};
use jiff::SpanRelativeTo;
use serde::Deserialize;
use server::TransferOut;
use toml::Spanned;
use xfr::{Algorithm, Bounds, Key, Prefix};

use crate::command::ServeArguments;

/// What `serve` needs to know.
#[derive(Debug)]
pub(crate) struct Configuration {
    pub(crate) data: PathBuf,
    pub(crate) dns: Vec<SocketAddr>,
    pub(crate) http: SocketAddr,
    pub(crate) bounds: Bounds,
    pub(crate) transfer_out: TransferOut,
    pub(crate) keys: Vec<Key>,
    pub(crate) zones: Vec<NewZone>,
}

/// What is wrong with it, and where.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigurationError {
    #[error("the configuration file {} cannot be read: {error}", path.display())]
    Unreadable { path: PathBuf, error: std::io::Error },
    #[error("the configuration file {}, line {line}: {message}", path.display())]
    Wrong { path: PathBuf, line: usize, message: String },
    #[error("the variable {name}: {message}")]
    Variable { name: String, message: String },
    #[error("--zone {text}: {message}")]
    Zone { text: String, message: String },
}

/// The file, as it is written; it holds secrets, and is not for printing.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    data: Option<PathBuf>,
    dns: DnsSection,
    http: HttpSection,
    timers: TimersSection,
    transfer_out: TransferOutSection,
    tenancy: TenancySection,
    key: Vec<KeySection>,
    zone: Vec<ZoneSection>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct DnsSection {
    listen: Option<Vec<Spanned<String>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct HttpSection {
    listen: Option<Spanned<String>>,
}

/// Each a length of time such as `30s`, `5m`, `2h` or `1d`; at least a second.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct TimersSection {
    refresh_min: Option<Spanned<String>>,
    refresh_max: Option<Spanned<String>>,
    retry_min: Option<Spanned<String>>,
    retry_max: Option<Spanned<String>>,
    expire_min: Option<Spanned<String>>,
    expire_max: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct TransferOutSection {
    allow: Option<Vec<Spanned<String>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct TenancySection {
    mode: TenancyMode,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum TenancyMode {
    #[default]
    Single,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeySection {
    name: Spanned<String>,
    #[serde(default)]
    algorithm: Option<Spanned<String>>,
    secret: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ZoneSection {
    name: Spanned<String>,
    primaries: Vec<Spanned<String>>,
    #[serde(default)]
    key: Option<Spanned<String>>,
}

impl Configuration {
    /// # Errors
    /// The first thing that is wrong.
    pub(crate) fn of(arguments: &ServeArguments) -> Result<Self, ConfigurationError> {
        let mut configuration = match &arguments.config {
            Some(path) => Self::read(path)?,
            None => Self::default(),
        };
        configuration.take_variables(|name| std::env::var(name).ok())?;
        configuration.take_arguments(arguments)?;
        Ok(configuration)
    }

    fn read(path: &Path) -> Result<Self, ConfigurationError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigurationError::Unreadable { path: path.to_owned(), error })?;
        Self::parse(&text).map_err(|Wrong { at, message }| {
            let line = text[..at.min(text.len())].matches('\n').count() + 1;
            ConfigurationError::Wrong { path: path.to_owned(), line, message }
        })
    }

    fn parse(text: &str) -> Result<Self, Wrong> {
        let file: File = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            Wrong { at, message: error.message().to_owned() }
        })?;
        let mut configuration = Self::default();
        let TenancySection { mode: TenancyMode::Single } = file.tenancy;
        if let Some(data) = file.data {
            configuration.data = data;
        }
        if let Some(listen) = file.dns.listen {
            configuration.dns = listen.iter().map(|text| checked(text, listen_address)).collect::<Result<_, _>>()?;
        }
        if let Some(listen) = file.http.listen {
            configuration.http = checked(&listen, listen_address)?;
        }
        if let Some(allow) = file.transfer_out.allow {
            let prefixes = allow.iter().map(|text| checked(text, prefix)).collect::<Result<_, _>>()?;
            configuration.transfer_out = TransferOut(prefixes);
        }
        let timers = &file.timers;
        for (name, value) in [
            ("refresh_min", &timers.refresh_min),
            ("refresh_max", &timers.refresh_max),
            ("retry_min", &timers.retry_min),
            ("retry_max", &timers.retry_max),
            ("expire_min", &timers.expire_min),
            ("expire_max", &timers.expire_max),
        ] {
            if let Some(value) = value {
                let secs = checked(value, seconds)?;
                configuration.set_timer(name, secs);
            }
        }
        for section in &file.key {
            let key = read_key(section)?;
            if configuration.keys.iter().any(|earlier| earlier.name() == key.name()) {
                return Err(twice(&section.name, "key"));
            }
            configuration.keys.push(key);
        }
        for section in &file.zone {
            let zone = read_zone(section)?;
            if configuration.zones.iter().any(|earlier| earlier.name() == zone.name()) {
                return Err(twice(&section.name, "zone"));
            }
            configuration.zones.push(zone);
        }
        configuration.check_timers().map_err(|message| Wrong { at: text.find("[timers]").unwrap_or(0), message })?;
        Ok(configuration)
    }

    /// `SECONDO_TIMERS_REFRESH_MIN` and its like; the others are read with the flags that they stand for.
    fn take_variables(&mut self, variable: impl Fn(&str) -> Option<String>) -> Result<(), ConfigurationError> {
        for name in ["refresh_min", "refresh_max", "retry_min", "retry_max", "expire_min", "expire_max"] {
            let variable_name = format!("SECONDO_TIMERS_{}", name.to_uppercase());
            let Some(text) = variable(&variable_name) else { continue };
            let wrong = |message| ConfigurationError::Variable { name: variable_name.clone(), message };
            let secs = seconds(&text).map_err(wrong)?;
            self.set_timer(name, secs);
            self.check_timers().map_err(wrong)?;
        }
        Ok(())
    }

    fn take_arguments(&mut self, arguments: &ServeArguments) -> Result<(), ConfigurationError> {
        if let Some(data) = &arguments.data {
            self.data.clone_from(data);
        }
        if !arguments.dns.is_empty() {
            self.dns.clone_from(&arguments.dns);
        }
        if let Some(http) = arguments.http {
            self.http = http;
        }
        let mut zones: Vec<NewZone> = Vec::new();
        for text in &arguments.zones {
            let wrong =
                |problem: api::Problem| ConfigurationError::Zone { text: text.clone(), message: detail(problem) };
            let zone = api::text::zone_at_primary(text).map_err(wrong)?;
            match zones.iter_mut().find(|earlier| earlier.name() == zone.name()) {
                // The flag given again for one zone names one more primary.
                Some(earlier) => *earlier = joined(earlier, &zone).map_err(wrong)?,
                None => zones.push(zone),
            }
        }
        // What flags say about a zone replaces what the file says about it.
        self.zones.retain(|zone| zones.iter().all(|flagged| flagged.name() != zone.name()));
        self.zones.extend(zones);
        Ok(())
    }

    fn set_timer(&mut self, name: &str, secs: u32) {
        *match name {
            "refresh_min" => &mut self.bounds.refresh_min_secs,
            "refresh_max" => &mut self.bounds.refresh_max_secs,
            "retry_min" => &mut self.bounds.retry_min_secs,
            "retry_max" => &mut self.bounds.retry_max_secs,
            "expire_min" => &mut self.bounds.expire_min_secs,
            _ => &mut self.bounds.expire_max_secs,
        } = secs;
    }

    fn check_timers(&self) -> Result<(), String> {
        let bounds = &self.bounds;
        for (name, min, max) in [
            ("refresh", bounds.refresh_min_secs, bounds.refresh_max_secs),
            ("retry", bounds.retry_min_secs, bounds.retry_max_secs),
            ("expire", bounds.expire_min_secs, bounds.expire_max_secs),
        ] {
            if min > max {
                return Err(format!(
                    "{name}_min ({min} s) is more than {name}_max ({max} s): make the first smaller or the second larger"
                ));
            }
        }
        Ok(())
    }
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            data: PathBuf::from("secondo-data"),
            dns: vec![SocketAddr::from(([127, 0, 0, 1], 5300))],
            http: SocketAddr::from(([127, 0, 0, 1], 8053)),
            bounds: Bounds::default(),
            transfer_out: TransferOut::default(),
            keys: Vec::new(),
            zones: Vec::new(),
        }
    }
}

/// Something wrong at an octet of the file.
struct Wrong {
    at: usize,
    message: String,
}

fn twice(name: &Spanned<String>, what: &str) -> Wrong {
    let message = format!("the {what} {} is there twice: write one section for it", name.get_ref());
    Wrong { at: name.span().start, message }
}

fn checked<T>(text: &Spanned<String>, read: impl Fn(&str) -> Result<T, String>) -> Result<T, Wrong> {
    read(text.get_ref()).map_err(|message| Wrong { at: text.span().start, message })
}

/// An address to listen on, for the command line too.
pub(crate) fn listen_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        format!("{text:?} is no address to listen on: write one such as 127.0.0.1:5300, 0.0.0.0:53 or [::1]:5300")
    })
}

fn prefix(text: &str) -> Result<Prefix, String> {
    text.parse().map_err(|error: xfr::NoPrefix| error.to_string())
}

fn seconds(text: &str) -> Result<u32, String> {
    let wrong = || format!("{text:?} is no length of time: write one such as 30s, 5m, 2h or 1d, at least 1s");
    let span: jiff::Span = text.parse().map_err(|_| wrong())?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?;
    let duration = Duration::try_from(duration).map_err(|_| wrong())?;
    u32::try_from(duration.as_secs()).ok().filter(|secs| *secs > 0).ok_or_else(wrong)
}

fn read_key(section: &KeySection) -> Result<Key, Wrong> {
    let name = checked(&section.name, |text| api::text::key_name(text).map_err(detail))?;
    let algorithm = match &section.algorithm {
        Some(text) => checked(text, algorithm)?,
        None => Algorithm::HmacSha256,
    };
    checked(&section.secret, |secret| {
        Key::from_base64(name.clone(), algorithm, secret).map_err(|error| error.to_string())
    })
}

fn algorithm(text: &str) -> Result<Algorithm, String> {
    let known = api::text::key_algorithm(text).map_err(detail)?;
    known.as_str().parse().map_err(|_| format!("{text:?} is no TSIG algorithm"))
}

fn read_zone(section: &ZoneSection) -> Result<NewZone, Wrong> {
    let key_name = |text: &str| api::text::key_name(text).map_err(detail);
    let name = checked(&section.name, |text| api::text::zone_name(text).map_err(detail))?;
    let key = section.key.as_ref().map(|text| checked(text, key_name)).transpose()?;
    let mut primaries: Vec<Primary> = Vec::new();
    for text in &section.primaries {
        let primary = checked(text, |text| api::text::primary(text).map_err(detail))?;
        primaries.push(Primary { key: primary.key.or_else(|| key.clone()), ..primary });
    }
    let at = section.name.span().start;
    NewZone::new(name, primaries).map_err(|problem| Wrong { at, message: detail(problem) })
}

fn joined(zone: &NewZone, more: &NewZone) -> Result<NewZone, api::Problem> {
    NewZone::new(zone.name().clone(), [zone.primaries(), more.primaries()].concat())
}

fn detail(problem: api::Problem) -> String {
    problem.detail().to_owned()
}

#[cfg(test)]
mod tests {
    use super::Configuration;

    fn wrong(text: &str) -> (usize, String) {
        let wrong = Configuration::parse(text).unwrap_err();
        (text[..wrong.at].matches('\n').count() + 1, wrong.message)
    }

    #[test]
    fn the_file_says_everything_that_flags_say_and_more() {
        let configuration = Configuration::parse(
            "data = \"/var/lib/secondo\"\n[dns]\nlisten = [\"0.0.0.0:53\", \"[::]:53\"]\n[http]\nlisten = \"127.0.0.1:80\"\n\
             [timers]\nrefresh_min = \"1s\"\nretry_max = \"1d\"\n[transfer_out]\nallow = [\"192.0.2.0/24\"]\n\
             [tenancy]\nmode = \"single\"\n[[key]]\nname = \"k\"\nsecret = \"c2VjcmV0c2VjcmV0\"\n\
             [[zone]]\nname = \"example.org\"\nprimaries = [\"192.0.2.1:5353\"]\nkey = \"k\"\n",
        )
        .unwrap_or_else(|wrong| panic!("{}", wrong.message));
        assert_eq!(configuration.dns.len(), 2);
        assert_eq!((configuration.bounds.refresh_min_secs, configuration.bounds.retry_max_secs), (1, 86_400));
        assert_eq!(configuration.zones[0].primaries()[0].key, Some("k.".parse().unwrap()));
        assert_eq!(configuration.keys.len(), 1);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, line, says) in [
            ("\nlisten = 1\n", 2, "unknown field"),
            ("[dns]\n\nlisten = [\"nowhere\"]\n", 3, "no address to listen on"),
            ("[timers]\nrefresh_min = \"soon\"\n", 2, "no length of time"),
            ("[timers]\nretry_min = \"0s\"\n", 2, "at least 1s"),
            ("\n[timers]\nretry_min = \"9h\"\n", 2, "more than retry_max"),
            ("[[zone]]\nname = \"a..b\"\nprimaries = [\"192.0.2.1\"]\n", 2, "a..b"),
            ("[[zone]]\nname = \"example.org\"\nprimaries = [\"nowhere\"]\n", 3, "nowhere"),
            ("[[key]]\nname = \"k\"\nsecret = \"?\"\n", 3, "base64"),
            ("[tenancy]\nmode = \"multi\"\n", 2, "unknown variant"),
            ("[dns\n", 1, ""),
            (
                "[[key]]\nname = \"k\"\nsecret = \"c2VjcmV0c2VjcmV0\"\n[[key]]\nname = \"K.\"\nsecret = \"c2VjcmV0c2VjcmV0\"\n",
                5,
                "the key K. is there twice",
            ),
            (
                "[[zone]]\nname = \"a.test\"\nprimaries = [\"192.0.2.1\"]\n[[zone]]\nname = \"A.test.\"\nprimaries = [\"192.0.2.2\"]\n",
                5,
                "the zone A.test. is there twice",
            ),
        ] {
            let (at, message) = wrong(text);
            assert!(message.contains(says), "{text}: {message}");
            assert_eq!(at, line, "{text}: {message}");
        }
    }

    #[test]
    fn flags_for_one_zone_add_up_and_replace_what_the_file_says() {
        use clap::Parser;
        let mut configuration =
            Configuration::parse("[[zone]]\nname = \"Example.org\"\nprimaries = [\"192.0.2.9\"]\n")
                .unwrap_or_default();
        let line = ["secondo", "serve", "--zone", "example.org@192.0.2.1", "--zone", "example.org@192.0.2.2:54"];
        let crate::command::Command::Serve(arguments) = crate::command::CommandLine::parse_from(line).command else {
            panic!("serve is what was asked for");
        };
        configuration.take_arguments(&arguments).unwrap();
        let primaries: Vec<String> =
            configuration.zones[0].primaries().iter().map(|primary| primary.address.to_string()).collect();
        assert_eq!((configuration.zones.len(), primaries), (1, vec!["192.0.2.1:53".into(), "192.0.2.2:54".into()]));
    }

    #[test]
    fn variables_override_the_file() {
        let mut configuration = Configuration::parse("[timers]\nrefresh_min = \"5s\"\n").unwrap_or_default();
        let variable = |name: &str| (name == "SECONDO_TIMERS_REFRESH_MIN").then(|| "7s".to_owned());
        configuration.take_variables(variable).unwrap();
        assert_eq!(configuration.bounds.refresh_min_secs, 7);
        let error = configuration.take_variables(|_| Some("x".into())).unwrap_err();
        assert!(error.to_string().contains("SECONDO_TIMERS_REFRESH_MIN"), "{error}");
    }
}
