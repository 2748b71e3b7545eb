"""A log as it is read: what was written over itself, which lines are wanted, and how many are left out.

One for all who show logs: ``%kf_logs``, ``kfnb logs``, the handle of a run, and the page, where
js/src/kit/log does the same.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kfnb.errors import UsageError, did_you_mean
from kfnb.model import LogLine
from kfnb.text.log_levels import LEVELS, Leveller
from kfnb.text.timespec import instant

Lines = Iterable[LogLine | None]
"""The lines of a log as they come; None says that there is no more at the moment."""

LONGEST = 10_000
"""Characters of a line that an excerpt shows."""

_ESCAPES = re.compile(r"\x1b(?:\[[0-9;:?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
_NUMBER = re.compile(r"\d[\d.,]*(?:[eE][+-]?\d+)?")
_BAR = re.compile(r"[\s#=\->.\u2580-\u259f\u2500-\u257f]+")
_STATES = 3
"""So many states of a progress bar, at least, tell its form; of so many it is looked at."""


@dataclass(frozen=True)
class Filter:
    """Which lines are wanted: of those since a moment, that ``grep`` is found in, of a ``level`` at least.

    Of a line whose time is not known, it is not asked. ``grep`` ignores case where it has no capitals.
    """

    since: float | None = None
    grep: re.Pattern[str] | None = None
    level: int = 0

    def __bool__(self) -> bool:
        return self != ALL

    def chosen(self, lines: Lines) -> Iterator[LogLine | None]:
        """Those of ``lines`` that are wanted, and each None."""
        levellers: dict[str, Leveller] = {}
        for line in lines:
            if line is None or (
                # each line is told to its leveller, whatever else speaks against it
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


ALL = Filter()


def wanted(since: str | float | None = None, grep: str | None = None, level: str | None = None) -> Filter:
    """The filter that is meant by what was given: a moment or a span before now, a regular expression, a level's name.

    Raises ``UsageError``.
    """
    return Filter(
        None if since is None else instant(since),
        None if grep is None else _pattern(grep),
        0 if level is None else _level(level),
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
    """The last ``tail`` lines of a log that fit a filter, then what comes; without ``tail``, all that fit.

    Once the first line is there, ``left_out`` says how many before it are not shown although they fit, ``seen`` and
    ``size`` how many lines and bytes were read until then.
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
        """The last of those that are there at the moment, long ones cut."""
        kept: deque[LogLine] = deque(maxlen=tail)
        fit = 0
        for line in chosen:
            if line is None:
                break
            kept.append(line)
            fit += 1
        self.left_out = fit - len(kept)
        for line in kept:
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
    """Lines without what was written over: of a progress bar, its last state is left."""
    for line in lines:
        if line is None or ("\r" not in line.text and "\x1b" not in line.text):
            yield line
        else:
            for text in last_state(_steady(line.text)):
                yield LogLine(line.task, text, line.at)


def last_state(text: str) -> list[str]:
    """What is left of a text that goes back to its beginning (carriage return), as one line.

    Two where something else was written after a progress bar that did not end its line: what the states before have
    in common tells where the bar ends.
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
    """What a state of a progress bar has in common with the next: all but its numbers and the bar itself."""
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
    """A line without a terminal's colours."""
    return _ESCAPES.sub("", text) if "\x1b" in text else text


def _steady(text: str) -> str:
    """A line whose colours are left, but nothing that moves a terminal's cursor, or writes its title."""
    return _ESCAPES.sub(lambda found: found[0] if _COLOUR.fullmatch(found[0]) else "", text)
