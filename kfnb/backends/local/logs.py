"""What tasks wrote, read from their log files: once, or as it comes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kfnb.backends.backend import LogLine

_CHUNK = 1 << 20


@dataclass
class Tail:
    """The log ``file`` of ``task``, read up to ``offset``."""

    task: str
    file: Path
    offset: int = 0

    def lines(self, *, rest: bool) -> Iterator[LogLine]:
        """The lines that came since; with ``rest``, also one that has no end yet."""
        if not self.file.exists():
            return
        with self.file.open("rb") as file:
            file.seek(self.offset)
            for line in iter(lambda: file.readline(_CHUNK), b""):
                if not (line.endswith(b"\n") or rest or len(line) == _CHUNK):
                    return
                self.offset += len(line)
                yield LogLine(self.task, line.decode("utf-8", "replace").rstrip("\n"))


def followed(
    tasks: Callable[[], Iterable[Tail]], finished: Callable[[], bool], wait: Callable[[], None]
) -> Iterator[LogLine]:
    """The lines of all that ``tasks`` names, as they come, until the run is ``finished``."""
    tails: dict[str, Tail] = {}
    while True:
        over = finished()
        for tail in tasks():
            yield from tails.setdefault(tail.task, tail).lines(rest=over)
        if over:
            return
        wait()
