//! `secondo demo`: what a secondary does, shown with nothing but this program.
//!
//! ```text
//!  a small primary, here ──NOTIFY──► secondo serve, a child of ours ◄── queries, here
//!          ▲ stopped at the end          ▲ the same commands that anybody types
//! ```
//!
//! Everything is kept in a directory of its own, which is gone at the end, as is the service. Nothing that it does is only
//! for show: the service is the one that is always started, and what is printed is what it said.

mod ask;
mod primary;

use std::fs::{DirBuilder, File};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::Args;
use dns::{Name, Type};
use rustix::process::{Pid, Signal, kill_process};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;

use crate::published::{DNS_ADDRESS, HTTP_ADDRESS};
use ask::ask;
use primary::Primary;

#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct DemoArguments {
    /// End when all has been shown, instead of leaving the service running until Ctrl-C.
    #[arg(long)]
    exit: bool,
}

const ZONE: &str = "example.test";
const WWW: &str = "www.example.test";
const BEFORE: &str = "192.0.2.10";
const AFTER: &str = "192.0.2.20";
/// How long the service may take to start, to take up a change, or to end, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks at what the service does.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// Shows everything, and waits for Ctrl-C unless it is told to end.
///
/// # Errors
/// When something does not go as it should, or nobody reads what is shown.
pub(crate) async fn show(arguments: DemoArguments) -> anyhow::Result<()> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    // A terminal that is closed; the service would only read its files again.
    let mut hung_up = signal(SignalKind::hangup())?;
    let directory = Directory::make()?;
    let mut service = Service::start(&directory.0)?;
    let shown = tokio::select! {
        shown = story(&mut service, arguments) => shown,
        _ = interrupted.recv() => Ok(()),
        _ = terminated.recv() => Ok(()),
        _ = hung_up.recv() => Ok(()),
    };
    let ended = service.end().await;
    shown.and(ended)
}

async fn story(service: &mut Service, arguments: DemoArguments) -> anyhow::Result<()> {
    let apex: Name = ZONE.parse()?;
    let primary = Primary::start(&apex, &zone(1, BEFORE))?;
    let here = primary.address();
    say(&format!("A primary for {ZONE} runs on {here}: a small one, inside of this demonstration."))?;
    let dns = service.wait_until_ready().await?;
    say(&format!(
        "The secondary runs beside it: `secondo serve`, with DNS on {dns} and its data in {}.",
        service.data.display()
    ))?;

    title("The zone is created: its name, and where its primary is")?;
    service.command(&["zone", "add", ZONE, "--primary", &here.to_string()]).await?;
    wait_for(dns, BEFORE).await?;
    service.command(&["zone", "show", ZONE]).await?;

    title("It is answered")?;
    show_answer(dns).await?;

    title(&format!(
        "At the primary {WWW} moves to {AFTER}; it notifies the secondary, which asks for the difference"
    ))?;
    let changed = Instant::now();
    primary.change(&zone(2, AFTER), dns)?;
    wait_for(dns, AFTER).await?;
    say(&format!("The new address was answered {} ms after the change.", changed.elapsed().as_millis()))?;
    show_answer(dns).await?;
    service.command(&["zone", "history", ZONE]).await?;

    title("The primary is stopped")?;
    primary.stop().await;
    service.command_that_fails(&["zone", "refresh", ZONE]).await?;

    title("Answers go on, until the copy expires as its SOA says, two weeks from now")?;
    show_answer(dns).await?;
    if arguments.exit {
        return Ok(());
    }
    say(&format!(
        "\nThe service goes on until Ctrl-C. Meanwhile, in another terminal:\n\n  dig @{} -p {} {WWW}\n  secondo status --data {}\n",
        dns.ip(),
        dns.port(),
        service.data.display()
    ))?;
    service.outlive().await
}

fn zone(serial: u32, www: &str) -> String {
    format!(
        "@ 300 SOA ns1 hostmaster {serial} 3600 600 1209600 300\n@ 300 NS ns1\n@ 300 MX 10 mail\n\
         ns1 300 A 192.0.2.1\nmail 300 A 192.0.2.2\nwww 300 A {www}\n"
    )
}

async fn wait_for(dns: SocketAddr, address: &str) -> anyhow::Result<()> {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if ask(dns, WWW, Type::A).await.is_ok_and(|answer| answer.iter().any(|line| line.ends_with(address))) {
            return Ok(());
        }
        sleep(LOOK_AGAIN).await;
    }
    bail!("{WWW} was not {address} within {} s", PATIENCE.as_secs())
}

