//! The Debian package: built, installed, used, upgraded, removed and purged in a root that holds nothing but Debian's smallest system.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;
use testing::peer::{Peer, Setup, Software};
use testing::process::{self, Process};
use testing::{eventually, port, query, zone_text};

use crate::scene::{SOON, ZONE};

const CONFIGURATION: &str = "etc/secondo/secondo.toml";
const DATA: &str = "var/lib/secondo";
/// What systemd allows services of ours, in tenths of its points: the lower, the less.
const EXPOSURE_MAX: &str = "20";

fn checkout() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "../.."].iter().collect()
}

/// A root of its own.
struct Root(TempDir);

impl Root {
    /// Debian as this machine has it, from where this machine has it.
    fn new() -> Self {
        let directory = TempDir::with_prefix("secondo-root-").unwrap();
        let targets = process::run(Command::new("apt-get").args([
            "indextargets",
            "--format",
            "$(REPO_URI) $(CODENAME)",
            "Created-By: Packages",
        ]));
        let (mirror, release) = targets.lines().next().and_then(|line| line.split_once(' ')).unwrap();
        let proxy = ["dump", "--format", "%v%n", "Acquire::http::Proxy"];
        let proxy = process::run(Command::new("apt-config").args(proxy));
        let mut debootstrap = Command::new("debootstrap");
        debootstrap.args(["--variant=minbase", "--include=adduser", release]).arg(directory.path()).arg(mirror);
        if !proxy.trim().is_empty() {
            debootstrap.env("http_proxy", proxy.trim());
        }
        process::run(&mut debootstrap);
        Self(directory)
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("chroot");
        command.arg(self.0.path()).args(words);
        command.env("DEBIAN_FRONTEND", "noninteractive").env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command
    }

    fn run(&self, words: &[&str]) -> String {
        process::run(&mut self.command(words))
    }

    /// Has the program in a package of this version, and installs that.
    fn install(&self, version: &str) {
        let mut build = Command::new(checkout().join("packaging/build-deb"));
        let built = process::run(build.args([version, env!("CARGO_BIN_EXE_secondo")]));
        fs::copy(checkout().join(built.trim()), self.path("tmp/secondo.deb")).unwrap();
        self.run(&["dpkg", "--install", "/tmp/secondo.deb"]);
    }

    /// Owner, group and mode of a file.
    fn owner(&self, file: &str) -> (String, String, u32) {
        let names = self.run(&["stat", "--format", "%U %G", &format!("/{file}")]);
        let (user, group) = names.trim().split_once(' ').unwrap();
        (user.to_owned(), group.to_owned(), fs::metadata(self.path(file)).unwrap().permissions().mode() & 0o7777)
    }

    /// Starts the service as its unit does, and waits until it has told so.
    fn start(&self) -> Service {
        let socket = self.path("run/notify");
        let _ = fs::remove_file(&socket);
        let told = UnixDatagram::bind(&socket).unwrap();
        told.set_read_timeout(Some(SOON)).unwrap();
        fs::set_permissions(&socket, fs::Permissions::from_mode(0o777)).unwrap();
        let mut command = Command::new("chroot");
        command.args(["--userspec=secondo:secondo"]).arg(self.0.path());
        command.args(["/usr/bin/secondo", "serve", "--config", "/etc/secondo/secondo.toml"]);
        command.env("NOTIFY_SOCKET", "/run/notify").env("WATCHDOG_USEC", "300000").env("NO_COLOR", "1");
        let service = Service { process: Process::start(command, &self.path("tmp/log")), told };
        service.is_told("READY=1");
        service
    }
}

struct Service {
    process: Process,
    told: UnixDatagram,
}

impl Service {
    #[track_caller]
    fn is_told(&self, word: &str) {
        let mut message = [0; 4096];
        loop {
            let length = self.told.recv(&mut message).unwrap_or_else(|error| panic!("no {word}: {error}"));
            if String::from_utf8_lossy(&message[..length]).contains(word) {
                return;
            }
        }
    }

    fn stop(mut self) {
        let ended = self.process.terminate();
        assert!(ended.success(), "{ended}: {}", self.process.output());
        self.is_told("STOPPING=1");
    }
}

#[test]
fn the_package_is_installed_used_upgraded_removed_and_purged_in_a_clean_root() {
    let root = Root::new();
    root.install("0.0.8");
    assert_eq!(root.owner(CONFIGURATION), ("root".into(), "secondo".into(), 0o640));
    assert_eq!(root.owner(DATA), ("secondo".into(), "secondo".into(), 0o700));
    let checked = root.run(&["secondo", "check-config", "/etc/secondo/secondo.toml"]);
    assert!(checked.contains("has no problems"), "{checked}");
    for file in ["man/man1/secondo.1.gz", "man/man1/secondo-zone-add.1.gz", "bash-completion/completions/secondo"] {
        assert!(fs::metadata(root.path("usr/share").join(file)).unwrap().size() > 100, "{file}");
    }

    let (dns, http) = (port::free(), port::free());
    let configuration = fs::read_to_string(root.path(CONFIGURATION)).unwrap();
    let configuration =
        configuration.replace("127.0.0.1:5300", &dns.to_string()).replace("127.0.0.1:8053", &http.to_string());
    fs::write(root.path(CONFIGURATION), &configuration).unwrap();
    let primary = Peer::start(Software::Nsd, Setup::zone(ZONE, zone_text::small(7)));
    let service = root.start();
    service.is_told("WATCHDOG=1");
    root.run(&["secondo", "zone", "add", ZONE, "--primary", &primary.address().to_string()]);
    serves(dns);
    service.stop();
    drop(primary);

    root.install("0.0.9");
    assert_eq!(fs::read_to_string(root.path(CONFIGURATION)).unwrap(), configuration);
    assert_eq!(root.owner(CONFIGURATION), ("root".into(), "secondo".into(), 0o640));
    let service = root.start();
    serves(dns);
    service.stop();

    root.run(&["dpkg", "--remove", "secondo"]);
    assert!(!root.path("usr/bin/secondo").exists());
    assert!(root.path(CONFIGURATION).exists() && root.path(DATA).join("zones.redb").exists());
    root.run(&["dpkg", "--purge", "secondo"]);
    assert!(!root.path("etc/secondo").exists() && !root.path(DATA).exists());
}

fn serves(dns: SocketAddr) {
    eventually(SOON, "the zone to be served", || match query::serial(dns, ZONE) {
        Ok(7) => Ok(()),
        other => Err(format!("{other:?}")),
    });
}

#[test]
fn the_unit_is_right_and_lets_the_service_do_little() {
    let directory = TempDir::with_prefix("secondo-unit-").unwrap();
    let unit = fs::read_to_string(checkout().join("packaging/systemd/secondo.service")).unwrap();
    let file = directory.path().join("secondo.service");
    // What is not installed here cannot be started.
    fs::write(&file, unit.replace("/usr/bin/secondo", "/bin/true")).unwrap();
    let said = process::run(Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&file));
    assert_eq!(said, "");
    let mut security = Command::new("systemd-analyze");
    security.args(["security", "--no-pager", "--offline=true", "--threshold", EXPOSURE_MAX]).arg(&file);
    process::run(&mut security);
}
