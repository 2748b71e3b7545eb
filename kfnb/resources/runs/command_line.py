"""The line that starts a run like an earlier one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from kfnb.entities import RunSnapshot
from kfnb.pipeline.workspace import workspace

_PLAIN = re.compile(r"[\w./:@%+,=-]+")
_CLEAR = re.compile(r"[^'\"\\\n\r${}`#]*")
"""A text that neither IPython, which expands ``$name`` and ``{name}``, nor quoting changes."""
_LONGEST = 10_000


def command(run: RunSnapshot) -> str:
    """The command that starts such a run again: a magic or, if an argument does not fit on a line, Python.

    Empty if this notebook has not defined the pipeline.
    """
    if run.pipeline not in workspace().pipelines:
        return ""
    given = {name: value for name, value in run.arguments.items() if value is not None}
    words = {name: _word(value) for name, value in given.items()}
    known = {name: word for name, word in words.items() if word is not None}
    line = _magic(run, known) if len(known) == len(words) else _python(run, given)
    return line if len(line) <= _LONGEST else ""


def _magic(run: RunSnapshot, words: Mapping[str, str]) -> str:
    parts = ["%kf_submit", run.pipeline, *(f"--{name} {word}" for name, word in words.items())]
    return " ".join([*parts, f"--backend {run.backend}"])


def _python(run: RunSnapshot, given: Mapping[str, Any]) -> str:
    return f"kfnb.submit({run.pipeline!r}, {given!r}, backend={run.backend!r})"


def _word(value: Any) -> str | None:
    """A value as a word of a magic's line; None where it cannot be one."""
    text = value if isinstance(value, str) else json.dumps(value)
    if not isinstance(value, str):
        return None if re.search(r"[${\n]", text) else text
    if _PLAIN.fullmatch(text) and not text.startswith("-"):
        return text
    return f"'{text}'" if _CLEAR.fullmatch(text) and not text.startswith("-") else None
