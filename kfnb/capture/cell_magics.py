"""kfnb's cell magics that run the cell as usual, alone or together with cell magics of other packages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SET_UP = "%%kf_setup"
"""A cell whose code every later step runs first."""

HEADS = ("%%kf_component", "%%kf_parameters", SET_UP)
"""Magics whose cells run as any cell and are also captured."""

TRIAL = "%%kf_tune"
"""A cell with this magic does not run in the kernel: it is the trial of a study."""

TRANSFORM = "%%kf_transform"
"""A cell whose functions are a transform: it runs in a separate namespace."""

TRAIN = "%%kf_train"
"""A cell with this magic is executed by other processes, whose first one's names come back."""

COMPONENTS = ("%%kf_component", TRAIN)
"""Magics whose cells are components: what they write is an output of a step."""

APART = (TRIAL, TRANSFORM, TRAIN)
"""Magics whose cells do not run as other cells do."""

WITHOUT_EFFECT = ("%%time", "%%capture")
"""Cell magics that may be combined with kfnb's and have no effect in a step."""

CARRIED_MAGICS = ("%%bash", "%%sh", "%%writefile")
"""Cell magics that may be combined with kfnb's and run in a step too."""


@dataclass(frozen=True)
class Begun:
    """The cell magics of a cell. ``word`` is kfnb's, with its options on the lines ``first`` to ``after`` (exclusive).

    ``dropped`` are cell magics without effect; ``other`` is the magic that runs the rest, which begins at ``start``.
    """

    word: str
    first: int
    after: int
    start: int
    dropped: tuple[str, ...] = ()
    other: str = ""

    def body(self, lines: Sequence[str]) -> list[str]:
        """The cell's lines, equally many, with kfnb's magic and those without effect removed."""
        if self.other:
            return [*[""] * (self.start - 1), self.other, *lines[self.start :]]
        return [*[""] * self.start, *lines[self.start :]]


def begun(lines: Sequence[str]) -> Begun | None:
    """Parse the cell magics of a cell of these lines; None if none of them is kfnb's."""
    word, other = "", ""
    first = after = place = 0
    dropped: list[str] = []
    while place < len(lines) and (not lines[place].strip() or lines[place].startswith("%%")):
        found = (lines[place].split() or [""])[0]
        if found in (*HEADS, *APART) and not word:
            word, first = found, place
            while lines[place].rstrip("\n").endswith("\\") and place + 1 < len(lines):
                place += 1  # options that continue on the next line
            after = place + 1
        elif found in WITHOUT_EFFECT:
            dropped.append(lines[place].strip())
        elif found:
            other = lines[place].strip()
        place += 1
        if word and other:
            break  # what follows is the other's text
    return Begun(word, first, after, place, tuple(dropped), other) if word else None
