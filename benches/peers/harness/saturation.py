"""As many answers over UDP as one core of a server gives: the closed loop of `tools/blast.c` from another core."""

from harness import probe, server

# Below this part of the time the server waited for questions: such a figure is thrown away and taken again.
BUSY_LEAST = .95
TRIES = 3
THROWN_AWAY = "thrown away"


def saturate(bench, measured, one, what, questions, wants_dnssec=False):
    """Adds "WHAT, answers/s", "WHAT, CPU us an answer" and "WHAT, user us an answer"."""
    for _ in range(TRIES):
        before = one.used()
        asked = probe.blast(bench.scratch, one.address, questions, bench.seconds, wants_dnssec, core=bench.cores[1])
        seconds, user = one.used().since(before)
        if asked.other or not asked.received:
            measured.fail(one.name, f"{what}: {asked.other} of {asked.received} replies were no answers")
            return
        busy = seconds / asked.seconds
        if busy >= bench.busy_least:
            measured.add(f"{what}, answers/s", one.name, asked.received / asked.seconds)
            measured.add(f"{what}, CPU us an answer", one.name, seconds / asked.received * 1e6)
            measured.add(f"{what}, user us an answer", one.name, user / asked.received * 1e6)
            return
        bench.say(f"         {one.name:<10} {what}: its core was busy for {busy:.0%} of the time alone")
    measured.add(THROWN_AWAY, one.name, 1)


def notes(measured):
    """Which figures are missing because the generator was too slow for the server."""
    return [f"{server.PEERS[name].title}: {len(measured.of(THROWN_AWAY, name))} figures thrown away: its core was not busy for "
            f"{BUSY_LEAST:.0%} of the time in {TRIES} tries."
            for name in measured.values.get(THROWN_AWAY, {})]
