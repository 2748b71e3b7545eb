"""A run's life: it goes on without the kernel, is stopped, found dead, and taken up again."""

# steps are as a notebook's user writes them, or as KFP wants them
# ruff: noqa: PTH109, PTH115, PTH123, PTH208, T201

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from kfp import dsl
from local_runs import marked, spec_of, submission, task, text, wait, wait_until
from steps import component, fail, nap, number, same

from kfnb.entities import RunState
from kfnb.errors import BackendError, RunNotFound
from kfnb.jobs.eventlog import opened
from kfnb.resources.runs.events import fold
from kfnb.resources.runs.local import LocalRunEngine
from kfnb.resources.runs.local.kind import end


@dsl.pipeline
def long_one(seconds: float = 60):
    nap(seconds=seconds).after(number(value=1))


def running(backend, run_id, name="nap"):
    """The run, once that task is running."""

    def is_running(run):
        return any(item.name == name and item.state is RunState.RUNNING for item in run.tasks)

    return wait_until(lambda: backend.get(run_id), is_running)


def supervisor(backend, run_id):
    return int((backend._home / "runs" / run_id / "supervisor.pid").read_text())


def test_submit_returns_at_once_and_the_run_follows(backend, tmp_path):
    run_id = backend.submit(submission(long_one, tmp_path, seconds=0.0))
    assert not backend.get(run_id).state.finished

    events = list(backend.events(run_id))

    assert fold(run_id, events) == backend.get(run_id)
    assert backend.get(run_id).state is RunState.SUCCEEDED
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert list(backend.events(run_id, after=len(events) - 1)) == events[-1:]


def test_a_run_outlives_the_process_that_submitted_it(backend, tmp_path):
    program = """
        import json, os, sys
        from pathlib import Path
        from kfnb.resources.runs.engine import Submission
        from kfnb.resources.runs.local import LocalRunEngine
        spec, home, folder = json.loads(sys.stdin.read())
        submission = Submission(spec=spec, arguments={"seconds": 0.5}, name="x", folder=folder)
        print(LocalRunEngine(Path(home)).submit(submission))
        sys.stdout.flush()
        os.kill(os.getpid(), 9)
    """
    told = json.dumps([spec_of(long_one), str(backend._home), str(tmp_path)])
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        input=told,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == -signal.SIGKILL, done.stderr
    assert wait(backend, done.stdout.strip()).state is RunState.SUCCEEDED


def test_independent_tasks_run_at_once(run_pipeline):
    @dsl.pipeline
    def pipeline():
        for _ in range(4):
            nap(seconds=0.5)

    run = run_pipeline(pipeline)

    starts, ends = [t.started for t in run.tasks], [t.finished for t in run.tasks]
    assert max(starts) < min(ends)


def test_iterations_run_at_once_as_many_as_there_is_room_for(run_pipeline):
    @dsl.pipeline
    def pipeline():
        with dsl.ParallelFor([1, 2, 3, 4]):
            nap(seconds=0.5)

    naps = [item for item in run_pipeline(pipeline).tasks if item.name == "nap"]

    assert max(item.started for item in naps) < min(item.finished for item in naps)


def test_jobs_limit_the_tasks_at_once(tmp_path):
    backend = LocalRunEngine(tmp_path / "home", jobs=1)

    @dsl.pipeline
    def pipeline():
        nap(seconds=0.2)
        nap(seconds=0.2)

    first, second = sorted(
        wait(backend, backend.submit(submission(pipeline, tmp_path))).tasks, key=lambda item: item.started
    )

    assert first.finished <= second.started


def test_parallelism_limits_the_iterations_at_once(run_pipeline):
    @dsl.pipeline
    def pipeline():
        with dsl.ParallelFor([1, 2, 3, 4], parallelism=2):
            nap(seconds=0.2)

    run = run_pipeline(pipeline)

    naps = [item for item in run.tasks if item.name == "nap"]
    for item in naps:
        at_once = [other for other in naps if other.started <= item.started < other.finished]
        assert len(at_once) <= 2


