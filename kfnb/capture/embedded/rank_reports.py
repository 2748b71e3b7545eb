"""What a training's processes report to their launcher, which passes it on to the step's engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kfnb.capture.embedded.rank_pace import kfnb_RankPace


class kfnb_RankReports:  # noqa: N801 - a class that travels
    """Collects what is new of each rank, and writes it to the file that the step's engine names, a line a moment.

    ``received`` is when each rank last reported something itself.
    """

    MOST = 40  # points of a rank between two writings

    def __init__(self) -> None:
        import os
        import time

        self.file = os.environ.get("KFNB_RANK_EVENTS", "")
        self.news: dict[int, dict[str, Any]] = {}
        self.began = time.monotonic()
        self.flushed = 0.0
        self.begin()

    def begin(self) -> None:
        """All processes are started: none of them has reported anything."""
        self.received: dict[int, float] = {}
        self.silent: set[int] = set()
        self.paces: dict[tuple[int, str], kfnb_RankPace] = {}

    def add(self, rank: int, facts: dict[str, Any], *, own: bool = False) -> None:
        """Add facts of a rank; ``own``: it reported them itself."""
        import time

        new = self.news.setdefault(rank, {})
        if own:
            self.received[rank] = time.monotonic()
            if rank in self.silent:
                self.silent.discard(rank)
                new["silent"] = False
            new.update(self.paced(rank, facts))
        if "metrics" in facts:
            new["metrics"] = {**new.get("metrics", {}), **facts["metrics"]}
        if facts.get("step") is not None and facts.get("metrics"):
            points = new.setdefault("points", [])
            points.append([facts["step"], facts["metrics"]])
            if len(points) > self.MOST:
                del points[1::2]
        new.update({key: value for key, value in facts.items() if key in kfnb_rank_facts()})

    def paced(self, rank: int, facts: dict[str, Any]) -> dict[str, Any]:
        """The ``rate`` of a rank, in steps a second, and when it is ``expected`` to be done, as far as is known."""
        import time

        found: dict[str, Any] = {}
        for name in ("step", "progress"):
            if facts.get(name) is None:
                continue
            pace = self.paces.setdefault((rank, name), kfnb_RankPace()).take(facts[name])
            if pace and name == "step":
                found["rate"] = pace
            elif pace:
                found["expected"] = time.time() + (1 - facts[name]) / pace
        return found

    def pause(self) -> float:
        """The least seconds between two writings, states apart: they grow, so that a long training has few."""
        import time

        return min(60.0, max(2.0, (time.monotonic() - self.began) / 500))

    def flush(self, *, force: bool = False) -> None:
        """Write the states that are new, and, when that is due or with ``force``, all that is new."""
        import json
        import time

        now = time.monotonic()
        if force or now - self.flushed >= self.pause():
            self.flushed = now
            news, self.news = self.news, {}
        else:
            news = {rank: new for rank, new in self.news.items() if "state" in new or "silent" in new}
            self.news = {rank: new for rank, new in self.news.items() if rank not in news}
        if self.file and news:
            with open(self.file, "a", encoding="utf-8") as file:
                file.write(json.dumps(news) + "\n")

    def note_silence(self, running: Sequence[int], longest: float = 60) -> None:
        """Note the ranks that have stopped to report while all others still do.

        A rank that has never reported may not mean to, unless two others have.
        """
        import time

        now = time.monotonic()
        for rank in running:
            others = [self.received.get(one, float("-inf")) for one in running if one != rank]
            enough = len(others) > (rank not in self.received)
            if rank in self.silent or not enough:
                continue
            if min(others) > max(now - longest, self.received.get(rank, float("-inf")) + longest):
                self.silent.add(rank)
                self.add(rank, {"silent": True})


def kfnb_rank_facts() -> tuple[str, ...]:
    """The facts of a rank of which only the last counts."""
    own = ("progress", "step", "rate", "expected", "silent")
    return ("state", "exit", "host", "pid", "restarts", "started", "finished", "memory", "peak", "cpu", *own)


def kfnb_report_rank(**facts: Any) -> None:
    """Report facts to the launcher; nothing is done where there is none."""
    import json
    import os
    import sys

    if "KFNB_RANK" not in os.environ:
        return
    sys.stdout.flush()
    os.write(1, kfnb_MARK() + json.dumps(facts).encode() + b"\n")


def kfnb_MARK() -> bytes:  # noqa: N802 - a constant: only functions travel
    """What a report begins with: no text that a training prints has it."""
    return b"\x1ekfnb-rank "
