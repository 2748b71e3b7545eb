"""How many tasks run at once, by the cores and GPUs that they ask for."""

# steps are as a notebook's user writes them
# ruff: noqa: PTH123, PTH208

import asyncio
import os
import signal
import subprocess
import sys
import time

import pytest
from kfp import dsl
from local_runs import submission, task, wait, wait_until
from steps import component, nap, word

from kfnb.entities import RunState
from kfnb.jobs import linux
from kfnb.resources.runs.local import LocalRunEngine
from kfnb.resources.runs.local.activity import Activity
from kfnb.resources.runs.local.resource_pool import ResourcePool, Share, spare


def overlap(run, one, other):
    """Whether two tasks ran at once."""
    a, b = task(run, one), task(run, other)
    return max(a.started, b.started) < min(a.finished, b.finished)


@pytest.fixture
def run_on_two_cores(tmp_path):
    def run(pipeline, **arguments):
        backend = LocalRunEngine(tmp_path / "home", jobs=2)
        return wait(backend, backend.submit(submission(pipeline, tmp_path, **arguments)))

    return run


@pytest.mark.parametrize("cores", ["2", "64", "1500m"])
def test_a_step_that_wants_all_cores_or_more_runs_alone(run_on_two_cores, cores):
    @dsl.pipeline
    def pipeline():
        nap(seconds=0.3).set_cpu_limit(cores)
        nap(seconds=0.3)

    assert not overlap(run_on_two_cores(pipeline), "nap", "nap-2")


def test_steps_that_want_half_a_core_run_four_at_once(run_on_two_cores):
    @dsl.pipeline
    def pipeline():
        for _ in range(4):
            nap(seconds=0.5).set_cpu_request("500m")

    run = run_on_two_cores(pipeline)

    assert max(item.started for item in run.tasks) < min(item.finished for item in run.tasks)


def test_steps_that_want_a_gpu_take_turns(run_on_two_cores):
    @dsl.pipeline
    def pipeline():
        for _ in range(2):
            nap(seconds=0.3).set_accelerator_type("nvidia.com/gpu").set_accelerator_limit(8)

    assert not overlap(run_on_two_cores(pipeline), "nap", "nap-2")


def test_cores_may_come_from_a_parameter_or_a_tasks_output(run_on_two_cores):
    @dsl.pipeline
    def pipeline(cores: str = "2"):
        nap(seconds=0.3).set_cpu_limit(cores)
        nap(seconds=0.3).set_cpu_limit(word(value="2").output)

    assert not overlap(run_on_two_cores(pipeline), "nap", "nap-2")
    assert "it requests 'many' CPUs" in run_on_two_cores(pipeline, cores="many").error


@component
def meet(number: int, others: int, place: str):
    """Wait until all the others have come too."""
    import os
    import time

    open(f"{place}/{number}", "w").close()
    for _ in range(1200):
        if len(os.listdir(place)) >= others:
            return
        time.sleep(0.05)
    raise TimeoutError(f"only {os.listdir(place)} came")


@component
def burn():
    import time

    while time.process_time() < 0.5:
        pass


def at_once(run):
    """The most tasks that ran at one moment."""
    tasks = [task for task in run.tasks if not task.group]
    return max(sum(a.started <= b.started < a.finished for a in tasks) for b in tasks)


@pytest.fixture
def run_on_a_machine_of_two_cores(tmp_path, monkeypatch):
    monkeypatch.setattr("kfnb.resources.runs.local.engine.cores", lambda: 2)

    def run(pipeline, **arguments):
        backend = LocalRunEngine(tmp_path / "home")
        return wait(backend, backend.submit(submission(pipeline, tmp_path, **arguments)), seconds=120)

    return run


@pytest.mark.skipif(sys.platform != "linux", reason="what processes ask of a core is Linux' to tell")
def test_eight_tasks_that_wait_run_at_once_on_two_cores(run_on_a_machine_of_two_cores, tmp_path):
    (tmp_path / "meeting").mkdir()

    @dsl.pipeline
    def pipeline(place: str):
        with dsl.ParallelFor(list(range(8)), parallelism=8) as number:
            meet(number=number, others=8, place=place)

    run = run_on_a_machine_of_two_cores(pipeline, place=str(tmp_path / "meeting"))

    assert run.state is RunState.SUCCEEDED, run.error
    assert at_once(run) == 8


def test_tasks_that_compute_have_a_core_each(run_on_a_machine_of_two_cores):
    @dsl.pipeline
    def pipeline():
        for _ in range(5):
            burn()

    assert at_once(run_on_a_machine_of_two_cores(pipeline)) <= 2


def test_tasks_that_ask_for_cores_keep_them_while_they_wait(run_on_a_machine_of_two_cores):
    @dsl.pipeline
    def pipeline():
        for _ in range(4):
            nap(seconds=0.6).set_cpu_request("1")

    assert at_once(run_on_a_machine_of_two_cores(pipeline)) <= 2


def test_no_more_tasks_run_at_once_than_the_setting_jobs_says(run_on_two_cores):
    @dsl.pipeline
    def pipeline():
        for _ in range(4):
            nap(seconds=0.6)

    assert at_once(run_on_two_cores(pipeline)) <= 2


