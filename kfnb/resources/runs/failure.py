"""The exception that ended a step, as a ``TaskError``.

The exception is plain data, independent of where the step ran: its ``type``, ``message``, ``notes``, its ``frames``
as (file, line, function, text), the ``cause`` or ``context`` behind it and the ``group`` within it, each described
recursively, of a ``syntax`` error the (file, line, text), and of a training the ``rank`` that raised it, and what
follows the message, ``besides``. Only the
user's frames are shown, and those below them in libraries; a frame in a step's generated source is shown as the
notebook's cell and line that it came from.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kfnb.entities import TaskError
from kfnb.sourcemap import CellLine, find_place

_STEP = "ephemeral_component.py"
"""The file of a step's program, as KFP names it."""
_OURS = (
    "kfnb/resources/runs/local/runner.py",
    "kfnb/resources/studies/local/worker.py",
    "kfp/dsl/executor.py",
    "kfp/dsl/executor_main.py",
    "<frozen importlib._bootstrap",
    "<frozen runpy>",
    "<kfnb>",
)
_CAUSE = "\nThe above exception was the direct cause of the following exception:\n"
_CONTEXT = "\nDuring handling of the above exception, another exception occurred:\n"


def from_description(exception: Mapping[str, Any], source: str) -> TaskError:
    """The error for an exception in a step with the program ``source``."""
    return TaskError(
        _headline(exception), "\n".join(_lines(exception, source)), str(_place(exception, source) or "")
    )


def _headline(exception: Mapping[str, Any]) -> str:
    first = exception["message"].strip().splitlines()[:1]
    which = f"rank {exception['rank']}: " if "rank" in exception else ""
    besides = exception.get("besides", "")
    if exception["type"] == "SystemExit":
        return f"{which}the step exited with sys.exit({first[0] if first else ''}){besides}"
    text = f"{exception['type']}: {first[0]}" if first else str(exception["type"])
    return which + (f"{text.rstrip(':')}{besides}" if besides else text)


def _lines(exception: Mapping[str, Any], source: str) -> list[str]:
    lines: list[str] = []
    if exception["cause"]:
        lines += [*_lines(exception["cause"], source), _CAUSE]
    elif exception["context"]:
        lines += [*_lines(exception["context"], source), _CONTEXT]
    frames = _shown(exception)
    if frames:
        lines.append("Traceback (most recent call last):")
    for file, line, function, text in frames:
        lines += _frame(file, line, function, text, source)
    lines += _syntax(exception, source)
    lines += [
        f"{exception['type']}: {exception['message']}" if exception["message"] else exception["type"],
        *exception["notes"],
    ]
    for inner in exception["group"]:
        lines += ["  | " + line for part in _lines(inner, source) for line in part.splitlines()]
    return lines


def _shown(exception: Mapping[str, Any]) -> list[Any]:
    return [
        frame
        for frame in exception["frames"]
        if not any(part in frame[0].replace(os.sep, "/") for part in _OURS)
    ]


def _frame(file: str, line: int, function: str, text: str | None, source: str) -> list[str]:
    where = _where(file, line, source)
    named = "" if function == "<module>" else f", in {function}"
    return [f"  {where}{named}", *([f"    {text}"] if text else [])]


def _where(file: str, line: int, source: str) -> str:
    if (place := _of_transform(file, line)) is not None:
        return str(place)
    if not _is_step(file):
        return f'File "{file}", line {line}'
    return str(find_place(source, line) or f'File "{Path(file).name}", line {line}')


def _syntax(exception: Mapping[str, Any], source: str) -> list[str]:
    if exception["syntax"] is None or exception["syntax"][0] is None:
        return []
    file, line, text = exception["syntax"]
    return [f"  {_where(file, line or 1, source)}", *([f"    {text.strip()}"] if text else [])]


def _place(exception: Mapping[str, Any], source: str) -> CellLine | None:
    """The place of the innermost frame in the step's own program, or in a transform."""
    if exception["syntax"] is not None and exception["syntax"][0] and _is_step(exception["syntax"][0]):
        return find_place(source, exception["syntax"][1] or 1)
    for file, line, _, _ in reversed(exception["frames"]):
        if (place := _of_transform(file, line)) is not None:
            return place
        if _is_step(file):
            return find_place(source, line)
    return None


def _of_transform(file: str, line: int) -> CellLine | None:
    """The place of a line of a transform, whose code is run under the names of its cells."""
    found = re.fullmatch("<cell (.+)>", file)
    return CellLine(found[1], line) if found else None


def _is_step(file: str) -> bool:
    return Path(file).name == _STEP
