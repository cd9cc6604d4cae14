//! PostgreSQL, for the inventory: a cluster of its own in a temporary directory, from Debian's package.
//!
//! It refuses to run as root, so that it runs as its package's user then, and as whoever runs the tests otherwise. It
//! listens at a loopback port, where it wants a password and speaks TLS with whoever wants that, and at a socket in its
//! directory, where it does neither; its order of text is not that of octets, as in most clusters that people have.
//!
//! Found by trying 15: its processes have sessions of their own, and end by themselves soon after the first of them was
//! killed; until then a new one refuses to start on the same directory.

use std::fs::Permissions;
use std::net::SocketAddr;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::certificate::Authority;
use crate::eventually::pause;
use crate::port;
use crate::process::{Process, read_lossy, run};

/// How long a start may take on a busy machine, with the recovery after a kill.
const PATIENCE: Duration = Duration::from_secs(60);
const STARTS_MAX: u32 = 3;
const USER: &str = "secondo";
/// Its user's password; no other word that anything prints.
pub const PASSWORD: &str = "Zaubernuss!%";
/// The same in a URL.
const PASSWORD_IN_URL: &str = "Zaubernuss!%25";
/// The user that Debian's package makes.
const PACKAGES_USER: &str = "postgres";

/// Whether what is committed is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commits {
    /// As in production: for tests that kill it.
    Durable,
    /// Much faster.
    Fleeting,
}

/// A running, or killed, cluster.
pub struct Postgres {
    directory: TempDir,
    address: SocketAddr,
    commits: Commits,
    process: Option<Process>,
}

impl Postgres {
    /// A new cluster, which answers.
    ///
    /// # Panics
    /// When it does not start, with what it printed.
    #[track_caller]
    pub fn start(commits: Commits) -> Self {
        let mut printed = String::new();
        for _ in 0..STARTS_MAX {
            let directory = TempDir::with_prefix("secondo-postgres-").expect("there is room for temporary files");
            if let Some((user, group)) = user_beside_root() {
                chown(directory.path(), Some(user), Some(group)).expect("root gives away what is root's");
            }
            let mut cluster = Self { directory, address: port::free(), commits, process: None };
            cluster.make();
            match cluster.launch() {
                Ok(()) => return cluster,
                // Somebody else may have taken the port first.
                Err(reason) => printed = reason,
            }
        }
        panic!("PostgreSQL does not start: {printed}");
    }