async fn show_answer(dns: SocketAddr) -> anyhow::Result<()> {
    let answer = ask(dns, WWW, Type::A).await?;
    anyhow::ensure!(!answer.is_empty(), "{WWW} has no address");
    say(&format!("$ dig @{} -p {} {WWW} +noall +answer", dns.ip(), dns.port()))?;
    Ok(answer.iter().try_for_each(|line| say(line))?)
}

/// The service as a process, and what is typed to steer it.
struct Service {
    child: Child,
    program: PathBuf,
    data: PathBuf,
}

impl Service {
    fn start(directory: &Path) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("this program does not know where it is")?;
        let data = directory.join("data");
        let log = File::create(directory.join("log")).context("the log cannot be written")?;
        let child = Command::new(&program)
            .args(["serve", "--dns", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data"])
            .arg(&data)
            // Also where this process is killed, and can end nothing itself.
            .args(["--end-with", &std::process::id().to_string()])
            // What is configured for another service is not for this one.
            .env_remove("SECONDO_CONFIG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("the service cannot be started")?;
        Ok(Self { child, program, data })
    }

    /// Where it answers DNS.
    async fn wait_until_ready(&mut self) -> anyhow::Result<SocketAddr> {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            let written = |file| std::fs::read_to_string(self.data.join(file)).ok();
            if let (Some(dns), Some(_)) = (written(DNS_ADDRESS), written(HTTP_ADDRESS)) {
                return dns.lines().next().unwrap_or_default().parse().context("the service says where it answers");
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the service ended with {status} before it was ready: {}", self.log());
            }
            sleep(LOOK_AGAIN).await;
        }
        bail!("the service was not ready within {} s: {}", PATIENCE.as_secs(), self.log())
    }

    async fn command(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let status = self.carry_out(arguments).await?;
        anyhow::ensure!(status.success(), "`secondo {}` failed", arguments.join(" "));
        Ok(())
    }

    async fn command_that_fails(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let status = self.carry_out(arguments).await?;
        anyhow::ensure!(!status.success(), "`secondo {}` should have failed", arguments.join(" "));
        Ok(())
    }

    /// Shows the command and what it says.
    async fn carry_out(&self, arguments: &[&str]) -> anyhow::Result<ExitStatus> {
        say(&format!("$ secondo {} --data {}", arguments.join(" "), self.data.display()))?;
        let mut command = Command::new(&self.program);
        command.args(arguments).arg("--data").arg(&self.data);
        // The token and the address are in the data directory.
        command.env_remove("SECONDO_SERVER").env_remove("SECONDO_TOKEN");
        let output = tokio::task::spawn_blocking(move || command.output()).await??;
        let said = [output.stdout, output.stderr].concat();
        said_by_others(&said)?;
        Ok(output.status)
    }

    /// Waits as long as the service runs: Ctrl-C ends it from outside.
    async fn outlive(&mut self) -> anyhow::Result<()> {
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!("the service ended with {status}: {}", self.log());
            }
            sleep(Duration::from_millis(200)).await;
        }
    }

    async fn end(&mut self) -> anyhow::Result<()> {
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        kill_process(Pid::from_child(&self.child), Signal::TERM).context("the service cannot be ended")?;
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            sleep(LOOK_AGAIN).await;
        }
        bail!("the service did not end within {} s", PATIENCE.as_secs())
    }

    /// What the service has said about itself, its last words.
    fn log(&self) -> String {
        let log = self.data.with_file_name("log");
        let text = std::fs::read_to_string(log).unwrap_or_default();
        text.lines().last().unwrap_or("it has said nothing").to_owned()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It has ended, unless something went wrong.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A directory for this demonstration alone, for its user alone.
struct Directory(PathBuf);

impl Directory {
    fn make() -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("secondo-demo-{}", std::process::id()));
        let made = DirBuilder::new().mode(0o700).create(&path);
        made.with_context(|| format!("the directory {} cannot be made", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            let _ =
                writeln!(io::stderr(), "secondo: {} stays, because it cannot be removed: {error}", self.0.display());
        }
    }
}

fn title(text: &str) -> io::Result<()> {
    say(&format!("\n── {text}"))
}

fn say(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

fn said_by_others(octets: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(octets)?;
    out.flush()
}
