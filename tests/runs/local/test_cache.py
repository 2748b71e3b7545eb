"""Steps that ran before with the same program, packages and inputs are not run again."""

# steps are as a notebook's user writes them, or as KFP wants them
# ruff: noqa: PTH102, PTH103, PTH110, PTH112, PTH123, PTH208

from pathlib import Path

import pytest
from kfp import dsl
from local_runs import submission, task, tasks, wait, wait_until
from steps import component, fail, number, read, write

from kfnb.entities import RunState
from kfnb.resources.runs.local import shared_files


@component
def count(value: int = 0) -> int:
    with open("count", "a") as file:
        file.write("x")
    return value


def times(folder):
    return len((folder / "count").read_text())


def test_the_same_step_is_not_run_twice(run_pipeline, tmp_path):
    @dsl.pipeline
    def pipeline(x: int = 1) -> int:
        return count(value=x).output

    first, second = run_pipeline(pipeline, cache=True), run_pipeline(pipeline, cache=True)
    assert (task(first, "count").cached, task(second, "count").cached) == (False, True)
    assert second.result == {"Output": 1}
    assert times(tmp_path) == 1

    assert run_pipeline(pipeline, cache=True, x=2).result == {"Output": 2}
    run_pipeline(pipeline, cache=False)
    assert times(tmp_path) == 3


def test_a_changed_program_is_run(run_pipeline, tmp_path):
    def make(body):
        from local_runs import spec_of

        @dsl.pipeline
        def pipeline() -> int:
            return count().output

        spec = spec_of(pipeline)
        command = spec["deploymentSpec"]["executors"]["exec-count"]["container"]["command"]
        command[-1] = command[-1].replace("return value", body)
        return spec

    run_pipeline(make("return value"), cache=True)

    assert run_pipeline(make("return value + 1"), cache=True).result == {"Output": 1}


def test_a_task_that_does_without_the_cache(run_pipeline, tmp_path):
    @dsl.pipeline
    def pipeline():
        count().set_caching_options(False)

    run_pipeline(pipeline, cache=True)
    assert not task(run_pipeline(pipeline, cache=True), "count").cached


def test_artifacts_count_by_their_content(run_pipeline, tmp_path):
    @dsl.pipeline
    def pipeline(data: dsl.Input[dsl.Dataset]) -> str:
        return read(data=data).output

    def run(path, content):
        (tmp_path / path).write_text(content)
        return task(run_pipeline(pipeline, cache=True, data=str(tmp_path / path)), "read")

    assert not run("a.txt", "one").cached
    assert run("b.txt", "one").cached
    assert not run("b.txt", "two").cached


@pytest.mark.parametrize("folder", [False, True])
def test_artifacts_come_back_from_the_cache(run_pipeline, tmp_path, folder):
    @component
    def make(deep: bool, out: dsl.Output[dsl.Model]):
        import os

        if deep:
            os.makedirs(out.path)
        with open(out.path + "/part" if deep else out.path, "w") as file:
            file.write("content")
        out.metadata["k"] = 1

    @dsl.pipeline
    def pipeline(deep: bool):
        make(deep=deep)

    first, second = (task(run_pipeline(pipeline, cache=True, deep=folder), "make") for _ in range(2))

    assert second.cached
    made, again = first.outputs["out"], second.outputs["out"]
    assert made.uri != again.uri
    assert again.metadata == {"k": 1}
    path = again.uri + "/part" if folder else again.uri
    assert Path(path).read_text() == "content"


def test_a_cached_artifact_is_a_copy_that_may_be_changed(run_pipeline, tmp_path):
    @component
    def spoil(data: dsl.Input[dsl.Dataset]) -> str:
        with open(data.path, "a") as file:
            file.write("!")
        return open(data.path).read()

    @dsl.pipeline
    def pipeline() -> str:
        made = write(text="x")
        return spoil(data=made.output).set_caching_options(False).output

    assert [run_pipeline(pipeline, cache=True).result["Output"] for _ in range(3)] == ["x!"] * 3


def test_failures_are_not_kept(run_pipeline):
    @dsl.pipeline
    def pipeline():
        fail(message="no")

    for _ in range(2):
        assert task(run_pipeline(pipeline, cache=True), "fail").state is RunState.FAILED


