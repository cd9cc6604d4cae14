//! Our own program, run as people run it: a process with a data directory, driven by its command line.
//!
//! The DNS port is chosen before the first start and kept through restarts, so that a primary can be told where its
//! NOTIFYs go before the program runs. The HTTP port is the program's own choice; its clients find it in the data
//! directory.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::process::{self, Process, read_lossy};
use crate::{eventually, port};

/// How long a start may take on a busy machine, recovery after a kill included.
const PATIENCE: Duration = Duration::from_secs(30);
/// Files that a running server keeps in its data directory for its clients.
const READY_FILES: [&str; 3] = ["dns-address", "http-address", "admin-token"];

/// A server that may be running, and its data directory, which stays until this is dropped.
pub struct Secondo {
    program: PathBuf,
    directory: TempDir,
    dns: SocketAddr,
    zones: Vec<String>,
    /// Where its HTTP API is to be.
    http: String,
    /// What else stands behind `serve`.
    flags: Vec<String>,
    process: Option<Process>,
    /// Where its standard error goes instead of its log file.
    log_to: Option<PathBuf>,
    /// What stands in its environment beside our own.
    variables: Vec<(String, String)>,
    /// How large a file of its may be, in octets, until that is lifted.
    file_octets_max: Option<u64>,
}

impl Secondo {
    /// A server that has never run; `program` is `env!("CARGO_BIN_EXE_secondo")`.
    pub fn new(program: &str) -> Self {
        let directory = TempDir::with_prefix("secondo-test-").expect("there is room for temporary files");
        Self {
            program: program.into(),
            directory,
            dns: port::free(),
            zones: Vec::new(),
            http: "127.0.0.1:0".into(),
            flags: Vec::new(),
            process: None,
            variables: Vec::new(),
            log_to: None,
            file_octets_max: None,
        }
    }

    /// Has this configuration file read at every start from now on.
    pub fn configured(self, text: &str) -> Self {
        self.configure(text);
        self
    }

    pub fn configure(&self, text: &str) {
        std::fs::write(self.configuration_file(), text).expect("the test's directory is writable");
    }

    /// Adds `--zone NAME@ADDRESS` to every start from now on.
    pub fn with_zone(mut self, name: &str, primary: SocketAddr) -> Self {
        self.zones.push(format!("{name}@{primary}"));
        self
    }

    /// Has DNS answered there, at every start from now on, and not at a free port of 127.0.0.1.
    pub fn at(mut self, dns: SocketAddr) -> Self {
        self.dns = dns;
        self
    }

    /// Has its HTTP API answered there, at every start from now on.
    pub fn with_http(mut self, address: &str) -> Self {
        self.http = address.into();
        self
    }

    /// Has this variable in its environment, at every start from now on.
    pub fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// Adds this to what stands behind `serve`, at every start from now on.
    pub fn with_flag(mut self, flag: &str) -> Self {
        self.flags.push(flag.into());
        self
    }

    /// Has its log written to this file, a device perhaps; [`Secondo::log`] shows nothing of it.
    pub fn logging_to(mut self, file: &str) -> Self {
        self.log_to = Some(file.into());
        self
    }

    /// Lets no file of its grow larger at any start from now on.
    pub fn with_files_of_at_most(mut self, octets: u64) -> Self {
        self.file_octets_max = Some(octets);
        self
    }

    /// Lets the files of the running server grow again.
    pub fn lift_limit_of_files(&self) {
        let process = self.process.as_ref().expect("it is running").id();
        process::run(Command::new("prlimit").args([&format!("--pid={process}"), "--fsize=unlimited:"]));
    }

    /// Gives no `--zone` at any start from now on.
    pub fn without_zone_flags(mut self) -> Self {
        self.zones.clear();
        self
    }

    /// A file of the test's own, away from the data directory.
    pub fn scratch_file(&self, name: &str, text: &str) -> String {
        let path = self.directory.path().join(name);
        std::fs::write(&path, text).expect("the test's directory is writable");
        path.display().to_string()
    }

    /// Starts it and waits until it says that it is ready.
    ///
    /// # Panics
    /// When it ends or is not ready in time, with what it printed.
    #[track_caller]
    pub fn started(mut self) -> Self {
        self.start();
        self
    }

    #[track_caller]
    pub fn start(&mut self) {
        assert!(self.process.is_none(), "it is running already");
        for file in ["dns-address", "http-address"] {
            // What an earlier run has left says nothing about this one; there may be nothing.
            let _ = std::fs::remove_file(self.data().join(file));
        }
        let log_to = self.log_to.clone().unwrap_or_else(|| self.log_file());
        let mut process = Process::start(self.serve_command(self.dns, &self.http), &log_to);
        eventually(PATIENCE, "secondo serve to be ready", || {
            if let Some(status) = process.ended() {
                panic!("secondo serve ended with {status}:\n{}", self.log());
            }
            let missing = READY_FILES.iter().find(|file| read_lossy(&self.data().join(file)).trim().is_empty());
            match missing {
                None => Ok(()),
                Some(file) => Err(format!("there is no {file} yet\n{}", self.log())),
            }
        });
        self.process = Some(process);
    }

    /// Starts it where it cannot tell where it is, and waits for nothing.
    pub fn start_unannounced(&mut self) {
        assert!(self.process.is_none(), "it is running already");
        let command = self.serve_command(self.dns, &self.http);
        self.process = Some(Process::start(command, &self.log_file()));
    }

    /// Runs another `serve` on the same data directory and DNS port until it ends: one that must be refused.
    pub fn serve_in_vain(&self) -> Ran {
        self.serve_in_vain_at(self.dns, &self.http)
    }

