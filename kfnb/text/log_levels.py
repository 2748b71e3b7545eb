"""The level of a line of a log, in the common formats of loggers.

js/src/kit/log/levels.ts does the same: ``tests/views/golden/levels.json`` has lines with their levels, which both
must return.
"""

from __future__ import annotations

import re

LEVELS = ("debug", "info", "warning", "error", "critical")
"""The selectable levels, the lowest first."""

_WORDS = {
    **dict.fromkeys(("TRACE", "DEBUG", "D"), 0),
    **dict.fromkeys(("INFO", "NOTICE", "I"), 1),
    **dict.fromkeys(("WARN", "WARNING", "W"), 2),
    **dict.fromkeys(("ERR", "ERROR", "E"), 3),
    **dict.fromkeys(("CRITICAL", "FATAL", "C", "F"), 4),
}
_INFO, _WARNING, _ERROR = 1, 2, 3
_NAMES = "TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL"
_ANY = "|".join("".join(f"[{letter}{letter.lower()}]" for letter in name) for name in _NAMES.split("|"))
_FORMS = (
    rf"^\W{{0,4}}({_NAMES})\b(?! *=)",  # ERROR:root:..., *** WARNING ..., | INFO | ...
    rf"^\W?\d[\d/:.,TZ+ -]{{6,40}}.{{0,80}}?\b({_NAMES})\b",  # 2026-11-25 06:00:00,123 - name - ERROR - ...
    rf"^(?:\[[^\]]{{0,60}}\] *){{0,3}}\[({_ANY})\]",  # [LightGBM] [Warning] ...
    r"^\[?([DIWEFC])(?: \d{2,4}-?\d\d|\d{4} \d\d:)",  # [I 2026-11-25 ..., W1125 06:00:00.000 ...
    r"^\d[\d-]{9} [\d:]{8}\.\d+: ([IWEF]) ",  # TensorFlow's
    rf'^\{{.*"(?:level|levelname|log_level|lvl|severity)" *: *"({_ANY})"',
    rf'^(?:(?:time|ts|t|caller|logger)=(?:"[^"]*"|\S+) +)*(?:level|lvl|severity)="?({_ANY})\b',
)
_HEAD = re.compile("|".join(f"(?:{form})" for form in _FORMS))
_PYTHONS = re.compile(r"^\S*:\d+: \w*Warning: ")
_TRACEBACK = "Traceback (most recent call last):"
_CONTINUES = ("During handling of the above exception", "The above exception was the direct cause")


def level_in(line: str) -> int | None:
    """The level in a line, as its index in ``LEVELS``; None if it has none."""
    found = _HEAD.search(line)
    if found is not None:
        return _WORDS[next(filter(None, found.groups())).upper()]
    return _WARNING if _PYTHONS.match(line) else None


class Leveller:
    """Determines the level of each line in sequence: its own, or that of the line that it continues.

    A traceback is an error to its end, and an indented line belongs to the line above it. All other output has the
    level info.
    """

    def __init__(self) -> None:
        self._record: int | None = None
        self._traceback = False

    def level(self, line: str) -> int:
        """The level of the next line, as its index in ``LEVELS``."""
        if _TRACEBACK in line:
            self._record, self._traceback = max(_ERROR, level_in(line) or 0), True
        elif self._traceback:
            # the first line that is not indented is that of the exception
            self._traceback = not line or line[0] in " \t|" or line.startswith(_CONTINUES)
            return _ERROR
        elif (found := level_in(line)) is not None:
            self._record = found
        elif not line[:1].isspace():
            self._record = None
        return _INFO if self._record is None else self._record