class Idle(Activity):
    """Of which ``idle`` tasks are known to wait."""

    def __init__(self, idle=(), largest=0):
        super().__init__()
        self.idle, self.size = set(idle), largest

    def sample(self):
        pass

    def waits(self, task):
        return task in self.idle

    def largest(self):
        return self.size


def admitted(room, shares, looks=3):
    """The tasks that come into the room, in order, when all of ``shares`` ask at once and nobody goes."""

    async def all_of_them():
        came = []

        async def one(task, share):
            async with room.taken(task, share):
                came.append(task)
                await asyncio.sleep(3600)

        tasks = [asyncio.create_task(one(*item)) for item in shares.items()]
        for _ in range(looks):
            await asyncio.sleep(0)
            room._admit()
        await asyncio.sleep(0)
        for item in tasks:
            item.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return came

    return asyncio.run(all_of_them())


def room(idle=(), most=8, memory=True):
    return ResourcePool(2, 0, most, Idle(idle), lambda _: memory)


MANY = {name: Share() for name in "abcdef"}


def test_a_task_that_waits_lends_its_core_to_one_more():
    assert admitted(room(idle=""), MANY) == ["a", "b"]
    assert admitted(room(idle="a"), MANY) == ["a", "b", "c"]
    assert admitted(room(idle="ab"), MANY) == ["a", "b", "c", "d"]
    assert admitted(room(idle="abcd"), MANY) == ["a", "b", "c", "d", "e", "f"]


def test_cores_are_lent_as_far_as_there_is_memory_and_so_many_tasks_may_run():
    assert admitted(room(idle="abcdef", memory=False), MANY) == ["a", "b"]
    assert admitted(room(idle="abcdef", most=3), MANY) == ["a", "b", "c"]


def test_a_task_that_asks_for_cores_neither_lends_nor_borrows_and_is_not_overtaken():
    asked = Share(1, 0, explicit=True)

    assert admitted(room(idle="abc"), {"a": asked, "b": asked, "c": Share()}) == ["a", "b"]
    assert admitted(room(idle="abc"), {"a": Share(), "b": Share(), "c": asked, "d": Share()}) == ["a", "b"]


def test_room_is_free_again_when_who_waited_for_it_gave_up():
    async def give_up():
        one = ResourcePool(1, 0)
        async with one.taken("a", Share()):
            waiting = asyncio.create_task(enter(one, "b"))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        async with one.taken("c", Share()):
            return True

    async def enter(one, name):
        async with one.taken(name, Share()):
            pass

    assert asyncio.run(asyncio.wait_for(give_up(), 10))


@pytest.mark.skipif(sys.platform != "linux", reason="what processes ask of a core is Linux' to tell")
@pytest.mark.parametrize(
    ("program", "waits"),
    [
        ("import time; time.sleep(60)", True),
        ("while True: pass", False),
        ("import subprocess, sys; subprocess.run([sys.executable, '-c', 'while True: pass'])", False),
        ("import threading; threading.Thread(target=exec, args=('while True: pass',)).start()", False),
    ],
    ids=["sleeps", "computes", "has a process that computes", "has a thread that computes"],
)
def test_a_task_waits_if_nothing_of_it_asks_for_a_core(program, waits):
    activity = Activity()
    process = subprocess.Popen([sys.executable, "-c", program], start_new_session=True)
    activity.began("task", process.pid)

    def seen():
        time.sleep(0.1)
        activity.sample()
        return activity.waits("task")

    try:
        if waits:
            assert wait_until(seen, bool)
        else:
            time.sleep(1)  # what it takes to begin
            assert not any(seen() for _ in range(10))
        assert activity.largest() > 1e6
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    activity.ended("task")
    assert not activity.waits("task")


@pytest.mark.parametrize(
    ("limit", "used", "wanted", "enough"),
    [
        ("max", 0, 100, True),  # no limit: the machine's memory counts
        ("max", 0, 600, False),
        ("400", 200, 50, True),  # of 400, 200 are used, 50 of them for files that may go
        ("400", 200, 200, False),
    ],
)
def test_a_quarter_of_the_memory_stays_free(tmp_path, monkeypatch, limit, used, wanted, enough):
    (tmp_path / "meminfo").write_text("MemTotal: 1024 kB\nMemFree: 1 kB\nMemAvailable: 768 kB\n")
    (tmp_path / "memory.max").write_text(limit if limit == "max" else str(int(limit) * 1024))
    (tmp_path / "memory.current").write_text(str(used * 1024))
    (tmp_path / "memory.stat").write_text(f"anon 1\ninactive_file {50 * 1024}\n")
    monkeypatch.setattr(linux, "_PROC", tmp_path)
    monkeypatch.setattr(linux, "_GROUP", tmp_path)

    assert spare(wanted * 1024) is enough


def test_where_the_memory_is_not_known_none_is_to_spare(tmp_path, monkeypatch):
    monkeypatch.setattr(linux, "_PROC", tmp_path)
    monkeypatch.setattr(linux, "_GROUP", tmp_path)

    assert not spare(0)
