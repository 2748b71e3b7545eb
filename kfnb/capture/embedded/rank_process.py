"""One process of a training, as its launcher has it; and what ends all of them when the launcher is killed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kfnb.capture.embedded.rank_reports import kfnb_MARK


def kfnb_guard() -> tuple[Callable[[], None], int]:
    """Start a process that kills all ranks when the launcher is gone.

    Each rank writes its process id to the file that is returned; the function that is returned ends the guard.
    """
    import os
    import signal

    read_end, write_end = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.setsid()
            os.close(write_end)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            with open(read_end, encoding="ascii") as file:
                known = {int(line) for line in file}
            for one in known:
                kfnb_kill(one, signal.SIGKILL)
        finally:
            os._exit(0)
    os.close(read_end)

    def end() -> None:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(write_end)

    return end, write_end


def kfnb_kill(pid: int, number: int) -> None:
    """Signal a rank, and all that it started."""
    import os
    from contextlib import suppress

    with suppress(ProcessLookupError, PermissionError):  # macOS: only zombies are left
        os.killpg(pid, number)


class kfnb_RankProcess:  # noqa: N801 - a class that travels
    """The process ``rank``. ``code`` is its exit code, of a signal 128 and more; None while it runs. ``signalled`` is
    the number of the signal that killed it, or 0.

    ``usage`` is what the system tells of it at its end.

    ``over`` is when its cell has run to its end, 0 before that. ``ended``: it failed because it was asked to end.
    ``failure`` is what it reported of its end: the reason and when.
    """

    def __init__(self, rank: int) -> None:
        self.rank = rank
        self.pid = self.pipe = 0
        self.started = 0.0
        self.code: int | None = None
        self.signalled = 0
        self.over = 0.0
        self.ended = False
        self.failure: tuple[str, float] | None = None
        self.left = 0.0
        self.usage: Any = None
        self.buffer = b""

    def start(self, guard: int, others: Sequence[int]) -> bool:
        """Fork; True in the new process, which has its own session and writes to the pipe."""
        import os
        import sys
        import time

        sys.stdout.flush()
        sys.stderr.flush()
        self.pipe, write_end = os.pipe()
        self.started = time.time()
        launcher = os.getpid()
        self.pid = os.fork()
        if self.pid:
            os.close(write_end)
            os.set_blocking(self.pipe, False)
            return False
        os.setsid()
        os.write(guard, b"%d\n" % os.getpid())
        for one in (guard, self.pipe, *others):
            os.close(one)
        if os.getppid() != launcher:
            os._exit(1)
        os.dup2(write_end, 1)
        os.dup2(write_end, 2)
        os.close(write_end)
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(line_buffering=True)
        return True

    def take(self) -> bytes | None:
        """What has arrived of its output; None for nothing at the moment, empty where nothing more comes."""
        import os

        try:
            return os.read(self.pipe, 1 << 16)
        except BlockingIOError:
            return None

    def split(self, data: bytes) -> tuple[list[bytes], list[dict[str, Any]]]:
        """The lines and the reports that ``data`` completes. Of a progress bar, only its last state is a line."""
        import json

        *whole, self.buffer = (self.buffer + data).split(b"\n")
        lines: list[bytes] = []
        reports: list[dict[str, Any]] = []
        begun = b""  # a line that a report has interrupted
        for line in whole:
            text, mark, report = (begun + line).partition(kfnb_MARK())
            begun = text if mark else b""
            if not mark:
                lines.append(text.rstrip(b"\r").rpartition(b"\r")[2])
                continue
            try:
                reports.append(json.loads(report))
            except ValueError:  # another program wrote between
                lines.append(report)
        self.buffer = begun + self.buffer
        if len(self.buffer) > 1 << 20:
            lines.append(self.rest())
        return lines, reports

    def rest(self) -> bytes:
        """What has arrived of an unfinished line."""
        rest, self.buffer = self.buffer, b""
        return rest

    def poll(self) -> bool:
        """Whether it has ended by now; what it started and left behind is killed then."""
        import os
        import signal
        import time

        pid, status, self.usage = os.wait4(self.pid, os.WNOHANG)
        if pid:
            self.signalled = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
            self.code = 128 + self.signalled if self.signalled else os.WEXITSTATUS(status)
            self.left = time.time()
            kfnb_kill(self.pid, signal.SIGKILL)
        return bool(pid)

    @property
    def failed(self) -> bool:
        """Whether it has failed: also if it is rank 0, whose results are the step's, and has left before they are."""
        return bool(self.code) or (self.code == 0 and self.rank == 0 and not self.over)

    def signal(self, number: int) -> None:
        """Signal it, and all that it started, unless it has ended."""
        if self.code is None:
            kfnb_kill(self.pid, number)

    def described(self) -> dict[str, Any]:
        """The exception that ended it, as the step's engine has it described; empty where it has not."""
        import json
        import os

        try:
            with open(f"{os.environ['KFNB_FAILURE']}.{self.rank}", encoding="utf-8") as file:
                found: dict[str, Any] = json.load(file)
        except (KeyError, OSError, ValueError):
            return {}
        return found

    def when(self) -> float:
        """When it failed, as exactly as that is known."""
        import os
        import signal

        if self.failure is not None:
            return self.failure[1]
        try:
            return os.stat(f"{os.environ['KFNB_FAILURE']}.{self.rank}").st_mtime
        except (KeyError, OSError):
            # the others notice within milliseconds that one was killed
            return self.left - 0.05 if self.signalled == signal.SIGKILL else self.left

    def why(self) -> str:
        """Why it failed."""
        import signal

        found = self.described()
        if found and found["type"] != "SystemExit":
            return f"{found['type']}: {found['message']}".split("\n")[0][:500]
        if self.failure is not None:
            return self.failure[0]
        if not self.signalled:
            return f"exited with code {self.code}" + ("" if self.code else " before the end of its cell")
        names = {number.value: number.name for number in signal.Signals}
        lacks = self.signalled == signal.SIGKILL
        memory = ", most likely because the machine ran out of memory" if lacks else ""
        return f"was killed by {names.get(self.signalled, self.signalled)}{memory}"

    def in_library(self) -> bool:
        """Whether a library failed, and not a line of the cell, as far as that is known."""
        import signal

        frames = self.described().get("frames")
        if frames:
            return not frames[-1][0].endswith("ephemeral_component.py")
        return self.signalled not in (0, signal.SIGKILL)

    def place(self) -> str:
        """The cell and the line where it failed, in brackets, by the comments in the step's text; empty if unknown."""
        import re

        for file, line, *_ in reversed(self.described().get("frames", ())):
            if not file.endswith("ephemeral_component.py"):
                continue
            with open(file, encoding="utf-8") as source:
                above = source.read().split("\n")[:line]
            for number, text in reversed([*enumerate(above, start=1)]):
                found = re.match(r"\s*# (?:cell (.+), line (\d+)|kfnb: .*)$", text)
                if found:
                    cell, first = found.groups()
                    return f" (cell {cell}, line {int(first) + line - number - 1})" if cell else ""
        return ""

    def clashes(self) -> bool:
        """Whether it failed because another program has taken a port that was free."""
        words = self.why().lower()
        return "address already in use" in words or "eaddrinuse" in words

    def forget(self) -> None:
        """Remove what it left of its failure."""
        import os
        from contextlib import suppress

        with suppress(KeyError, OSError):
            os.remove(f"{os.environ['KFNB_FAILURE']}.{self.rank}")
