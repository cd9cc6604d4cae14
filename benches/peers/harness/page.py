"""`docs/benchmarks.md`: one section for each part, between two comments that name it.

A run rewrites the sections of the parts that it has measured, each with its own date, commit and command, and nothing else.
What people have written around the sections stays. A part that the page has no section for is added at the end.
"""

import re


def opening(part):
    return f"<!-- measured: {part} -->"


def closing(part):
    return f"<!-- end of {part} -->"


def with_section(text, part, body):
    """The page's text with this part's section in place of what was there."""
    section = f"{opening(part)}\n{body.strip()}\n{closing(part)}"
    there = re.compile(re.escape(opening(part)) + ".*?" + re.escape(closing(part)), re.DOTALL)
    if there.search(text):
        return there.sub(lambda _: section, text)
    return f"{text.rstrip()}\n\n{section}\n"


def write_section(path, part, body):
    text = path.read_text() if path.exists() else "# Benchmarks\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(with_section(text, part, body))
