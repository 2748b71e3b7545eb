"""Old runs are removed when asked; a run that is damaged hurts no other."""

import shutil

import pytest
from kfp import dsl
from local_runs import marked, submission, wait, wait_until
from steps import nap, number

from kfnb import cli, settings
from kfnb.entities import RunState
from kfnb.errors import BackendError, RunNotFound


def gone(folder):
    """Whether it is, after one more try: a run that still writes into it can fail a removal once."""
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()


@dsl.pipeline
def short():
    number(value=1)


@dsl.pipeline
def long():
    nap(seconds=60.0)


def test_all_finished_runs_but_the_newest_go(backend, tmp_path):
    running = backend.submit(submission(long, tmp_path))
    ids = [backend.submit(submission(short, tmp_path)) for _ in range(3)]
    for run_id in ids:
        wait(backend, run_id)
    (backend._home / "runs" / ids[0] / "events.db").write_bytes(b"damaged")

    removed = backend.prune(keep=1)

    assert removed == [ids[1], ids[0]]
    assert [run.id for run in backend.list()] == [ids[2], running]
    assert sorted(item.name for item in (backend._home / "runs").iterdir()) == [running, ids[2]]
    assert backend.prune(keep=1) == []
    backend.stop(running)
    wait(backend, running)
    assert backend.prune(keep=0) == [ids[2], running]


def test_the_command_removes_them(backend, tmp_path, monkeypatch, capsys):
    ids = [backend.submit(submission(short, tmp_path)) for _ in range(2)]
    for run_id in ids:
        wait(backend, run_id)

    with monkeypatch.context() as patch:
        patch.setenv("KFNB_HOME", str(backend._home))
        settings.reset()
        assert cli.main(["runs", "prune", "--keep", "1"]) == 0
        assert capsys.readouterr().out.split() == ids[:1]
        assert cli.main(["runs", "prune", "--keep", "-1"]) == 2
    settings.reset()


def test_a_folder_that_is_removed_under_a_run_ends_that_run_alone(backend, tmp_path):
    doomed = backend.submit(submission(long, tmp_path))
    shutil.rmtree(backend._home / "runs" / doomed, ignore_errors=True)

    other = backend.submit(submission(short, tmp_path))

    assert wait(backend, other).state is RunState.SUCCEEDED
    with pytest.raises((RunNotFound, BackendError), match=doomed):
        backend.get(doomed)


def test_a_full_disk_is_said_by_the_name_of_the_file(tmp_path):
    from kfnb.jobs.eventlog import opened

    with opened(tmp_path, create=True) as log:
        log._connection.execute("pragma max_page_count = 3")
        with pytest.raises(BackendError, match=r"events\.db cannot be used: database or disk is full"):
            log.append([("note", "", {"text": "x" * 100_000})])
        assert log.read() == []
        log._connection.execute("pragma max_page_count = 1000")
        log.append([("note", "", {"text": "room again"})])


def test_a_run_whose_folder_is_removed_starts_nothing_more(backend, tmp_path):
    @dsl.pipeline
    def pipeline():
        number(value=1).after(nap(seconds=0.5))

    run_id = backend.submit(submission(pipeline, tmp_path))
    folder = backend._home / "runs" / run_id
    wait_until((folder / "tasks" / "nap").exists, bool)
    wait_until(lambda: gone(folder), bool)

    assert wait_until(lambda: marked(backend, run_id), lambda left: not left) == []
    assert not (folder / "tasks" / "number").exists()
