"""The kernel, the supervisor and a worker are killed at random moments: no result is lost, none is counted twice."""

# steps are as a notebook's user writes them, or as KFP wants them
# ruff: noqa: PTH123

import json
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from kfp import dsl
from local_runs import marked, spec_of, submission, wait, wait_until
from steps import component, same

from kfnb import entities
from kfnb.entities import RunState
from kfnb.errors import BackendError
from kfnb.resources.runs.local import LocalRunEngine

STEPS = 10
JOBS = 3
LONGEST = 1.6
"""Seconds after the submission until which something is killed: the run takes about as long."""

QUICK = 4
ROUNDS = [pytest.param(seed, marks=[pytest.mark.slow] if seed >= QUICK else []) for seed in range(50)]

KERNEL = """
    import json, sys
    from pathlib import Path
    from kfnb.resources.runs.engine import Submission
    from kfnb.resources.runs.local import LocalRunEngine
    spec, home, folder, jobs = json.loads(sys.stdin.read())
    backend = LocalRunEngine(Path(home), jobs=jobs)
    print("up", flush=True)
    run_id = backend.submit(Submission(spec=spec, arguments={}, name="x", cache=False, folder=folder))
    for event in backend.events(run_id):
        pass
"""


@component
def work(i: int) -> int:
    import time

    with open("ledger", "a") as file:
        file.write(f"{i}\n")
    time.sleep(0.08)
    return i


@dsl.pipeline
def pipeline() -> list:
    first = work(i=0)
    with dsl.ParallelFor(list(range(1, STEPS))) as i:
        each = work(i=i).after(first)
    return same(value=dsl.Collected(each.output)).output


@dataclass
class Round:
    """One run, and those who may kill it."""

    backend: LocalRunEngine
    folder: Path
    kernel: subprocess.Popen[str]
    run_id: str = ""

    def kill(self, victim: str) -> None:
        if victim == "kernel":
            self.kernel.kill()
            self.kernel.wait()
        elif self._submitted():
            for pid in self._pids(victim)[:1]:
                with suppress(ProcessLookupError):  # it may have ended by itself
                    os.kill(pid, signal.SIGKILL)

    def settle(self) -> None:
        """Let the run come to an end, and take it up again until that is a success."""
        if not self._submitted():
            return
        while (run := wait(self.backend, self.run_id)).state is not RunState.SUCCEEDED:
            before = self.ledger()
            self.backend.retry(self.run_id)
            kept = [item.outputs["Output"] for item in work_of(run) if item.state is RunState.SUCCEEDED]
            after = wait(self.backend, self.run_id)
            assert {i: self.ledger()[i] for i in kept} == {i: before[i] for i in kept}, (
                "a finished step ran again"
            )
            assert after.state is RunState.SUCCEEDED, after.error

    def ledger(self) -> Counter[int]:
        """How often each step was begun."""
        file = self.folder / "ledger"
        return Counter(int(line) for line in file.read_text().split()) if file.exists() else Counter()

    def _submitted(self) -> bool:
        """Whether there is a run. A kernel that was killed while it submitted may leave a folder that says so."""
        runs = self.backend.list(limit=1)
        if runs and not self.run_id:
            with suppress(BackendError):
                self.run_id = self.backend.get(runs[0].id).id
        return bool(self.run_id)

    def _pids(self, victim: str) -> list[int]:
        file = self.backend._home / "runs" / self.run_id / "supervisor.pid"
        supervisor = int(file.read_text() or 0) if file.exists() else 0
        pids = marked(self.backend, self.run_id)
        return [pid for pid in pids if (pid == supervisor) == (victim == "supervisor")]


def work_of(run: entities.RunSnapshot) -> list[entities.Task]:
    return [item for item in run.tasks if item.name.startswith("work")]


def kernel(backend: LocalRunEngine, folder: Path) -> subprocess.Popen[str]:
    """A process that submits the pipeline and follows it."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(KERNEL)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps([spec_of(pipeline), str(backend._home), str(folder), JOBS]))
    process.stdin.close()
    assert process.stdout.readline() == "up\n"
    process.stdout.close()
    return process


@pytest.mark.parametrize("seed", ROUNDS)
def test_after_each_kill_a_retry_goes_on_from_what_had_finished(tmp_path, seed):
    chance = random.Random(seed)
    backend = LocalRunEngine(tmp_path / "home", jobs=JOBS)
    one = Round(backend, tmp_path, kernel(backend, tmp_path))
    begun = time.monotonic()
    moments = sorted((chance.uniform(0, LONGEST), victim) for victim in ("kernel", "supervisor", "worker"))

    for moment, victim in moments:
        time.sleep(max(0.0, begun + moment - time.monotonic()))
        one.kill(victim)
        if victim != "kernel":
            one.settle()
    one.kernel.kill()
    one.kernel.wait()
    if not one._submitted():  # killed before it was submitted
        assert one.ledger() == {}
        one.run_id = backend.submit(submission(pipeline, tmp_path))
    one.settle()

    check(backend, one, kills=len(moments) - 1)


def check(backend: LocalRunEngine, one: Round, kills: int) -> None:
    run = backend.get(one.run_id)
    assert run.result == {"Output": list(range(1, STEPS))}
    assert sorted(item.outputs["Output"] for item in work_of(run)) == list(range(STEPS))
    assert set(successes(backend, one.run_id).values()) == {1}
    assert set(one.ledger()) == set(range(STEPS))
    assert one.ledger().total() <= STEPS + kills * JOBS
    assert all(one.ledger()[item.outputs["Output"]] <= item.attempts for item in work_of(run))
    assert wait_until(lambda: marked(backend, one.run_id), lambda left: not left) == []


def successes(backend: LocalRunEngine, run_id: str) -> dict[str, int]:
    """How often each task is said to have succeeded."""
    told: Any = backend.events(run_id, follow=False)
    return Counter(
        event.task for event in told if event.kind == "state" and event.data["state"] == "SUCCEEDED"
    )
