"""Memory and CPU of a training's processes, as their launcher sees them."""

from __future__ import annotations

from typing import Any


class kfnb_RankUsage:  # noqa: N801 - a class that travels
    """Samples what the ranks use, with all that they started: each rank leads its own session.

    While they run, it is known on Linux alone (``/proc``); when a rank has ended, everywhere.
    """

    EVERY = 2.0  # seconds between two samples

    def __init__(self) -> None:
        self.sampled = 0.0
        self.used: dict[int, float] = {}
        self.peaks: dict[int, int] = {}

    def sample(self, pids: dict[int, int]) -> dict[int, dict[str, Any]]:
        """What is new of the ranks whose process ids are ``pids``: bytes of memory, and cores that were in use."""
        import time

        now = time.monotonic()
        if now - self.sampled < self.EVERY:
            return {}
        found = kfnb_usage_of_sessions(set(pids.values()))
        seconds = now - self.sampled
        news: dict[int, dict[str, Any]] = {}
        for rank, pid in pids.items():
            if pid in found:
                memory, used = found[pid]
                peak = self.peaks[pid] = max(memory, self.peaks.get(pid, 0))
                news[rank] = {"memory": memory, "peak": peak}
                if pid in self.used:
                    news[rank]["cpu"] = max(0.0, used - self.used[pid]) / seconds
        self.used = {pid: used for pid, (_, used) in found.items()}
        self.sampled = now
        return news

    def total(self, pid: int, usage: Any, seconds: float) -> dict[str, Any]:
        """What a rank has used that has ended after ``seconds``; ``usage`` is what the system tells of it."""
        import sys

        largest = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        busy = usage.ru_utime + usage.ru_stime
        return {"peak": max(largest, self.peaks.get(pid, 0)), "cpu": busy / max(seconds, 0.001)}


def kfnb_usage_of_sessions(leaders: set[int]) -> dict[int, tuple[int, float]]:
    """The resident bytes and the CPU seconds of each session; empty where there is no ``/proc``."""
    import os

    page, ticks = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")
    found: dict[int, tuple[int, float]] = {}
    for name in os.listdir("/proc") if os.path.isdir("/proc/self") else ():
        if not name.isdecimal():
            continue
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        session = int(fields[3])
        if session in leaders:
            memory, seconds = found.get(session, (0, 0.0))
            used = sum(map(int, fields[11:15])) / ticks  # with that of children that have ended
            found[session] = memory + int(fields[21]) * page, seconds + used
    return found
