"""Reading logs: overwritten lines, filters, and how many lines are left out.

Shared by everything that shows logs: ``%kf_logs``, ``kfnb logs``, the handle of a run, and the page, where
js/src/kit/log does the same.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kfnb.entities import LogLine
from kfnb.errors import UsageError, did_you_mean
from kfnb.text.log_levels import LEVELS, Leveller
from kfnb.text.ranks import split_rank
from kfnb.text.timespec import instant

Lines = Iterable[LogLine | None]
"""The lines of a log as they arrive; None means no more lines at the moment."""

LONGEST = 10_000
"""Maximum characters of a line in an excerpt."""

_ESCAPES = re.compile(r"\x1b(?:\[[0-9;:?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
_NUMBER = re.compile(r"\d[\d.,]*(?:[eE][+-]?\d+)?")
_BAR = re.compile(r"[\s#=\->.\u2580-\u259f\u2500-\u257f]+")
_STATES = 3
"""The minimum number of states of a progress bar that show its form, and how many are compared."""


@dataclass(frozen=True)
class Filter:
    """Selects lines: since a moment, matching ``grep``, with at least a ``level``, of one ``rank`` of a training.

    A line with an unknown time is kept. ``grep`` ignores case if it has no capitals.
    """

    since: float | None = None
    grep: re.Pattern[str] | None = None
    level: int = 0
    rank: int | None = None

    def __bool__(self) -> bool:
        return self != ALL

    def chosen(self, lines: Lines) -> Iterator[LogLine | None]:
        """The selected ``lines``, and each None."""
        levellers: dict[str, Leveller] = {}
        for line in lines if self.rank is None else _of_rank(lines, self.rank):
            if line is None or (
                # the leveller needs each line, even if another filter drops it
                (not self.level or self._grave(line, levellers)) and self._fits(line)
            ):
                yield line

    def _grave(self, line: LogLine, levellers: dict[str, Leveller]) -> bool:
        leveller = levellers.setdefault(line.task, Leveller())
        return leveller.level(plain(line.text)) >= self.level

    def _fits(self, line: LogLine) -> bool:
        if self.since is not None and line.at is not None and line.at < self.since:
            return False
        return self.grep is None or self.grep.search(plain(line.text)) is not None


def _of_rank(lines: Lines, rank: int) -> Iterator[LogLine | None]:
    """What one rank of a training wrote, without its number; and each None."""
    for line in lines:
        number, text = split_rank(line.text) if line is not None else (rank, "")
        if number == rank:
            yield None if line is None else LogLine(line.task, text, line.at)


ALL = Filter()


def log_filter(
    since: str | float | None = None,
    grep: str | None = None,
    level: str | None = None,
    rank: int | None = None,
) -> Filter:
    """The filter from a moment or a span before now, a regular expression, a level's name and a rank.

    Raises ``UsageError``.
    """
    return Filter(
        None if since is None else instant(since),
        None if grep is None else _pattern(grep),
        0 if level is None else _level(level),
        rank,
    )


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text, 0 if text != text.lower() else re.IGNORECASE)
    except re.error as error:
        raise UsageError(f"--grep {text}: not a regular expression: {error}") from None


def _level(text: str) -> int:
    word = {"warn": "warning", "fatal": "critical"}.get(text.lower(), text.lower())
    if word not in LEVELS:
        raise UsageError(
            f"--level {text}: unknown level",
            hint=did_you_mean(word, LEVELS, f"levels are {', '.join(LEVELS)}"),
            ref=text,
        )
    return LEVELS.index(word)


class Excerpt:
    """The last ``tail`` lines of a log that match a filter, then new lines; without ``tail``, all matching lines.

    Once the first line is returned, ``left_out`` is the number of matching lines before it, ``seen`` and ``size`` are
    the lines and bytes that were read until then.
    """

    def __init__(self, lines: Lines, which: Filter = ALL, tail: int | None = None) -> None:
        self.left_out = self.seen = self.size = 0
        self.which = which
        self._tail, self._lines = tail, lines

    def __iter__(self) -> Iterator[LogLine]:
        chosen = self.which.chosen(settled(self._counted()))
        if self._tail is not None:
            yield from self._last(chosen, self._tail)
        yield from filter(None, chosen)

    def _last(self, chosen: Iterator[LogLine | None], tail: int) -> Iterator[LogLine]:
        """The last of the current lines, with long lines cut."""
        last: deque[LogLine] = deque(maxlen=tail)
        fit = 0
        for line in chosen:
            if line is None:
                break
            last.append(line)
            fit += 1
        self.left_out = fit - len(last)
        for line in last:
            more = len(line.text) - LONGEST
            text = f"{line.text[:LONGEST]}… ({more:,} more characters)" if more > 0 else line.text
            yield LogLine(line.task, text, line.at)

    def _counted(self) -> Iterator[LogLine | None]:
        for line in self._lines:
            if line is not None:
                self.seen += 1
                text = line.text
                self.size += len(text if text.isascii() else text.encode("utf-8", "replace")) + 1
            yield line


def settled(lines: Lines) -> Iterator[LogLine | None]:
    """Lines without overwritten text: of a progress bar, only its last state."""
    for line in lines:
        if line is None or ("\r" not in line.text and "\x1b" not in line.text):
            yield line
        else:
            for text in last_state(_steady(line.text)):
                yield LogLine(line.task, text, line.at)


def last_state(text: str) -> list[str]:
    """What remains of a text with carriage returns, as one line.

    Two lines if other text follows a progress bar without a line end: the common form of its states shows where the
    bar ends.
    """
    parts = [part for part in text.split("\r") if part]
    if len(parts) < _STATES:
        return parts[-1:] or [""]
    form = _form(plain(parts[-2]))
    found = form.match(plain(parts[-1]))
    before = parts[-2 - _STATES : -2]
    if found is None or not any(form.fullmatch(plain(state)) for state in before):
        return parts[-1:]
    rest = plain(parts[-1])[found.end() :]
    if not rest or rest[0].isspace() or parts[-1].find(rest) < 0:
        return parts[-1:]
    at = parts[-1].rindex(rest)
    return [parts[-1][:at], parts[-1][at:]]


def _form(state: str) -> re.Pattern[str]:
    """The part of a state of a progress bar that stays the same: all but its numbers and the bar itself."""
    made, place = "", 0
    while place < len(state):
        number, bar = _NUMBER.match(state, place), _BAR.match(state, place)
        if number is not None:
            made, place = made + _NUMBER.pattern, number.end()
        elif bar is not None:
            made, place = made + f"(?:{_BAR.pattern})?", bar.end()
        else:
            made, place = made + re.escape(state[place]), place + 1
    return re.compile(made)


def plain(text: str) -> str:
    """A line without terminal colours."""
    return _ESCAPES.sub("", text) if "\x1b" in text else text


def _steady(text: str) -> str:
    """A line with its colours, but without sequences that move the cursor or set the terminal's title."""
    return _ESCAPES.sub(lambda found: found[0] if _COLOUR.fullmatch(found[0]) else "", text)
