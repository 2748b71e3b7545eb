"""What is true of every kind of job, on every kind of system: a new kind passes these by a row in ``kinds.KINDS``."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kinds import KINDS, Jobs, until

from kfnb.entities import RunState
from kfnb.errors import BackendError
from kfnb.jobs import private, system
from kfnb.jobs.eventlog import opened, reading

LONG = 60.0


@pytest.fixture(params=["linux", "portable"])
def way(request, monkeypatch) -> str:
    """Both ways of doing what depends on the system: see ``kfnb.jobs.system``."""
    if request.param == "linux" and system.portable():
        pytest.skip("this is not Linux")
    monkeypatch.setenv("KFNB_PORTABLE", "1" if request.param == "portable" else "")
    return request.param


@pytest.fixture(params=KINDS)
def jobs(request, tmp_path: Path, way: str) -> Iterator[Jobs]:
    made = KINDS[request.param](tmp_path)
    yield made
    for name in made.listed():
        system.end_all(made.folder(name).tag)


def at_work(jobs: Jobs, name: str) -> None:
    """Wait until the job does what it is for."""

    def said() -> bool:
        try:
            return "at work" in jobs.logs(name)
        except BackendError:  # there is nothing yet that could say something
            return False

    until(said)


def finished(jobs: Jobs, name: str) -> RunState:
    return until(lambda: jobs.state(name).finished and jobs.state(name))


def processes(jobs: Jobs, name: str) -> list[int]:
    return system.here().tagged(jobs.folder(name).tag)


def test_a_job_starts_at_once_and_ends_by_itself(jobs: Jobs):
    name = jobs.start(0.0)
    assert jobs.state(name) in (RunState.PENDING, RunState.RUNNING, RunState.SUCCEEDED)
    assert finished(jobs, name) is RunState.SUCCEEDED, jobs.error(name)
    assert jobs.listed() == {name: RunState.SUCCEEDED}
    assert jobs.notes(name) == ()
    assert jobs.logs(name).splitlines() == ["at work"]


def test_who_looks_sees_what_is_new_until_the_end(jobs: Jobs):
    name = jobs.start(0.3)
    view, changes = jobs.observe(name), 0
    while not view.over:
        changes += bool(view.refresh())
        time.sleep(0.02)
    assert changes > 1
    assert not view.refresh()


def test_a_job_that_is_stopped_ends_with_all_of_its_processes(jobs: Jobs):
    name = jobs.start(LONG)
    at_work(jobs, name)
    assert processes(jobs, name)
    begun = time.monotonic()
    jobs.stop(name)
    assert finished(jobs, name) is RunState.CANCELED
    assert time.monotonic() - begun < 15
    until(lambda: not processes(jobs, name))
    jobs.stop(name)  # harmless
    assert jobs.state(name) is RunState.CANCELED


def test_a_job_whose_driver_was_killed_is_recovered_once_and_can_be_taken_up_again(jobs: Jobs):
    name = jobs.start(1.0)
    at_work(jobs, name)
    os.kill(until(lambda: jobs.folder(name).pid), signal.SIGKILL)
    assert finished(jobs, name) is RunState.FAILED
    assert "exited unexpectedly" in jobs.error(name)
    until(lambda: not processes(jobs, name))
    with reading(jobs.folder(name).path) as log:
        before = log.read()
    assert jobs.listed() == {name: RunState.FAILED}
    with reading(jobs.folder(name).path) as log:
        assert log.read() == before
    jobs.again(name)
    assert finished(jobs, name) is RunState.SUCCEEDED, jobs.error(name)
    assert jobs.error(name) == ""


def test_a_job_is_deleted_only_when_it_is_over(jobs: Jobs):
    name = jobs.start(LONG)
    with pytest.raises(BackendError, match="is still running; stop it first"):
        jobs.delete(name)
    jobs.stop(name)
    finished(jobs, name)
    jobs.delete(name)
    assert not jobs.folder(name).path.exists()
    assert jobs.listed() == {}
    with pytest.raises(BackendError, match=name):
        jobs.state(name)


def test_a_job_whose_events_are_damaged_is_listed_and_can_be_deleted(jobs: Jobs):
    name = jobs.start(0.0)
    finished(jobs, name)
    until(lambda: unlocked(jobs, name))
    (jobs.folder(name).path / "events.db").write_bytes(b"no database at all" * 100)
    assert jobs.listed() == {name: RunState.FAILED}
    jobs.delete(name)
    assert jobs.listed() == {}


def unlocked(jobs: Jobs, name: str) -> bool:
    lock = jobs.folder(name).lock()
    if lock is not None:
        os.close(lock)
    return lock is not None


def test_a_job_of_a_newer_format_is_read_and_not_worked_on(jobs: Jobs):
    name = jobs.start(0.0)
    finished(jobs, name)
    until(lambda: unlocked(jobs, name))
    folder = jobs.folder(name)
    with opened(folder.path) as log:
        log.append([("state", "", {"state": RunState.FAILED})])
    private.write(folder.path / "format", "99\n")
    assert jobs.state(name) is RunState.FAILED
    assert jobs.logs(name) == "at work"
    with pytest.raises(BackendError, match=r"written by a newer kfnb \(format 99, .*: update kfnb"):
        jobs.again(name)
    jobs.delete(name)


def test_a_job_in_a_state_of_a_newer_kfnb_is_left_alone(jobs: Jobs):
    name = jobs.start(0.0)
    finished(jobs, name)
    until(lambda: unlocked(jobs, name))
    with opened(jobs.folder(name).path) as log:
        log.append([("state", "", {"state": state}) for state in ("RUNNING", "HIBERNATING")])
    assert jobs.state(name) is RunState.FAILED
    assert "a newer kfnb left this" in jobs.error(name)
    assert "HIBERNATING: update kfnb" in jobs.error(name)
    with reading(jobs.folder(name).path) as log:
        assert log.state() == "HIBERNATING"


def test_what_a_job_writes_is_its_users_alone(jobs: Jobs, tmp_path: Path):
    name = jobs.start(0.0)
    finished(jobs, name)
    until(lambda: unlocked(jobs, name))
    by_others = {"executor_output.json", "Output"}  # KFP's executor writes these, in folders that are shut
    rights = {
        path: path.stat().st_mode & 0o777
        for path in (tmp_path / "home", *(tmp_path / "home").rglob("*"))
        if path.name not in by_others
    }
    assert {path: mode for path, mode in rights.items() if mode != (0o700 if path.is_dir() else 0o600)} == {}


def test_a_shelf_that_others_could_see_into_is_shut_and_that_is_said_once(jobs: Jobs, tmp_path: Path):
    name = jobs.start(0.0)
    finished(jobs, name)
    shelf = jobs.folder(name).path.parent
    shelf.chmod(0o755)
    (tmp_path / "home").chmod(0o755)
    second = jobs.start(0.0)
    assert jobs.notes(second) == (f"other users could read {shelf} until now; from now on only you can",)
    assert shelf.stat().st_mode & 0o777 == 0o700
    assert (
        tmp_path / "home"
    ).stat().st_mode & 0o777 == 0o755  # a home may lie in a folder that is for others too
    finished(jobs, second)
    third = jobs.start(0.0)
    assert jobs.notes(third) == ()
    finished(jobs, third)


def test_nothing_is_started_in_a_home_of_a_newer_format_and_what_is_there_is_read(jobs: Jobs, tmp_path: Path):
    name = jobs.start(0.0)
    finished(jobs, name)
    assert (tmp_path / "home" / "format").read_text() == "1\n"
    private.write(tmp_path / "home" / "format", "99\n")
    with pytest.raises(BackendError, match=r"home was written by a newer kfnb \(format 99, .*: update kfnb"):
        jobs.start(0.0)
    assert jobs.listed() == {name: RunState.SUCCEEDED}