def test_all_turns_of_a_loop_come_up_in_one_transaction(run_pipeline, backend):
    @dsl.pipeline
    def pipeline():
        with dsl.ParallelFor(list(range(20))) as item:
            number(value=item)

    run = run_pipeline(pipeline)

    turns = [event for event in backend.events(run.id) if event.kind == "task" and "/" in event.task]
    assert len(turns) == 20
    assert len({event.time for event in turns}) == 1


def test_stop_ends_every_process_also_those_that_would_not(backend, tmp_path):
    @component
    def stubborn():
        import signal
        import subprocess
        import time

        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        subprocess.Popen(["setsid", "sleep", "300"])
        subprocess.Popen(["sleep", "300"])
        print("up", flush=True)
        time.sleep(300)

    @dsl.pipeline
    def pipeline():
        number(value=1).after(stubborn())

    run_id = backend.submit(submission(pipeline, tmp_path))
    wait_until(lambda: text(backend, run_id), lambda seen: seen == "up")
    assert len(marked(backend, run_id)) >= 4
    begun = time.monotonic()
    backend.stop(run_id)
    run = wait(backend, run_id)

    assert time.monotonic() - begun < 5
    assert run.state is RunState.CANCELED
    assert {item.name: item.state for item in run.tasks} == {
        "stubborn": RunState.CANCELED,
        "number": RunState.CANCELED,
    }
    assert wait_until(lambda: marked(backend, run_id), lambda left: not left) == []
    backend.stop(run_id)  # harmless


def test_stop_does_not_wait_for_imports(backend, tmp_path):
    @component
    def slow_to_import():
        import sklearn.ensemble  # noqa: F401

    @dsl.pipeline
    def pipeline():
        slow_to_import()

    run_id = backend.submit(submission(pipeline, tmp_path))
    wait_until(lambda: backend.get(run_id).tasks, bool)
    begun = time.monotonic()
    backend.stop(run_id)

    assert wait(backend, run_id).state is RunState.CANCELED
    assert time.monotonic() - begun < 5


def test_killed_at_any_moment_and_retried_a_run_loses_and_doubles_nothing(backend, tmp_path):
    @component
    def leave_a_trace(i: int) -> int:
        import time

        time.sleep(0.02)
        with open("trace", "a") as file:
            file.write(f"{i} ")
        return i

    @dsl.pipeline
    def pipeline() -> list:
        with dsl.ParallelFor(list(range(12)), parallelism=2) as i:
            each = leave_a_trace(i=i)
        return same(value=dsl.Collected(each.output)).output

    run_id = backend.submit(submission(pipeline, tmp_path))
    for moment in (0.05, 0.15, 0.25, 0.2, 0.3):
        time.sleep(moment)
        pid = backend.get(run_id).state is RunState.RUNNING and supervisor(backend, run_id)
        if pid:
            os.kill(pid, signal.SIGKILL)
        if wait(backend, run_id).state is not RunState.SUCCEEDED:
            backend.retry(run_id)
    run = wait(backend, run_id)

    assert run.result == {"Output": list(range(12))}
    assert sum(item.attempts for item in run.tasks if item.name == "leave-a-trace") <= 12 + 5 * 2
    assert [item.finished is not None for item in run.tasks] == [True] * len(run.tasks)


def test_who_looks_into_a_copy_of_a_home_ends_nothing_in_the_home_itself(backend, tmp_path):
    run_id = backend.submit(submission(long_one, tmp_path))
    running(backend, run_id)
    before = marked(backend, run_id)
    shutil.copytree(backend._home, tmp_path / "copy")

    copied = LocalRunEngine(tmp_path / "copy").get(run_id)

    assert "the supervisor of this run exited unexpectedly" in copied.error
    assert backend.get(run_id).state is RunState.RUNNING
    assert set(before) <= set(marked(backend, run_id))
    backend.stop(run_id)
    assert wait(backend, run_id).state is RunState.CANCELED


def test_a_killed_supervisor_is_noticed_and_its_tasks_are_ended(backend, tmp_path):
    run_id = backend.submit(submission(long_one, tmp_path))
    running(backend, run_id)
    os.kill(supervisor(backend, run_id), signal.SIGKILL)

    run = wait(backend, run_id, seconds=5)

    assert run.state is RunState.FAILED
    assert "the supervisor of this run exited unexpectedly" in run.error
    assert "retry continues the run" in run.error
    assert task(run, "nap").state is RunState.FAILED
    assert wait_until(lambda: marked(backend, run_id), lambda left: not left) == []
    assert list(backend.events(run_id))[-1].data["state"] == "FAILED"


