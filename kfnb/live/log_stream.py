"""A log sent to the page: in large pieces, as it comes, for as long as the page shows it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from kfnb.entities import LogLine
from kfnb.errors import KfnbError
from kfnb.live.messages import FileMessage, LogMessage

PIECE = 1 << 19
"""Bytes after which a piece is sent, though there is more."""
FILE_PIECE = 1 << 22
"""Bytes after which a piece of a file is sent."""
_TICK = 0.5
"""Seconds between two messages to the page."""


class LogStream:
    """The log of a run's task or a study's trial, sent by ``send``: pieces as messages, with the lines in a buffer.

    ``type``, ``id`` and ``part`` name it. ``lines`` are its lines as they come; None says that there is no more at the
    moment. ``ended`` is called when nothing more will be sent.
    """

    def __init__(
        self,
        type: str,
        id: str,
        part: str,
        lines: Callable[[], Iterator[LogLine | None]],
        send: Callable[..., None],
        ended: Callable[[LogStream], None] = lambda _: None,
    ) -> None:
        self.key = type, id, part
        self._read = lines
        self._send_message = send
        self._ended = ended
        self._stopped = threading.Event()
        self._first = 0
        self._lines: list[str] = []
        self._times: list[tuple[int, float]] = []
        self._size = 0

    def start(self) -> None:
        """Begin, in a new thread."""
        threading.Thread(target=self.go, name="kfnb-log", daemon=True).start()

    def stop(self) -> None:
        """Send no more."""
        self._stopped.set()

    def save(self, name: str) -> None:
        """Send all that there is now as the pieces of a file called ``name``."""
        held: list[str] = []
        size = 0
        for line in self._read():
            if line is None:
                break
            held.append(f"{line.text}\n")
            size += len(line.text)
            if size > FILE_PIECE:
                self._send_message(FileMessage(*self.key, name, last=False), "".join(held).encode())
                held, size = [], 0
        self._send_message(FileMessage(*self.key, name, last=True), "".join(held).encode())

    def go(self) -> None:
        """Send the log until it ends, or no page shows it any more. Never raises: no one would see it."""
        self._send_all()
        self._ended(self)

    def _send_all(self) -> None:
        try:
            for line in self._read():
                if self._stopped.is_set():
                    return
                if line is not None:
                    self._take(line)
                if line is None or self._size > PIECE:
                    self._send()
        except KfnbError as error:
            self._lines.append(f"({error})")
        self._send(ended=True)

    def _take(self, line: LogLine) -> None:
        if line.at is not None and (not self._times or line.at - self._times[-1][1] >= _TICK):
            self._times.append((len(self._lines), round(line.at, 2)))
        self._lines.append(line.text)
        self._size += len(line.text)

    def _send(self, *, ended: bool = False) -> None:
        if not (self._lines or ended):
            return
        text = "".join(f"{line}\n" for line in self._lines).encode()
        total = self._first + len(self._lines)
        message = LogMessage(*self.key, first=self._first, total=total, ended=ended, times=tuple(self._times))
        self._send_message(message, text)
        self._first, self._size = total, 0
        self._lines.clear()
        self._times.clear()
