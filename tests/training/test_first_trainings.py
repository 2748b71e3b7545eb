"""What the first trainings of a newcomer come to: small cells, and cells that leave early, diverge or mislead."""

from __future__ import annotations

import math
from typing import Any

import pytest

from kfnb.commands.display import bundle
from kfnb.entities import RunState
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
