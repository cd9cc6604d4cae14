"""Markdown: cells with median, least and most; tables; goals and whether they are reached."""

import statistics
from typing import NamedTuple

SECONDO = "secondo"


def cell(values, form="{:.2f}"):
    """"median (least–most)"; a dash when nothing was measured."""
    known = [value for value in values if value is not None]
    if not known:
        return "–"
    middle = form.format(statistics.median(known))
    if len(known) == 1 or min(known) == max(known):
        return middle
    return f"{middle} ({form.format(min(known))}–{form.format(max(known))})"


def table(heads, rows):
    """A markdown table; the first column to the left, figures to the right."""
    lines = ["| " + " | ".join(heads) + " |", "|---|" + "---:|" * (len(heads) - 1)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


class Row(NamedTuple):
    """One figure of all servers, as it is to be shown."""

    title: str
    what: str
    form: str = "{:.2f}"


def of_servers(figures, servers, rows, title):
    """A table of these rows with a column for each server; rows without any figure are left out."""
    shown = [row for row in rows if any(figures.of(row.what, server) for server in servers)]
    return table(["", *(title(server) for server in servers)],
                 [[row.title, *(cell(figures.of(row.what, server), row.form) for server in servers)] for row in shown])


class Goal(NamedTuple):
    """What Secondo must reach: a comparison of figures with a limit. No figures: not measured."""

    what: str
    values: list
    is_at_least: bool
    limit: float
    form: str = "{:.2f}"
    unit: str = ""

    def reached(self):
        """By the median; None when nothing was measured."""
        if not self.values:
            return None
        middle = statistics.median(self.values)
        return middle >= self.limit if self.is_at_least else middle <= self.limit

    def row(self):
        sign = "≥" if self.is_at_least else "≤"
        word = {None: "not measured", True: "reached", False: "**not reached**"}[self.reached()]
        return [self.what, f"{sign} {self.limit:g}{self.unit}", cell(self.values, self.form) + (self.unit if self.values else ""), word]


def at_least(what, values, limit, form="{:.2f}", unit=""):
    return Goal(what, values, True, limit, form, unit)


def at_most(what, values, limit, form="{:.2f}", unit=""):
    return Goal(what, values, False, limit, form, unit)


def of_goals(goals):
    """The table of goals."""
    return table(["goal", "to reach", "measured", ""], [goal.row() for goal in goals])
