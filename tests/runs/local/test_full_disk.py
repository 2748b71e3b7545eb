"""A full disk: what is known stays so, the run that fills it says so, and nothing is started that could not end."""

# steps are as a notebook's user writes them
# ruff: noqa: PTH123

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from kfp import dsl
from local_runs import submission, task, wait, wait_until
from steps import component

from kfnb import disk, settings
from kfnb.cli import main
from kfnb.errors import BackendError
from kfnb.jobs.eventlog import opened, reading
from kfnb.resources.runs.local import LocalRunEngine

SMALL = 3 * 2**20


@component
def add(a: int) -> int:
    return a + 1


@component
def fill(a: int, out: dsl.Output[dsl.Artifact]) -> int:
    with open(out.path, "wb") as file:
        while True:
            file.write(b"x" * 4096)
            file.flush()


@component
def fill_and_go_on(a: int, out: dsl.Output[dsl.Artifact]) -> int:
    for size in (4096, 1):
        try:
            with open(out.path, "ab") as file:
                while True:
                    file.write(b"x" * size)
                    file.flush()
        except OSError:
            pass
    return a


@dsl.pipeline
def adding(a: int = 1):
    add(a=a)


@dsl.pipeline
def filling(a: int = 1):
    fill(a=add(a=a).output)


@dsl.pipeline
def filling_quietly(a: int = 1):
    add(a=fill_and_go_on(a=a).outputs["Output"])


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home on a file system of 3 MiB."""
    home = tmp_path / "small"
    home.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", str(home)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a file system can be mounted by root alone")
    monkeypatch.setenv("KFNB_HOME", str(home))
    settings.reset()
    try:
        yield home
    finally:
        subprocess.run(["umount", "--lazy", str(home)], check=True)


def stuff(home: Path) -> Path:
    """Leave no room at all."""
    file = home / "stuff"
    with file.open("wb", buffering=0) as out:
        while disk.free(home):
            out.write(bytes(4096))
    assert disk.free(home) == 0
    return file


def test_what_is_known_stays_known_on_a_full_disk(small, tmp_path, capsys):
    backend = LocalRunEngine(small)
    run = wait(backend, backend.submit(submission(adding, tmp_path, a=1)))
    stuff(small)

    assert [(one.id, one.state, one.error) for one in backend.list()] == [(run.id, run.state, "")]
    assert backend.get(run.id) == run
    assert [event.kind for event in backend.events(run.id)][-1] == "state"
    assert main(["runs"]) == 0
    assert "Succeeded" in capsys.readouterr().out


@pytest.mark.parametrize("pipeline", [filling, filling_quietly], ids=["fails", "goes on"])
def test_a_run_that_fills_the_disk_says_so_and_how_to_free_it(small, tmp_path, pipeline):
    backend = LocalRunEngine(small)
    run = wait(backend, backend.submit(submission(pipeline, tmp_path)))

    assert run.state == "FAILED"
    assert f"no space left on the disk of {small}" in run.error
    assert "runs 2." in run.error  # MB
    assert "kfnb runs prune" in run.error
    assert "killed" not in run.error
    filler = next(one for one in run.tasks if one.name.startswith("fill"))
    assert "No space left" in filler.error.message or "no space left" in filler.error.message
    assert not list(small.glob("runs/*/spare"))


def test_nothing_is_started_or_tried_again_without_room_and_all_is_well_once_there_is_some(small, tmp_path):
    backend = LocalRunEngine(small)
    failed = wait(backend, backend.submit(submission(filling, tmp_path)))
    for start in (lambda: backend.submit(submission(adding, tmp_path)), lambda: backend.retry(failed.id)):
        with pytest.raises(BackendError, match=r"no space left on the disk of .*kfnb runs prune"):
            start()
    assert [run.id for run in backend.list()] == [failed.id]

    assert backend.prune(0) == [failed.id]
    assert wait(backend, backend.submit(submission(adding, tmp_path))).state == "SUCCEEDED"


def test_a_run_whose_supervisor_died_on_a_full_disk_is_failed_for_whoever_looks(small, tmp_path):
    backend = LocalRunEngine(small)
    run = wait(backend, backend.submit(submission(adding, tmp_path)))
    with opened(small / "runs" / run.id) as log:
        log.append([("state", "", {"state": "RUNNING"}), ("state", "add", {"state": "RUNNING"})])
    stuff(small)

    wait_until(
        lambda: backend.get(run.id).state, lambda state: state == "FAILED"
    )  # its process is on its way out
    for _ in range(2):
        seen = backend.get(run.id)
        assert (seen.state, task(seen, "add").state) == ("FAILED", "FAILED")
        assert f"no space left on the disk of {small}" in seen.error
    assert [one.state for one in backend.list()] == ["FAILED"]


def test_doctor_and_status_are_red_where_the_disk_is_full_or_the_home_is_a_file(small, tmp_path, capsys):
    assert main(["doctor"]) == 1
    assert "at least 100.0 MB is needed" in " ".join(capsys.readouterr().out.split())
    assert main(["status"]) == 0
    assert "1 problem" in capsys.readouterr().out


def test_a_home_that_is_a_file_is_broken(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").touch()
    monkeypatch.setenv("KFNB_HOME", str(tmp_path / "file"))
    settings.reset()
    for words, code in ((["doctor"], 1), (["status"], 0)):
        assert main(words) == code
        out = capsys.readouterr().out
        assert "file is not a folder" in " ".join(out.split())
        assert "Nothing found broken" not in out
        assert "KFNB_HOME=FOLDER" in out


@pytest.mark.skipif(sys.platform != "linux", reason="limits are Linux's")
def test_a_finished_run_is_read_where_not_a_byte_can_be_written(backend, tmp_path):
    run = wait(backend, backend.submit(submission(adding, tmp_path)))
    program = """
        import resource, signal, sys
        from pathlib import Path
        from kfnb.resources.runs.local import LocalRunEngine
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        print(LocalRunEngine(Path(sys.argv[1])).get(sys.argv[2]).state)
    """
    folder = backend._home / "runs" / run.id
    for reads_a_wal in (False, True):
        if reads_a_wal:  # as a supervisor that was killed leaves it
            with opened(folder) as log:
                log.append([("note", "", {"text": "x"})])
                saved = {one.name: one.read_bytes() for one in folder.glob("events.db*")}
            for name, content in saved.items():
                (folder / name).write_bytes(content)
            (folder / "events.db-shm").unlink()
            assert (folder / "events.db-wal").stat().st_size
        command = [sys.executable, "-c", "\n".join(line[8:] for line in program.splitlines())]
        done = subprocess.run(
            [*command, str(backend._home), run.id], capture_output=True, text=True, check=False
        )
        assert done.stdout.strip() == "SUCCEEDED", done.stderr
    with reading(folder) as log:
        assert log.read()[-1].kind == "note"


def test_room_is_told_in_words(tmp_path):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "file").write_bytes(os.urandom(2_000_000))
    (tmp_path / "mine").write_bytes(os.urandom(5000))

    told = disk.described(tmp_path)
    assert "runs 2.0 MB" in told
    assert told.endswith(f"to free space: kfnb runs prune --keep 5, or check {tmp_path / 'mine'}")
    assert disk.shortage(tmp_path) == ""
    assert disk.unusable(tmp_path / "mine" / "below") == f"{tmp_path / 'mine'} is not a folder"