def test_two_tasks_that_fill_one_entry_agree(run_pipeline):
    @dsl.pipeline
    def pipeline():
        with dsl.ParallelFor([1, 1, 1, 1]) as i:
            number(value=i)

    run = run_pipeline(pipeline, cache=True)

    assert [item.outputs["Output"] for item in tasks(run, "number")] == [1] * 4


def test_two_runs_that_fill_one_key_at_once_agree(backend, tmp_path):
    @component
    def draw_lots(out: dsl.Output[dsl.Dataset]) -> float:
        import os
        import random
        import time

        open(f"begun-{os.getpid()}", "w").close()
        until = time.monotonic() + 60
        while sum(name.startswith("begun-") for name in os.listdir()) < 2 and time.monotonic() < until:
            time.sleep(0.02)
        with open(out.path, "w") as file:
            file.write("x")
        return random.random()

    @dsl.pipeline
    def pipeline() -> float:
        return draw_lots().outputs["Output"]

    ids = [backend.submit(submission(pipeline, tmp_path, cache=True)) for _ in range(2)]
    first, second = (wait(backend, run_id).result["Output"] for run_id in ids)
    later = [wait(backend, backend.submit(submission(pipeline, tmp_path, cache=True))) for _ in range(2)]

    assert first != second  # both ran
    assert later[0].result == later[1].result
    assert later[0].result["Output"] in (first, second)
    assert [entry.name for entry in (backend._home / "cache").iterdir() if entry.name.startswith(".")] == []


def test_an_artifact_in_the_notebooks_folder_is_found_again(run_pipeline, tmp_path):
    @component
    def leave_here(out: dsl.Output[dsl.Dataset]):
        with open("here.txt", "w") as file:
            file.write("x")
        out.uri = "here.txt"

    @dsl.pipeline
    def pipeline() -> str:
        return read(data=leave_here().output).set_caching_options(False).output

    first, second = run_pipeline(pipeline, cache=True), run_pipeline(pipeline, cache=True)

    assert task(second, "leave-here").cached
    assert [task(run, "leave-here").outputs["out"].uri for run in (first, second)] == [
        str(tmp_path / "here.txt")
    ] * 2
    assert second.result == {"Output": "x"}, second.error


def test_what_was_made_of_a_file_that_changed_meanwhile_is_not_kept(backend, run_pipeline, tmp_path):
    @component
    def read_when_told(data: dsl.Input[dsl.Dataset]) -> str:
        import os
        import time

        open("reading", "w").close()
        while not os.path.exists("go"):
            time.sleep(0.02)
        with open(data.path) as file:
            return file.read()

    @dsl.pipeline
    def pipeline() -> str:
        given = dsl.importer(artifact_uri="given.txt", artifact_class=dsl.Dataset)
        return read_when_told(data=given.output).output

    (tmp_path / "given.txt").write_text("old")
    run_id = backend.submit(submission(pipeline, tmp_path, cache=True))
    wait_until((tmp_path / "reading").exists, bool)
    (tmp_path / "given.txt").write_text("new")
    (tmp_path / "go").touch()
    assert wait(backend, run_id).result == {"Output": "new"}
    (tmp_path / "given.txt").write_text("old")
    assert run_pipeline(pipeline, cache=True).result == {"Output": "old"}
    assert task(run_pipeline(pipeline, cache=True), "read-when-told").cached


def test_an_artifact_that_cannot_be_read_is_for_the_step_to_complain_of(run_pipeline):
    @component
    def no_name(out: dsl.Output[dsl.Dataset]):
        out.uri = "a" * 300  # longer than a file's name may be

    @dsl.pipeline
    def pipeline():
        read(data=no_name().output)

    run = run_pipeline(pipeline, cache=True)

    assert run.error.startswith("read failed: OSError: [Errno 36] File name too long")


def test_a_cache_that_cannot_be_written_is_done_without(run_pipeline, backend):
    @dsl.pipeline
    def pipeline() -> int:
        return number(value=1).output

    backend._home.mkdir()
    (backend._home / "cache").touch()

    assert run_pipeline(pipeline, cache=True).result == {"Output": 1}