    /// One cluster for all tests of this program; it ends with the program, however that ends.
    pub fn of_this_program() -> &'static Self {
        static CLUSTER: OnceLock<(Postgres, Child)> = OnceLock::new();
        let (cluster, _) = CLUSTER.get_or_init(|| {
            let cluster = Self::start(Commits::Fleeting);
            let process = cluster.process.as_ref().expect("it has been started").id();
            let directory = cluster.directory.path().display();
            // Statics are never dropped: this waits for the end of its input, which is our end.
            let guard = Command::new("sh")
                .args(["-c", &format!("read -r end; kill -s QUIT {process}; rm -rf '{directory}'")])
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("there is a shell");
            (cluster, guard)
        });
        cluster
    }

    /// Where its database of that name is, with the password.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}:{PASSWORD_IN_URL}@{}/{database}", self.address)
    }

    /// The certificate of the authority that vouches for it.
    pub fn authority(&self) -> PathBuf {
        self.directory.path().join("authority.pem")
    }

    /// A new database: an empty one, or a copy of another one, which nobody uses.
    #[track_caller]
    pub fn create_database(&self, name: &str, copied_from: Option<&str>) {
        let template = copied_from.unwrap_or("template1");
        self.query("postgres", &format!("CREATE DATABASE \"{name}\" TEMPLATE \"{template}\""));
    }

    /// Has statements carried out by somebody at its shell, and tells what came of them: a line for each row.
    #[track_caller]
    pub fn query(&self, database: &str, statements: &str) -> String {
        run(self.shell(database).args(["-c", statements]))
    }

    /// Its shell, whose user is the one that owns everything; it reads statements from its input.
    pub fn shell(&self, database: &str) -> Command {
        let mut shell = Command::new(program("psql"));
        let (directory, port) = (self.directory.path(), self.address.port().to_string());
        shell.arg("-h").arg(directory).args(["-p", &port, "-U", USER, "-d", database]);
        shell.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "-v", "ON_ERROR_STOP=1"]);
        shell
    }

    /// SIGKILL to its first process, whose others follow it.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Starts it again where it was, with what it had committed.
    #[track_caller]
    pub fn start_again(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while let Err(printed) = self.launch() {
            // Processes of the one before may be there still.
            assert!(Instant::now() < deadline, "PostgreSQL does not start again: {printed}");
        }
    }

    /// Keeps it alive but mute: connections are made, and nothing is answered, nor by the processes that it has for them.
    pub fn freeze(&self) {
        self.signal_all("STOP");
    }

    pub fn thaw(&self) {
        self.signal_all("CONT");
    }

    fn signal_all(&self, signal: &str) {
        let first = self.process.as_ref().expect("it is running").id();
        let children = read_lossy(Path::new(&format!("/proc/{first}/task/{first}/children")));
        run(Command::new("sh").args(["-c", &format!("kill -s {signal} -- {first} {children}")]));
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn log(&self) -> PathBuf {
        self.directory.path().join("log")
    }

    #[track_caller]
    fn make(&self) {
        let password = self.directory.path().join("password");
        std::fs::write(&password, PASSWORD).expect("the test's directory is writable");
        let authority = Authority::new();
        authority.write_file(self.directory.path());
        let (certificate, key) = authority.server(&["127.0.0.1"]).write_files(self.directory.path(), "tls");
        // It insists on that.
        std::fs::set_permissions(&key, Permissions::from_mode(0o600)).expect("the test's directory is writable");
        if let Some((user, group)) = user_beside_root() {
            for file in [&password, &certificate, &key] {
                chown(file, Some(user), Some(group)).expect("root gives away what is root's");
            }
        }
        let mut command = own_program("initdb");
        command.arg("-D").arg(self.data()).arg("--pwfile").arg(password);
        command.args(["--username", USER, "--auth-local", "trust", "--auth-host", "scram-sha-256", "--no-sync"]);
        command.args(["--encoding", "UTF8", "--locale", "C", "--locale-provider", "icu", "--icu-locale", "en"]);
        run(command.current_dir("/"));
    }

    fn launch(&mut self) -> Result<(), String> {
        let mut command = own_program("postgres");
        command.arg("-D").arg(self.data()).arg("-k").arg(self.directory.path()).current_dir("/");
        command.args(["-p", &self.address.port().to_string(), "-c", "listen_addresses=127.0.0.1"]);
        command.args(["-c", "shared_buffers=32MB", "-c", "max_connections=200", "-c", "log_statement=none"]);
        let file = |name: &str| self.directory.path().join(name).display().to_string();
        command.args(["-c", "ssl=on", "-c", &format!("ssl_cert_file={}", file("tls.pem"))]);
        command.args(["-c", &format!("ssl_key_file={}", file("tls.key"))]);
        if self.commits == Commits::Fleeting {
            command.args(["-c", "fsync=off"]);
        }
        let mut process = Process::start(command, &self.log());
        let deadline = Instant::now() + PATIENCE;
        while !self.says_that_it_is_ready(process.id()) {
            if process.ended().is_some() || Instant::now() > deadline {
                return Err(read_lossy(&self.log()));
            }
            pause();
        }
        self.process = Some(process);
        Ok(())
    }

    /// Its file says so in the eighth line, and in the first whose file it is.
    fn says_that_it_is_ready(&self, process: u32) -> bool {
        let said = read_lossy(&self.data().join("postmaster.pid"));
        let mut lines = said.lines().map(str::trim);
        lines.next() == Some(&process.to_string()) && lines.nth(6) == Some("ready")
    }
}

/// Whom it runs as in place of root.
fn user_beside_root() -> Option<(u32, u32)> {
    let number = |words: &[&str]| run(Command::new("id").args(words)).trim().parse().expect("ids are numbers");
    match number(&["-u"]) {
        0 => Some((number(&["-u", PACKAGES_USER]), number(&["-g", PACKAGES_USER]))),
        _ => None,
    }
}

/// A program that refuses root.
fn own_program(name: &str) -> Command {
    match user_beside_root() {
        Some((user, group)) => {
            let mut command = Command::new("setpriv");
            command.args([&format!("--reuid={user}"), &format!("--regid={group}"), "--clear-groups"]);
            command.arg(program(name));
            command
        }
        None => Command::new(program(name)),
    }
}

/// Debian has each version's programs in a directory of its own, of which few are in anybody's path.
fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let programs = versions.map(|version| version.path().join("bin").join(name)).filter(|program| program.exists());
    programs.max().unwrap_or_else(|| name.into())
}
