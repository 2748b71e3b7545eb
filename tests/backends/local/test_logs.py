"""What tasks write: in the order they write it, from another process too, and however much it is."""

# steps are as a notebook's user writes them, or as KFP wants them
# ruff: noqa: PTH123, PTH202, T201

import resource
import subprocess
import sys
import textwrap

import pytest
from kfp import dsl
from running import submission, text, wait
from steps import component


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
def pour(megabytes: int):
    line = "x" * 1023
    for _ in range(megabytes * 1024):
        print(line)


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
    followed = [line.text for line in backend.logs(run_id, follow=True)]
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
        from kfnb.backends.local import LocalBackend
        for line in LocalBackend(Path(sys.argv[1])).logs(sys.argv[2], follow=True):
            print(line.task, line.text)
    """
    run_id = backend.submit(submission(turns, tmp_path))
    command = [sys.executable, "-c", textwrap.dedent(program), str(backend._home), run_id]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[:2] == ["take-turns a 0", "take-turns-2 b 0"]
    assert len(done.stdout.splitlines()) == 6


@pytest.mark.parametrize(
    "megabytes", [pytest.param(60), pytest.param(1024, marks=pytest.mark.slow, id="a gigabyte")]
)
def test_memory_does_not_grow_with_the_output(backend, tmp_path, megabytes):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    run_id = backend.submit(submission(poured, tmp_path, megabytes=megabytes))
    lines = sum(1 for _ in backend.logs(run_id, follow=True))

    assert lines == megabytes * 1024
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000  # KiB
    assert wait(backend, run_id).state == "SUCCEEDED"
