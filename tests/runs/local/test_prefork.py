"""A run's process stays for the next one, which then needs no imports; where anything differs, it is not used."""

# steps are as a notebook's user writes them, or as KFP wants them
# ruff: noqa: PTH115, PTH208

import os
import signal
import socket
import sys
import time
from pathlib import Path

import pytest
from kfp import dsl
from local_runs import marked, submission, tag_of, task, wait, wait_until
from steps import component, nap

from kfnb.entities import RunState
from kfnb.jobs import system
from kfnb.jobs.prefork import _TIMEOUT, WAITS, key
from kfnb.resources.runs.local import LocalRunEngine

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a warm start is for Linux")


@component
def look() -> dict:
    import os
    import random
    import sqlite3  # noqa: F401
    import sys

    here = "/proc/self/fd/"
    files = [os.readlink(here + n) for n in os.listdir(here) if os.path.lexists(here + n)]
    return {
        "parent": os.getppid(),
        "random": random.random(),
        "variable": os.environ.get("KFNB_TEST"),
        "mark": os.environ["KFNB_RUN"],
        "loaded": "xml.dom.minidom" in sys.modules,
        "kept": [name for name in files if "lock" in name or "warm" in name or "socket" in name],
    }


@dsl.pipeline
def looking():
    look()


@dsl.pipeline
def napping():
    nap(seconds=60.0)


@pytest.fixture
def warm(tmp_path):
    """A backend whose processes linger, and are ended after the test."""
    backend = LocalRunEngine(tmp_path / "home", jobs=2, linger=30)
    yield backend
    for place in (tmp_path / "home" / "warm").glob("*"):
        place.unlink()  # which ends the process


def lingering(backend):
    """The processes that wait for a run of this test's."""
    warm = str(backend._home / "warm")
    return [pid for pid in system.here().tagged(WAITS) if any(warm in name for name in opened(pid))]


