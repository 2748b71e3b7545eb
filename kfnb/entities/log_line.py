"""A line of a log."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class LogLine:
    """A line that a task wrote; ``task`` is the task's id, ``at`` about when it was written, None if that is not known.

    Of a log that was kept without times, ``at`` is the end of its task: no line of it was written later.
    """

    task: str
    text: str
    at: float | None = field(default=None, compare=False)
