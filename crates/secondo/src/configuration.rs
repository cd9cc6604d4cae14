//! What the program is told: defaults, then the configuration file, then `SECONDO_*` variables, then flags.
//!
//! Everything is parsed here, once; inside, types carry the proof. All problems of the file are said at once, with their lines
//! and columns, and of a file that has any nothing is used.

mod alerts;
mod catalog;
mod delegation;
mod file;
mod http;
mod inventory_location;
mod limits;
mod listening;
mod mail;
mod problems;
mod rate_limit;
mod shape;
mod tenancy;
mod tls;
mod zone;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ::alerts::MailSettings;
use api::doors::{NewCatalog, NewZone};
use dns::Name;
use inventory::{Location, PostgresUrl};
use server::RateLimit;
use xfr::{Key, Policy, Setting, SettingError};

use self::file::Purpose;
use self::inventory_location::read_url;
use crate::command::ServeArguments;
use crate::kept::KEEP_REMOVED;
use crate::persona::PersonaSettings;

pub(crate) use self::alerts::AlertSettings;
pub(crate) use self::catalog::groups;
pub(crate) use self::delegation::DelegationSettings;
pub(crate) use self::file::Written;
pub(crate) use self::http::{HttpSettings, HttpTls};
pub(crate) use self::limits::Limits;
pub(crate) use self::listening::listen_address;
pub(crate) use self::problems::{FileProblems, Problem};
pub(crate) use self::tenancy::{Mode, SignUp, TenancySettings};
pub(crate) use self::tls::TlsFiles;

/// The file of the inventory, in the data directory.
const INVENTORY: &str = "inventory.db";

/// What `serve` needs to know.
#[derive(Debug)]
pub(crate) struct Configuration {
    pub(crate) data: PathBuf,
    /// Where the inventory is; none for a file in the data directory.
    pub(crate) postgres: Option<PostgresUrl>,
    pub(crate) dns: Vec<SocketAddr>,
    /// Where DNS is answered over TLS; there is a certificate of ours then.
    pub(crate) dns_over_tls: Vec<SocketAddr>,
    /// The same over QUIC.
    pub(crate) dns_over_quic: Vec<SocketAddr>,
    pub(crate) persona: PersonaSettings,
    pub(crate) http: HttpSettings,
    /// What counts where nothing is set for a zone.
    pub(crate) defaults: Policy,
    pub(crate) limits: Limits,
    /// How often one network gets the same answer; none for as often as it asks.
    pub(crate) rate: Option<RateLimit>,
    /// For how long zones are kept that catalogs have removed.
    pub(crate) keep_removed: Duration,
    pub(crate) tls: TlsFiles,
    pub(crate) delegation: DelegationSettings,
    pub(crate) tenancy: TenancySettings,
    /// Through which server people are written to, if they are.
    pub(crate) mail: Option<MailSettings>,
    pub(crate) alerts: AlertSettings,
    pub(crate) keys: Vec<Key>,
    pub(crate) zones: Vec<NewZone>,
    pub(crate) catalogs: Vec<NewCatalog>,
    /// The catalog that is made of all zones that are served.
    pub(crate) catalog_out: Option<Name>,
    /// The file as it stands.
    pub(crate) written: Written,
}

/// The settings that stand below `[timers]` and have a variable each.
const TIMERS: [Setting; 6] = [
    Setting::RefreshMin,
    Setting::RefreshMax,
    Setting::RetryMin,
    Setting::RetryMax,
    Setting::ExpireMin,
    Setting::ExpireMax,
];

/// What is wrong with it, and where.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigurationError {
    #[error("the configuration file {} cannot be read: {error}", path.display())]
    Unreadable { path: PathBuf, error: std::io::Error },
    #[error("{0}")]
    Wrong(FileProblems),
    #[error("the variable {name}: {message}")]
    Variable { name: String, message: String },
    #[error(
        "the console at {0} would take passwords in clear text, which others on the way can read: have it speak TLS ([http] tls \
         = true, with a certificate below [tls]), let a proxy on this machine do it, or say that it is meant with \
         --http-clear-text"
    )]
    ClearText(SocketAddr),
    #[error("--zone {text}: {message}")]
    Zone { text: String, message: String },
}

