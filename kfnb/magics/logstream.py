"""A log on its way to the page: in large pieces, as it comes, for as long as the page shows it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from kfnb.errors import KfnbError

PIECE = 1 << 19
"""Bytes after which a piece is sent, though there is more."""


class LogStream:
    """The log of a run's task or a study's trial, sent by ``tell``: pieces as messages, with the lines in a buffer.

    ``id`` and ``part`` name it. ``lines`` are its lines as they come; None says that there is no more at the moment.
    """

    def __init__(
        self, id: str, part: str, lines: Callable[[], Iterator[str | None]], tell: Callable[..., None]
    ) -> None:
        self._id = id
        self._part = part
        self._read = lines
        self._tell = tell
        self._stopped = threading.Event()
        self._first = 0
        self._lines: list[str] = []
        self._size = 0

    def start(self) -> None:
        """Begin, in a thread of its own."""
        threading.Thread(target=self.go, name=f"kfnb-log-{self._id}", daemon=True).start()

    def stop(self) -> None:
        """Send no more."""
        self._stopped.set()

    def go(self) -> None:
        """Send the log until it ends, or nobody wants it any more. Never raises: nobody would see it."""
        try:
            for line in self._read():
                if self._stopped.is_set():
                    return
                if line is not None:
                    self._lines.append(line)
                    self._size += len(line)
                if line is None or self._size > PIECE:
                    self._send()
        except KfnbError as error:
            self._lines.append(f"({error})")
        self._send(ended=True)

    def _send(self, *, ended: bool = False) -> None:
        if not (self._lines or ended):
            return
        text = "".join(f"{line}\n" for line in self._lines).encode()
        total = self._first + len(self._lines)
        message = {
            "kind": "log",
            "id": self._id,
            "task": self._part,
            "first": self._first,
            "total": total,
            "ended": ended,
        }
        self._tell(message, text)
        self._first, self._size = total, 0
        self._lines.clear()
