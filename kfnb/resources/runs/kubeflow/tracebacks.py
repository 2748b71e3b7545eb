"""Parses tracebacks that a step printed into data (see ``runs.failure``)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

_HEADER = "Traceback (most recent call last):"
_GROUP = f"Exception Group {_HEADER}"
_LINKS = {
    "The above exception was the direct cause of the following exception:": "cause",
    "During handling of the above exception, another exception occurred:": "context",
}
_FRAME = re.compile(r'  File "(?P<file>[^"]*)", line (?P<line>\d+)(?:, in (?P<function>.+))?$')
_EXCEPTION = re.compile(r"(?P<type>[A-Za-z_][\w.]*)(?:: (?P<message>.*))?$")
_CARETS = re.compile(r"\s*[~^]+\s*$")
_MODULES = ("ephemeral_component.", "__main__.", "builtins.")
"""Modules whose exceptions are shown without the module's name."""


def exceptions(lines: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The exceptions with tracebacks in ``lines``, in order, each with its causes.

    Of a message with several lines, only the first: the following lines could be the step's next output.
    """
    link, behind = "", None
    lines, groups = _unfolded(lines)
    starts = [index for index, line in enumerate(lines) if line == _HEADER]
    for start, following in pairwise([*starts, len(lines)]):
        exception = _exception(lines[start + 1 : following])
        if exception is None:
            link = ""
            continue
        exception["group"] = groups.get(start, [])
        if link:
            exception[link] = behind
        between = (line for line in lines[start + 1 : following] if line in _LINKS)
        link, behind = _LINKS.get(next(between, ""), ""), exception
        if not link:
            yield exception


def _unfolded(lines: Sequence[str]) -> tuple[list[str], dict[int, list[dict[str, Any]]]]:
    """The lines with exception groups in the form of other exceptions, and their members, by the header's index."""
    flat: list[str] = []
    groups: dict[int, list[dict[str, Any]]] = {}
    place = 0
    while place < len(lines):
        if lines[place] == f"  + {_GROUP}":
            start = len(flat)
            own, groups[start], place = _block(lines, place, 2)
            flat += own
        else:
            flat.append(lines[place])
            place += 1
    return flat, groups


def _block(lines: Sequence[str], place: int, margin: int) -> tuple[list[str], list[dict[str, Any]], int]:
    """A group, or an exception in a group, with its bar at ``margin``: its own lines, its members, its end."""
    own: list[str] = []
    while place < len(lines) and (found := re.match(rf" {{{margin}}}[|+](?: (.*)|)$", lines[place])):
        own.append((found[1] or "").replace(_GROUP, _HEADER))
        place += 1
    inner: list[dict[str, Any]] = []
    if not _rule(lines, place, f"{' ' * margin}+-+-"):
        return own, inner, place
    end = f"{' ' * (margin + 2)}+-"
    place += 1
    while place < len(lines):
        part, within, place = _block(lines, place, margin + 2)
        exception = next(reversed(list(exceptions(part))), None) or _exception(part)
        if exception is not None:
            inner.append({**exception, "group": within})
        if not _rule(lines, place, end):
            break  # the rest is missing
        place += 1
        if set(lines[place - 1].strip()) == {"+", "-"}:
            break
    return own, inner, place


def _rule(lines: Sequence[str], place: int, begins: str) -> bool:
    return place < len(lines) and lines[place].startswith(begins)


def _exception(lines: Sequence[str]) -> dict[str, Any] | None:
    """The exception at the end of a traceback's lines after the header; None if they are cut."""
    end = next((index for index, line in enumerate(lines) if not line.startswith(" ")), None)
    match = _EXCEPTION.match(lines[end]) if end is not None else None
    if match is None:
        return None
    frames = list(_frames(lines[:end]))
    syntax = frames.pop() if frames and frames[-1][2] is None else None
    return {
        "type": next(
            (match["type"][len(one) :] for one in _MODULES if match["type"].startswith(one)), match["type"]
        ),
        "message": match["message"] or "",
        "notes": [],
        "frames": frames,
        "cause": None,
        "context": None,
        "group": [],
        "syntax": None if syntax is None else [syntax[0], syntax[1], syntax[3] or ""],
    }


def _frames(lines: Sequence[str]) -> Iterator[list[Any]]:
    """(file, line, function, text) of each; the function None marks the place of a syntax error."""
    for index, line in enumerate(lines):
        frame = _FRAME.match(line)
        if frame is None:
            continue
        after = lines[index + 1] if index + 1 < len(lines) else ""
        text = None if not after or _FRAME.match(after) or _CARETS.match(after) else after.strip()
        yield [frame["file"], int(frame["line"]), frame["function"], text]