impl Configuration {
    /// # Errors
    /// Everything that is wrong with the file, or the first thing that is wrong elsewhere.
    pub(crate) fn of(arguments: &ServeArguments) -> Result<Self, ConfigurationError> {
        Self::with(arguments, Purpose::Start)
    }

    /// The same once more, by the file as it is now.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub(crate) fn again(arguments: &ServeArguments) -> Result<Self, ConfigurationError> {
        Self::with(arguments, Purpose::Again)
    }

    fn with(arguments: &ServeArguments, purpose: Purpose) -> Result<Self, ConfigurationError> {
        let mut configuration = match &arguments.config {
            Some(path) => Self::read(path, purpose)?,
            None => Self::default(),
        };
        configuration.take_variables(|name| std::env::var(name).ok())?;
        configuration.take_arguments(arguments)?;
        if configuration.http.is_careless() {
            return Err(ConfigurationError::ClearText(configuration.http.listen));
        }
        Ok(configuration)
    }

    /// Reads the file alone.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(crate) fn check(path: &Path) -> Result<Self, ConfigurationError> {
        Self::read(path, Purpose::Check)
    }

    fn read(path: &Path, purpose: Purpose) -> Result<Self, ConfigurationError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigurationError::Unreadable { path: path.to_owned(), error })?;
        file::read(&text, purpose).map_err(|problems| ConfigurationError::Wrong(FileProblems::new(path, problems)))
    }

    /// `SECONDO_TIMERS_REFRESH_MIN` and its like; the others are read with the flags that they stand for.
    fn take_variables(&mut self, variable: impl Fn(&str) -> Option<String>) -> Result<(), ConfigurationError> {
        for setting in TIMERS {
            let name = format!("SECONDO_TIMERS_{}", setting.name().to_uppercase());
            let Some(text) = variable(&name) else { continue };
            let wrong = |error: SettingError| ConfigurationError::Variable { name, message: error.to_string() };
            let set = self.defaults.set(setting, &text).and_then(|()| self.defaults.check());
            set.map_err(wrong)?;
        }
        let name = "SECONDO_INVENTORY_POSTGRES";
        if let Some(text) = variable(name) {
            let wrong = |message| ConfigurationError::Variable { name: name.to_owned(), message };
            self.postgres = Some(read_url(&text).map_err(wrong)?);
        }
        Ok(())
    }

    /// Where the inventory is.
    pub(crate) fn inventory(&self) -> Location {
        match &self.postgres {
            Some(url) => Location::Postgres(url.clone()),
            None => Location::File(self.data.join(INVENTORY)),
        }
    }

    fn take_arguments(&mut self, arguments: &ServeArguments) -> Result<(), ConfigurationError> {
        if let Some(data) = &arguments.data {
            self.data.clone_from(data);
        }
        if !arguments.dns.is_empty() {
            self.dns.clone_from(&arguments.dns);
        }
        if let Some(http) = arguments.http {
            self.http.listen = http;
        }
        self.http.allow_clear_text |= arguments.http_clear_text;
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
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            data: PathBuf::from("secondo-data"),
            postgres: None,
            dns: vec![SocketAddr::from(([127, 0, 0, 1], 5300))],
            dns_over_tls: Vec::new(),
            dns_over_quic: Vec::new(),
            persona: PersonaSettings::default(),
            http: HttpSettings::default(),
            defaults: Policy::default(),
            limits: Limits::default(),
            rate: None,
            keep_removed: KEEP_REMOVED,
            tls: TlsFiles::default(),
            delegation: DelegationSettings::default(),
            tenancy: TenancySettings::default(),
            mail: None,
            alerts: AlertSettings::default(),
            keys: Vec::new(),
            zones: Vec::new(),
            catalogs: Vec::new(),
            catalog_out: None,
            written: Written::default(),
        }
    }
}

