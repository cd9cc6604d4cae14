"""Many tiny zones (8 records each) of one primary: until all are served, memory, disk, idle time, restart.

The primary is Knot. The clock runs from the server's start to the moment from which on no zone was left without an answer
(`tools/sweep.c`). Then the server settles and is weighed. In the first round its answers have been compared with the
primary's, and its CPU is taken over 30 s in which nobody asks it anything: what its timers cost. At last it is killed
(SIGKILL), the primary goes down, and the clock runs again from its start until all zones are served.
A server that needs more than the limit is stopped and not measured again.
"""

import time

from harness import primary, probe, table, zones
from harness.bench import Result

RESTART_SECONDS = 120
IDLE_SECONDS = 30
WRITTEN_SECONDS = 10
# zones: (cold, memory, disk, restart, idle % of a core); None: no goal
GOALS = {
    100_000: (10, 100, 100, .5, None),
    1_000_000: (None, 1024, None, 5, 5),
}

ROWS = [
    table.Row("cold start until all are served, s", "cold s"),
    table.Row("– the server's CPU until then, s", "cold CPU s", "{:.1f}"),
    table.Row("– the primary's CPU, s", "primary CPU s", "{:.1f}"),
    table.Row("memory, settled, MiB", "settled MiB", "{:.0f}"),
    table.Row("disk, settled, MiB", "disk MiB", "{:.0f}"),
    table.Row("CPU when idle, % of a core", "idle %"),
    table.Row("restart after SIGKILL, primary down, to the first answer, s", "first answer s"),
    table.Row("– until all are served, s", "restart s"),
    table.Row("– until all have been asked for, s", "asked s"),
]


def measure(bench, count, limit_seconds):
    name_of_set = zones.tiny_name(count)
    expected = bench.prepare(name_of_set)
    measured = bench.figures(f"many-{count}")
    knot = primary.Knot(bench.scratch, name_of_set)
    try:
        for name in bench.turns(measured):
            one = bench.server(name, name_of_set)
            with bench.turn(measured, one):
                _fill_and_restart(bench, measured, one, knot, expected, limit_seconds)
    finally:
        knot.end()
    return Result(measured, _goals(measured, count), [bench.rows(measured, ROWS)])


def _fill_and_restart(bench, measured, one, knot, expected, limit_seconds):
    one.setup()
    if knot.process is None:
        knot.start()
    if not _fill(bench, measured, one, knot, expected, limit_seconds):
        return
    one.settle(seconds_max=120)
    measured.add("settled MiB", one.name, one.memory())
    if one.peer.puts_off_writing:
        one.flush()
        one.settle(seconds_max=120)
    measured.add("disk MiB", one.name, one.disk())
    if measured.round == 1:
        # What it was asked until now, all its zones, may be written down later: by Secondo at the full minute.
        time.sleep(60 - time.time() % 60 + WRITTEN_SECONDS)
        used = one.used()
        time.sleep(IDLE_SECONDS)
        measured.add("idle %", one.name, one.used().since(used)[0] / IDLE_SECONDS * 100)
    knot.end()
    one.crash()
    started = one.start()
    swept = probe.sweep(bench.scratch, one.address, knot.zones, timeout_seconds=RESTART_SECONDS)
    if swept.left:
        measured.fail(one.name, f"{swept.left} zones not served {RESTART_SECONDS} s after a restart")
        return
    measured.add("first answer s", one.name, (swept.first - started) / 1e9)
    measured.add("restart s", one.name, (swept.served - started) / 1e9)
    measured.add("asked s", one.name, (swept.end - started) / 1e9)


def _fill(bench, measured, one, knot, expected, limit_seconds):
    knot_used = knot.used()
    started = one.start()
    one.fetch()
    swept = probe.sweep(bench.scratch, one.address, knot.zones, timeout_seconds=limit_seconds)
    if swept.left:
        measured.fail(one.name, f"{swept.left} zones not served after {limit_seconds} s")
        return False
    used, primary_used = one.used().seconds, knot.used().since(knot_used)[0]
    if measured.round == 1 and not bench.judge(measured, one, expected):
        return False
    measured.add("cold s", one.name, (swept.served - started) / 1e9)
    measured.add("cold CPU s", one.name, used)
    measured.add("primary CPU s", one.name, primary_used)
    return True


def _goals(measured, count):
    cold, memory, disk, restart, idle = GOALS.get(count, (None,) * 5)
    ours = table.SECONDO
    goals = [
        ("cold start until all are served", "cold s", cold, "{:.2f}", " s"),
        ("memory", "settled MiB", memory, "{:.0f}", " MiB"),
        ("disk", "disk MiB", disk, "{:.0f}", " MiB"),
        ("restart until all are served", "restart s", restart, "{:.2f}", " s"),
        ("CPU when idle", "idle %", idle, "{:.2f}", " % of a core"),
    ]
    return [table.at_most(title, measured.of(what, ours), limit, form, unit)
            for title, what, limit, form, unit in goals if limit is not None]
