"""Limits as users give them, and what a window says of each."""

from __future__ import annotations

from typing import Any

import pytest

from kfnb.errors import UsageError
from kfnb.resources.monitors.judging import WindowFacts, judge
from kfnb.resources.monitors.model import ColumnDrift, Rule
from kfnb.resources.monitors.reference import MonitorReference
from kfnb.resources.monitors.rules import RuleOptions, check_against

HOUR = 3600.0


@pytest.mark.parametrize(
    ("given", "rules"),
    [
        ({}, ["drift 0.2", "score 0.2", "prediction 0.2"]),
        ({"drift": 0.3}, ["drift 0.3"]),
        ({"drift": {"age": 0.4, "": 0.2}}, ["drift age 0.4", "drift 0.2"]),
        ({"drift": ["0.2", "age=0.4"]}, ["drift 0.2", "drift age 0.4"]),
        ({"metric": "accuracy", "below": 0.85}, ["below accuracy 0.85"]),
        ({"below": "accuracy=0.85"}, ["below accuracy 0.85"]),
        ({"below": 0.85}, ["below accuracy 0.85"]),
        ({"metric": "recall"}, ["drop recall 0.02"]),
        ({"metric": "mean_error", "above": 2}, ["above mean_error 2.0"]),
        ({"errors": 0.01, "latency": 200}, ["errors 0.01", "latency 200.0"]),
        ({"no_traffic": "1h", "max_age": "30d"}, ["traffic 3600.0", f"model-age {30 * 86400.0}"]),
    ],
)
def test_limits_become_rules(given: dict[str, Any], rules: list[str]) -> None:
    assert [f"{one.id} {one.limit}" for one in RuleOptions.of(**given).rules()] == [*rules, "refused 0.05"]


def test_the_share_of_refused_requests_is_always_limited() -> None:
    assert RuleOptions.of(drift=0.2, refused=0.3).rules()[-1] == Rule("refused", 0.3)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"drift": "much"}, "'much' is not a number"),
        ({"drift": -1}, "a limit is a number from 0 on"),
        ({"score": float("nan")}, "a limit is a number from 0 on"),
        ({"metric": "acuracy"}, "unknown metric acuracy: did you mean accuracy"),
        ({"below": "f1=0.8"}, "unknown metric f1"),
        ({"no_traffic": "soon"}, "'soon' is not a duration"),
        ({"metric": "accuracy", "below": 85}, "below=85: accuracy is a share, from 0 to 1: 85 % is 0.85"),
        ({"below": "recall=85"}, "recall is a share, from 0 to 1"),
        ({"drop": 2}, "drop=2: accuracy is a share, from 0 to 1: 2 % is 0.02"),
        ({"errors": 1.5}, "errors=1.5: it is a share, from 0 to 1"),
        ({"refused": 5}, "refused=5: it is a share, from 0 to 1"),
        ({"latncy": 3}, "unknown limit latncy: did you mean latency"),
    ],
)
def test_limits_that_are_none_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        RuleOptions.of(**given).rules()


CHURN = MonitorReference(
    "churn-data@1", "churn@1", {"columns": [{"name": "age"}, {"name": "income"}]}, usual={"accuracy": 0.9}
)
PRICE = MonitorReference("prices@1", "price@1", CHURN.profile, usual={"mean_error": 3.0})
UNKNOWN = MonitorReference("data@1", "other@1", CHURN.profile)


