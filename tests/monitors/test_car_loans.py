"""Car loans that change half-way: found within two windows, silent before; labels that come late; planted defects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pandas as pd
import pytest

from kfnb.capture.embedded.counting import kfnb_Counter
from kfnb.capture.embedded.profiles import kfnb_profile
from kfnb.resources.monitors.evaluation import Window, report_of
from kfnb.resources.monitors.model import MonitorSpec, MonitorState, Report, Rule
from kfnb.resources.monitors.panes import Pane
from kfnb.resources.monitors.performance import Labelled
from kfnb.resources.monitors.reference import PREDICTION, MonitorReference
from kfnb.resources.monitors.rules import RuleOptions
from kfnb.resources.monitors.transitions import Standing, standing_after
from tests.real_data import car_loans

pytestmark = pytest.mark.slow

CHANGE, WINDOW, HOUR = 25_000, 1_000, 3600.0
LATE = 3 * WINDOW
"""Requests that come before the label of one is known."""
COLUMNS = [
    "car_value",
    "salary_range",
    "debt_to_income_ratio",
    "loan_length",
    "repaid_loan_on_prev_car",
    "size_of_downpayment",
    "driver_tenure",
]
SHARES = dict(zip(COLUMNS, (0.05, 0.18, 0.18, 0.37, 0.04, 0.02, 0.16), strict=True))
"""How much a model of them depends on each column: measured once, by shuffling."""


@dataclass(frozen=True)
class Stream:
    """Loans as they are asked about, with what was predicted of them; ``repaid`` is what became of them."""

    reference: MonitorReference
    loans: pd.DataFrame
    repaid: Sequence[int] = ()

    def report(self, spec: MonitorSpec, first: int) -> Report:
        """The report of a window of loans; labels are those of loans that are old enough."""
        some, now = self.loans.iloc[first : first + WINDOW], (first + WINDOW) / WINDOW * HOUR
        inputs, predictions = (
            kfnb_Counter(dict(one)) for one in (self.reference.profile, self.reference.predictions)
        )
        inputs.add(some[COLUMNS])
        predictions.add({PREDICTION: some.y_pred.tolist()})
        pane = Pane(
            self.reference.key,
            now - HOUR,
            now,
            rows=WINDOW,
            inputs=inputs.profile(),
            predictions=predictions.profile(),
        )
        known = max(0, first + WINDOW - LATE)
        pairs = zip(self.loans.y_pred[:known], self.repaid[:known], strict=bool(self.repaid))
        labelled = [Labelled(int(one), int(other), now) for one, other in pairs]
        return report_of(spec, self.reference, Window(pane, labelled[-10_000:], now, 0.0))

    def watched(self, spec: MonitorSpec, begin: int = 0) -> Iterator[tuple[int, Report, Standing]]:
        """Each window from that loan on: its first loan, its report, and what holds after it."""
        standing, reports = Standing(), list[Report]()
        for first in range(begin, len(self.loans), WINDOW):
            report = self.report(spec, first)
            standing = standing_after(spec, standing, reports, report, report.until)
            reports.append(report)
            yield first, report, standing


def stream(part: str) -> Stream:
    """``""`` or ``dq_``."""
    usual, loans = (pd.read_csv(car_loans(f"{part}{name}")) for name in ("reference", "analysis"))
    reference = MonitorReference(
        "loans@1",
        "loans@1",
        kfnb_profile(usual[COLUMNS]),
        tuple(COLUMNS),
        kfnb_profile({PREDICTION: usual.y_pred.tolist()}),
        SHARES,
        {"accuracy": float((usual.y_pred == usual.repaid).mean())},
    )
    return Stream(reference, loans)


def spec(*rules: Rule) -> MonitorSpec:
    return MonitorSpec("loans", "loans", "loans@1", rules, every=HOUR)


def in_alarm(standing: Standing) -> set[str]:
    return {one.rule for one in standing.rules if one.state is MonitorState.ALARM}


def test_the_rules_that_hold_by_default_find_the_change_within_two_windows_and_are_silent_before() -> None:
    for first, _, standing in stream("").watched(spec(*RuleOptions().rules())):
        if first < CHANGE:
            assert {one.state for one in standing.rules} == {MonitorState.OK}, first
        elif first > CHANGE:
            assert in_alarm(standing) == {"drift", "score"}, first


def test_labels_that_come_late_tell_a_loss_of_three_points_if_there_are_enough_of_them() -> None:
    loans = stream("")
    loans = replace(loans, repaid=pd.read_csv(car_loans("analysis_target")).repaid.tolist())
    drop = spec(Rule("drop", 0.02, "accuracy"))
    by_labels = {}
    for name, one in (
        ("1,000 labels", drop),
        ("5,000 labels", replace(drop, labels=5000)),
        ("adwin", replace(drop, detector="adwin")),
    ):
        alarms = [first for first, _, standing in loans.watched(one, 20_000) if in_alarm(standing)]
        assert all(first >= CHANGE + LATE - WINDOW for first in alarms), name
        by_labels[name] = alarms
    assert by_labels["1,000 labels"] == [], "the bound of so few is wider than the loss"
    assert by_labels["5,000 labels"][0] <= CHANGE + LATE + 8 * WINDOW
    assert by_labels["adwin"][0] <= CHANGE + LATE + 4 * WINDOW


def test_missing_and_new_values_are_named() -> None:
    reasons: dict[int, dict[str, tuple[str, ...]]] = {
        first: {one.name: one.reasons for one in report.columns if one.reasons}
        for first, report, _ in stream("dq_").watched(spec(Rule("drift", 0.2)))
    }
    before = {name for first, found in reasons.items() if first < CHANGE for name in found}
    assert before == {"size_of_downpayment"}
    assert reasons[0] == {"size_of_downpayment": ("new: 50%",)}, "it was planted there"
    for first in range(CHANGE + WINDOW, len(reasons) * WINDOW, WINDOW):
        for name in ("salary_range", "driver_tenure"):
            assert any("missing" in one for one in reasons[first][name]), (first, name)
