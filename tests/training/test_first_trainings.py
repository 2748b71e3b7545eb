"""What the first trainings of a newcomer come to: small cells, and cells that leave early, diverge or mislead."""

from __future__ import annotations

import math
from typing import Any

import pytest

import kfnb
from kfnb.capture.embedded.rendezvous import kfnb_rank_variables
from kfnb.commands.display import bundle
from kfnb.entities import RunState
from kfnb.errors import UsageError
from kfnb.text.variables import OF_A_RANK
from tests.conftest import Shell


def shown(run: Any) -> str:
    """A run as text."""
    return str(bundle(run)["text/plain"])


@pytest.mark.parametrize(
    "cell",
    ["print(kf.rank)", "kf.log_metrics(loss=kf.rank)", "kf.table([{'a': kf.rank}])"],
)
def test_a_cell_that_writes_no_name_is_a_training(shell: Shell, cell: str) -> None:
    shell.run(f"%%kf_train small --procs 2 -o training\n{cell}")
    assert shell["training"].state is RunState.SUCCEEDED
    assert "small" in shell.kernel.notebook.components


def test_a_loss_that_is_no_number_any_more_is_seen_wherever_it_is_shown(
    shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run("""%%kf_train fit --procs 2 -o training
for step, loss in enumerate([1.0, 0.5, float("nan"), float("nan")]):
    kf.log_metrics(step=step, loss=loss + kf.rank)
kf.log_metrics(largest=float("inf"))
""")
    run = shell["training"]
    assert math.isnan(run.metrics["fit"]["loss"])
    assert run.metrics["fit"]["largest"] == math.inf
    first = run.tasks["fit"].ranks[0]
    assert (first.step, str(first.metrics["loss"])) == (3, "nan")
    printed = capsys.readouterr().out
    assert "note: rank 0: loss is nan from step 2" in printed
    text = shown(run)
    assert "loss is nan from step 2; largest is inf" in text
    assert "1.0 → 0.5, then nan from step 2" in text


def test_a_components_curve_tells_since_when_it_is_no_number(shell: Shell) -> None:
    shell.run("""%%kf_component fit
for step, loss in enumerate([1.0, 0.5, float("inf")]):
    kf.log_metrics(step=step, loss=loss)
""")
    shell.run("%kf_pipeline p fit")
    run = shell.submit("p")
    assert run.metrics == {"fit": {"loss": math.inf}}
    assert "1.0 → 0.5, then inf from step 2" in shown(run)


@pytest.mark.parametrize(
    ("leave", "message"),
    [
        ("sys.exit(0)", "rank 0: the step exited with sys.exit(0) (cell fit [1], line 5)"),
        ("sys.exit()", "rank 0: the step exited with sys.exit() (cell fit [1], line 5)"),
        ("os._exit(0)", "rank 0 exited with code 0 before the end of its cell"),
    ],
)
def test_rank_0_that_leaves_early_fails_the_training(shell: Shell, leave: str, message: str) -> None:
    cell = f"%%kf_train fit --procs 2 -o training\nimport os, sys\ny = 5\nif kf.rank == 0:\n    {leave}"
    assert message in shell.fails(cell)
    assert shell["training"].state is RunState.FAILED


def test_a_timeout_says_which_ranks_still_ran(shell: Shell) -> None:
    cell = "%%kf_train fit --procs 2 --timeout 2s\nimport time\nif kf.rank == 1:\n    time.sleep(60)"
    assert "timed out after 2 s; still running: rank 1" in shell.fails(cell)


def test_a_restart_says_where_the_failure_was(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run("""%%kf_train fit --max-restarts 1
import os
if os.environ["KFNB_RESTART"] == "0":
    raise ValueError("lost")
""")
    line = "rank 0 failed: ValueError: lost (cell fit [1], line 4); all processes are started again (1 of 1)"
    assert line in capsys.readouterr().out


XGBOOST = """%%kf_train fit --procs 2
import numpy as np, xgboost as xgb
if kf.rank == 1:
    {}
xgb.train({{}}, xgb.DMatrix(np.ones((10, 2)), np.ones(10)), 3)
"""


@pytest.mark.slow
def test_with_xgboost_the_cause_is_told_and_not_what_follows_from_it(
    shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("xgboost")
    assert "rank 1: ValueError: bad shard" in shell.fails(XGBOOST.format("raise ValueError('bad shard')"))
    assert "RabitTracker" not in capsys.readouterr().out
    skips = XGBOOST.replace("kf.rank == 1", "kf.rank == 0").replace("\nxgb.train", "\n    xgb.train")
    assert "rank 1 had ended before (cell fit [2], line 5)" in shell.fails(skips.format("pass"))


@pytest.mark.parametrize("head", ["%%kf_component step", "%%kf_train step --procs 2"])
def test_kf_itself_cannot_be_changed(shell: Shell, head: str) -> None:
    message = shell.fails(f"{head}\nkf.rank = 5")
    assert "line 2: kf.rank cannot be set" in message
    assert shell["kf"].rank == 0


def test_a_name_of_ones_own_may_be_kf(shell: Shell) -> None:
    shell.run(
        "%%kf_component step --output n\nfrom types import SimpleNamespace\nkf = SimpleNamespace()\nkf.n = n = 1"
    )
    assert shell["n"] == 1


def test_variables_that_kfnb_sets_are_no_matter_of_the_cluster(
    shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run(
        "%%kf_train fit\nimport os\nn = [os.environ[x] for x in ('RANK',)]\nm = os.environ['OMP_NUM_THREADS']"
    )
    assert "--env" not in capsys.readouterr().out
    ports = range(4)
    assert kfnb_rank_variables(0, ["127.0.0.1"], 1, ports, 0, 0).keys() <= OF_A_RANK


def test_what_only_another_rank_has_written_is_told(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run("""%%kf_train fit --procs 2 --output never -o training
from sklearn.linear_model import LinearRegression
if kf.rank == 1:
    never = 1
    kf.save(LinearRegression().fit([[1], [2]], [1, 2]), name="line")
""")
    printed = capsys.readouterr().out
    assert "note: never is not an output: rank 0 has not assigned it" in printed
    assert "note: rank 0 has saved no model with kf.save" in printed


def test_a_name_that_stayed_in_the_training_is_told_where_it_is_used(shell: Shell) -> None:
    shell.run("m = 1")
    shell.run("%%kf_train fit\nimport threading\nbm = threading.Lock()\nrank, _ = kf.rank, 1")
    message = shell.fails("%%kf_component use\nprint(bm)")
    assert "line 2: bm stayed in the step of fit (TypeError: cannot pickle '_thread.lock' object)" in message


def test_a_placeholder_is_not_assumed(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run("1 + 1")
    shell.run(
        "%%kf_component step\ntry:\n    c, _ = 1, 2\nexcept ValueError:\n    pass\nfor _ in []:\n    pass\nd = _"
    )
    assert "assumed" not in capsys.readouterr().out


def test_a_component_whose_cell_failed_is_not_unknown(shell: Shell) -> None:
    shell.fails("%%kf_train fit\nraise ValueError('no data')")
    with pytest.raises(
        UsageError, match="fit is not a component: its cell has failed or was interrupted: run it"
    ):
        kfnb.train("fit")


def test_an_unknown_rank_is_refused(shell: Shell) -> None:
    shell.run("%%kf_train fit --procs 2 -o training\nprint(kf.rank)")
    message = shell.fails("%kf_logs training --rank 7")
    assert message == f"unknown rank 7 of run {shell['training'].id}; its ranks are 0 to 1"


def test_names_that_come_back_together_share_what_they_shared(shell: Shell) -> None:
    shell.run("""%%kf_train fit
import threading
import numpy as np
inner = [1]
outer = {"inner": inner}
alone = [1]
data = np.arange(4.0)
model = {"data": data, "name": "m"}
lock = threading.Lock()
""")
    assert shell["outer"]["inner"] is shell["inner"]
    assert shell["model"]["data"] is shell["data"]
    assert shell["alone"] == [1]
    assert "lock" not in shell.ip.user_ns


def test_a_figure_and_its_axes_come_back_as_one_picture(shell: Shell) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    shell.run("%%kf_train fit\nimport matplotlib.pyplot as plt\nfig, ax = plt.subplots()")
    assert shell["ax"].figure is shell["fig"]


def test_names_whose_objects_part_are_told(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run("import numpy as np")
    shell.run(
        "%%kf_component load\nbase = {'n': 1}\nview = base\nhold = [base]\nmat = np.zeros((2, 2))\ncol = mat[:, 0]"
    )
    shell.run("%%kf_train fit\nbase['n'] = 3 + kf.rank\nmat[0, 0] = 7\nrow = mat[0]\nfresh = 1")
    printed = capsys.readouterr().out
    assert "note: base has come back as a new object: view, hold still have the old one" in printed
    assert "note: mat has come back as a new object: col still has the old one" in printed
    assert "note: row and mat share memory in the training: here they are two arrays" in printed
