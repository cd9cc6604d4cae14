"""The C tools as functions. Times are CLOCK_MONOTONIC's nanoseconds."""

import subprocess
import time
from typing import NamedTuple


def now():
    """The clock that all tools use."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


class Waiting:
    """Asks one question until the answer is as wanted, in a process of its own that has begun when this returns."""

    def __init__(self, scratch, address, question, condition, timeout_seconds, interval_us=500):
        name, kind = question
        self.process = subprocess.Popen(
            [scratch.tool("wait"), address[0], str(address[1]), name, kind, condition, str(timeout_seconds), str(interval_us)],
            stdout=subprocess.PIPE, text=True)

    def result(self):
        """When the answer came; None if it did not come in time."""
        output, _ = self.process.communicate()
        return int(output) if self.process.returncode == 0 else None


def wait(scratch, address, question, condition="aa", timeout_seconds=60, interval_us=500):
    """When the answer was as wanted; None if it was not in time."""
    return Waiting(scratch, address, question, condition, timeout_seconds, interval_us).result()


class Swept(NamedTuple):
    """What `sweep` tells: see the head of tools/sweep.c."""

    first: int
    served: int
    end: int
    left: int
    repeated: int


def sweep(scratch, address, zones, condition="aa", timeout_seconds=120):
    """Asks all zones of the set until they are served."""
    output = subprocess.run(
        [scratch.tool("sweep"), address[0], str(address[1]), scratch.list_of(zones), condition, str(timeout_seconds)],
        stdout=subprocess.PIPE, text=True, check=False).stdout
    return Swept(*map(int, output.split()))


class Blasted(NamedTuple):
    """What `blast` tells."""

    sent: int
    received: int
    lost: int
    other: int
    seconds: float


def blast(scratch, address, questions, seconds, wants_dnssec=False, rate=0, core=None, window=256):
    """As many questions as are answered, or `rate` a second."""
    pinned = ["taskset", "-c", str(core)] if core is not None else []
    output = subprocess.run(
        [*pinned, scratch.tool("blast"), address[0], str(address[1]), questions, str(seconds),
         "do" if wants_dnssec else "plain", str(window), str(rate)],
        stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    return Blasted(*map(int, output[:4]), float(output[4]))


class Beats(NamedTuple):
    """What `pulse` tells; microseconds."""

    sent: int
    answered: int
    lost: int
    p50: float
    p99: float
    p99_9: float
    most: float


class Pulse:
    """A question every millisecond, until it is stopped."""

    def __init__(self, scratch, address, questions, seconds_max=600):
        self.process = subprocess.Popen(
            [scratch.tool("pulse"), address[0], str(address[1]), questions, str(seconds_max)],
            stdout=subprocess.PIPE, text=True)

    def stop(self):
        """Ends it; what one has seen."""
        self.process.terminate()
        return self.result()

    def result(self):
        words = self.process.communicate()[0].split()
        return Beats(*map(int, words[:3]), *map(float, words[3:]))


def pulse(scratch, address, questions, seconds):
    """A question every millisecond, for so long."""
    return Pulse(scratch, address, questions, seconds).result()
