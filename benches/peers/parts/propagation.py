"""How soon a change is served: from the moment the primary's NOTIFY leaves to the first answer with the new record.

Single changes of one A record, in a zone of 10 records and in one of a million (with --huge in one of ten million too). The
next change comes when the last is served, and 30 to 80 ms later: NSD, which takes over changes once a second at most, is
given that time. The server is asked every 100 µs. The primary is the replaying one; what is taken is a probe of the SOA, an
IXFR, and whatever the server does then. Changes of all rounds are counted together for p99.
"""

import random
import time

from harness import figures, primary, probe, table
from harness.bench import Result

CHANGES = 60
SECONDS_MAX = 40
LATE_SECONDS = 25
LATE_MAX = 2
SIZES = {"ten": "10 records", "tld": "1 million records", "huge": "10 million records"}


def measure(bench, sets):
    expected = {zones: bench.prepare(zones, with_transfer=True) for zones in sets}
    measured = bench.figures("propagation")
    for name in bench.turns(measured):
        for zones in sets:
            one = bench.server(name, zones)
            if name not in measured.failed:
                with bench.turn(measured, one):
                    _follow(bench, measured, one, zones, expected[zones])
    return _section(bench, measured, sets)


def _follow(bench, measured, one, zones, expected):
    with primary.Replay(bench.scratch, [zones], one.address) as replay:
        one.setup()
        one.start()
        one.fetch()
        if bench.first_answer(one, f"{zones}.test", 600) is None:
            measured.fail(one.name, f"does not serve {zones}.test")
            return
        if measured.round == 1 and not bench.judge(measured, one, expected):
            return
        one.settle()
        taken = _changes(bench, measured, one, zones, replay)
        if taken:
            measured.add(f"{zones} ms", one.name, *taken)


def _changes(bench, measured, one, zones, replay):
    """Milliseconds of each change."""
    chance = random.Random(f"{zones} {measured.round}")
    taken, late = [], 0
    until = time.monotonic() + SECONDS_MAX
    for number in range(CHANGES):
        if time.monotonic() > until:
            break
        address = f"10.8.{measured.round}.{number + 1}"
        waiting = probe.Waiting(bench.scratch, one.address, (f"probe.{zones}.test", "A"), f"a={address}", LATE_SECONDS, 100)
        time.sleep(max(chance.uniform(.03, .08), one.peer.pause_seconds))
        _, left = replay.order("set", f"{zones}.test", address)
        served = waiting.result()
        if served is not None:
            taken.append((served - int(left)) / 1e6)
            continue
        late += 1
        measured.add(f"{zones} late", one.name, 1)
        if late >= LATE_MAX:
            break
    return taken


def _section(bench, measured, sets):
    for zones in sets:
        for server in bench.servers:
            taken = measured.of(f"{zones} ms", server)
            if taken:
                measured.add(f"{zones} p99", server, figures.share(taken, .99))
                measured.add(f"{zones} count", server, len(taken))
    rows = []
    for zones in sets:
        rows += [table.Row(f"{SIZES[zones]}: median, ms (least–most)", f"{zones} ms"),
                 table.Row("– p99, ms", f"{zones} p99"),
                 table.Row("– changes", f"{zones} count", "{:.0f}"),
                 table.Row(f"– rounds with one not served within {LATE_SECONDS} s", f"{zones} late", "{:.0f}")]
    ours, large = table.SECONDO, "tld" if "tld" in sets else sets[-1]
    smallest, largest = sets[0], sets[-1]
    growth = measured.quotients(f"{largest} ms", f"{smallest} ms", ours)
    goals = [
        table.at_most(f"NOTIFY to answer, {SIZES[large]}, p50", measured.medians(f"{large} ms", ours), .8, unit=" ms"),
        table.at_most(f"NOTIFY to answer, {SIZES[large]}, p99", measured.of(f"{large} p99", ours), 2.5, unit=" ms"),
        # "No worse": a fifth is what rounds differ by.
        table.at_most(f"p50 with {SIZES[largest]} to p50 with {SIZES[smallest]}", growth, 1.2),
    ]
    return Result(measured, goals, [bench.rows(measured, rows)])
