"""A cell that several processes execute: in the notebook, and as a step of a pipeline."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import kfnb
from kfnb.entities import RunState
from kfnb.errors import RunFailed, UsageError
from kfnb.jobs import system
from kfnb.resources.components import api
from kfnb.resources.runs.local.folder import RunFolder
from tests.conftest import Shell


def assert_gone(run: Any) -> None:
    """Check that all processes of a run are gone within a few seconds."""
    until = time.monotonic() + 10
    tag = RunFolder(Path(os.environ["KFNB_HOME"]) / "runs" / run.id).tag
    while left := system.here().tagged(tag):
        assert time.monotonic() < until, f"{left} are alive"
        time.sleep(0.05)


LOAD = "%%kf_component load\nxs = list(range(10))"


@pytest.fixture
def fit(shell: Shell) -> Shell:
    """A notebook with a training ``fit`` of two processes, of what a component has made."""
    shell.run("import time\ndef double(x):\n    return 2 * x")
    shell.run(LOAD)
    shell.run("""%%kf_train fit --nodes 2 --param lr:float=0.5 --output total -o training
mine = kf.shard(xs)
total = double(sum(mine)) * lr
for step in range(3):
    kf.log_metrics(step=step, loss=total / (step + 1))
kf.progress(1)
print("rank", kf.rank, "of", kf.world_size)
if kf.rank == 0:
    only_here = "rank 0"
""")
    return shell


def test_the_names_of_rank_0_come_back_and_the_training_is_a_run(
    fit: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fit["mine"] == [0, 2, 4, 6, 8]
    assert fit["total"] == 20.0
    assert fit["only_here"] == "rank 0"
    run = fit["training"]
    assert run.state is RunState.SUCCEEDED
    assert run.id in [one.id for one in kfnb.runs()]
    assert run.metrics["fit"] == {"loss": pytest.approx(20 / 3)}
    first, second = run.tasks["fit"].ranks
    assert (first.state, first.exit_code, first.progress, first.step) == (RunState.SUCCEEDED, 0, 1.0, 2)
    assert second.metrics == {"loss": pytest.approx(25 / 3)}
    assert second.curves["loss"] == ((0, 25.0), (1, 12.5), (2, pytest.approx(25 / 3)))
    assert {"[rank 0] rank 0 of 2", "[rank 1] rank 1 of 2"} <= {*run.logs("fit").splitlines()}
    assert "rank 1 of 2" in run.logs("fit", rank=1)
    assert "rank 0" not in run.logs("fit", rank=1)
    fit.run(f"%kf_logs {run.id} --rank 1")
    assert "fit  rank 1 of 2\n" in capsys.readouterr().out


def test_a_pipeline_has_the_training_as_a_step(fit: Shell) -> None:
    fit.run("%%kf_component evaluate --output score\nscore = total * 10")
    fit.run("%kf_pipeline p load fit evaluate")
    run = fit.submit("p", lr=0.25)
    assert run.result == {"score": 100.0, "total": 10.0}
    assert [one.number for one in run.tasks["fit"].ranks] == [0, 1]


def test_a_training_can_be_started_with_other_processes(fit: Shell) -> None:
    run = kfnb.train("fit", {"lr": 1.0}, nodes=1, procs=3).wait(60)
    assert run.arguments["lr"] == 1.0
    assert run.outputs["fit"]["total"] == 36.0
    assert len(run.tasks["fit"].ranks) == 3
    assert fit["total"] == 20.0, "the notebook's own values stay"


def test_the_first_failure_is_the_cells_with_its_rank_and_line(shell: Shell, tmp_path: Path) -> None:
    shell.run(LOAD)
    cell = """%%kf_train fit --procs 2 -o training
import time
from pathlib import Path
mine = kf.shard(xs)
if not Path("fixed").exists():
    if kf.rank == 1:
        raise ValueError("bad shard")
    time.sleep(60)