    /// The same with these addresses.
    pub fn serve_in_vain_at(&self, dns: SocketAddr, http: &str) -> Ran {
        run_with_deadline(self.serve_command(dns, http), &self.directory.path().join("refused"))
    }

    fn serve_command(&self, dns: SocketAddr, http: &str) -> Command {
        let mut command = match self.file_octets_max {
            None => Command::new(&self.program),
            Some(octets) => {
                let mut command = Command::new("prlimit");
                command.arg(format!("--fsize={octets}:unlimited")).arg(&self.program);
                command
            }
        };
        command.arg("serve").arg("--data").arg(self.data());
        command.args(["--dns", &dns.to_string(), "--http", http]);
        if self.configuration_file().exists() {
            command.arg("--config").arg(self.configuration_file());
        }
        for zone in &self.zones {
            command.args(["--zone", zone]);
        }
        command.args(&self.flags).env("NO_COLOR", "1").envs(self.variables.iter().cloned());
        command
    }

    /// Where it answers DNS, also while it is down.
    pub fn dns(&self) -> SocketAddr {
        self.dns
    }

    pub fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// The address of the HTTP API, as the program itself published it.
    pub fn http(&self) -> String {
        read_lossy(&self.data().join("http-address")).trim().to_owned()
    }

    /// Everything that the server has printed, over all its starts.
    pub fn log(&self) -> String {
        read_lossy(&self.log_file())
    }

    /// SIGKILL: nothing of what it holds in memory survives.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// SIGKILL and a new start.
    #[track_caller]
    pub fn kill_and_restart(&mut self) {
        self.kill();
        self.start();
    }

    /// SIGTERM, as a service manager ends it.
    pub fn terminate(&mut self) -> ExitStatus {
        self.process.take().expect("only a running server can be ended").terminate()
    }

    /// SIGHUP: it reads its certificate, the secrets of its cookies and its configuration again.
    pub fn hang_up(&self) {
        self.process.as_ref().expect("it is running").hang_up();
    }

    /// Runs a client command.
    pub fn client(&self, words: &[&str]) -> Ran {
        self.client_with(&[], words)
    }

    /// Runs a client command with these variables.
    pub fn client_with(&self, variables: &[(&str, &str)], words: &[&str]) -> Ran {
        let mut command = Command::new(&self.program);
        command.args(words).arg("--data").arg(self.data()).env("NO_COLOR", "1");
        command.envs(variables.iter().copied());
        Ran::of(&command.output().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    /// Runs a command that needs neither a server nor its data directory.
    pub fn run(&self, words: &[&str]) -> Ran {
        let mut command = Command::new(&self.program);
        command.args(words).env("NO_COLOR", "1");
        Ran::of(&command.output().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    /// Runs a client command that must succeed.
    #[track_caller]
    pub fn expect(&self, words: &[&str]) -> String {
        let ran = self.client(words);
        assert!(ran.code == Some(0), "secondo {}: {ran:?}\n{}", words.join(" "), self.log());
        ran.stdout
    }

    /// What a client command prints with `--json`.
    #[track_caller]
    pub fn json(&self, words: &[&str]) -> Value {
        let printed = self.expect(&[words, &["--json"]].concat());
        serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error} in {printed}"))
    }

    /// What `zone show` says of a zone.
    #[track_caller]
    pub fn zone(&self, name: &str) -> Value {
        self.json(&["zone", "show", name])
    }

    fn log_file(&self) -> PathBuf {
        self.directory.path().join("log")
    }

    fn configuration_file(&self) -> PathBuf {
        self.directory.path().join("secondo.toml")
    }
}

impl Drop for Secondo {
    fn drop(&mut self) {
        self.process = None;
        if std::thread::panicking() {
            let log = self.log();
            let skipped = log.lines().count().saturating_sub(60);
            let tail: Vec<&str> = log.lines().skip(skipped).collect();
            #[expect(clippy::print_stderr, reason = "the test has failed: this is what people need to see")]
            {
                eprintln!("--- the end of secondo's log:\n{}\n---", tail.join("\n"));
            }
        }
    }
}

/// What a command printed, and how it ended.
#[derive(Clone, Debug)]
pub struct Ran {
    /// None when a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    fn of(output: &Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Both outputs, for looking up words.
    pub fn words(&self) -> String {
        format!("{}\n{}", self.stdout, self.stderr)
    }

    /// Checks that it was tried and failed (exit status 1), and said all of this.
    #[track_caller]
    pub fn must_fail(&self, said: &[&str]) {
        self.must_end_with(1, said);
    }

    /// Checks that what was asked for cannot be meant (exit status 2), and that it said all of this.
    #[track_caller]
    pub fn must_be_wrong_usage(&self, said: &[&str]) {
        self.must_end_with(2, said);
    }

    #[track_caller]
    fn must_end_with(&self, status: i32, said: &[&str]) {
        assert_eq!(self.code, Some(status), "{self:?}");
        for words in said {
            assert!(self.words().contains(words), "it does not say {words:?}: {self:?}");
        }
        for word in ["panicked", "RUST_BACKTRACE", "Err(", "Os {"] {
            assert!(!self.words().contains(word), "that is no sentence for people: {self:?}");
        }
    }
}

fn run_with_deadline(command: Command, log: &Path) -> Ran {
    // There may be none of an earlier run.
    let _ = std::fs::remove_file(log);
    let mut process = Process::start(command, log);
    let status = eventually(PATIENCE, "a start that must fail to end", || {
        process.ended().ok_or_else(|| format!("it is still running\n{}", process.output()))
    });
    Ran { code: status.code(), stdout: String::new(), stderr: process.output() }
}
