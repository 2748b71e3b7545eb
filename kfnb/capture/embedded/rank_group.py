"""The launcher of a training's processes: starts them, relays what they write, and ends all when one fails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kfnb.capture.embedded.checkpoints import kfnb_newest
from kfnb.capture.embedded.rank_process import kfnb_guard, kfnb_RankProcess
from kfnb.capture.embedded.rank_reports import kfnb_RankReports
from kfnb.capture.embedded.rank_usage import kfnb_RankUsage
from kfnb.capture.embedded.rendezvous import (
    kfnb_gpus_of_a_node,
    kfnb_meeting_points,
    kfnb_rank_variables,
    kfnb_threads_of_a_rank,
)


class kfnb_RankGroup:  # noqa: N801 - a class that travels
    """``nodes`` x ``procs`` processes of one step: all of a training, or those of one pod of it.

    ``outputs`` are the paths that a failed attempt may have written to.
    ``code`` is the exit code of the launcher.
    """

    def __init__(self, nodes: int, procs: int, restarts: int, gpus: int, outputs: Sequence[str]) -> None:
        self.nodes, self.procs, self.restarts, self.gpus = nodes, procs, restarts, gpus
        self.outputs = outputs
        self.size = nodes * procs
        self.code = 0
        self.stopping = False
        self.reports = kfnb_RankReports()
        self.usage = kfnb_RankUsage()
        self.ranks: list[Any] = []
        self.selector: Any = None

    def run(self) -> bool:
        """Run all processes to their end. True in each of them, False in the launcher, which then has its ``code``."""
        import signal

        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGINT, self.stop)
        guard = kfnb_guard()
        restart, clashes, most_clashes = 0, 0, 3
        while True:
            try:
                if self.start(guard[1], restart):
                    return True
            except RuntimeError as error:
                self.fail(-1, str(error), 1)
                break
            first = self.watch()
            if first is None or self.stopping:
                break
            clash = clashes < most_clashes and not self.reports.received and first.clashes()
            if not clash and restart == self.restarts:
                self.fail(first.rank, first.why(), first.code or 1, self.before(first))
                break
            self.again(first, restart + (not clash), clash)
            restart, clashes = restart + (not clash), clashes + clash
        guard[0]()
        self.reports.flush(force=True)
        return False

    def start(self, guard: int, restart: int) -> bool:
        """Start all processes; True in each of them."""
        import os
        import socket

        gpus = [kfnb_gpus_of_a_node(node, self.nodes, self.procs * self.gpus) for node in range(self.nodes)]
        hosts, ports, first = kfnb_meeting_points(self.nodes, self.procs)
        shared = {"OMP_NUM_THREADS": kfnb_threads_of_a_rank(self.size), "KFNB_RESUME": kfnb_newest()}
        self.ranks = []
        self.reports.begin()
        for rank in range(first, first + self.size):
            variables = kfnb_rank_variables(rank, hosts, self.procs, ports, restart, self.restarts)
            variables.update(shared)
            if self.gpus:
                variables.update(CUDA_VISIBLE_DEVICES=gpus[(rank - first) // self.procs])
            process = kfnb_RankProcess(rank)
            if process.start(guard, [one.pipe for one in self.ranks]):
                os.environ.update(variables)
                if os.environ.get("KFNB_FAILURE"):
                    os.environ["KFNB_FAILURE"] += f".{rank}"
                return True
            self.ranks.append(process)
            facts = {
                "state": "RUNNING",
                "host": socket.gethostname(),
                "pid": process.pid,
                "restarts": restart,
            }
            ended = {"exit": None, "finished": None, "expected": None}
            self.reports.add(rank, {**facts, **ended, "started": process.started})
        return False

    def watch(self) -> Any:
        """Relay the processes until all have ended. Return the first that failed, after ending the others."""
        from selectors import EVENT_READ, DefaultSelector

        self.selector = DefaultSelector()
        for one in self.ranks:
            self.selector.register(one.pipe, EVENT_READ, one)
        while any(one.code is None for one in self.ranks):
            self.turn(ended=False)
            running = {one.rank: one.pid for one in self.ranks if one.code is None}
            self.reports.note_silence([*running])
            for rank, facts in self.usage.sample(running).items():
                self.reports.add(rank, facts)
            if self.stopping or any(one.failed for one in self.ranks):
                return self.end()
        self.close()
        return None

    def end(self) -> Any:
        """End all processes, and return the one that failed first; None where the launcher was asked to stop."""
        import signal
        import time

        # what fails because of another failure, or just before it, is seen within a moment
        settled, patience = time.monotonic() + 0.3, time.monotonic() + (10 if self.stopping else 3)
        requested = False
        while any(one.code is None for one in self.ranks) and time.monotonic() < patience:
            if not requested and (self.stopping or time.monotonic() > settled):
                requested = True
                for one in self.ranks:
                    one.signal(signal.SIGTERM)
            self.turn(ended=requested)
        for one in self.ranks:
            one.signal(signal.SIGKILL)
        while any(one.code is None for one in self.ranks):
            self.turn(ended=True)
        self.close()
        self.code = 143
        failed = [one for one in self.ranks if one.failed and not one.ended]
        return min(failed, key=lambda one: one.when()) if failed and not self.stopping else None

    def turn(self, *, ended: bool) -> None:
        """Wait a moment for output, pass it on, and take note of processes that have ended; ``ended``: as requested."""
        for key, _ in self.selector.select(0.05):
            if self.relay(key.data) == b"":
                self.selector.unregister(key.fileobj)
        for one in self.ranks:
            if one.code is None and one.poll():
                while self.relay(one):  # whether its cell is over
                    pass
                one.ended = one.failed and (ended or self.stopping)
                state = "SUCCEEDED" if not one.failed else "CANCELED" if one.ended else "FAILED"
                facts = {"state": state, "exit": one.code, "finished": one.left}
                used = self.usage.total(one.pid, one.usage, one.left - one.started)
                self.reports.add(one.rank, facts | used)
        self.reports.flush()

    def relay(self, process: Any) -> bytes | None:
        """Pass on what a process has written, and return it: None for nothing, empty if nothing more comes."""
        data: bytes | None = process.take()
        lines, reports = process.split(data or b"")
        self.write(process.rank, lines)
        for report in reports:
            if "failed" in report:
                process.failure = (report["failed"], report["at"])
            elif "over" in report:
                process.over = report["over"]
            else:
                self.reports.add(process.rank, report, own=True)
        return data

    def close(self) -> None:
        """Pass on the rest of what the processes wrote, and close their pipes."""
        import os

        self.selector.close()
        for one in self.ranks:
            while self.relay(one):
                pass
            rest = one.rest()
            self.write(one.rank, [rest] if rest else [])
            os.close(one.pipe)

    def write(self, rank: int, lines: Sequence[bytes]) -> None:
        """Write lines of a rank's log."""
        import os

        data = b"".join(b"[rank %d] %s\n" % (rank, line) for line in lines)
        while data:
            data = data[os.write(1, data) :]

    def again(self, first: Any, restart: int, clash: bool) -> None:
        """Prepare another start after the failure of ``first``."""
        import os
        import shutil

        why = f"rank {first.rank} failed: {first.why()}{first.place()}; all processes are started again"
        self.say(f"{why}, with other ports" if clash else f"{why} ({restart} of {self.restarts})")
        for path in self.outputs:
            if os.path.isdir(path):
                shutil.rmtree(path)
            elif os.path.exists(path):
                os.remove(path)
        for one in self.ranks:
            one.forget()
        self.code = 0

    def before(self, first: Any) -> str:
        """The ranks that had ended when a library failed in ``first``, in words: it may have waited for one of them."""
        if not first.in_library():
            return ""
        ends = {one.rank: one.over or (one.left if one.code == 0 else 0) for one in self.ranks}
        gone = [str(rank) for rank, end in ends.items() if rank != first.rank and 0 < end < first.when()]
        return f"; {'ranks' if len(gone) > 1 else 'rank'} {', '.join(gone)} had ended before" if gone else ""

    def fail(self, rank: int, why: str, code: int, besides: str = "") -> None:
        """Record that the training has failed, at the place where the step's engine looks for it."""
        import json
        import os

        self.code = code
        self.say(f"rank {rank} failed: {why}{besides}" if rank >= 0 else why)
        target = os.environ.get("KFNB_FAILURE")
        if not target:
            return
        try:
            with open(f"{target}.{rank}", encoding="utf-8") as file:
                failure = {**json.load(file), "rank": rank, "besides": besides}
        except (OSError, ValueError):
            failure = {"fault": f"rank {rank} {why}{besides}" if rank >= 0 else why}
        with open(target, "w", encoding="utf-8") as file:
            json.dump(failure, file)

    def stop(self, *_: Any) -> None:
        """End the training: a signal's handler."""
        self.stopping = True

    def say(self, text: str) -> None:
        """Write a line of the launcher's own into the log."""
        import os

        os.write(1, f"{text}\n".encode())
