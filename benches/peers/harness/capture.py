"""What the primary says of a set of zones, kept once: right answers to a sample of the questions, and whole transfers.

Beside the zones: SET.answers (for `harness/right.py`) and SET.transfer (for `harness/replay.py`).
"""

import json

from harness import primary, right, sink, zones

SAMPLE = 400


def prepare(scratch, name, with_transfer=False, say=print):
    """Makes the set and what is kept of it, unless it is there."""
    answers, transfer = scratch.zones / f"{name}.answers", scratch.zones / f"{name}.transfer"
    if answers.exists() and (transfer.exists() or not with_transfer):
        return
    say(f"making zones: {name}")
    zones.make(name, scratch.zones)
    with primary.Knot(scratch, name):
        _keep(answers, lambda part: part.write(json.dumps(_ask(scratch, name)).encode()))
        if with_transfer:
            _keep(transfer, lambda part: sink.transfer(primary.AT, f"{name}.test", part))


def expected(scratch, name):
    """The sample of questions and right answers, for `right.judge`."""
    kept = json.loads((scratch.zones / f"{name}.answers").read_text())
    return [(question, kind, wants_dnssec, bytes.fromhex(octets)) for question, kind, wants_dnssec, octets in kept]


def _keep(path, write):
    """Writes a file that is there as a whole or not at all."""
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        write(file)
    part.rename(path)


def _ask(scratch, name):
    lines = scratch.questions_of(name).read_text().splitlines()
    step = max(len(lines) // SAMPLE, 1)
    asker = right.Asker(primary.AT)
    answers = []
    for line in lines[::step][:SAMPLE]:
        question, kind = line.split()
        for wants_dnssec in (False, True):
            answers.append((question, kind, wants_dnssec, asker.ask(question, kind, wants_dnssec).hex()))
    asker.close()
    return answers
