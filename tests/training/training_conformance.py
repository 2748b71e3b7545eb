"""What each engine of trainings does. An engine's tests inherit ``TrainingConformance`` and say how it is reached."""

from __future__ import annotations

from typing import Any

import pytest

import kfnb
from kfnb.entities import RunState
from kfnb.errors import BackendError, RunFailed, RunNotFound
from kfnb.resources.runs.engine import RunEngine
from tests.conftest import Shell
from tests.training.clusters import until

TIMEOUT = 60

FIT = """%%kf_train fit --nodes 2 --param lr:float=0.5 --backend BACKEND -o training
mine = kf.shard(xs)
total = sum(mine) * lr
for step in range(3):
    kf.log_metrics(step=step, loss=total / (step + 1))
kf.progress(1)
print("rank", kf.rank, "of", kf.world_size)
if kf.rank == 0:
    only_here = "rank 0"
"""
ELSEWHERE = """%%kf_component fit{options}
import os, sys, time
seen = None
if kf.world_size > 1:
    {code}
"""
"""A cell that does nothing in the kernel, where there is one process."""
GOES_ON = """
    seen = kf.resume()
    if seen is None:
        if kf.rank == 0:
            with kf.checkpoint(3) as folder:
                (folder / "weights").write_text("w3")
            print("kept w3", flush=True)
        {then}
    if kf.rank == 0:
        print("from", (seen / "weights").read_text())
    seen = None
"""
"""A training that is to start twice: the second time it goes on from the checkpoint of the first."""


def elsewhere(code: str, options: str = "") -> str:
    """A cell whose ``code`` is executed where there are several processes."""
    return ELSEWHERE.format(code=code.strip(), options=options)


