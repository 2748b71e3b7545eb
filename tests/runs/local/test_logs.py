"""What tasks write: in the order they write it, from another process too, and however much it is."""

# steps are as a notebook's user writes them, or as KFP wants them
# ruff: noqa: PTH110, PTH123, PTH202, T201

import itertools
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from kfp import dsl
from local_runs import submission, task, text, wait
from steps import component

from kfnb.resources.runs.local.folder import RunFolder


@component
def take_turns(name: str, first: int):
    import os
    import time

    for turn in range(3):
        while os.path.getsize("turns") < first + 2 * turn:
            time.sleep(0.01)
        time.sleep(0.15)
        print(name, turn, flush=True)
        with open("turns", "a") as file:
            file.write("x")


@component
def pour(megabytes: int) -> int:
    """Says by how much its memory has grown, in KiB; goes on once somebody has measured the rest."""
    import os
    import resource
    import time

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    line = "x" * 1023
    for _ in range(megabytes * 1024):
        print(line)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    while not os.path.exists("measured"):
        time.sleep(0.01)
    return grown


@pytest.fixture(autouse=True)
def _nobodys_turn(tmp_path):
    (tmp_path / "turns").touch()


@dsl.pipeline
def turns():
    take_turns(name="a", first=0)
    take_turns(name="b", first=1)


@dsl.pipeline
def poured(megabytes: int = 200):
    pour(megabytes=megabytes)


def test_the_lines_of_tasks_that_run_at_once_come_in_the_order_they_were_written(backend, tmp_path):
    run_id = backend.submit(submission(turns, tmp_path))
    followed = [line.text for line in filter(None, backend.logs(run_id, follow=True))]
    wait(backend, run_id)

    assert followed == ["a 0", "b 0", "a 1", "b 1", "a 2", "b 2"]
    assert text(backend, run_id).splitlines() == followed
    assert text(backend, run_id, "take-turns-2").splitlines() == ["b 0", "b 1", "b 2"]


def test_without_a_timeline_the_tasks_come_one_after_the_other(backend, tmp_path):
    run_id = backend.submit(submission(turns, tmp_path))
    wait(backend, run_id)
    (backend._home / "runs" / run_id / "timeline").unlink()

    assert sorted(text(backend, run_id).splitlines(), key=lambda line: line[0]) == [
        *("a 0", "a 1", "a 2"),
        *("b 0", "b 1", "b 2"),
    ]


def test_another_process_follows(backend, tmp_path):
    program = """
        import sys
        from pathlib import Path
        from kfnb.resources.runs.local import LocalRunEngine
        for line in filter(None, LocalRunEngine(Path(sys.argv[1])).logs(sys.argv[2], follow=True)):
            print(line.task, line.text)
    """
    run_id = backend.submit(submission(turns, tmp_path))
    command = [sys.executable, "-c", textwrap.dedent(program), str(backend._home), run_id]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[:2] == ["take-turns a 0", "take-turns-2 b 0"]
    assert len(done.stdout.splitlines()) == 6


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
@pytest.mark.parametrize(
    "megabytes", [pytest.param(60), pytest.param(1024, marks=pytest.mark.slow, id="a gigabyte")]
)
def test_memory_does_not_grow_with_the_output(backend, tmp_path, megabytes):
    """Not that of who follows, nor the supervisor's, nor the step's."""
    reader = peak(os.getpid())
    run_id = backend.submit(submission(poured, tmp_path, megabytes=megabytes))
    lines = filter(None, backend.logs(run_id, follow=True))
    next(lines)
    supervisor = RunFolder(backend._home / "runs" / run_id).pid
    before = peak(supervisor)
    assert sum(1 for _ in itertools.islice(lines, megabytes * 1024 - 1)) == megabytes * 1024 - 1

    grown = peak(os.getpid()) - reader, peak(supervisor) - before
    (tmp_path / "measured").touch()
    assert next(lines, None) is None
    run = wait(backend, run_id)

    assert max(*grown, task(run, "pour").outputs["Output"]) < 30_000  # KiB
    assert run.state == "SUCCEEDED"


def peak(pid):
    """The most memory that a process has had, in KiB."""
    (told,) = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(told)
