"""A name server under test, by its adapter in `servers/`: set up, started, weighed and ended.

All addresses are those of the network namespace that a run has for itself, so that nobody else's ports are in the way.
"""

import os
import shutil
import signal
import subprocess
import time
from typing import NamedTuple

from harness import probe, processes
from harness.scratch import HERE

ADDRESS = "127.0.0.1"
PRIMARY_PORT = 5300
FIRST_PORT = 5311
STILL_SECONDS = 2
# A server is still when it takes less than this part of a processor.
STILL_BUSY = .05


class Peer(NamedTuple):
    """What has to be known of a server besides its adapter."""

    title: str
    # It does not fetch by itself when it starts: `fetch` tells it.
    is_told_to_fetch: bool = False
    # It puts off writing what it has, and starts with nothing after a crash: `flush` has it written.
    puts_off_writing: bool = False
    # It takes over new versions once a second at most: between two changes that are timed there is so much time.
    pause_seconds: float = 0.0


PEERS = {
    "secondo": Peer("Secondo"),
    "knot": Peer("Knot"),
    "knot-journal": Peer("Knot (journal)"),
    "nsd": Peer("NSD", puts_off_writing=True, pause_seconds=1.1),
    "bind": Peer("BIND"),
    "powerdns": Peer("PowerDNS", is_told_to_fetch=True),
    "floor": Peer("floor"),
}
DEFAULT_PEERS = ("knot", "nsd", "bind", "powerdns")


class SetupFailed(Exception):
    """The adapter could not prepare the server."""


def run_adapter(name, word, environment=None):
    """Calls the adapter with one word; what it printed. Whatever it has started ends with it when we are ended."""
    with subprocess.Popen([HERE / "servers" / f"{name}.sh", word], env={**os.environ, **(environment or {})},
                          stdout=subprocess.PIPE, text=True, start_new_session=True) as adapter:
        try:
            output, _ = adapter.communicate()
        except BaseException:
            os.killpg(adapter.pid, signal.SIGKILL)
            raise
    return subprocess.CompletedProcess(adapter.args, adapter.returncode, output)


def version(name):
    """The server's version as it tells it."""
    return run_adapter(name, "version", {"DIR": "", "LISTEN_IP": "", "LISTEN_PORT": "0"}).stdout.strip()


class Server:
    """One secondary of the zones of one set."""

    def __init__(self, name, scratch, zones, port=FIRST_PORT, core=None, extra=48):
        self.name = name
        self.peer = PEERS[name]
        self.scratch = scratch
        self.address = (ADDRESS, port)
        self.core = core
        self.process = None
        self.folder = scratch.servers / f"{name}-{zones}-{port}"
        self.environment = {
            "DIR": str(self.folder), "LISTEN_IP": ADDRESS, "LISTEN_PORT": str(port), "PRIMARY_IP": ADDRESS,
            "PRIMARY_PORT": str(PRIMARY_PORT), "ZONES": str(scratch.list_of(zones)),
            "WORKERS": "" if core is None else "1", "TOOLS": str(scratch.tools), "EXTRA": str(extra)}

    def setup(self):
        """Leaves an empty server that knows its zones. What has been prepared once is copied."""
        prepared = self.folder.with_suffix(".prepared")
        shutil.rmtree(self.folder, ignore_errors=True)
        if not prepared.exists():
            self.folder.mkdir(parents=True)
            if run_adapter(self.name, "setup", self.environment).returncode != 0:
                raise SetupFailed(f"servers/{self.name}.sh setup failed; see {self.folder}")
            self.folder.rename(prepared)
        subprocess.run(["cp", "-a", prepared, self.folder], check=True)
        # What others have written is not to be waited for while this one is timed.
        os.sync()

    def start(self):
        """Starts it; when that was."""
        command = run_adapter(self.name, "command", self.environment).stdout.splitlines()
        pin = None if self.core is None else (lambda: os.sched_setaffinity(0, {self.core}))
        with open(self.folder / "out.log", "ab") as log:
            started = probe.now()
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                                            preexec_fn=pin, env={**os.environ, **self.environment})
        return started

    def fetch(self):
        """Has it fetch its zones, if it does not by itself."""
        if self.peer.is_told_to_fetch:
            run_adapter(self.name, "fetch", self.environment)

    def flush(self):
        """Has it write what it has, if it puts that off."""
        run_adapter(self.name, "flush", self.environment)

    def used(self):
        return processes.used(self.process.pid)

    def memory(self):
        return processes.memory(self.process.pid)

    def disk(self):
        return processes.disk(run_adapter(self.name, "data", self.environment).stdout.split())

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def settle(self, seconds_max=60):
        """Returns when it has nothing more to do: for two seconds its disk use stood still and its processor time nearly
        did."""
        deadline = time.monotonic() + seconds_max
        still_since = None
        used, disk = self.used(), self.disk()
        while time.monotonic() < deadline:
            time.sleep(.5)
            used_then, disk_then = used, disk
            used, disk = self.used(), self.disk()
            if disk != disk_then or used.seconds - used_then.seconds > STILL_BUSY * .5:
                still_since = None
                continue
            still_since = still_since or time.monotonic() - .5
            if time.monotonic() - still_since >= STILL_SECONDS:
                return

    def crash(self):
        """As when the power fails, for the process alone."""
        self.end(signal.SIGKILL)

    def end(self, how=signal.SIGTERM):
        if self.process:
            processes.end(self.process, how)
            self.process = None
