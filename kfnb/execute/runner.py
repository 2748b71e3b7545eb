"""Executes notebooks, several at once: a process for each, which the threads here follow."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from kfnb.execute.junit import write_report
from kfnb.execute.plan import Job, make_folders, make_plan
from kfnb.execute.result import NotebookFailure, NotebookProgress, NotebookResult

_START = "import sys; sys.path[:] = filter(None, sys.path); from kfnb.execute.worker import main; main()"
"""The worker's program; the folder it is started in is not on its path, as it may contain a ``json.py``."""

_TIMEOUT = 20.0
"""Seconds for a worker to shut its kernel down before it is killed."""


def run_notebooks(
    paths: Sequence[Path],
    *,
    parameters: Mapping[str, Any] | None = None,
    jobs: int = 1,
    output_dir: Path = Path("executed"),
    html: bool = False,
    junit: Path | None = None,
    on_progress: Callable[[NotebookProgress], None] = lambda _: None,
) -> list[NotebookResult]:
    """Execute notebooks, up to ``jobs`` at once, and return the result of each, in the order given.

    The executed notebooks are saved in ``output_dir``, also on failure. A failing notebook does not stop the others.
    Raises ``NotebookError`` before anything runs if a notebook or a parameter is invalid.
    """
    plan = make_plan(paths, parameters or {}, output_dir, html=html)
    make_folders(plan)
    crew = _Crew(on_progress)
    with ThreadPoolExecutor(max_workers=max(1, jobs)) as pool, crew.dismissed_at_once(pool):
        results = list(pool.map(crew.execute, plan))
    if junit is not None:
        write_report(results, junit)
    return results


class _Crew:
    """The workers of one call, so that they can be stopped together."""

    def __init__(self, on_progress: Callable[[NotebookProgress], None]) -> None:
        self._on_progress = on_progress
        self._lock = threading.Lock()
        self._workers: set[subprocess.Popen[str]] = set()
        self._dismissed = False

    def execute(self, job: Job) -> NotebookResult:
        """Execute one notebook and follow it to its end."""
        started = time.monotonic()
        self._report(NotebookProgress(job.given, 0, job.cells))
        ended: Mapping[str, Any] = {}
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors:
            with self._worker(job, errors) as events:
                for event in map(json.loads, events):
                    if "done" in event:
                        self._report(
                            NotebookProgress(job.given, event["done"], max(job.cells, event["done"]))
                        )
                    else:
                        ended = event
            result = NotebookResult(
                path=job.given,
                output=job.output,
                html=Path(ended["html"]) if ended.get("html") else None,
                seconds=time.monotonic() - started,
                failure=_read_failure(ended, errors),
            )
        self._report(NotebookProgress(job.given, job.cells, job.cells, result))
        return result

    @contextmanager
    def dismissed_at_once(self, pool: ThreadPoolExecutor) -> Iterator[None]:
        """Stop all workers and start no more when the body is interrupted."""
        try:
            yield
        except BaseException:
            self._dismissed = True
            pool.shutdown(wait=False, cancel_futures=True)
            with self._lock:
                workers = list(self._workers)
            _dismiss(workers)
            raise

    @contextmanager
    def _worker(self, job: Job, errors: IO[str]) -> Iterator[IO[str]]:
        worker = subprocess.Popen(
            [sys.executable, "-c", _START],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            encoding="utf-8",
            start_new_session=True,  # a terminal's Ctrl-C comes here alone
        )
        assert worker.stdin is not None
        assert worker.stdout is not None
        with worker:
            with self._lock:
                self._workers.add(worker)
            with suppress(BrokenPipeError):  # it exited; its output says why
                worker.stdin.write(json.dumps(vars(job), default=str) + "\n")
                worker.stdin.flush()
            if self._dismissed:
                _dismiss([worker])
            yield worker.stdout
            with self._lock:
                self._workers.discard(worker)

    def _report(self, progress: NotebookProgress) -> None:
        with self._lock:
            self._on_progress(progress)


def _dismiss(workers: Sequence[subprocess.Popen[str]]) -> None:
    """Let workers end by closing their input; kill those that do not end in time."""
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.close()
    for worker in workers:
        try:
            worker.wait(_TIMEOUT)
        except subprocess.TimeoutExpired:
            worker.kill()


def _read_failure(ended: Mapping[str, Any], errors: IO[str]) -> NotebookFailure | None:
    if "failure" in ended:
        return NotebookFailure(**ended["failure"]) if ended["failure"] else None
    errors.seek(0)
    lines = errors.read().split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return NotebookFailure(f"the worker process exited unexpectedly{': ' + last if last else ''}")