"""
    message = shell.fails(cell)
    assert "rank 1: ValueError: bad shard (cell fit [2], line 7)" in message
    assert "fit" not in shell.kernel.notebook.components
    run = shell["training"]
    assert run.state is RunState.FAILED
    assert [str(one.state) for one in run.tasks["fit"].ranks] == ["CANCELED", "FAILED"]
    assert_gone(run)
    (tmp_path / "fixed").touch()
    assert run.retry().wait(60).state is RunState.SUCCEEDED
    assert [str(one.state) for one in run.tasks["fit"].ranks] == ["SUCCEEDED", "SUCCEEDED"]


def test_an_interrupted_cell_ends_its_training(
    shell: Shell, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run(f"FOLDER = {str(tmp_path)!r}")

    def interrupt() -> None:
        while len([one for one in tmp_path.glob("pid*") if one.read_text()]) < 2:
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    waiting = threading.Thread(target=interrupt, daemon=True)
    waiting.start()
    cell = SLOW.replace("%%kf_component slow", "%%kf_train slow --procs 2 -o training")
    result = shell.ip.run_cell(cell)
    waiting.join(30)
    assert isinstance(result.error_in_exec, KeyboardInterrupt)
    assert shell["training"].state is RunState.CANCELED
    printed = capsys.readouterr()
    assert "stopping training slow: its processes have 10 seconds to end\n" in printed.out
    assert "[rank 1] saved\n" in printed.out, "what a process writes at its end"
    assert "KeyboardInterrupt: training slow was stopped (interrupted)" in printed.out + printed.err
    assert "engine.py" not in printed.out + printed.err
    assert (tmp_path / "saved1").exists()
    assert_gone(shell["training"])


SLOW = """%%kf_component slow
import os, time
from pathlib import Path
if kf.world_size > 1:
    try:
        Path(FOLDER, f"pid{kf.rank}").write_text(str(os.getpid()))
        time.sleep(60)
    finally:
        Path(FOLDER, f"saved{kf.rank}").write_text("1")
        print("saved")
"""


def _running(shell: Shell, folder: Path) -> tuple[Any, list[int]]:
    """A training that sleeps, and the process ids of its ranks."""
    shell.run(f"FOLDER = {str(folder)!r}")
    shell.run(SLOW)
    run = kfnb.train("slow", procs=2)
    until = time.monotonic() + 30
    while len(found := [one for one in folder.glob("pid*") if one.read_text()]) < 2:
        assert time.monotonic() < until, run.logs()
        time.sleep(0.05)
    return run, [int(one.read_text()) for one in found]


def test_a_training_that_is_stopped_has_time_to_save_and_leaves_no_process(
    shell: Shell, tmp_path: Path
) -> None:
    run, _ = _running(shell, tmp_path)
    run.stop()
    with pytest.raises(RunFailed):
        run.wait(30)
    assert run.state is RunState.CANCELED
    assert (tmp_path / "saved0").exists()
    assert (tmp_path / "saved1").exists()
    assert_gone(run)


def test_no_process_outlives_a_driver_that_is_killed(shell: Shell, tmp_path: Path) -> None:
    run, _ = _running(shell, tmp_path)
    home = Path(os.environ["KFNB_HOME"]) / "runs" / run.id
    os.kill(int((home / "supervisor.pid").read_text()), signal.SIGKILL)
    with pytest.raises(RunFailed):
        run.wait(30)
    assert_gone(run)


def test_a_checkpoint_outlives_a_restart(shell: Shell) -> None:
    shell.run("""%%kf_train fit --procs 2 --max-restarts 1
found = kf.resume()
start = 0 if found is None else int((found / "step").read_text()) + 1
for step in range(start, 4):
    with kf.checkpoint(step) as folder:
        (folder / "step").write_text(str(step))
    if step == 2 and start == 0:
        import time; time.sleep(0.2 * kf.rank)
        raise ValueError("lost")
