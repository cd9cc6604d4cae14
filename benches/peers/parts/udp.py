"""UDP answers a second on one core: one zone of 100,000 names, and 10,000 small zones; without EDNS and with DO.

Each server has one worker on the first core, the generator the second; over loopback. Servers run side by side and idle but
for the one that is asked (the primary is down by then), so that they alternate within a round. `tools/blast.c` keeps 256
questions unanswered. Beside them stands the limit: `tools/floor.c`, which sends each question back, padded to Secondo's mean
reply. CPU an answer is the scheduler's count, split into user and system by the ticks of 10 ms.

On loopback the way in to the server is walked by the sender's core, so a server pays for its own system calls and for the
way back to the generator.
"""

from harness import primary, probe, right, saturation, server, table
from harness.bench import Result

SETS = {"mix": "one zone of 100,000 names", "small": "10,000 small zones"}
KINDS = {False: "no EDNS", True: "DO"}


def what(zones, wants_dnssec, figure):
    return f"{zones}, {KINDS[wants_dnssec]}, {figure}"


def measure(bench):
    measured = bench.figures("udp")
    for zones in SETS:
        expected = bench.prepare(zones)
        running = {}
        try:
            growth = start_all(bench, measured, zones, expected, running)
            _start_floors(bench, zones, growth, running)
            _ask_all(bench, measured, zones, running)
        finally:
            for one in running.values():
                one.crash()
    return _section(bench, measured)


def start_all(bench, measured, zones, expected, running):
    """Starts all servers with the primary, and stops the primary. What Secondo's replies have more than their questions."""
    growth = {False: 48, True: 48}
    with primary.Knot(bench.scratch, zones):
        for place, name in enumerate(bench.servers):
            one = bench.server(name, zones, port=server.FIRST_PORT + place, core=bench.cores[0])
            try:
                one.setup()
            except server.SetupFailed as error:
                measured.fail(name, str(error))
                continue
            one.start()
            running[name] = one
            one.fetch()
            swept = probe.sweep(bench.scratch, one.address, zones, timeout_seconds=300)
            if swept.left:
                measured.fail(name, f"{zones}: {swept.left} zones not served after 300 s")
                continue
            verdict = right.judge(one.address, expected)
            if measured.judged(name, verdict) and name == table.SECONDO:
                growth = {kind: round(verdict.mean_growth(kind)) for kind in KINDS}
    for one in running.values():
        one.settle()
    return growth


def _start_floors(bench, zones, growth, running):
    for place, wants_dnssec in enumerate(KINDS):
        one = bench.server("floor", zones, port=server.FIRST_PORT + 20 + place, core=bench.cores[0],
                           extra=growth[wants_dnssec])
        one.setup()
        one.start()
        running["floor", wants_dnssec] = one


def _ask_all(bench, measured, zones, running):
    for name in bench.turns(measured, [*bench.servers, "floor"]):
        for wants_dnssec in KINDS:
            one = running["floor", wants_dnssec] if name == "floor" else running[name]
            saturation.saturate(bench, measured, one, f"{zones}, {KINDS[wants_dnssec]}",
                                bench.scratch.questions_of(zones), wants_dnssec)


def _section(bench, measured):
    servers = [*bench.servers, "floor"]
    rows = []
    for zones, title in SETS.items():
        for wants_dnssec, kind in KINDS.items():
            rows += [table.Row(f"{title}, {kind}: answers/s", what(zones, wants_dnssec, "answers/s"), "{:,.0f}"),
                     table.Row("– CPU µs an answer", what(zones, wants_dnssec, "CPU us an answer")),
                     table.Row("– of it in user space", what(zones, wants_dnssec, "user us an answer"))]
    return Result(measured, _goals(bench, measured), [bench.rows(measured, rows, servers)], saturation.notes(measured))


def _goals(bench, measured):
    def to(zones, wants_dnssec, others):
        return measured.ratios(what(zones, wants_dnssec, "answers/s"), table.SECONDO, others, max)

    def user(zones, wants_dnssec):
        return measured.of(what(zones, wants_dnssec, "user us an answer"), table.SECONDO)

    mix, small = SETS.values()
    return [
        table.at_least(f"answers/s, {mix}, to the floor", to("mix", False, ["floor"]), .85),
        table.at_least(f"answers/s, {mix}, no EDNS, to Knot", to("mix", False, ["knot"]), 1.45),
        table.at_least(f"answers/s, {mix}, DO, to Knot", to("mix", True, ["knot"]), 1.3),
        table.at_least(f"answers/s, {mix}, no EDNS, to the best peer", to("mix", False, bench.peers), 1.45),
        table.at_least(f"answers/s, {small}, to the floor", to("small", False, ["floor"]), .83),
        table.at_most(f"user-space CPU an answer, {mix}, no EDNS", user("mix", False), .5, unit=" µs"),
        table.at_most(f"user-space CPU an answer, {mix}, DO", user("mix", True), .5, unit=" µs"),
        table.at_most(f"user-space CPU an answer, {small}", user("small", False), .5, unit=" µs"),
    ]