fn joined(zone: &NewZone, more: &NewZone) -> Result<NewZone, api::Problem> {
    NewZone::new(zone.name().clone(), [zone.primaries(), more.primaries()].concat())
}

fn detail(problem: api::Problem) -> String {
    problem.detail().to_owned()
}

#[cfg(test)]
mod tests {
    use super::file::{self, Purpose};
    use super::{Configuration, Problem};

    impl Configuration {
        /// What a file of this text makes of it, with flags still to come.
        pub(super) fn parse(text: &str) -> Result<Self, Vec<Problem>> {
            file::read(text, Purpose::Start)
        }
    }

    /// The places and words of all that is wrong with it.
    fn wrong(text: &str) -> Vec<(usize, usize, String)> {
        let problems = Configuration::parse(text).unwrap_err();
        problems.into_iter().map(|Problem { line, column, message }| (line, column, message)).collect()
    }

    #[test]
    fn the_file_says_everything_that_flags_say_and_more() {
        let directory = tempfile::tempdir().unwrap();
        let ours = testing::certificate::Certificate::alone(&["ns.example"]);
        let (certificate, key) = ours.write_files(directory.path(), "ours");
        let configuration = Configuration::parse(&format!(
            "data = \"/var/lib/secondo\"\n[dns]\nlisten = [\"0.0.0.0:53\", \"[::]:53\"]\ntls_listen = [\"0.0.0.0:853\"]\n\
             quic_listen = [\"0.0.0.0:853\", \"[::]:853\"]\n\
             [tls]\ncertificate = {certificate:?}\nkey = {key:?}\n[http]\nlisten = \"127.0.0.1:80\"\n\
             [timers]\nrefresh_min = \"1s\"\nretry_max = \"1d\"\n[transfer_out]\nallow = [\"192.0.2.0/24,key=k\"]\n\
             notify = [\"192.0.2.9,key=k\", \"192.0.2.10:5353\"]\n\
             [tenancy]\nmode = \"single\"\n[[key]]\nname = \"k\"\nsecret = \"c2VjcmV0c2VjcmV0\"\n\
             [[zone]]\nname = \"example.org\"\nprimaries = [\"192.0.2.1:5353\"]\nkey = \"k\"\n",
        ))
        .unwrap_or_else(|problems| panic!("{problems:?}"));
        assert_eq!(
            (configuration.dns.len(), configuration.dns_over_tls.len(), configuration.dns_over_quic.len()),
            (2, 1, 2)
        );
        assert_eq!(
            (configuration.defaults.bounds.refresh_min_secs, configuration.defaults.bounds.retry_max_secs),
            (1, 86_400)
        );
        assert_eq!(configuration.zones[0].primaries()[0].key, Some("k.".parse().unwrap()));
        assert_eq!(configuration.keys.len(), 1);
        let defaults = &configuration.defaults;
        assert_eq!((defaults.allow_transfer.len(), defaults.notify_to.len()), (1, 2));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, line, says) in [
            ("\nlisten = 1\n", 2, "unknown field"),
            ("[dns]\n\nlisten = [\"nowhere\"]\n", 3, "no address to listen on"),
            ("[timers]\nrefresh_min = \"soon\"\n", 2, "no length of time"),
            ("[timers]\nrefresh = \"1m\"\n", 2, "cannot be set"),
            ("[timers]\nnotify = \"signed\"\n", 2, "below [defaults]"),
            ("[defaults]\nnotify = \"never\"\n", 2, "any or signed"),
            ("[tls]\ncertificate = \"ours.pem\"\n", 2, "give both"),
            ("[transfer_out]\nallow = [\"everybody\"]\n", 2, "who may copy"),
            ("[transfer_out]\nnotify = [\"ns.example\"]\n", 2, "no server to be notified"),
            ("[dns]\ntls_listen = [\"127.0.0.1:853\"]\n", 2, "need a certificate"),
            ("[dns]\nquic_listen = [\"127.0.0.1:853\"]\n", 2, "need a certificate"),
            ("[dns]\ntls_listen = [\"853\"]\n", 2, "no address to listen on"),
            (
                "[[zone]]\nname = \"a.test\"\nprimaries = [\"192.0.2.1\"]\nsettings = { retry_min = \"never\" }\n",
                4,
                "no length of time",
            ),
            (
                "[timers]\nretry_max = \"1h\"\n[[zone]]\nname = \"a.test\"\nprimaries = [\"192.0.2.1\"]\nsettings = { retry_min = \"90m\" }\n",
                4,
                "retry_min (90m) is more than retry_max (1h)",
            ),
            ("[timers]\nretry_min = \"0s\"\n", 2, "at least 1s"),
            ("\n[timers]\nretry_min = \"9h\"\n", 2, "more than retry_max"),
            ("[[zone]]\nname = \"a..b\"\nprimaries = [\"192.0.2.1\"]\n", 2, "a..b"),
            ("[[zone]]\nname = \"example.org\"\nprimaries = [\"nowhere\"]\n", 3, "nowhere"),
            ("[[key]]\nname = \"k\"\nsecret = \"?\"\n", 3, "base64"),
            ("[catalogs]\nkeep_removed = \"never\"\n", 2, "off for not at all"),
            ("[inventory]\npostgres = \"mysql://u:hidden@h/d\"\n", 2, "begins with postgres://"),
            ("[inventory]\npostgres = \"postgres://u:hidden@h\"\n", 2, "names no database"),
            ("[inventory]\npostgres_file = \"/nowhere/hidden/url\"\n", 2, "cannot be read"),
            ("[inventory]\npostgres_file = \"f\"\npostgres = \"postgres://u:hidden@h/d\"\n", 2, "one of the two"),
            ("inventory = \"postgres://u:hidden@h/d\"\n", 1, "below [inventory]"),
            ("[delegation]\nhints = \"/nowhere/named.root\"\n", 2, "cannot be read"),
            ("[delegation]\n\nhints = \"Cargo.toml\"\n", 3, "has no root hints"),
            ("[delegation]\nhints = [\"192.0.2.1\"]\n", 2, "expected a string"),
            ("[delegation]\nname_servers = [\"ns1.us\", \"https://ns2.us\"]\n", 2, "is not a zone name"),
            ("[delegation]\nname_servers = [\n\"ns1.us\",\n\"NS1.us.\"]\n", 4, "NS1.us. is there twice"),
            ("[delegation]\nname_servers = [\".\"]\n", 2, "no name server"),
            (
                "[delegation]\nname_servers = [\"a.us\", \"b.us\"]\nname_servers_per_tenant = 2\n",
                3,
                "less than the number of name_servers, which is 2",
            ),
            ("[tenancy]\nmode = \"many\"\n", 2, "unknown variant"),
            ("[tenancy]\nown_addresses = [\"8.8.8.8\"]\n", 2, "in mode \"single\" any address"),
            ("[tenancy]\nmode = \"multi\"\nallow_addresses = [\"10.0.0.0/33\"]\n", 3, "no block of addresses"),
            ("[tenancy]\nmode = \"multi\"\nown_addresses = [\"us\"]\n", 3, "invalid IP address"),
            ("[dns\n", 1, ""),
            ("[rate_limit]\nresponses_per_second = 2000000\n", 2, "0 (off) to 1000000"),
            ("[rate_limit]\nall_per_second = 5\n", 2, "give it too"),
            ("[rate_limit]\nexempt = [\"all\"]\n", 2, "no block of addresses"),
            ("[dns]\nname = \"\"\n", 2, "1 to 64 octets"),
            ("[dns]\nreport_agent = \".\"\n", 2, "the root"),
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
            let problems = wrong(text);
            let [(at, _, message)] = &problems[..] else { panic!("{text}: {problems:?}") };
            assert!(message.contains(says) && !message.contains("hidden@"), "{text}: {message}");
            assert_eq!(*at, line, "{text}: {message}");
        }
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once_and_one_slip_only_once() {
        for (text, places) in [
            // TOML that is none, beside what is wrong all the same.
            ("data = \n[timers]\nretry_min = \"soon\"\n", &[(1, 8), (3, 13)][..]),
            ("[dns\nlisten = [\"nowhere\"]\n", &[(1, 5)]),
            ("data = \"a\"\ndata = \"b\"\nunknown = 1\n", &[(2, 1), (3, 1)]),
            // Each name, each kind of value and each missing one.
            ("one = 1\ntwo = { three = 3 }\n[dns]\nfour = 4\nlisten = 5\n", &[(1, 1), (2, 1), (4, 1), (5, 10)]),
            (
                "[[key]]\n[[zone]]\nkey = \"a..b\"\nprimaries = [1, \"x\"]\n",
                &[(1, 1), (1, 1), (2, 1), (3, 7), (4, 14), (4, 17)],
            ),
            ("[[zone]]\nname = \"é.test\"\nprimaries = [ \"é\", \"x\" ]\n", &[(2, 8), (3, 15), (3, 20)]),
            ("[mail]\nuser = \"u\"\n", &[(1, 1), (1, 1), (2, 8)]),
            // What follows from a problem alone is none of its own.
            ("[[zone]]\nname = \"a.test\"\nprimaries = [\"x\"]\n", &[(3, 14)]),
        ] {
            let found: Vec<(usize, usize)> = wrong(text).iter().map(|(line, column, _)| (*line, *column)).collect();
            assert_eq!(found, places, "{text}: {:?}", wrong(text));
        }
    }

