"""Budgets of runs: what a run will probably cost, from former ones, and its end when the budget is passed.

A run here is ended by its own supervisor. One on a cluster is stopped by this process, for as long as that lives.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from kfnb.diagnostics import logger
from kfnb.entities import Amounts, Purpose
from kfnb.errors import KfnbError, UsageError
from kfnb.jobs.polling import poll
from kfnb.prices.budget import Budget
from kfnb.prices.current import current
from kfnb.resources.runs.engine import Submission
from kfnb.resources.runs.handle import Run
from kfnb.resources.runs.recorded_usage import former_runs
from kfnb.text.money import money

_logger = logger(__package__)

_LOOKS_EVERY = 20.0
"""Seconds between two looks at what a run on a cluster costs: each is a request for its pods."""


def budget_of(limit: float | None, pipeline: str, notify: Callable[[str], None]) -> Budget | None:
    """The budget of a run; what former runs of the pipeline cost is printed first. Raises ``UsageError``."""
    if limit is None:
        return None
    if not 0 < limit < float("inf"):
        raise UsageError(f"budget={limit}: the budget must be above 0")
    budget = Budget(float(limit), current())
    notify(_estimate(budget, pipeline, former_runs(pipeline)))
    return budget


def _estimate(budget: Budget, pipeline: str, runs: Sequence[Mapping[Purpose, Amounts]]) -> str:
    """What a run will probably cost, in a line."""
    rates = budget.rates
    limit = money(budget.limit, rates.currency)
    costs = [cost for used in runs if (cost := rates.cost(used).amount) is not None]
    if not costs:
        return f"budget {limit}; no former run of {pipeline} to estimate its cost from"
    mean, most = (money(amount, rates.currency) for amount in (statistics.mean(costs), max(costs)))
    many = "the last run" if len(costs) == 1 else f"the last {len(costs)} runs"
    beyond = "; it will probably be stopped before its end" if statistics.mean(costs) > budget.limit else ""
    return f"budget {limit}; estimated cost {mean}, at most {most} ({many} of {pipeline}, by {rates.facts}){beyond}"


def guarded(run: Run, submission: Submission) -> Run:
    """The run; if it is on a cluster and has a budget, a thread stops it when that is passed."""
    if submission.budget is not None and run.backend != "local":
        submission.notify("the budget is watched by this process: it is not when the process ends")
        arguments = (run, submission.budget, submission.notify)
        threading.Thread(target=_watch, args=arguments, name=f"kfnb-budget-{run.id}", daemon=True).start()
    return run


def _watch(run: Run, budget: Budget, notify: Callable[[str], None], every: float = _LOOKS_EVERY) -> None:
    """Stop a run when its budget is passed."""
    observed, looked = run.observe(), 0.0
    try:
        for _ in poll(observed, observed.pace):
            if time.monotonic() - looked < every:
                continue
            looked = time.monotonic()
            if reason := budget.passed(run.occupied):
                notify(f"stopping run {run.id}: {reason}")
                run.stop()
                return
    except KfnbError as error:
        _logger.warning("The budget of run %s is not watched any more: %s", run.id, error)
        notify(f"the budget of run {run.id} is not watched any more: {error}")