def opened(pid):
    """The names of a process's open files; none if it is gone."""
    try:
        return [os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:
        return []


def look_once(backend, tmp_path):
    run = wait(backend, backend.submit(submission(looking, tmp_path)))
    assert run.state is RunState.SUCCEEDED, run.error
    return run, task(run, "look").outputs["Output"]


def is_warm(backend):
    wait_until(lambda: list((backend._home / "warm").glob("[!.]*")), bool)


def test_the_next_run_is_forked_from_the_last_ones_process(warm, tmp_path):
    first, before = look_once(warm, tmp_path)
    is_warm(warm)
    (stays,) = lingering(warm)
    second, after = look_once(warm, tmp_path)

    assert stays == before["parent"] != after["parent"]
    assert before["random"] != after["random"]
    assert (before["mark"], after["mark"]) == (tag_of(warm, first.id), tag_of(warm, second.id))
    assert after["kept"] == []
    assert wait_until(lambda: lingering(warm), lambda there: len(there) < 2) == [stays]  # one is enough
    assert "Traceback" not in (warm._home / "runs" / second.id / "supervisor.log").read_text()


def test_a_process_that_knows_more_takes_the_others_place(warm, tmp_path):
    @component
    def parse() -> str:
        import xml.dom.minidom

        return xml.dom.minidom.__name__

    @dsl.pipeline
    def parsing():
        parse()

    look_once(warm, tmp_path)
    is_warm(warm)
    (first,) = lingering(warm)
    wait(warm, warm.submit(submission(parsing, tmp_path)))

    (second,) = wait_until(lambda: lingering(warm), lambda there: there and first not in there)
    assert look_once(warm, tmp_path)[1]["parent"] not in (first, second)
    assert second in lingering(warm)


def test_a_fork_waits_for_a_kernel_that_is_slow_to_answer(warm, tmp_path, monkeypatch):
    class SlowSocket(socket.socket):
        def recv(self, *words):
            received = super().recv(*words)
            time.sleep(3 * _TIMEOUT)
            return received

    warm.stand_by(["xml.dom.minidom"])
    is_warm(warm)
    monkeypatch.setattr(socket, "socket", SlowSocket)

    run, seen = look_once(warm, tmp_path)

    assert (seen["loaded"], seen["mark"]) == (True, tag_of(warm, run.id))


def test_its_run_is_stopped_and_found_dead_as_any_other(warm, tmp_path):
    look_once(warm, tmp_path)
    is_warm(warm)
    run_id = warm.submit(submission(napping, tmp_path))
    wait_until(lambda: warm.get(run_id).tasks, lambda tasks: tasks and tasks[0].state is RunState.RUNNING)
    supervisor = int((warm._home / "runs" / run_id / "supervisor.pid").read_text())
    assert supervisor in marked(warm, run_id)
    os.kill(supervisor, signal.SIGKILL)

    assert "exited unexpectedly" in wait(warm, run_id, 5).error
    assert wait_until(lambda: marked(warm, run_id), lambda left: not left) == []
    assert len(lingering(warm)) == 1


@pytest.mark.parametrize("change", ["environment", "packages", "killed"])
def test_where_something_differs_a_fresh_process_is_started(warm, tmp_path, monkeypatch, change):
    look_once(warm, tmp_path)
    is_warm(warm)
    (stays,) = lingering(warm)
    if change == "environment":
        monkeypatch.setenv("KFNB_TEST", "changed")
    elif change == "packages":
        monkeypatch.setattr("kfnb.jobs.prefork.key", lambda environ: key(environ)[::-1])
    else:
        os.kill(stays, signal.SIGKILL)

    _, seen = look_once(warm, tmp_path)

    assert seen["variable"] == ("changed" if change == "environment" else None)
    assert seen["parent"] != stays


def test_a_changed_module_ends_it(warm, tmp_path, monkeypatch):
    (tmp_path / "lib").mkdir()
    module = tmp_path / "lib" / "kfnb_test_hook.py"
    module.write_text("x = 1")
    os.utime(module, (1, 1))
    (tmp_path / "lib" / "sitecustomize.py").write_text("import kfnb_test_hook")
    os.utime(tmp_path / "lib" / "sitecustomize.py", (1, 1))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "lib"))
    look_once(warm, tmp_path)
    is_warm(warm)
    (stays,) = lingering(warm)
    module.write_text("x = 2")

    look_once(warm, tmp_path)

    assert wait_until(lambda: stays in lingering(warm), lambda there: not there) is False


def test_its_folder_must_be_its_users_alone(warm, tmp_path):
    (tmp_path / "home" / "warm").mkdir(parents=True)
    (tmp_path / "home" / "warm").chmod(0o777)

    look_once(warm, tmp_path)

    assert list((tmp_path / "home" / "warm").iterdir()) == []


def test_it_goes_when_its_time_is_over(tmp_path):
    backend = LocalRunEngine(tmp_path / "home", jobs=2, linger=0.5)
    look_once(backend, tmp_path)
    is_warm(backend)

    assert wait_until(lambda: lingering(backend), lambda left: not left) == []
    assert list((tmp_path / "home" / "warm").glob("[!.]*")) == []


def test_before_the_first_run_a_process_may_stand_by(warm, tmp_path):
    warm.stand_by(["json", "xml.dom.minidom", "no_such_module"])
    is_warm(warm)
    (stands,) = lingering(warm)
    warm.stand_by(["json"])  # one is there
    assert lingering(warm) == [stands]
    assert os.sched_getscheduler(stands) == os.SCHED_OTHER
    run, seen = look_once(warm, tmp_path)

    assert (seen["loaded"], seen["mark"], seen["kept"]) == (True, tag_of(warm, run.id), [])


def test_without_lingering_no_process_stands_by(tmp_path):
    backend = LocalRunEngine(tmp_path / "home", jobs=2, linger=0)
    backend.stand_by(["json"])
    assert not (tmp_path / "home").exists()