    #[test]
    fn delegations_are_looked_at_from_the_hints_and_for_the_name_servers_that_are_given() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let hints = ". 60 NS a.root.\na.root. 60 A 127.0.0.53\n";
        std::fs::write(file.path(), hints).unwrap();
        let text = format!("[delegation]\nhints = {:?}\nname_servers = [\"ns1.us\", \"ns2.us.\"]\n", file.path());
        let given = Configuration::parse(&text).unwrap_or_default().delegation;
        assert_eq!((given.hints, given.name_servers.len()), (hints.parse().unwrap(), 2));
        let without = Configuration::default().delegation;
        assert_eq!((without.hints, without.name_servers.len()), (delegation::Hints::iana(), 0));
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
        assert_eq!(configuration.defaults.bounds.refresh_min_secs, 7);
        let error = configuration.take_variables(|_| Some("x".into())).unwrap_err();
        assert!(error.to_string().contains("SECONDO_TIMERS_REFRESH_MIN"), "{error}");
    }

    #[test]
    fn the_inventory_is_a_file_or_a_database_whose_password_is_not_shown() {
        let mut configuration = Configuration::parse("data = \"d\"\n").unwrap_or_default();
        assert_eq!(configuration.inventory().to_string(), "d/inventory.db");
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "postgres://u:hidden@h/of-the-file\n").unwrap();
        let text = format!("[inventory]\npostgres_file = {:?}\n", file.path());
        for (text, shown) in [
            ("[inventory]\npostgres = \"postgres://u:hidden@h:5433/d\"\n", "postgres://u@h:5433/d"),
            (&text, "postgres://u@h:5432/of-the-file"),
        ] {
            configuration = Configuration::parse(text).unwrap_or_default();
            assert_eq!(configuration.inventory().to_string(), shown);
            assert!(!format!("{configuration:?}").contains("hidden"), "{configuration:?}");
        }
        let variable =
            |value: &'static str| move |name: &str| (name == "SECONDO_INVENTORY_POSTGRES").then(|| value.to_owned());
        configuration.take_variables(variable("postgres://u:hidden@h/of-the-variable")).unwrap();
        assert_eq!(configuration.inventory().to_string(), "postgres://u@h:5432/of-the-variable");
        let error = configuration.take_variables(variable("u:hidden@h")).unwrap_err().to_string();
        assert!(error.contains("SECONDO_INVENTORY_POSTGRES") && !error.contains("hidden"), "{error}");
    }
}
