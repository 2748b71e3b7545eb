"""Cells of ours that run as any cell does: by the ``%%`` words that begin them, alone or with cell magics of others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SET_UP = "%%kf_setup"
"""A cell whose code every later step runs first."""

HEADS = ("%%kf_component", "%%kf_parameters", SET_UP)
"""Cells that begin with one of these run as any cell, and are something more."""

TRIAL = "%%kf_tune"
"""A cell that begins with this does not run here: it is the trial of a study."""

WITHOUT_EFFECT = ("%%time", "%%capture")
"""Cell magics above or below one of ours that have no meaning in a step."""

TRAVELLING = ("%%bash", "%%sh", "%%writefile")
"""Cell magics above or below one of ours that a step can do too."""


@dataclass(frozen=True)
class Begun:
    """How a cell begins. ``word`` is ours: it stands with its options on the lines ``first`` to ``after`` (exclusive).

    ``dropped`` are cell magics without effect, ``other`` is one that is to do the rest, which begins at ``start``.
    """

    word: str
    first: int
    after: int
    start: int
    dropped: tuple[str, ...] = ()
    other: str = ""

    def body(self, lines: Sequence[str]) -> list[str]:
        """The cell's lines, as many as there were, without those that begin it but for another magic."""
        if self.other:
            return [*[""] * (self.start - 1), self.other, *lines[self.start :]]
        return [*[""] * self.start, *lines[self.start :]]


def begun(lines: Sequence[str]) -> Begun | None:
    """How a cell of these lines begins; None for one that is not ours."""
    word, other = "", ""
    first = after = place = 0
    dropped: list[str] = []
    while place < len(lines) and (not lines[place].strip() or lines[place].startswith("%%")):
        found = (lines[place].split() or [""])[0]
        if found in (*HEADS, TRIAL) and not word:
            word, first = found, place
            while lines[place].rstrip("\n").endswith("\\") and place + 1 < len(lines):
                place += 1  # options that go on on the next line
            after = place + 1
        elif found in WITHOUT_EFFECT:
            dropped.append(lines[place].strip())
        elif found:
            other = lines[place].strip()
        place += 1
        if word and other:
            break  # what follows is the other's text
    return Begun(word, first, after, place, tuple(dropped), other) if word else None
