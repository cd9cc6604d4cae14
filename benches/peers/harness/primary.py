"""The two primaries: Knot, which knows what is right, and the replaying one, which costs next to nothing."""

import shutil
import subprocess
import sys

from harness import probe, processes
from harness.scratch import HERE
from harness.server import ADDRESS, PRIMARY_PORT

AT = (ADDRESS, PRIMARY_PORT)
# A million zones take Knot some minutes.
UP_SECONDS = 1200


class NotUp(Exception):
    """A primary that does not answer: then nothing can be measured."""


class Knot:
    """Knot with all zones of a set, from one zone file. With `notified`, a port, it sends NOTIFY there."""

    def __init__(self, scratch, zones, notified=None):
        self.scratch = scratch
        self.zones = zones
        self.notified = notified
        self.folder = scratch.servers / f"primary-{zones}"
        self.zone_file = self.folder / "zone"
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.end()

    def start(self):
        # Knot remembers there which serials it has told the secondary of.
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / "db").mkdir(parents=True)
        self.zone_file.symlink_to(self.scratch.zones / f"{self.zones}.zone")
        configuration = self.folder / "knot.conf"
        configuration.write_text(self._configuration())
        self.process = subprocess.Popen(["knotd", "-c", configuration], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if probe.sweep(self.scratch, AT, self.zones, timeout_seconds=UP_SECONDS).left:
            self.end()
            raise NotUp(f"Knot as the primary of {self.zones} does not come up: see {self.folder}/knot.log")

    def change_all(self):
        """Gives all zones the serial 2, and tells the secondary."""
        text = self.zone_file.read_text()
        self.zone_file.unlink()
        self.zone_file.write_text(text.replace(" hostmaster 1 ", " hostmaster 2 "))
        subprocess.run(["knotc", "-s", self.folder / "knot.sock", "-t", "600", "zone-reload"], check=True,
                       stdout=subprocess.DEVNULL)

    def used(self):
        return processes.used(self.process.pid)

    def end(self):
        if self.process:
            processes.end(self.process)
            self.process = None

    def _configuration(self):
        zones = self.scratch.list_of(self.zones).read_text().split()
        remote = f"remote:\n  - id: secondary\n    address: {ADDRESS}@{self.notified}\n" if self.notified else ""
        notify = "    notify: secondary\n" if self.notified else ""
        return f"""server:
  listen: {ADDRESS}@{PRIMARY_PORT}
  rundir: {self.folder}
  tcp-workers: 4
  background-workers: 2
  tcp-max-clients: 2000
  tcp-io-timeout: 0
log:
  - target: {self.folder}/knot.log
    any: warning
database:
  storage: {self.folder}/db
  journal-db-max-size: 10G
  timer-db-max-size: 2G
{remote}acl:
  - id: all
    address: 127.0.0.0/8
    action: [transfer]
template:
  - id: default
    storage: {self.folder}
    file: {self.zone_file}
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
    semantic-checks: off
    acl: all
{notify}zone:
""" + "".join(f"  - domain: {zone}\n" for zone in zones)


class Replay:
    """`harness/replay.py` with the transfers of these sets, each of one zone NAME.test; NOTIFYs go to one secondary."""

    def __init__(self, scratch, sets, secondary):
        captures = [f"{name}.test={scratch.zones / name}.transfer" for name in sets]
        self.process = subprocess.Popen(
            [sys.executable, HERE / "harness" / "replay.py", AT[0], str(AT[1]), secondary[0], str(secondary[1]), *captures],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if probe.wait(scratch, AT, (f"{sets[0]}.test", "SOA")) is None:
            self.end()
            raise NotUp("the replaying primary does not come up")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def tell(self, *words):
        """Gives a command without waiting for what comes of it."""
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()

    def heard(self):
        """The answer to the oldest command."""
        return self.process.stdout.readline().split()

    def order(self, *words):
        self.tell(*words)
        return self.heard()

    def counts(self):
        """What was asked: {"axfr": N, "ixfr": N, "soa": N}."""
        words = self.order("counts")
        return {what: int(count) for what, count in zip(words[::2], words[1::2])}

    def end(self):
        if self.process:
            processes.end(self.process)
            self.process = None
