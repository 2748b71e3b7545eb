"""Metrics of labels: their bounds, slices, and changes that ADWIN finds."""

from __future__ import annotations

import random

import pytest

from kfnb.entities.proportions import Proportion
from kfnb.resources.monitors.adwin import AdaptiveWindow
from kfnb.resources.monitors.judging import WindowFacts, judge
from kfnb.resources.monitors.model import Rule
from kfnb.resources.monitors.performance import Labelled, measured


def labels(right: int, wrong: int, **slices: str) -> list[Labelled]:
    pairs = [(True, True)] * (right // 2) + [(False, False)] * (right - right // 2)
    pairs += [(True, False)] * wrong
    return [Labelled(one, other, 0.0, slices) for one, other in pairs]


def test_accuracy_precision_and_recall_have_bounds() -> None:
    accuracy, precision, recall = measured(labels(800, 200))
    assert (accuracy.value, precision.value, recall.value) == (0.8, 400 / 600, 1.0)
    assert (accuracy.low, accuracy.high) == Proportion(800, 1000).interval_at(0.99)
    assert accuracy.low < 0.77
    assert 0.83 < accuracy.high < 0.831


def test_classes_by_name_have_accuracy_alone() -> None:
    rows = [Labelled("a", "a"), Labelled("b", "c"), Labelled("c", "c")]
    assert [(one.name, one.value) for one in measured(rows)] == [("accuracy", 2 / 3)]


def test_predictions_of_several_outputs_have_accuracy_alone() -> None:
    rows = [Labelled([1.5, 2], [1.5, 2]), Labelled([1, 2], [1, 3])]
    assert [(one.name, one.value) for one in measured(rows)] == [("accuracy", 0.5)]


def test_amounts_have_a_mean_error() -> None:
    (one,) = measured([Labelled(1.5, 2.0), Labelled(2.0, 1.0), Labelled(3, 3.0)])
    assert (one.name, one.value) == ("mean_error", 0.5)
    assert one.low <= 0.5 <= one.high


def test_slices_are_measured_by_themselves() -> None:
    rows = [*labels(95, 5, region="north"), *labels(40, 60, region="south"), *labels(3, 3, region="west")]
    found = {one.slice: (one.value, one.rows) for one in measured(rows, ["region"])}
    assert found["region=north"] == (0.95, 100)
    assert found["region=south"] == (0.4, 100)
    assert "region=west" not in found, "6 labels say nothing"


def facts(right: int, wrong: int, **usual: float) -> WindowFacts:
    return WindowFacts(0.0, 0.0, metrics=measured(labels(right, wrong)), usual=usual)


@pytest.mark.parametrize(
    ("right", "wrong", "exceeded"),
    [(800, 200, True), (830, 170, False), (840, 160, False), (900, 100, False), (80, 119, None)],
    ids=["surely below", "below by chance", "chance too", "above", "too few labels"],
)
def test_a_limit_is_passed_where_chance_does_not_explain_it(
    right: int, wrong: int, exceeded: bool | None
) -> None:
    assert judge(Rule("below", 0.85, "accuracy"), facts(right, wrong)).exceeded is exceeded


def test_labels_that_cannot_have_a_metric_say_so() -> None:
    assert (
        judge(Rule("above", 2.0, "mean_error"), facts(500, 500)).evidence
        == "1,000 labels have no mean_error, but accuracy, precision, recall"
    )
    assert judge(Rule("below", 0.8, "accuracy"), facts(50, 50)).evidence == "100 labels of 200"
    rare = measured([*labels(150, 0)[:100], *[Labelled(False, False)] * 900])
    found = judge(Rule("below", 0.8, "recall"), WindowFacts(0.0, 0.0, metrics=rare))
    assert found.evidence == "75 labels of 200 count for recall"


def test_a_drop_is_from_what_is_usual() -> None:
    rule = Rule("drop", 0.02, "accuracy")
    assert judge(rule, facts(800, 200, accuracy=0.9)).exceeded is True
    assert judge(rule, facts(870, 130, accuracy=0.9)).exceeded is False
    assert judge(rule, facts(870, 130)).exceeded is None


@pytest.mark.parametrize("seed", range(5))
def test_adwin_finds_a_drop_and_nothing_else(seed: int) -> None:
    source = random.Random(seed)
    window = AdaptiveWindow()
    steady = [window.add(float(source.random() < 0.8)) for _ in range(5000)]
    assert not any(steady)
    found = [one for _ in range(1000) if (one := window.add(float(source.random() < 0.6)))]
    assert found, "a drop by 0.2 within 1,000 labels"
    assert found[0].before > found[0].after
    assert abs(window.mean - 0.6) < 0.06


def test_adwin_says_nothing_of_another_metric_than_accuracy() -> None:
    rows = [Labelled(1.1, 1.0)] * 500 + [Labelled(9.5, 1.0)] * 500
    known = WindowFacts(0.0, 0.0, metrics=measured(rows), usual={"mean_error": 0.1}, adaptive=True)
    found = judge(Rule("drop", 0.02, "mean_error"), known)
    assert (found.exceeded, found.evidence) == (None, "adwin finds changes of accuracy, not of mean_error")
