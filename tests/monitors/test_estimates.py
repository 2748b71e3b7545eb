"""Metrics without labels: right where the model is calibrated and labels depend on rows as before, else a warning."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from monitor_samples import COLUMNS, people

import kfnb
from kfnb.commands.display import bundle
from kfnb.errors import UsageError
from kfnb.resources.monitors.estimates.calibration import calibrated, class_name, curves_of
from kfnb.resources.monitors.estimates.estimating import estimated
from kfnb.resources.monitors.judging import WindowFacts, judge
from kfnb.resources.monitors.kubeflow.refusals import refuse
from kfnb.resources.monitors.model import Finding, MetricValue, MonitorSpec, MonitorState, Report, Rule
from kfnb.resources.monitors.responses import check_steps
from kfnb.resources.monitors.rules import RuleOptions
from kfnb.resources.monitors.transitions import Standing, standing_after
from tests.real_data import car_loans, rain

CLASSES = ("0", "1")


def simulated(seed: int, rows: int, center: float = 0.5) -> tuple[Any, Any, Any]:
    """Scores of two classes that are too sure of themselves, predictions, and labels; ``center`` moves the rows."""
    random = np.random.default_rng(seed)
    true = np.clip(random.normal(center, 0.25, rows), 0.02, 0.98)
    labels = (random.random(rows) < true).astype(int)
    sure = true**3 / (true**3 + (1 - true) ** 3)
    return np.stack([1 - sure, sure], axis=1), (sure > 0.5).astype(int), labels


def by_name(found: tuple[MetricValue, ...]) -> dict[str, MetricValue]:
    return {one.name: one for one in found}


@pytest.mark.parametrize("center", [0.3, 0.5, 0.65, 0.8])
def test_a_model_that_is_too_sure_is_estimated_as_right_as_it_is(center: float) -> None:
    curves = calibrated(*_given(simulated(0, 50_000)))
    scores, predicted, labels = simulated(1, 50_000, center)
    found = by_name(estimated(curves, scores, CLASSES, predicted.tolist()))
    assert found["accuracy"].value == pytest.approx((predicted == labels).mean(), abs=0.015)
    assert found["precision"].value == pytest.approx(labels[predicted == 1].mean(), abs=0.02)
    assert found["recall"].value == pytest.approx(predicted[labels == 1].mean(), abs=0.02)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.sampled_from(["0", "1", "other", None])), min_size=1, max_size=300)
)
def test_estimates_are_shares_with_bounds_whatever_was_predicted(
    rows: list[tuple[float, str | None]],
) -> None:
    curves = calibrated(*_given(simulated(0, 2000)))
    scores = [[1 - score, score] for score, _ in rows]
    found = estimated(curves, scores, CLASSES, [one for _, one in rows])
    assert found[0].rows == len(rows)
    assert all(0 <= one.low <= one.value <= one.high <= 1 for one in found)


def _given(some: tuple[Any, Any, Any]) -> tuple[Any, tuple[str, ...], Any, Any]:
    scores, predicted, labels = some
    return scores, CLASSES, predicted.tolist(), labels.tolist()


def test_three_classes_have_an_accuracy_alone() -> None:
    random = np.random.default_rng(0)
    scores = random.dirichlet([1.0, 1.0, 1.0], 6000)
    labels = (random.random((6000, 1)) > scores.cumsum(axis=1)).sum(axis=1)
    predicted = scores.argmax(axis=1)
    curves = calibrated(
        scores, ("a", "b", "c"), ["abc"[one] for one in predicted], ["abc"[one] for one in labels]
    )
    (found,) = estimated(curves, scores, ("a", "b", "c"), ["abc"[one] for one in predicted])
    assert found.value == pytest.approx((predicted == labels).mean(), abs=0.01)
    assert estimated(curves, scores, ("a", "b", "d"), ["a"] * 6000) == (), "of other classes"


def test_curves_never_fall() -> None:
    scores, _, labels = simulated(3, 500)
    for curve in curves_of(scores, CLASSES, labels.astype(str)).values():
        assert list(curve[0]) == sorted(curve[0])
        assert list(curve[1]) == sorted(curve[1])


def test_what_cannot_be_calibrated_is_refused_with_its_reason() -> None:
    scores, predicted, labels = simulated(0, 4000)
    half = np.arange(4000) < 2000
    changes = np.where(half, labels, 1 - labels)
    for given_, message in (
        ((scores * 3, CLASSES, predicted, labels), "the model gives no probabilities of classes"),
        ((scores[:, :1], ("1",), predicted, labels), "the model gives no probabilities of classes"),
        ((scores[:999], CLASSES, predicted[:999], labels[:999]), "999 labelled rows of 1,000"),
        ((scores, CLASSES, predicted, changes), "of a part of the baseline, the estimated accuracy is 0.5"),
    ):
        with pytest.raises(UsageError, match=message):
            calibrated(*given_)


def test_a_class_is_the_same_as_label_prediction_and_class() -> None:
    assert [class_name(one) for one in (1, 1.0, "1.0", np.float32(1), True, "yes")] == [
        "1",
        "1",
        "1",
        "1",
        "True",
        "yes",
    ]


def test_an_estimate_is_marked_and_at_most_a_warning() -> None:
    rule = Rule("estimate", 0.9, "accuracy")
    facts = WindowFacts(0, 0, 2000, estimates=(MetricValue("accuracy", 0.8, 0.78, 0.82, 2000),))
    found = judge(rule, facts)
    assert found.exceeded
    assert found.evidence.startswith("estimate, assumes no concept drift: accuracy 0.8 of 2,000 rows")
    assert judge(rule, WindowFacts(0, 0, 2000, uncalibrated="no labels")) == Finding(
        "estimate accuracy", None, None, 0.9, "no labels"
    )
    spec = MonitorSpec("churn", "churn", "data@1", (rule,), every=600.0)
    standing, reports = Standing(), list[Report]()
    for number in range(5):
        report = Report(600.0 * number, 600.0 * (number + 1), 2000, findings=(found,))
        standing = standing_after(spec, standing, reports, report, report.until)
        reports.append(report)
        assert [one.state for one in standing.rules] == [MonitorState.WARNING]
        assert standing.alarms == ()


def test_an_estimate_alone_leads_to_no_step() -> None:
    estimates = RuleOptions(estimate=0.9).rules()
    assert [one.id for one in estimates] == ["estimate accuracy", "refused"]
    assert [one.id for one in RuleOptions(metric="recall", estimate=0.9).rules()] == [
        "estimate recall",
        "drop recall",
        "refused",
    ]
    check_steps(estimates, ["alert", "call:json:dumps"])
    check_steps(RuleOptions(estimate=0.9, drift=0.2).rules(), ["retrain:x", "promote"])
    for step in ("retrain:x", "canary:1", "promote", "rollback", "compare"):
        with pytest.raises(UsageError, match=f"--then {step}: no rule leads to it, as estimates only warn"):
            check_steps(estimates, ["alert", step])
    with pytest.raises(UsageError, match="mean_error is not estimated without labels"):
        RuleOptions(estimate="mean_error=2").rules()
    with pytest.raises(UsageError, match="pods do not load the model"):
        refuse(MonitorSpec("churn", "churn", "data@1", estimates))


@pytest.mark.slow
def test_car_loans_are_estimated_within_half_a_point_before_and_after_they_change() -> None:
    usual, loans = (pd.read_csv(car_loans(name)) for name in ("reference", "analysis"))
    repaid = pd.read_csv(car_loans("analysis_target")).repaid

    def scores(table: pd.DataFrame) -> Any:
        return np.stack([1 - table.y_pred_proba, table.y_pred_proba], axis=1)

    curves = calibrated(scores(usual), CLASSES, usual.y_pred.tolist(), usual.repaid.tolist())
    for part in (slice(0, 25_000), slice(25_000, 50_000)):
        some = loans[part]
        (found, *_) = estimated(curves, scores(some), CLASSES, some.y_pred.tolist())
        assert found.value == pytest.approx((some.y_pred == repaid[part]).mean(), abs=0.005)


@pytest.mark.slow
def test_on_concept_drift_an_estimate_is_wrong_and_that_is_why_nothing_follows_from_it() -> None:
    from sklearn.ensemble import RandomForestClassifier

    days = pd.read_csv(rain())
    columns = [one for one in days.columns if one not in ("rain", "Unnamed: 0")]
    learned, held, later = days[:4000:2], days[1:4000:2], days[12_000:14_000]
    model = RandomForestClassifier(60, min_samples_leaf=10, random_state=0).fit(
        learned[columns], learned.rain
    )
    predicted = model.predict(held[columns]).tolist()
    curves = calibrated(model.predict_proba(held[columns]), CLASSES, predicted, held.rain.tolist())
    now = model.predict(later[columns])
    (found, *_) = estimated(curves, model.predict_proba(later[columns]), CLASSES, now.tolist())
    assert (now == later.rain).mean() < 0.65
    assert found.value > 0.7, "the rows alone do not tell it"


@pytest.mark.slow
def test_a_service_is_estimated_without_labels(
    churn: Any, ask: Callable[..., None], random: np.random.Generator
) -> None:
    held = kfnb.add_data("held-out", people(random, 3000))
    monitor = kfnb.monitor(churn, baseline=held, estimate=0.99, window="1h", every="1h")
    monitor.pause()
    for _ in range(2):
        churn.ask(people(random, 1500)[COLUMNS])
        time.sleep(4)
        report = monitor.check()
    found = by_name(report.estimates)
    assert found["accuracy"].value == pytest.approx(0.93, abs=0.03)
    assert report.metrics == (), "no label has come"
    assert monitor.state is MonitorState.WARNING
    assert monitor.alarms == ()
    for shown in (*bundle(monitor).values(), bundle(report)["text/plain"]):
        assert "no concept drift" in shown
    assert monitor.reports[-1].estimates == report.estimates


@pytest.mark.slow
def test_an_estimate_that_cannot_be_made_is_refused(churn: Any, random: np.random.Generator) -> None:
    from sklearn.svm import LinearSVC
    from sklearn.tree import DecisionTreeClassifier

    table = people(random, 3000)
    kfnb.add_data("unlabelled", table[COLUMNS])
    with pytest.raises(UsageError, match="estimates need a baseline with a column of labels: --target"):
        kfnb.monitor(churn, baseline="unlabelled", estimate=0.9)
    with pytest.raises(UsageError, match="--then rollback: no rule leads to it"):
        kfnb.monitor(churn, baseline="churn-data@1", estimate=0.9, then="rollback")
    heart, svm = DecisionTreeClassifier(random_state=0), LinearSVC()
    kfnb.register(heart.fit(table[COLUMNS], table.y), "churn", metrics={"accuracy": 0.88})
    kfnb.add_data("learned", table)
    kfnb.serve("churn@2").wait(60)
    with pytest.raises(UsageError, match=r"its accuracy there is 1, and 0\.88 was registered"):
        kfnb.monitor(churn, baseline="learned", estimate=0.9)
    kfnb.register(svm.fit(table[COLUMNS], table.y), "churn")
    kfnb.serve("churn@3").wait(60)
    with pytest.raises(UsageError, match="gives no probabilities"):
        kfnb.monitor(churn, baseline="learned", estimate=0.9)
