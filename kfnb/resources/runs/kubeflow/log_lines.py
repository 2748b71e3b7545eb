"""A task's own lines, without those that KFP, Argo and pip write about themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_KLOG = r"[IWEF]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ [\w.-]+\.go:\d+\] "
_EXECUTOR = r"\[KFP Executor \S+ \S+ INFO\]: "
_ARGO = r"time=\S+ level=\w+ (?:(?=.*argo=true)|msg=\"Alloc=)"
_PIP = (
    r"WARNING: Running pip as the 'root' user |WARNING: You are using pip version |"
    r"You should consider upgrading via the |\[notice\] (?:A new release of pip|To update, run:)"
)
_PYTHON = r".*RuntimeWarning: 'kfp\.\S+executor_main' found in sys\.modules "
_NOISE = re.compile(rf"{_KLOG}|{_EXECUTOR}|{_ARGO}|{_PIP}|{_PYTHON}|Error: (?:exit status \d+|signal: .+)$")
_OPENS = ("{", "Got executor_input:")
_WARNED = "  warn(RuntimeWarning(msg))"
"""The source line that Python shows below a warning of its module ``runpy``."""


class Sieve:
    """Decides, line by line, which are a task's own: KFP's messages can span several lines of JSON."""

    def __init__(self) -> None:
        self._inside = False

    def passes(self, line: str) -> bool:
        """Whether the next line is the task's own."""
        if self._inside:
            self._inside = line.rstrip() != "}"
            return False
        if _NOISE.match(line):
            self._inside = line.rstrip().endswith(_OPENS)
            return False
        return line.rstrip() != _WARNED


def own_lines(lines: Iterable[str]) -> Iterator[str]:
    """The task's own lines among ``lines``."""
    sieve = Sieve()
    return (line for line in lines if sieve.passes(line))
