"""One large zone, unsigned (`ingest`) or signed (`signed`): from an empty server to the first answer, memory, disk, restart.

In each round each server starts twice with nothing. Once it is weighed: memory every 25 ms until it is settled (its disk
stands still and it does nothing), which takes its time and is not timed; in the first round its answers are compared with
the primary's. Then it is timed: from its start to the first answer. When it is settled it is killed (SIGKILL), the primary
goes down, and it is timed from its start to the first answer again. A server that puts off writing what it has (NSD, for up
to an hour: a crash before that loses all of it) is told to write before it is killed, and has a row of its own.

Beside it stands what the primary alone needs to send the zone to somebody who throws it away. The primary replays a captured
transfer (`harness/replay.py`).
"""

from harness import primary, sink, table
from harness.bench import Result
from harness.processes import MemoryPeak

SINK = "floor"
COLD_SECONDS = 180
RESTART_SECONDS = 30

GOALS = {
    # set: (cold, to the best peer; MiB of memory; peak to settled; MiB on disk; seconds of a restart)
    "tld": (.45, 90, 1.6, 75, .06),
    "signed": (.55, 140, 1.6, 130, .06),
}

ROWS = [
    table.Row("cold start to the first answer, s", "cold s"),
    table.Row("– CPU until it is settled, s", "cold CPU s"),
    table.Row("memory, settled, MiB", "settled MiB", "{:.0f}"),
    table.Row("– peak of the transfer, MiB", "peak MiB", "{:.0f}"),
    table.Row("– peak to settled", "peak to settled"),
    table.Row("disk, settled, MiB", "disk MiB", "{:.0f}"),
    table.Row("restart after SIGKILL, primary down, to the first answer, s", "restart s", "{:.3f}"),
    table.Row("the same after it was told to write, s", "restart after flush s", "{:.3f}"),
    table.Row("– memory after the restart, MiB", "restarted MiB", "{:.0f}"),
]


def measure(bench, zones="tld"):
    expected = bench.prepare(zones, with_transfer=True)
    measured = bench.figures(f"ingest-{zones}")
    servers = [*bench.servers, SINK]
    for name in bench.turns(measured, servers):
        if name == SINK:
            _drain(bench, measured, zones)
        else:
            one = bench.server(name, zones)
            with bench.turn(measured, one):
                if _weigh(bench, measured, one, zones, expected):
                    _time(bench, measured, one, zones)
    return _section(bench, measured, zones)


def _drain(bench, measured, zones):
    with primary.Replay(bench.scratch, [zones], ("127.0.0.1", 9)):
        seconds, _ = sink.transfer(primary.AT, f"{zones}.test")
    measured.add("cold s", SINK, seconds)


def _first_answer(bench, measured, one, zones):
    """When an empty server first answers; None, and it has failed, if it does not in time."""
    answered = bench.first_answer(one, f"{zones}.test", COLD_SECONDS)
    if answered is None:
        measured.fail(one.name, f"does not serve the zone within {COLD_SECONDS} s")
    return answered


def _weigh(bench, measured, one, zones, expected):
    with primary.Replay(bench.scratch, [zones], one.address):
        one.setup()
        one.start()
        peak = MemoryPeak(one.process.pid)
        one.fetch()
        if _first_answer(bench, measured, one, zones) is None:
            peak.stop()
            return False
        one.settle()
        settled, peak_mib = one.memory(), peak.stop()
        if measured.round == 1 and not bench.judge(measured, one, expected):
            return False
    measured.add("settled MiB", one.name, settled)
    measured.add("peak MiB", one.name, max(peak_mib, settled))
    measured.add("peak to settled", one.name, max(peak_mib, settled) / settled)
    one.crash()
    return True


def _time(bench, measured, one, zones):
    with primary.Replay(bench.scratch, [zones], one.address):
        one.setup()
        started = one.start()
        one.fetch()
        answered = _first_answer(bench, measured, one, zones)
        if answered is None:
            return
        measured.add("cold s", one.name, (answered - started) / 1e9)
        one.settle()
        measured.add("cold CPU s", one.name, one.used().seconds)
        if one.peer.puts_off_writing:
            one.flush()
            one.settle()
        measured.add("disk MiB", one.name, one.disk())
    one.crash()
    _restart(bench, measured, one, zones)


def _restart(bench, measured, one, zones):
    started = one.start()
    answered = bench.first_answer(one, f"{zones}.test", RESTART_SECONDS, interval_us=200)
    if answered is None:
        measured.fail(one.name, f"answers nothing {RESTART_SECONDS} s after a restart")
        return
    row = "restart after flush s" if one.peer.puts_off_writing else "restart s"
    measured.add(row, one.name, (answered - started) / 1e9)
    measured.add("restarted MiB", one.name, one.memory())


def _section(bench, measured, zones):
    cold, memory, peak, disk, restart = GOALS.get(zones, GOALS["tld"])
    ours = table.SECONDO
    goals = [
        table.at_most("cold start to the first answer, to the best peer",
                      measured.ratios("cold s", ours, bench.peers, min), cold),
        table.at_most("memory, settled", measured.of("settled MiB", ours), memory, "{:.0f}", " MiB"),
        table.at_most("peak of memory to settled", measured.of("peak to settled", ours), peak),
        table.at_most("disk", measured.of("disk MiB", ours), disk, "{:.0f}", " MiB"),
        table.at_most("restart after SIGKILL, primary down", measured.of("restart s", ours), restart, "{:.3f}", " s"),
    ]
    alone = table.cell(measured.of("cold s", SINK))
    notes = [f"The primary alone sends the zone to a sink in {alone} s."]
    return Result(measured, goals, [bench.rows(measured, ROWS)], notes)
