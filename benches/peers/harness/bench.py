"""One run: which servers, how many rounds, where; and what all parts do alike."""

from contextlib import contextmanager
from typing import NamedTuple

from harness import capture, figures, machine, probe, right, server, table


class Bench:
    """What parts are given."""

    def __init__(self, scratch, servers, rounds, seconds, cores, busy_least, say=print):
        self.scratch = scratch
        self.servers = servers
        self.rounds = rounds
        self.seconds = seconds
        self.cores = cores
        self.busy_least = busy_least
        self.say = say

    @property
    def peers(self):
        """All servers but our own."""
        return [name for name in self.servers if name != table.SECONDO]

    def figures(self, part):
        return figures.Figures(self.scratch.raw / f"{part}.json", self.say)

    def prepare(self, zones, with_transfer=False):
        """Makes a set of zones, and asks the primary what is right; the sample for `judge`."""
        capture.prepare(self.scratch, zones, with_transfer, self.say)
        return capture.expected(self.scratch, zones)

    def turns(self, measured, servers=None, rounds=None):
        """Round after round, each server that has not failed; who begins changes with each round."""
        servers = self.servers if servers is None else servers
        for number in range(rounds or self.rounds):
            measured.round = number + 1
            first = number % len(servers)
            for name in servers[first:] + servers[:first]:
                if name not in measured.failed:
                    yield name

    def server(self, name, zones, **settings):
        return server.Server(name, self.scratch, zones, **settings)

    @contextmanager
    def turn(self, measured, one):
        """A server's turn: one that cannot even be set up has failed, and nothing of it runs on afterwards."""
        try:
            yield
        except server.SetupFailed as error:
            measured.fail(one.name, str(error))
        finally:
            one.crash()

    def judge(self, measured, one, expected):
        """Asks the sample; False, and the server has failed, when answers are wrong."""
        return measured.judged(one.name, right.judge(one.address, expected))

    def first_answer(self, one, zone, timeout_seconds=180, interval_us=500):
        """When the server first answers for the zone; None if it does not in time."""
        return probe.wait(self.scratch, one.address, (zone, "SOA"), "aa", timeout_seconds, interval_us)

    def rows(self, measured, rows, servers=None):
        """A table of the part's figures."""
        return table.of_servers(measured, servers or self.servers, rows, lambda name: server.PEERS[name].title)


class Result(NamedTuple):
    """What a part has found: raw figures, goals, tables of the page, and sentences below them."""

    measured: figures.Figures
    goals: list
    tables: list
    notes: tuple = ()

    def section(self, title, command, remark, bench):
        """The part's section of the page."""
        measured = self.measured
        lines = [
            f"### {title}", "",
            f"{machine.today()}, commit {machine.commit()}, `{command}`{remark}.  ",
            f"{machine.described()}.  ",
            f"{machine.versions(bench.servers)}.", ""]
        if self.goals:
            lines += [table.of_goals(self.goals), ""]
        for text in self.tables:
            lines += [text, ""]
        lines += [f"- {note}" for note in self.notes]
        lines += [f"- {server.PEERS[name].title} was left out from then on: {why}." for name, why in measured.failed.items()]
        lines += [f"- {server.PEERS[name].title}, before anything was timed: {verdict}."
                  for name, verdict in measured.checked.items()]
        return "\n".join(lines)
