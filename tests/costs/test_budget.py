"""A budget: an estimate from former runs, and an end when it is passed."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pipelines_that_rest import resting

import kfnb
from kfnb import settings
from kfnb.entities import Amounts, Purpose
from kfnb.errors import RunFailed, UsageError
from kfnb.prices.budget import Budget
from kfnb.prices.rates import Rates
from kfnb.resources.runs import budgets

RATES = Rates("own", "EUR", "2026-11-01", "here", cores=3600.0, memory=0.0)
"""A second of a core is one euro."""


@pytest.fixture
def prices(home: Path, tmp_path: Path) -> None:
    table = '[tool.kfnb.prices]\ncurrency = "EUR"\ndate = 2026-11-01\ncpu = 3600\nmemory = 0\n'
    (tmp_path / "pyproject.toml").write_text(table)
    settings.reset(start=tmp_path)


def test_a_budget_is_passed_by_what_is_known_of_the_cost() -> None:
    budget = Budget(2.0, RATES)
    assert budget.passed({Purpose.WORK: Amounts(cores=1 / 3600)}) == ""
    assert budget.passed({Purpose.SAVED: Amounts(cores=9)}) == ""
    known = budget.passed(
        {Purpose.WORK: Amounts(cores=2 / 3600, unknown=1), Purpose.FAILED: Amounts(cores=1 / 3600)}
    )
    assert known == "the budget of 2.00 EUR is passed: 3.00 EUR by own, EUR, 2026-11-01"


def test_a_budget_travels_as_json() -> None:
    assert Budget.of(Budget(2.0, RATES).data()) == Budget(2.0, RATES)
    assert Budget.of({}) is None


def test_a_run_is_stopped_when_its_budget_is_passed(prices: None) -> None:
    run = kfnb.submit(resting, budget=1.0, notify=lambda _: None)
    with pytest.raises(RunFailed, match=r"the budget of 1\.00 EUR is passed"):
        run.wait(30)
    assert run.cost.failed == pytest.approx(run.cost.amount)
    assert run.cost.amount is not None
    assert 1.0 < run.cost.amount < 20


def test_a_run_within_its_budget_is_not(prices: None) -> None:
    run = kfnb.submit(resting, {"seconds": 0.1}, budget=1000, notify=lambda _: None).wait(30)
    assert run.cost.amount is not None
    assert 0.1 <= run.cost.amount < 10


def test_an_estimate_comes_first_from_former_runs(prices: None) -> None:
    said: list[str] = []
    kfnb.submit(resting, {"seconds": 0.2}, budget=5, notify=said.append).wait(30)
    kfnb.submit(resting, {"seconds": 0.2}, budget=0.1, notify=said.append)
    assert said[0] == "budget 5.00 EUR; no former run of resting to estimate its cost from"
    assert said[1].startswith("budget 0.10 EUR; estimated cost 0.")
    assert "(the last run of resting, by own, EUR, 2026-11-01)" in said[1]
    assert said[1].endswith("; it will probably be stopped before its end")


@pytest.mark.parametrize("amount", [0, -1, float("nan"), float("inf")])
def test_a_budget_that_is_not_an_amount_is_refused(prices: None, amount: float) -> None:
    with pytest.raises(UsageError, match="the budget must be above 0"):
        kfnb.submit(resting, budget=amount, notify=lambda _: None)


class Cluster:
    """A run on a cluster that gets dearer with each look."""

    id, backend, pace = "run", "kubeflow", None

    def __init__(self) -> None:
        self.looks, self.stopped = 0, threading.Event()

    @property
    def occupied(self) -> Mapping[Purpose, Amounts]:
        self.looks += 1
        return {Purpose.WORK: Amounts(cores=self.looks / 3600)}

    @property
    def over(self) -> bool:
        return self.stopped.is_set()

    def stop(self) -> None:
        self.stopped.set()

    def observe(self) -> Any:
        return self

    def refresh(self) -> bool:
        return False


def test_a_run_on_a_cluster_is_stopped_by_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    run, said = Cluster(), list[str]()
    monkeypatch.setattr(budgets, "poll", lambda view, pace: iter(lambda: view.over, True))
    budgets._watch(run, Budget(2.0, RATES), said.append, every=0.0)  # type: ignore[arg-type]
    assert run.stopped.is_set()
    assert run.looks == 3
    assert said == ["stopping run run: the budget of 2.00 EUR is passed: 3.00 EUR by own, EUR, 2026-11-01"]
