"""What a process and its children use: processor time, memory; and how to end all of them.

Linux's /proc is read: `schedstat` counts the scheduler's nanoseconds, `stat` splits them by 10 ms ticks into user and
system, `smaps_rollup` has the proportional set size (PSS), in which memory that processes share counts once.
"""

import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import NamedTuple

TICKS = os.sysconf("SC_CLK_TCK")
MIB = 1 << 20
PEAK_EVERY_SECONDS = 0.025
ROUNDED_SECONDS = 3 / TICKS


class Used(NamedTuple):
    """Processor seconds: by the scheduler, and the ticks' share of user space in them."""

    seconds: float
    user_ticks: float
    system_ticks: float

    def since(self, before):
        """(seconds, of these in user space)."""
        spent = self.seconds - before.seconds
        user = self.user_ticks - before.user_ticks
        system = self.system_ticks - before.system_ticks
        return spent, spent * user / (user + system) if user + system else 0.0


def tree(root):
    """A process and all its descendants."""
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            children.setdefault(int(fields[1]), []).append(int(entry))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def used(root):
    """Processor time of the tree so far, of its ended threads and children too."""
    seconds = user = system = 0.0
    for pid in tree(root):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            alive = sum(int(Path(f"/proc/{pid}/task/{task}/schedstat").read_text().split()[0])
                        for task in os.listdir(f"/proc/{pid}/task")) / 1e9
        except OSError:
            continue
        own_user, own_system, children_user, children_system = (int(ticks) / TICKS for ticks in fields[11:15])
        # The ticks of a process count its ended threads, which the exact figures have lost. Less than this is rounding.
        ended = own_user + own_system - alive
        seconds += alive + (ended if ended > ROUNDED_SECONDS else 0) + children_user + children_system
        user += own_user + children_user
        system += own_system + children_system
    return Used(seconds, user, system)


def memory(root):
    """MiB (PSS) of the tree."""
    return sum(_pss(pid) for pid in tree(root)) / 1024


def _pss(pid):
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0


class MemoryPeak(threading.Thread):
    """The most memory of a tree, looked at every 25 ms. Looking takes the server's time, so nothing is timed meanwhile."""

    def __init__(self, root):
        super().__init__(daemon=True)
        self.root = root
        self.mib = 0.0
        self._over = threading.Event()
        self.start()

    def run(self):
        while not self._over.wait(PEAK_EVERY_SECONDS):
            self.mib = max(self.mib, memory(self.root))

    def stop(self):
        """The peak, in MiB."""
        self._over.set()
        self.join()
        return self.mib


def disk(paths):
    """MiB that these files and folders take."""
    there = [path for path in paths if os.path.exists(path)]
    if not there:
        return 0.0
    # Files that are renamed meanwhile are missed: the next look sees them.
    listed = subprocess.run(["du", "-sc", "-B1", *there], capture_output=True, text=True, check=False).stdout
    return int(listed.splitlines()[-1].split()[0]) / MIB


def end(process, how=signal.SIGTERM, wait_seconds=60):
    """Ends a process that we have started, with its descendants, and returns when none is left. SIGKILL goes to all of
    them, another signal to the first, which has `wait_seconds` to obey."""
    family = tree(process.pid)
    _send(family if how == signal.SIGKILL else family[:1], how)
    try:
        process.wait(wait_seconds)
    except subprocess.TimeoutExpired:
        _send(family, signal.SIGKILL)
        process.wait()
    # The port is free when the orphans are gone too.
    deadline = time.monotonic() + 20
    while (left := [pid for pid in family[1:] if os.path.exists(f"/proc/{pid}")]) and time.monotonic() < deadline:
        _send(left, signal.SIGKILL)
        time.sleep(.02)


def _send(pids, how):
    for pid in pids:
        try:
            os.kill(pid, how)
        except ProcessLookupError:
            pass
