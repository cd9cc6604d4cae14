"""Floods of random subdomains: what an answer that a name does not exist costs beside one that it does.

As in `udp`: one core, one zone of 100,000 names, no EDNS. Once all questions are for what exists, once each is for another
random name; 200,000 different ones of each kind.
"""

from harness import saturation, table
from harness.bench import Result
from parts import udp

KINDS = {"mix.positive": "names that exist", "mix.nothing": "random names that do not"}


def measure(bench):
    expected = bench.prepare("mix")
    measured = bench.figures("flood")
    running = {}
    try:
        udp.start_all(bench, measured, "mix", expected, running)
        for name in bench.turns(measured):
            for kind in KINDS:
                saturation.saturate(bench, measured, running[name], kind, bench.scratch.questions_of(kind))
    finally:
        for one in running.values():
            one.crash()
    for name in bench.servers:
        if ratios := measured.quotients("mix.nothing, answers/s", "mix.positive, answers/s", name):
            measured.add("ratio", name, *ratios)
    rows = [table.Row(f"{title}: answers/s", f"{kind}, answers/s", "{:,.0f}") for kind, title in KINDS.items()]
    rows.append(table.Row("random to existing", "ratio"))
    goals = [table.at_least("NXDOMAIN to positive answers/s", measured.of("ratio", table.SECONDO), .9)]
    return Result(measured, goals, [bench.rows(measured, rows)], saturation.notes(measured))
