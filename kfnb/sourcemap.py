"""Places in a notebook: which cell and line a line of a step's source came from.

A step's source is generated, but contains each part of a cell verbatim, under a comment with its origin:

    # cell train [3], line 2

The lines that follow are that cell's lines 2, 3, ... until the next such comment; ``# kfnb: ...`` begins lines
that come from no cell. The comments are part of the step, so a traceback can be mapped back to the notebook
wherever the step ran.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_MARK = re.compile(r"^\s*# (?:cell (?P<cell>.+), line (?P<line>\d+)|kfnb: (?P<title>.*))$")


@dataclass(frozen=True)
class CellLine:
    """A line of a notebook's cell; ``cell`` as shown to the user (``train [3]``), ``line`` from 1."""

    cell: str
    line: int

    def __str__(self) -> str:
        return f"cell {self.cell}, line {self.line}"


def mark(place: CellLine) -> str:
    """The comment before lines that come from ``place`` on."""
    return f"# {place}"


def mark_generated(what: str) -> str:
    """The comment before lines that come from no cell."""
    return f"# kfnb: {what}"


@dataclass(frozen=True)
class MarkedSection:
    """Lines of a step's source under one mark: from ``place`` on; or, without a place, generated, with a title."""

    place: CellLine | None
    title: str
    text: str


def sections(source: str) -> list[MarkedSection]:
    """The marked parts of a step's source, in order."""
    found: list[tuple[re.Match[str], list[str]]] = []
    for line in source.split("\n"):
        begun = _MARK.match(line)
        if begun is not None:
            found.append((begun, []))
        elif found:
            found[-1][1].append(line)
    return [
        MarkedSection(
            CellLine(mark["cell"], int(mark["line"])) if mark["cell"] else None,
            mark["title"] or "",
            "\n".join(lines).rstrip(),
        )
        for mark, lines in found
    ]


def find_place(source: str, line: int) -> CellLine | None:
    """The place in the notebook that line ``line`` (from 1) of a step's ``source`` came from, or None."""
    lines = source.splitlines()
    for index in range(min(line, len(lines)) - 1, -1, -1):
        found = _MARK.match(lines[index])
        if found is None:
            continue
        if found["cell"] is None:
            return None
        return CellLine(found["cell"], int(found["line"]) + line - index - 2)
    return None
