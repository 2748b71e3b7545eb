"""A task's own lines among those that KFP and Argo write around them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_KLOG = r"[IWEF]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ [\w.-]+\.go:\d+\] "
_EXECUTOR = r"\[KFP Executor \S+ \S+ INFO\]: "
_ARGO = r"time=\S+ level=\w+ (?=.*argo=true)"
_PLUMBING = re.compile(rf"{_KLOG}|{_EXECUTOR}|{_ARGO}|Error: (?:exit status \d+|signal: .+)$")
_OPENS = ("{", "Got executor_input:")


class Sieve:
    """Tells, line by line, which are a task's own: what KFP prints can go over several lines of JSON."""

    def __init__(self) -> None:
        self._inside = False

    def keeps(self, line: str) -> bool:
        """Whether the next line is the task's own."""
        if self._inside:
            self._inside = line.rstrip() != "}"
            return False
        if _PLUMBING.match(line):
            self._inside = line.rstrip().endswith(_OPENS)
            return False
        return True


def own_lines(lines: Iterable[str]) -> Iterator[str]:
    """The task's own among ``lines``."""
    sieve = Sieve()
    return (line for line in lines if sieve.keeps(line))