def test_what_an_earlier_attempt_left_is_not_mixed_with_what_comes_from_the_cache(backend, tmp_path):
    @component
    def make_files(out: dsl.Output[dsl.Dataset]):
        import os

        os.mkdir(out.path)
        name = "good" if os.path.exists("go") else "stale"
        open(f"{out.path}/{name}", "w").close()
        if name == "stale":
            raise ValueError(name)

    @component
    def names(data: dsl.Input[dsl.Dataset]) -> list:
        import os

        return os.listdir(data.path)

    @dsl.pipeline
    def pipeline() -> list:
        return names(data=make_files().output).output

    run_id = backend.submit(submission(pipeline, tmp_path, cache=True))
    assert wait(backend, run_id).state is RunState.FAILED
    (tmp_path / "go").touch()
    wait(backend, backend.submit(submission(pipeline, tmp_path, cache=True)))
    backend.retry(run_id)
    run = wait(backend, run_id)

    assert task(run, "make-files").cached
    assert run.result == {"Output": ["good"]}


# -- the disk ---------------------------------------------------------------------------------------------------------


@component
def make_large(deep: bool, out: dsl.Output[dsl.Dataset]):
    import os

    if deep:
        os.makedirs(out.path)
    with open(out.path + "/part" if deep else out.path, "wb") as file:
        file.write(os.urandom(5_000_000))


@component
def overwrite(data: dsl.Input[dsl.Dataset]) -> int:
    import os

    path = data.path + "/part" if os.path.isdir(data.path) else data.path
    with open(path, "r+b") as file:
        file.write(b"spoilt")
    return 1


@dsl.pipeline
def only_made(deep: bool):
    make_large(deep=deep)


@dsl.pipeline
def made_and_overwritten(deep: bool):
    overwrite(data=make_large(deep=deep).outputs["out"]).set_caching_options(False)


def used(folder):
    """The bytes on the disk: a file with two names is counted once, as ``du`` does."""
    status = {
        (one.stat().st_dev, one.stat().st_ino): one.stat() for one in folder.rglob("*") if one.is_file()
    }
    return sum(one.st_blocks * 512 for one in status.values())


def content(run):
    path = Path(task(run, "make-large").outputs["out"].uri)
    return (path / "part" if path.is_dir() else path).read_bytes()


@pytest.mark.parametrize("deep", [False, True])
def test_what_a_run_and_the_cache_both_keep_takes_the_disk_once(run_pipeline, backend, deep):
    run_pipeline(only_made, cache=True, deep=deep)
    assert used(backend._home) < 7_000_000


@pytest.mark.parametrize("deep", [False, True])
def test_what_a_step_writes_into_its_input_is_in_no_other_run(run_pipeline, backend, deep):
    first = run_pipeline(only_made, cache=True, deep=deep)
    known = content(first)
    second = run_pipeline(made_and_overwritten, cache=True, deep=deep)
    assert task(second, "make-large").cached
    assert content(second)[:6] == b"spoilt"
    assert content(first) == known

    third = run_pipeline(only_made, cache=True, deep=deep)
    assert task(third, "make-large").cached
    assert content(third) == known


@pytest.mark.parametrize("deep", [False, True])
def test_a_cache_entry_that_was_written_into_through_its_run_is_none(run_pipeline, deep):
    run_pipeline(made_and_overwritten, cache=True, deep=deep)
    again = run_pipeline(only_made, cache=True, deep=deep)
    assert content(again)[:6] != b"spoilt"
    assert task(run_pipeline(only_made, cache=True, deep=deep), "make-large").cached


def test_the_cache_outlives_the_run_that_filled_it(run_pipeline, backend):
    known = content(run_pipeline(only_made, cache=True, deep=True))
    assert len(wait_until(lambda: backend.prune(keep=0), bool)) == 1
    again = run_pipeline(only_made, cache=True, deep=True)
    assert task(again, "make-large").cached
    assert content(again) == known


def test_where_files_cannot_have_two_names_they_are_copied(tmp_path, monkeypatch):
    def refuse(self, target):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    (tmp_path / "one").write_text("x")
    shared_files.share(tmp_path / "one", tmp_path / "two")
    (tmp_path / "one").write_text("y")
    assert (tmp_path / "two").read_text() == "x"
