"""Requests that are refused for their inputs: they are counted, told, and compared like all others."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from kfnb.capture.embedded.profiles import kfnb_profile
from kfnb.resources.monitors.blocks import request_block
from kfnb.resources.monitors.evaluation import Window, report_of
from kfnb.resources.monitors.model import MonitorSpec, MonitorState, Report, Rule
from kfnb.resources.monitors.panes import Pane, PaneCounter, together
from kfnb.resources.monitors.reference import MonitorReference
from kfnb.resources.monitors.rules import RuleOptions
from kfnb.resources.monitors.stored import pane_of
from kfnb.resources.monitors.transitions import Standing, standing_after

RANGE = json.dumps({"out-of-range": {"income": 100}})
SPEC = MonitorSpec("churn", "churn", "data@1", RuleOptions(drift=0.2).rules())


def people(rows: int, times: float = 1.0) -> pd.DataFrame:
    random = np.random.default_rng(rows)
    return pd.DataFrame(
        {
            "age": random.normal(40, 10, rows),
            "income": times * random.normal(3, 1, rows),
            "since": pd.Timestamp("2026-01-01", tz="UTC")
            + pd.to_timedelta(random.integers(0, 10**6, rows), "s"),
        }
    )


REFERENCE = MonitorReference("data@1", "churn@1", kfnb_profile(people(5000)), ("age", "income", "since"))


def block(count: int, *, status: int = 422, problems: str | None = RANGE, **columns: Any) -> Any:
    given = {
        "id": [f"r{at}" for at in range(count)],
        "row": pa.array([0] * count, pa.int32()),
        "time": pa.array([1_000_000] * count, pa.timestamp("us", tz="UTC")),
        "version": pa.array(["1"] * count, pa.string()),
        "status": pa.array([status] * count, pa.int16()),
        "latency_ms": pa.array([1.0] * count, pa.float32()),
        "problems": pa.array([problems] * count, pa.string()),
        "raw": pa.array([None] * count, pa.string()),
        "prediction": pa.array([None] * count, pa.bool_()),
    }
    return pa.RecordBatch.from_pydict({**given, **columns})


def answered(rows: int) -> Any:
    """One request with some rows, which was answered."""
    table = people(rows)
    found = block(rows, status=200, problems=None, row=pa.array(range(rows), pa.int32()))
    return found.append_column("input", pa.array(table.to_dict("records")))


def refused(requests: int, rows: int, *, by_name: bool = True) -> Any:
    """Requests whose income is in another unit, which were refused."""
    table = people(rows, 1000).assign(since=lambda one: one.since.map(lambda time: time.isoformat()))
    plain = table.to_dict("records") if by_name else table.to_numpy(dtype=object).tolist()
    return block(requests, raw=pa.array([json.dumps(plain)] * requests, pa.string()))


def pane(*blocks: Any) -> Pane:
    counter = PaneCounter(REFERENCE, 0, 3600)
    for one in blocks:
        counter.add(request_block(one, "1"))
    return counter.pane()


def report(*blocks: Any) -> Report:
    return report_of(SPEC, REFERENCE, Window(pane(*blocks), (), 3600, 0))


def test_the_last_request_may_have_left_the_window() -> None:
    spec = replace(SPEC, rules=(Rule("traffic", 86400.0),))
    now = 3 * 86400.0
    before = Window(pane(), (), now, 0, requested=now - 7200)
    (found,) = report_of(spec, REFERENCE, before).findings
    assert (found.exceeded, found.evidence) == (False, "the last request: 2 h 00 min ago")
    (found,) = report_of(spec, REFERENCE, Window(pane(), (), now, 0)).findings
    assert found.exceeded


def states(found: Report) -> dict[str, MonitorState]:
    return {one.rule: one.state for one in standing_after(SPEC, Standing(), (), found, 3600).rules}


@pytest.mark.parametrize("by_name", [True, False], ids=["rows by name", "rows as lists"])
def test_rows_of_refused_requests_are_compared_like_others(by_name: bool) -> None:
    found = report(answered(1000), refused(21, 143, by_name=by_name))
    assert found.rows == 1000 + 21 * 143
    assert found.drift["income"] > 1
    assert found.drift["age"] < 0.1
    assert {one.name: one.reasons for one in found.columns}["since"] == (), "times are texts in JSON"
    assert "21 of 22 requests were refused: out-of-range income" in found.notes
    assert states(found) == {"drift": MonitorState.WARNING, "refused": MonitorState.WARNING}


def test_a_window_of_refusals_alone_warns_also_where_their_rows_are_not_kept() -> None:
    found = report(block(60))
    assert states(found) == {"drift": MonitorState.NO_DATA, "refused": MonitorState.WARNING}
    assert found.notes == ("60 of 60 requests were refused: out-of-range income",)


def test_predictions_are_of_a_version_whichever_revision_of_it_answered() -> None:
    again = block(3, status=200, problems=None, prediction=pa.array([True, False, True]))
    other = block(5, status=200, problems=None, version=pa.array(["2"] * 5), prediction=pa.array([True] * 5))
    assert request_block(again, "1").predictions == [True, False, True]
    assert request_block(other, "1").predictions == []


def test_some_refusals_among_many_requests_are_only_told() -> None:
    found = report(answered(1000), block(300, status=200, problems=None), block(4))
    assert states(found)["refused"] is MonitorState.OK
    assert found.notes == ("4 of 305 requests were refused: out-of-range income",)


def test_bad_inputs_that_were_answered_and_other_failures_are_no_refusals() -> None:
    found = report(answered(1000), block(50, status=200), block(50, status=500, problems=None))
    assert states(found)["refused"] is MonitorState.OK
    assert found.notes == ()


def test_refusals_of_panes_add_up_and_are_kept() -> None:
    other = json.dumps({"unknown-column": {"": 3}, "null": {"age": 1}})
    panes = [pane(block(2)), pane(block(3, problems=other))]
    kept = [pane_of(json.loads(json.dumps(asdict(one)))) for one in panes]
    both = together(kept)
    assert (both.requests, both.failed, both.refused) == (5, 5, 5)
    assert both.problems == {"out-of-range income": 2, "unknown-column": 3, "null age": 3}