def test_a_process_that_does_not_start_says_why(backend, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no" / "python"))
    run_id = backend.submit(submission(long_one, tmp_path))

    error = wait(backend, run_id, seconds=5).error

    assert error.startswith("the supervisor of this run did not start: ")
    assert f"{tmp_path}/no/python: not found" in error
    assert error.endswith(f"(full output in {backend._home}/runs/{run_id}/supervisor.log)")


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("run.json", None, "run.json cannot be used: No such file or directory"),
        ("spec.json", "{", "spec.json cannot be used: Expecting property name enclosed in double quotes"),
        ("run.json", '{"newer": 1}', "run.json was written by another version of kfnb"),
        ("spec.json", "{}", "this pipeline cannot run here:\n- it has no tasks"),
    ],
)
def test_a_retry_of_what_cannot_be_read_says_what(backend, tmp_path, file, content, said):
    run_id = backend.submit(submission(long_one, tmp_path))
    backend.stop(run_id)
    wait(backend, run_id)
    changed = backend._home / "runs" / run_id / file
    changed.unlink() if content is None else changed.write_text(content)
    backend.retry(run_id)

    run = wait(backend, run_id, seconds=5)

    assert run.state is RunState.FAILED
    assert said in run.error


def test_where_the_engine_itself_breaks_no_task_seems_to_go_on(tmp_path):
    facts = [("task", name, {"name": name}) for name in ("done", "busy", "next")]
    states = [
        ("state", "done", {"state": RunState.SUCCEEDED}),
        ("state", "busy", {"state": RunState.RUNNING}),
    ]
    with opened(tmp_path, create=True) as log:
        log.append([("state", "", {"state": RunState.RUNNING}), *facts, *states])
        end("it", log, "internal error in kfnb")
        run = fold("it", log.read())

    assert (run.state, run.error) == (RunState.FAILED, "internal error in kfnb")
    assert [item.state for item in run.tasks] == [RunState.SUCCEEDED, RunState.FAILED, RunState.SKIPPED]


def test_retry_after_a_killed_supervisor_keeps_what_was_done(backend, tmp_path):
    run_id = backend.submit(submission(long_one, tmp_path, seconds=1.0))
    running(backend, run_id)
    os.kill(supervisor(backend, run_id), signal.SIGKILL)
    before = wait(backend, run_id)
    backend.retry(run_id)

    run = wait(backend, run_id)

    assert run.state is RunState.SUCCEEDED
    assert run.error == ""
    assert task(run, "number").finished == task(before, "number").finished
    assert (task(run, "number").attempts, task(run, "nap").attempts) == (1, 2)


def test_retry_runs_again_what_failed_and_what_never_ran(backend, tmp_path):
    @component
    def need_file() -> str:
        return open("wanted").read()

    @dsl.pipeline
    def pipeline() -> str:
        with dsl.ParallelFor([1, 2]) as i:
            number(value=i)
        return need_file().after(number(value=3)).output

    run_id = backend.submit(submission(pipeline, tmp_path))
    before = wait(backend, run_id)
    (tmp_path / "wanted").write_text("here")
    backend.retry(run_id)
    run = wait(backend, run_id)

    assert before.state is RunState.FAILED
    assert run.state is RunState.SUCCEEDED
    assert run.result == {"Output": "here"}
    assert {item.attempts for item in run.tasks if item.group or item.name.startswith("number")} == {1}


def test_retry_runs_an_exit_task_again(backend, tmp_path):
    @component
    def notify(status: dsl.PipelineTaskFinalStatus) -> str:
        return status.state

    @component
    def need_file():
        open("wanted").close()

    @dsl.pipeline
    def pipeline():
        with dsl.ExitHandler(notify()):
            need_file()

    run_id = backend.submit(submission(pipeline, tmp_path))
    assert task(wait(backend, run_id), "notify").outputs == {"Output": "FAILED"}
    (tmp_path / "wanted").touch()
    backend.retry(run_id)

    assert task(wait(backend, run_id), "notify").outputs == {"Output": "COMPLETE"}


