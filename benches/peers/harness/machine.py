"""What a section of the page says of where and with what it was measured."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from harness import server
from harness.scratch import CHECKOUT


def today():
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")


def described():
    """Processor, cores, memory, kernel, distribution."""
    model = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    release = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    cores = len(os.sched_getaffinity(0))
    return (f"{cores} cores of {model}, {memory_gib:.0f} GiB, Linux {platform.release()}, "
            f"{release.get('PRETTY_NAME', 'unknown').strip(chr(34))}")


def commit():
    """The checkout's commit, and whether anything was changed since."""
    def git(*words):
        return subprocess.run(["git", "-C", CHECKOUT, *words], capture_output=True, text=True, check=False).stdout.strip()

    changed = git("status", "--porcelain", "--", "crates", "Cargo.toml", "Cargo.lock")
    return (git("rev-parse", "--short=10", "HEAD") or "unknown") + (" with changes" if changed else "")


def versions(names):
    """What each server says of itself."""
    return ", ".join(server.version(name) for name in names if name != "floor")


def load():
    """How many processes wanted a processor in the last minute."""
    return os.getloadavg()[0]
