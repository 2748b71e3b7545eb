"""The step of a training as KFP's launcher runs it in a pod: all of its processes are in that pod."""

from __future__ import annotations

from pathlib import Path

from kfnb.resources.components import api
from kfnb.resources.runs.kubeflow.failure import why_failed
from tests.conftest import Shell
from tests.pipeline.launched import launch

FIT = """%%kf_train fit --nodes 2 --procs 1 --output total
total = sum(kf.shard([1, 2, 3]))
kf.log_metrics(step=1, loss=total)
with kf.checkpoint(1) as folder:
    (folder / "weights").write_text("1")
FAIL
"""


def test_the_pods_program_starts_the_processes_and_puts_out_what_rank_0_has(
    shell: Shell, tmp_path: Path
) -> None:
    shell.run(FIT.replace("FAIL", ""))
    shell.run("%kf_pipeline p fit")
    (tmp_path / "pod").mkdir()
    done = launch("p", "fit", tmp_path / "pod")
    assert done.code == 0, done.log
    assert done.parameters == {"total": 4}
    assert done.metadata["kf_metrics"]["loss"] == 4
    assert "[rank 0] step 1: loss=4\n" in done.log
    assert "[rank 1] step 1: loss=2\n" in done.log


def test_the_pod_fails_as_the_first_rank_that_fails(shell: Shell, tmp_path: Path) -> None:
    shell.run(
        FIT.replace(
            "FAIL", "import os\nif kf.rank == 1 and 'POD' in os.environ:\n    raise ValueError('bad shard')"
        )
    )
    shell.run("%kf_pipeline p fit")
    (tmp_path / "pod").mkdir()
    done = launch("p", "fit", tmp_path / "pod", POD="1")
    assert done.code == 1
    assert "[rank 1] ValueError: bad shard\n" in done.log
    assert done.log.splitlines()[-1] == "rank 1 failed: ValueError: bad shard"
    program = api.spec_of("p").spec["deploymentSpec"]["executors"]["exec-fit"]["container"]["command"][-1]
    error = why_failed(done.log.splitlines(), program)
    assert error.message == "rank 1: ValueError: bad shard"
    assert error.place == "cell fit [1], line 8"


def test_a_rank_that_was_killed_in_a_pod_is_reported_with_its_signal() -> None:
    log = ["[rank 0] fine", "[rank 1] step 1", "rank 1 failed: was killed by SIGKILL, most likely"]
    error = why_failed(log, "def fit(): pass")
    assert error.message == "rank 1 was killed by SIGKILL, most likely"
    assert error.traceback == "step 1"
