"""What one client sees of a server while something heavy happens: a question every millisecond, its p99.9 beside that of the
same probe on the idle server.

    tcp        20,000 questions a second over UDP and 20,000 over TCP, on one zone of 100,000 names
    thousands  10,000 zones change at once (Knot reloads all and sends a NOTIFY for each, over TCP; a server that loses one
               hears of that change when it next asks)
    arrival    a zone of 1 million records arrives (with --huge: of 10 million) beside the one of 10 records that is asked for

The probe (`tools/pulse.c`) runs before all other programs where it may, so that it does not wait for a processor itself. An
unanswered question counts as two seconds. Servers have all cores, which they share with the primary and the load.
"""

import re
import subprocess
import threading
import time

from harness import primary, probe, table
from harness.bench import Result

IDLE_SECONDS = 10
LOAD_SECONDS = 10
LOAD_EACH = 20_000
GOAL_MS = 5
LATE_SECONDS = 300
CHANGES_LATE_SECONDS = 120

COMMON_ROWS = [
    table.Row("probe on the idle server: p99.9, ms", "idle p99.9 ms"),
    table.Row("probe meanwhile: p50, ms", "busy p50 ms"),
    table.Row("– p99.9, ms", "busy p99.9 ms"),
    table.Row("– questions without an answer", "lost", "{:.0f}"),
    table.Row("p99.9 more than on the idle server, ms", "more ms"),
]


def measure_tcp(bench):
    rows = [table.Row(f"answered a second over TCP, of {LOAD_EACH:,}", "TCP/s", "{:,.0f}"),
            table.Row(f"answered a second over UDP, of {LOAD_EACH:,}", "UDP/s", "{:,.0f}")]
    expected = bench.prepare("mix")
    measured = bench.figures("tcp")
    for name in bench.turns(measured):
        one = bench.server(name, "mix")
        with bench.turn(measured, one):
            with primary.Knot(bench.scratch, "mix"):
                ready = _ready(bench, measured, one, "mix", expected)
            if ready:
                _beside(bench, measured, one, "mix", lambda: _load(bench, measured, one))
    return _section(bench, measured, rows)


def measure_thousands(bench):
    rows = [table.Row("all changes served after, s", "served s")]
    expected = bench.prepare("small")
    measured = bench.figures("thousands")
    for name in bench.turns(measured):
        one = bench.server(name, "small")
        with (bench.turn(measured, one),
              primary.Knot(bench.scratch, "small", notified=one.address[1]) as knot):
            if _ready(bench, measured, one, "small", expected):
                _beside(bench, measured, one, "small", lambda: _change_all(bench, measured, one, knot))
    return _section(bench, measured, rows)


def measure_arrival(bench, arriving):
    rows = [table.Row("served after the NOTIFY, s", "served s")]
    bench.prepare(arriving, with_transfer=True)
    expected = bench.prepare("ten", with_transfer=True)
    both = f"ten-and-{arriving}"
    bench.scratch.list_of(both).write_text(f"ten.test\n{arriving}.test\n")
    measured = bench.figures(f"arrival-{arriving}")
    for name in bench.turns(measured):
        one = bench.server(name, both)
        with (bench.turn(measured, one),
              primary.Replay(bench.scratch, ["ten", arriving], one.address) as replay):
            replay.order("close", f"{arriving}.test")
            if _ready(bench, measured, one, "ten", expected):
                _beside(bench, measured, one, "ten", lambda: _arrive(bench, measured, one, replay, arriving))
    return _section(bench, measured, rows)


def _ready(bench, measured, one, zones, expected):
    """Starts the server, waits until it serves the set and is settled; False if it does not, or wrongly."""
    one.setup()
    one.start()
    one.fetch()
    swept = probe.sweep(bench.scratch, one.address, zones, timeout_seconds=LATE_SECONDS)
    if swept.left:
        measured.fail(one.name, f"{swept.left} zones not served after {LATE_SECONDS} s")
        return False
    if measured.round == 1 and not bench.judge(measured, one, expected):
        return False
    one.settle()
    return True


def _beside(bench, measured, one, zones, happening):
    """The probe on the idle server, and while `happening` goes on and for a second after it."""
    questions = bench.scratch.questions_of(zones)
    idle = probe.pulse(bench.scratch, one.address, questions, IDLE_SECONDS)
    pulse = probe.Pulse(bench.scratch, one.address, questions)
    time.sleep(.2)
    try:
        happening()
        time.sleep(1)
    finally:
        busy = pulse.stop()
    measured.add("idle p99.9 ms", one.name, idle.p99_9 / 1e3)
    measured.add("busy p50 ms", one.name, busy.p50 / 1e3)
    measured.add("busy p99.9 ms", one.name, busy.p99_9 / 1e3)
    measured.add("lost", one.name, busy.lost)
    measured.add("more ms", one.name, (busy.p99_9 - idle.p99_9) / 1e3)


def _load(bench, measured, one):
    """Both halves at once, by dnsperf."""
    threads = [threading.Thread(target=_dnsperf, args=(bench, measured, one, mode)) for mode in ("udp", "tcp")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _dnsperf(bench, measured, one, mode):
    printed = subprocess.run(
        ["dnsperf", "-s", one.address[0], "-p", str(one.address[1]), "-m", mode, "-d", bench.scratch.questions_of("mix"),
         "-l", str(LOAD_SECONDS), "-c", "20", "-T", "1", "-q", "1000", "-t", "1", "-Q", str(LOAD_EACH)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True).stdout
    measured.add(f"{mode.upper()}/s", one.name, float(re.search(r"Queries per second:\s+([\d.]+)", printed)[1]))


def _change_all(bench, measured, one, knot):
    begun = probe.now()
    knot.change_all()
    swept = probe.sweep(bench.scratch, one.address, "small", "serial=2", CHANGES_LATE_SECONDS)
    if swept.left:
        measured.fail(one.name, f"{swept.left} changes not served after {CHANGES_LATE_SECONDS} s")
    else:
        measured.add("served s", one.name, (swept.served - begun) / 1e9)


def _arrive(bench, measured, one, replay, arriving):
    """Lets the zone be fetched; NOTIFY is repeated, for servers that leave a primary alone that has refused them."""
    zone = f"{arriving}.test"
    waiting = probe.Waiting(bench.scratch, one.address, (zone, "SOA"), "aa", LATE_SECONDS, 5000)
    _, begun = replay.order("open", zone)
    one.fetch()
    while waiting.process.poll() is None and replay.counts()["axfr"] < 2:
        time.sleep(.5)
        replay.order("notify", zone)
    served = waiting.result()
    if served is None:
        measured.fail(one.name, f"does not serve the zone after {LATE_SECONDS} s")
    else:
        measured.add("served s", one.name, (served - int(begun)) / 1e9)


def _section(bench, measured, rows):
    goals = [table.at_most("p99.9 of the probe more than on the idle server", measured.of("more ms", table.SECONDO), GOAL_MS,
                           unit=" ms")]
    return Result(measured, goals, [bench.rows(measured, [*rows, *COMMON_ROWS])])
