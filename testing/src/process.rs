//! A server process that a test owns: its output goes to a file, and it ends with its owner.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

/// A running child; killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command` with what it prints appended to `log`.
    ///
    /// # Panics
    /// When the program cannot be started: `./test` installs what the tests need.
    pub fn start(mut command: Command, log: &Path) -> Self {
        let output = File::options().create(true).append(true).open(log).expect("the test's directory is writable");
        let errors = output.try_clone().expect("a file can be opened twice");
        let program = command.get_program().to_owned();
        let child = command
            .stdin(Stdio::null())
            // A group of its own: some servers leave children behind that would hold the port.
            .process_group(0)
            .stdout(output)
            .stderr(errors)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error} (does ./test know it?)", program.display()));
        Self { child, log: log.to_owned() }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child can be asked for")
    }

    /// SIGKILL to it and its children, and waits until it is gone.
    pub fn kill(&mut self) {
        // Who has ended and was waited for may have passed its number on.
        if self.ended().is_none() {
            signal(&format!("-{}", self.id()), "KILL");
        }
        let _ = self.child.wait();
    }

    /// SIGKILL to it and to none of its children, and waits until it is gone.
    pub fn kill_alone(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGTERM, and waits until it has ended by itself.
    pub fn terminate(&mut self) -> ExitStatus {
        signal(&self.id().to_string(), "TERM");
        self.child.wait().expect("a child can be waited for")
    }

    /// SIGHUP: it is to read again what it reads from files.
    pub fn hang_up(&self) {
        signal(&self.id().to_string(), "HUP");
    }

    /// SIGSTOP: it holds its sockets and answers nothing.
    pub fn freeze(&self) {
        signal(&format!("-{}", self.id()), "STOP");
    }

    /// SIGCONT.
    pub fn thaw(&self) {
        signal(&format!("-{}", self.id()), "CONT");
    }

    /// Everything it has printed.
    pub fn output(&self) -> String {
        read_lossy(&self.log)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn signal(process: &str, signal: &str) {
    // The shell's own `kill`: a minimal Debian has no other.
    let status = Command::new("sh").args(["-c", &format!("kill -s {signal} -- {process}")]).status();
    assert!(status.is_ok_and(|status| status.success()), "cannot send SIG{signal} to {process}");
}

/// A file's text, or nothing when there is none.
pub fn read_lossy(path: &Path) -> String {
    std::fs::read(path).map(|octets| String::from_utf8_lossy(&octets).into_owned()).unwrap_or_default()
}

/// What a program that ran to its end printed.
///
/// # Panics
/// When it cannot be started or fails.
#[track_caller]
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} ended with {}:\n{printed}{errors}", output.status);
    printed
}
