"""A zone of a million records that changes all the time: 1,000 changes of one record each, 190 a second, a NOTIFY for each.

Taken are the server's CPU seconds from the first change until it is settled again; the time from the last NOTIFY to the
first answer with the last change; how many transfers it made of them; and of Secondo how many versions its history has then
(every version is to be kept). The server is asked for the last change from shortly before it comes, every millisecond.
"""

import json
import os
import subprocess
import time

from harness import primary, probe, table
from harness.bench import Result

ZONE = "tld.test"
CHANGES = 1000
GAP_US = 1_000_000 // 190
LAST_ADDRESS = f"10.7.{CHANGES - 1 >> 8}.{CHANGES - 1 & 255}"
LATE_SECONDS = 60

ROWS = [
    table.Row("CPU, s", "CPU s"),
    table.Row("last change served after its NOTIFY, ms", "lag ms", "{:.1f}"),
    table.Row("IXFRs", "IXFRs", "{:.0f}"),
    table.Row("AXFRs", "AXFRs", "{:.0f}"),
    table.Row("versions in the history that came of them", "versions", "{:.0f}"),
    table.Row("memory after it, MiB", "settled MiB", "{:.0f}"),
    table.Row("disk after it, MiB", "disk MiB", "{:.0f}"),
]


def measure(bench):
    expected = bench.prepare("tld", with_transfer=True)
    measured = bench.figures("changes")
    for name in bench.turns(measured):
        one = bench.server(name, "tld")
        with bench.turn(measured, one), primary.Replay(bench.scratch, ["tld"], one.address) as replay:
            _change(bench, measured, one, replay, expected)
    ours = table.SECONDO
    goals = [
        table.at_most("CPU for 1,000 changes", measured.of("CPU s", ours), .5, unit=" s"),
        table.at_most("lag at the end", measured.of("lag ms", ours), 5, "{:.1f}", " ms"),
        table.at_least("versions in the history", measured.of("versions", ours), CHANGES, "{:.0f}"),
    ]
    return Result(measured, goals, [bench.rows(measured, ROWS)])


def _change(bench, measured, one, replay, expected):
    one.setup()
    one.start()
    one.fetch()
    if bench.first_answer(one, ZONE) is None:
        measured.fail(one.name, "does not serve the zone")
        return
    if measured.round == 1 and not bench.judge(measured, one, expected):
        return
    one.settle()
    used, counts = one.used(), replay.counts()
    kept = _versions(one)
    replay.tell("burst", ZONE, CHANGES, GAP_US)
    time.sleep(CHANGES * GAP_US / 1e6 - .5)
    waiting = probe.Waiting(bench.scratch, one.address, (f"probe.{ZONE}", "A"), f"a={LAST_ADDRESS}", LATE_SECONDS, 1000)
    _, _, last_left = replay.heard()
    served = waiting.result()
    one.settle()
    measured.add("CPU s", one.name, one.used().since(used)[0])
    counts_then = replay.counts()
    measured.add("IXFRs", one.name, counts_then["ixfr"] - counts["ixfr"])
    measured.add("AXFRs", one.name, counts_then["axfr"] - counts["axfr"])
    measured.add("settled MiB", one.name, one.memory())
    measured.add("disk MiB", one.name, one.disk())
    if kept is not None:
        measured.add("versions", one.name, _versions(one) - kept)
    if served is None:
        measured.fail(one.name, f"had not served the last change {LATE_SECONDS} s after it")
    else:
        measured.add("lag ms", one.name, (served - int(last_left)) / 1e6)


def _versions(one):
    """How many versions Secondo has kept; None of other servers."""
    if one.name != table.SECONDO:
        return None
    printed = subprocess.run([os.environ["SECONDO"], "zone", "history", ZONE, "--json", "--limit", "1",
                              "--data", one.folder / "data"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return len(json.loads(printed)["versions"])