""")
    assert shell["start"] == 3
    assert shell["step"] == 3


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (
            "%%kf_train fit\ndef train():\n    pass",
            "cell fit [1] defines train() and never calls it, so nothing would be trained",
        ),
        ("%%kf_train fit\ndef fit(x: int) -> int:\n    return x", "is a single function, which KFP calls"),
        ("%%kf_train fit --nodes 0\nx = 1", "--nodes 0: give a number from 1 on"),
        ("%%kf_train fit --procs -1\nx = 1", "--procs -1: give a number from 1 on"),
        ("%%kf_train fit --max-restarts -1\nx = 1", "--max-restarts -1: give a number from 0 on"),
        ("%%kf_train fit --framework tensorlfow\nx = 1", "did you mean tensorflow?"),
        (
            "%%kf_train fit --backend kubeflow\nx = 1",
            "no cluster is known here: %kf_config context=NAME names one",
        ),
        (
            "%%kf_train fit --procs 2\nimport xgboost, lightgbm",
            "cell fit [1] imports xgboost and lightgbm, and one of them connects the processes",
        ),
        ("%%kf_train fit\nx = missing", "missing is not defined"),
    ],
)
def test_what_cannot_train_is_refused_in_one_message(shell: Shell, cell: str, message: str) -> None:
    assert message in shell.fails(cell)
    assert kfnb.runs() == [] or not list(kfnb.runs())


def test_an_input_that_cannot_travel_leaves_nothing_of_the_others_behind(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    shell.run("%%kf_component load\na_first = [object]\nclass Busy:\n    pass\nz_last = Busy()")
    shell.run("import threading\nz_last.lock = threading.Lock()")
    shell.fails("%%kf_train fit\nprint(a_first, z_last, kf.rank)")
    assert not [*tmp_path.glob("kfnb-inputs-*")]


def test_processes_that_all_do_the_same_are_noted(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run("%%kf_train fit --procs 2\nx = 1\nprint('here')")
    printed = capsys.readouterr().out
    assert "note: the cell uses neither kf.rank nor kf.shard: each of the 2 processes" in printed
    assert "[rank 1] here\n" in printed


def test_more_processes_than_cores_are_noted(shell: Shell) -> None:
    many = len(os.sched_getaffinity(0)) + 1
    shell.run(f"%%kf_train fit --procs {many} -o training\nx = kf.rank")
    assert any(f"fit has {many} processes on" in note for note in shell["training"].snapshot().notes)


def test_in_a_plain_component_there_is_one_rank(shell: Shell) -> None:
    shell.run("""%%kf_component plain --output seen
seen = [kf.rank, kf.local_rank, kf.world_size, len(kf.shard([1, 2, 3])), kf.resume() is None]
kf.progress(0.5)
with kf.checkpoint(1) as folder:
    (folder / "a").write_text("a")
""")
    assert shell["seen"] == [0, 0, 1, 3, True]
    shell.run("%kf_pipeline p plain")
    assert shell.submit("p").result == {"seen": [0, 0, 1, 3, True]}


def test_on_a_cluster_the_pod_requests_what_all_processes_need(fit: Shell) -> None:
    fit.run("%%kf_train big --nodes 2 --procs 2 --cpu 500m --memory 1G\nx = kf.rank")
    fit.run("%kf_pipeline p big")
    container = api.spec_of("p").spec["deploymentSpec"]["executors"]["exec-big"]["container"]
    assert container["resources"]["resourceCpuLimit"] == "2000m"
    assert container["resources"]["resourceMemoryLimit"] == "4G"


def test_a_trial_of_a_training_is_refused_with_what_to_do(fit: Shell) -> None:
    with pytest.raises(UsageError, match="tune a pipeline of it, %kf_pipeline fit_pipeline fit"):
        kfnb.tune("fit", "lr=float(0,1)", objective="total", maximize=True)