def test_a_stopped_run_can_be_retried(backend, tmp_path):
    run_id = backend.submit(submission(long_one, tmp_path, seconds=1.0))
    backend.stop(run_id)
    assert wait(backend, run_id).state is RunState.CANCELED
    backend.retry(run_id)

    assert wait(backend, run_id).state is RunState.SUCCEEDED


def test_a_running_run_is_not_retried(backend, tmp_path):
    run_id = backend.submit(submission(long_one, tmp_path))
    with pytest.raises(BackendError, match="stop it first"):
        backend.retry(run_id)
    backend.stop(run_id)
    wait(backend, run_id)


def test_runs_are_listed_the_newest_first_whatever_has_happened_to_one(backend, tmp_path):
    @dsl.pipeline
    def pipeline():
        number(value=1)

    ids = [backend.submit(submission(pipeline, tmp_path)) for _ in range(3)]
    for run_id in ids:
        wait(backend, run_id)
    (backend._home / "runs" / ids[1] / "events.db").write_bytes(
        b"no database at all, but long enough to be one" * 50
    )

    listed = backend.list(limit=10)

    assert [run.id for run in listed] == ids[::-1]
    assert [run.state for run in listed] == [RunState.SUCCEEDED, RunState.FAILED, RunState.SUCCEEDED]
    assert "events.db cannot be used" in listed[1].error
    assert [run.id for run in backend.list(limit=1)] == ids[-1:]


@pytest.mark.parametrize("run_id", ["nothing", "", "..", "../runs", "a" * 300, "\0"])
def test_a_run_that_does_not_exist(backend, run_id):
    with pytest.raises(RunNotFound):
        backend.get(run_id)


@pytest.mark.parametrize(
    ("home", "reason"),
    [
        ("file", "Not a directory"),
        ("file/below", "Not a directory"),
        ("a" * 300, "File name too long"),
        ("nul\0", "embedded null [a-z ]+"),
        ("sealed", "Permission denied"),
    ],
)
def test_a_home_that_cannot_be_used_is_said(tmp_path, monkeypatch, home, reason):
    (tmp_path / "file").touch()
    (tmp_path / "sealed").mkdir()
    seal(monkeypatch, tmp_path / "sealed")
    backend = LocalRunEngine(tmp_path / home)
    said = rf"cannot be used: .*{reason}; set home to another folder"

    with pytest.raises(BackendError, match=said):
        backend.submit(submission(long_one, tmp_path))
    with pytest.raises(BackendError, match=said):
        backend.list()
    with pytest.raises(BackendError, match=said):
        backend.prune(1)
    with pytest.raises(BackendError, match=said):
        backend.get("nothing")


def seal(monkeypatch, folder):
    """Take all rights to a folder, those of root too, whom no mode of a folder keeps out."""

    def refused(call):
        def instead(path, *args, **options):
            if str(path).startswith(str(folder)):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
            return call(path, *args, **options)

        return instead

    for name in ("mkdir", "scandir", "stat"):
        monkeypatch.setattr(os, name, refused(getattr(os, name)))


def test_a_home_of_nobody_is_said(tmp_path):
    with pytest.raises(BackendError, match=r"~nobody-at-all/x cannot be used: .*; set home to another path"):
        LocalRunEngine(Path("~nobody-at-all/x"))
    with pytest.raises(
        BackendError, match=r"~nobody-at-all/x cannot be used: .*; set secrets to another path"
    ):
        LocalRunEngine(tmp_path, secrets="~nobody-at-all/x")


def test_what_cannot_be_written_down_leaves_no_run_behind(backend, tmp_path):
    with pytest.raises(BackendError, match="cannot write the run"):
        backend.submit(submission(long_one, tmp_path, seconds=object()))

    assert backend.list() == []


