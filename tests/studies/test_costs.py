"""What a study costs: so far, of the best trial, of failed and pruned ones; and its end when a budget is passed."""

from __future__ import annotations

from pathlib import Path

import pytest

import kfnb
from kfnb import settings
from kfnb.entities import Amounts, Purpose, RunState
from kfnb.errors import UsageError
from kfnb.prices.rates import Rates
from kfnb.resources.studies.costs import cost_words, study_cost
from kfnb.resources.studies.model import Objective, StudySnapshot, Trial, TrialState

RATES = Rates("own", "EUR", "2026-11-01", "here", cores=1.0)


def trial(
    number: int, cores: float, state: TrialState = TrialState.SUCCEEDED, value: float | None = None
) -> Trial:
    purpose = Purpose.FAILED if state is TrialState.FAILED else Purpose.WORK
    return Trial(number, state, value=value, used={purpose: Amounts(cores=cores)})


def test_a_study_costs_all_of_its_trials_and_says_which_part_was_for_nothing() -> None:
    trials = (
        trial(0, 1.0, value=0.5),
        trial(1, 2.0, value=0.9),
        trial(2, 4.0, TrialState.FAILED),
        trial(3, 8.0, TrialState.EARLY_STOPPED),
    )
    cost = study_cost(StudySnapshot("s", "local", Objective("a", maximize=True), trials=trials), RATES)
    assert cost.best is not None
    assert (cost.total.amount, cost.best.amount, cost.failed.amount, cost.pruned.amount) == (
        15.0,
        2.0,
        4.0,
        8.0,
    )


def test_a_study_of_which_nothing_is_known_has_no_cost() -> None:
    study = StudySnapshot(
        "s", "kubeflow", Objective("a"), trials=(Trial(0, TrialState.SUCCEEDED, value=1.0),)
    )
    assert study_cost(study, RATES).total.amount is None
    assert cost_words(study) == ""


BOWL = """%%kf_tune bowl --trials 200 --objective loss --minimize --space "x=float(-1,1)" {options} -o study
import time
until = time.process_time() + 0.05
while time.process_time() < until:
    pass
loss = x * x
"""


@pytest.fixture
def prices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.kfnb.prices]\ncurrency = "EUR"\ndate = 2026-11-01\ncpu = 3600\nmemory = 0\n'
    )
    monkeypatch.setattr(settings.settings(), "_start", tmp_path)


def test_a_study_ends_with_the_trial_that_passes_its_budget(shell, prices: None) -> None:
    shell.run(BOWL.format(options="--budget 0.3"))
    study = shell["study"].wait(60)
    now = study.snapshot()
    assert now.state is RunState.SUCCEEDED
    assert now.reason.startswith("the budget of 0.30 EUR is passed: 0.3")
    assert 3 <= len(now.trials) <= 7
    assert 0.3 < study.cost.amount < 0.5
    assert study.best.value is not None
    assert "cost about 0." in cost_words(now)


def test_a_budget_of_a_study_on_a_cluster_is_refused(shell) -> None:
    with pytest.raises(UsageError, match="a budget ends studies on this machine only"):
        kfnb.tune("bowl", "x=float(0,1)", objective="y", maximize=True, budget=1, backend="kubeflow")
