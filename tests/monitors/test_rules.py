"""Limits as users give them, and what a window says of each."""

from __future__ import annotations

from typing import Any

import pytest

from kfnb.errors import UsageError
from kfnb.resources.monitors.judging import WindowFacts, judge
from kfnb.resources.monitors.model import ColumnDrift, Rule
from kfnb.resources.monitors.rules import RuleOptions

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
    assert [f"{one.id} {one.limit}" for one in RuleOptions.of(**given).rules()] == rules


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"drift": "much"}, "'much' is not a number"),
        ({"drift": -1}, "a limit is a number from 0 on"),
        ({"score": float("nan")}, "a limit is a number from 0 on"),
        ({"metric": "acuracy"}, "unknown metric acuracy: did you mean accuracy"),
        ({"below": "f1=0.8"}, "unknown metric f1"),
        ({"no_traffic": "soon"}, "'soon' is not a duration"),
        ({"latncy": 3}, "unknown limit latncy: did you mean latency"),
    ],
)
def test_limits_that_are_none_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        RuleOptions.of(**given).rules()


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
        (Rule("errors", 0.01), {"failed": 50, "requests": 199}, None),
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