def test_logs_are_streamed_while_a_task_runs(backend, tmp_path):
    @component
    def ticks():
        import time

        for tick in range(3):
            print("tick", tick)
            time.sleep(0.3)

    @dsl.pipeline
    def pipeline():
        ticks()

    run_id = backend.submit(submission(pipeline, tmp_path))
    seen = [
        (line.task, line.text, backend.get(run_id).state)
        for line in filter(None, backend.logs(run_id, follow=True))
    ]

    assert [line[:2] for line in seen] == [("ticks", f"tick {tick}") for tick in range(3)]
    assert seen[0][2] is RunState.RUNNING


def test_logs_of_one_task_by_its_name_or_id(backend, tmp_path):
    @component
    def say_it(what: str):
        print(what, end="")

    @dsl.pipeline
    def pipeline():
        with dsl.ParallelFor(["a", "b"]) as i:
            say_it(what=i)
        number(value=1)

    run_id = backend.submit(submission(pipeline, tmp_path))
    wait(backend, run_id)

    assert sorted(text(backend, run_id, "say-it").split()) == ["a", "b"]
    assert text(backend, run_id, "say_it") == text(backend, run_id, "say-it")
    second = next(item.id for item in backend.get(run_id).tasks if item.iteration == 1)
    assert text(backend, run_id, second) == "b"
    with pytest.raises(BackendError, match="has no task nobody"):
        text(backend, run_id, "nobody")


def test_a_step_sees_a_clean_process(run_pipeline):
    @component
    def look() -> dict:
        import os
        import random
        import sys
        import threading

        here = "/proc/self/fd/"
        files = [os.readlink(here + n) for n in os.listdir(here) if os.path.lexists(here + n)]
        ours = ("events.db", "/lock", "eventpoll")
        return {
            "main": sys.modules["__main__"].__name__ + str(hasattr(sys.modules["__main__"], "__file__")),
            "threads": threading.active_count(),
            "stdin": sys.stdin.read(),
            "random": random.random(),
            "kept": [name for name in files if any(word in name for word in ours)],
            "leader": os.getsid(0) == os.getpid(),
            "package": os.getcwd() in sys.path,
        }

    @dsl.pipeline
    def pipeline():
        look()
        look()

    first, second = (item.outputs["Output"] for item in run_pipeline(pipeline).tasks)

    assert first.pop("random") != second.pop("random")
    assert (
        first
        == second
        == {
            "main": "__main__False",
            "threads": 1,
            "stdin": "",
            "kept": [],
            "leader": True,
            "package": False,
        }
    )


@pytest.mark.parametrize("asked", [True, False])
def test_what_a_step_that_asks_for_pyarrow_needs_for_tables_is_imported_once_for_all(run_pipeline, asked):
    pytest.importorskip("pyarrow")

    @dsl.component(base_image="python:3.11-slim", packages_to_install=["pyarrow>=1"] if asked else [])
    def loaded() -> bool:
        import sys

        return "pyarrow.parquet" in sys.modules

    @dsl.pipeline
    def pipeline() -> bool:
        return loaded().output

    assert run_pipeline(pipeline).result == {"Output": asked}


def test_a_step_may_have_an_event_loop_threads_and_processes(run_pipeline):
    @component
    def busy() -> list:
        import asyncio
        import subprocess
        from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

        async def one():
            await asyncio.sleep(0)
            return 1

        with ThreadPoolExecutor() as threads, ProcessPoolExecutor(1) as processes:
            return [
                asyncio.run(one()),
                threads.submit(abs, -2).result(),
                processes.submit(abs, -3).result(),
                int(subprocess.check_output(["echo", "4"])),
            ]

    @dsl.pipeline
    def pipeline() -> list:
        return busy().output

    assert run_pipeline(pipeline).result == {"Output": [1, 2, 3, 4]}


def test_nothing_is_ever_deleted_from_the_notebooks_folder(run_pipeline, tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "precious.txt").write_text("x")

    @dsl.pipeline
    def pipeline():
        number(value=1)
        fail(message="no")

    run_pipeline(pipeline, folder=folder)

    assert [path.name for path in folder.iterdir()] == ["precious.txt"]


def test_importing_the_backend_imports_nothing_heavy():
    heavy = ("kfp", "celpy", "pandas", "asyncio")
    program = f"import sys, kfnb.resources.runs.local; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
