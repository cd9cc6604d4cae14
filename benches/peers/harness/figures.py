"""Raw figures of one part: what was measured, of which server, in which round; and what follows from them.

Each figure is printed as it is taken, and the whole is written as JSON after each. A server that fails something is not
measured any further in that part, and why is kept.
"""

import json
import statistics


class Figures:
    """`values[what][server][round]` is the list of figures of that round."""

    def __init__(self, path, say=print):
        self.path = path
        self.say = say
        self.round = 1
        self.values = {}
        self.failed = {}
        self.checked = {}

    def add(self, what, server, *values):
        """One figure of this round, or several of one kind."""
        rounds = self.values.setdefault(what, {}).setdefault(server, {})
        rounds.setdefault(self.round, []).extend(values)
        shown = f"{values[0]:.4g}" if len(values) == 1 else f"median {statistics.median(values):.4g} of {len(values)}"
        self.say(f"round {self.round}  {server:<10} {what}: {shown}")
        self._keep()

    def fail(self, server, why):
        """This server's figures end here."""
        self.failed.setdefault(server, why)
        self.say(f"round {self.round}  {server:<10} FAILED: {why}")
        self._keep()

    def judged(self, server, verdict):
        """Whether the server's answers are right; if not, it has failed."""
        if verdict.wrong:
            self.fail(server, f"wrong answers: {verdict}")
        else:
            self.checked[server] = str(verdict)
            self.say(f"round {self.round}  {server:<10} {verdict}")
        return not verdict.wrong

    def of(self, what, server):
        """All figures of all rounds."""
        return [value for values in self.values.get(what, {}).get(server, {}).values() for value in values]

    def by_round(self, what, server):
        """{round: median}."""
        return {number: statistics.median(values)
                for number, values in sorted(self.values.get(what, {}).get(server, {}).items())}

    def medians(self, what, server):
        """The median of each round."""
        return list(self.by_round(what, server).values())

    def quotients(self, what, divisor, server):
        """One figure of a server by another one of the same round, for each round that has both."""
        below = self.by_round(divisor, server)
        return [value / below[number] for number, value in self.by_round(what, server).items() if below.get(number)]

    def ratios(self, what, server, others, best):
        """For each round: the server's median to the best one of the others. `best` is `max` or `min`."""
        of_others = [self.by_round(what, other) for other in others]
        found = []
        for number, value in self.by_round(what, server).items():
            medians = [rounds[number] for rounds in of_others if number in rounds]
            if medians and best(medians):
                found.append(value / best(medians))
        return found

    def _keep(self):
        kept = {"values": self.values, "failed": self.failed, "checked": self.checked}
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(kept, indent=1))
        part.rename(self.path)


def share(values, part):
    """The value below which that part of all lies, by nearest rank."""
    ordered = sorted(values)
    return ordered[min(int(part * len(ordered)), len(ordered) - 1)]