@pytest.mark.parametrize(
    ("reference", "given", "message"),
    [
        (CHURN, {"drift": "incme=0.3"}, "churn@1 takes no column incme: did you mean income"),
        (CHURN, {"skew": {"place": 0.3}}, "skew place: churn@1 takes no column place: it takes age, income"),
        (
            CHURN,
            {"above": "mean_error=3"},
            "above mean_error: churn@1 predicts classes: limit its accuracy",
        ),
        (PRICE, {"metric": "recall"}, "drop recall: price@1 predicts amounts: limit its mean_error"),
    ],
)
def test_limits_that_cannot_hold_for_a_model_are_refused(
    reference: MonitorReference, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        check_against(reference, RuleOptions.of(**given).rules())


def test_limits_that_may_hold_are_taken() -> None:
    check_against(CHURN, RuleOptions.of(drift={"age": 0.2, "": 0.3}, below="recall=0.8").rules())
    check_against(PRICE, RuleOptions.of(metric="mean_error", drop=3).rules())
    check_against(UNKNOWN, RuleOptions.of(metric="mean_error").rules())


def facts(**given: Any) -> WindowFacts:
    return WindowFacts(**{"now": 10 * HOUR, "watched": 0.0, "rows": 1000, "requests": 1000, **given})


@pytest.mark.parametrize(
    ("rule", "given", "exceeded"),
    [
        (Rule("score", 0.25), {"score": 0.3}, True),
        (Rule("score", 0.25), {"score": 0.3, "score_limit": 0.4}, False),
        (Rule("score", 0.25), {}, None),
        (Rule("prediction", 0.2), {"prediction": 0.25}, True),
        (Rule("prediction", 0.2), {"prediction": 0.25, "prediction_limit": 0.3}, False),
        (Rule("skew", 0.2), {"skew": {"age": 0.1, "income": 0.3}}, True),
        (Rule("skew", 0.2, "age"), {"skew": {"age": 0.1, "income": 0.3}}, False),
        (Rule("skew", 0.2), {}, None),
        (Rule("errors", 0.01), {"failed": 50}, True),
        (Rule("errors", 0.01), {"failed": 12}, False),
        (Rule("errors", 0.01), {"failed": 60, "requests": 60}, True),
        (Rule("errors", 0.01), {"failed": 0, "requests": 60}, None),
        (Rule("errors", 0.01), {"requests": 0}, None),
        (Rule("refused", 0.05), {"refused": 60, "requests": 60}, True),
        (Rule("refused", 0.05), {"refused": 20}, False),
        (Rule("refused", 0.05), {"refused": 1, "requests": 5}, False),
        (Rule("refused", 0.05), {"requests": 0}, False),
        (Rule("latency", 200.0), {"p99_ms": 250.0}, True),
        (Rule("latency", 200.0), {"p99_ms": 150.0}, False),
        (Rule("latency", 200.0), {}, None),
        (Rule("traffic", HOUR), {"last_request": 8 * HOUR}, True),
        (Rule("traffic", HOUR), {"last_request": 9.5 * HOUR}, False),
        (Rule("traffic", HOUR), {}, True),
        (Rule("labels", 20 * HOUR), {}, False),
        (Rule("model-age", HOUR), {"trained": 8 * HOUR}, True),
        (Rule("model-age", HOUR), {}, None),
        (Rule("data-age", HOUR), {"data": 9.9 * HOUR}, False),
        (Rule("drop", 0.02, "accuracy"), {}, None),
    ],
)
def test_each_rule_judges(rule: Rule, given: dict[str, Any], exceeded: bool | None) -> None:
    found = judge(rule, facts(**given))
    assert found.exceeded is exceeded, found
    assert found.evidence


def test_the_evidence_of_drift_names_the_worst_columns() -> None:
    columns = tuple(ColumnDrift(name, score, 0.2) for name, score in (("a", 0.1), ("b", 0.5), ("c", 0.9)))
    found = judge(Rule("drift", 0.2), facts(columns=columns))
    assert found.evidence == "drift of c (0.9, limit 0.2), b (0.5, limit 0.2)"
    assert judge(Rule("drift", 0.2, "a"), facts(columns=columns)).exceeded is False


def test_a_column_without_a_score_drifts_by_its_reasons() -> None:
    gone = ColumnDrift("born", None, 0.2, reasons=("100.0 % missing, 0.0 % before",))
    found = judge(Rule("drift", 0.2), facts(columns=(ColumnDrift("a", 0.1, 0.2), gone)))
    assert found.exceeded
    assert found.evidence == "drift of born (100.0 % missing, 0.0 % before)"
    assert judge(Rule("drift", 0.2, "born"), facts(columns=(gone,))).exceeded
    assert judge(Rule("drift", 0.2), facts(columns=(ColumnDrift("born", None, 0.2),))).exceeded is None