class TrainingConformance:
    """The behaviour of an engine, whose name is ``backend``; a subclass has the fixture ``place`` if it needs one."""

    backend = ""

    @pytest.fixture(autouse=True)
    def place(self) -> None:
        """Where the engine trains."""

    def train(self, **options: Any) -> Any:
        """Start the training ``fit`` of two processes, on a node each."""
        return kfnb.train("fit", backend=self.backend, **{"nodes": 2, **options})

    def states(self, run: Any) -> list[str]:
        """The state of each rank."""
        return [str(one.state) for task in run.tasks.values() for one in task.ranks]

    def test_the_names_of_rank_0_come_back_and_all_ranks_are_told(
        self, shell: Shell, capsys: pytest.CaptureFixture[str]
    ) -> None:
        shell.run("%%kf_component load\nxs = list(range(10))")
        shell.run(FIT.replace("BACKEND", self.backend))
        assert (shell["mine"], shell["total"], shell["only_here"]) == ([0, 2, 4, 6, 8], 10.0, "rank 0")
        printed = capsys.readouterr().out.splitlines()
        assert {"[rank 0] rank 0 of 2", "[rank 1] rank 1 of 2"} <= {*printed}
        run = shell["training"]
        assert (run.state, run.backend) == (RunState.SUCCEEDED, self.backend)
        assert run.metrics["fit"] == {"loss": pytest.approx(10 / 3)}
        first, second = run.tasks["fit"].ranks
        assert (first.number, second.number) == (0, 1)
        for one in first, second:
            assert (one.state, one.exit_code, one.progress, one.step) == (RunState.SUCCEEDED, 0, 1.0, 2)
            assert one.host
        assert first.curves["loss"] == ((0, 10.0), (1, 5.0), (2, pytest.approx(10 / 3)))
        assert second.curves["loss"] == ((0, 12.5), (1, 6.25), (2, pytest.approx(12.5 / 3)))

    def test_the_log_is_of_all_ranks_or_of_one(self, shell: Shell) -> None:
        shell.run(elsewhere("print('I am', kf.rank)"))
        run = self.train().wait(TIMEOUT)
        assert {"[rank 0] I am 0", "[rank 1] I am 1"} <= {*run.logs("fit").splitlines()}
        assert "I am 1" in run.logs("fit", rank=1)
        assert "I am 0" not in run.logs("fit", rank=1)

    def test_arguments_are_those_given_and_outputs_those_of_rank_0(self, shell: Shell) -> None:
        shell.run("%%kf_component fit --param lr:float=0.5 --output total\ntotal = lr * (kf.rank + 1)")
        run = self.train(arguments={"lr": 3.0}).wait(TIMEOUT)
        assert run.arguments["lr"] == 3.0
        assert run.outputs["fit"]["total"] == 3.0
        assert shell["total"] == 0.5, "the notebook's own values stay"

    def test_the_first_failure_is_told_with_its_rank_cell_and_line_and_ends_all(self, shell: Shell) -> None:
        shell.run(elsewhere("time.sleep(0.3 if kf.rank else 60); raise ValueError('bad shard')"))
        run = self.train()
        with pytest.raises(RunFailed, match="rank 1: ValueError: bad shard"):
            run.wait(TIMEOUT)
        task = run.tasks["fit"]
        assert task.error.place == "cell fit [1], line 5"
        assert self.states(run) == ["CANCELED", "FAILED"]
        assert task.ranks[1].exit_code == 1
        assert "ValueError: bad shard" in task.error.traceback

    @pytest.mark.parametrize(
        ("code", "why"),
        [
            ("os._exit(3)", "rank 0 exited with code 3"),
            ("os.kill(os.getpid(), 9)", "rank 0 was killed by SIGKILL"),
        ],
        ids=["exit", "signal"],
    )
    def test_a_process_that_ends_without_words_is_told(self, shell: Shell, code: str, why: str) -> None:
        shell.run(elsewhere(f"kf.rank or {code}; time.sleep(30)"))
        with pytest.raises(RunFailed, match=why):
            self.train().wait(TIMEOUT)

    def test_a_training_that_takes_too_long_is_ended(self, shell: Shell) -> None:
        shell.run(elsewhere("time.sleep(60)", " --timeout 2s"))
        run = self.train()
        with pytest.raises(RunFailed, match="timed out"):
            run.wait(TIMEOUT)
        assert run.state is RunState.FAILED

    def test_a_restart_goes_on_from_the_checkpoint(self, shell: Shell) -> None:
        again = elsewhere(GOES_ON.format(then="raise OSError('lost')"))
        shell.run(again.replace("%%kf_component fit", "%%kf_train fit --max-restarts 1"))
        run = self.train(nodes=1, procs=2).wait(TIMEOUT)
        assert [one.restarts for one in run.tasks["fit"].ranks] == [1, 1]
        assert "from w3" in run.logs("fit")

    def test_a_stopped_training_goes_on_from_its_checkpoint(self, shell: Shell) -> None:
        shell.run(elsewhere(GOES_ON.format(then="time.sleep(60)")))
        run = self.train()
        until(lambda: self.states(run) == ["RUNNING"] * 2 and "kept w3" in run.logs("fit"))
        run.stop()
        until(lambda: run.state is RunState.CANCELED)
        assert self.states(run) == ["CANCELED", "CANCELED"]
        run.stop()  # which does nothing
        run.retry()
        assert run.wait(TIMEOUT).state is RunState.SUCCEEDED
        assert "from w3" in run.logs("fit")

    def test_a_failed_training_is_trained_again_under_its_id(self, shell: Shell) -> None:
        shell.run(elsewhere(GOES_ON.format(then="raise OSError('disk')")))
        run = self.train()
        with pytest.raises(RunFailed, match="OSError: disk"):
            run.wait(TIMEOUT)
        assert run.retry().wait(TIMEOUT).state is RunState.SUCCEEDED
        assert run.tasks["fit"].error is None

    def test_a_model_that_rank_0_saves_is_registered(self, shell: Shell) -> None:
        shell.run("""%%kf_component fit
from sklearn.linear_model import LinearRegression
if kf.rank == 0 and kf.world_size > 1:
    kf.save(LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0]), name="line", score=0.5)
""")
        self.train().wait(TIMEOUT)
        assert [one.name for one in kfnb.models()] == ["line"]
        assert kfnb.model("line@1").metrics == {"score": 0.5}

    def test_trainings_are_listed_archived_and_deleted_as_runs(self, shell: Shell) -> None:
        shell.run(elsewhere("time.sleep(0.5)"))
        run = self.train()
        with pytest.raises(BackendError, match=rf"run {run.id} is (still running|PENDING|RUNNING)"):
            run.delete()
        run.wait(TIMEOUT)
        engine = run._engine
        assert [(one.id, one.state) for one in engine.list()] == [(run.id, RunState.SUCCEEDED)]
        run.archive()
        assert run.id not in [one.id for one in engine.list()]
        run.unarchive()
        assert kfnb.run(run.id[:-1]).id == run.id, "the start of its id does"
        run.delete()
        until(lambda: _is_gone(engine, run.id))


def _is_gone(engine: RunEngine, run_id: str) -> bool:
    """Whether an engine has no such run: pods may take a moment to end."""
    try:
        engine.get(run_id)
    except RunNotFound:
        return True
    return False
