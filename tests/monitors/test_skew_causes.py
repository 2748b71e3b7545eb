"""Likely causes of skew: each tells itself where it is planted, and none does on samples of the same distribution."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from monitor_samples import applicants

from kfnb.capture.embedded.profiles import kfnb_profile
from kfnb.resources.monitors.skew.causes import COLUMN_CAUSES, VERSION_CAUSES, likely_causes
from kfnb.resources.monitors.skew.evidence import Replay, SkewEvidence, columns_of
from kfnb.resources.monitors.skew.times import hours_of

DAY = 86_400.0


def evidence(trained: pd.DataFrame, served: pd.DataFrame, **more: Any) -> SkewEvidence:
    values = {
        str(name): served[name].astype(object).where(served[name].notna(), None).tolist() for name in served
    }
    hours = {f"input {name}": hours_of(trained[name].astype(object).tolist()) for name in trained}
    return SkewEvidence(tuple(columns_of("input", kfnb_profile(trained), values, hours)), **more)


def causes(served: pd.DataFrame, **more: Any) -> dict[str, set[str]]:
    """The kinds of causes by column."""
    found: dict[str, set[str]] = {}
    for one in likely_causes(evidence(applicants(0, 4000), served, **more)):
        found.setdefault(one.column, set()).add(one.kind)
    return found


@settings(max_examples=12, deadline=None)
@given(st.integers(1, 10**6), st.sampled_from([200, 500, 2000]), st.sampled_from([300, 5000]))
def test_samples_of_the_same_distribution_have_no_cause(seed: int, rows: int, trained: int) -> None:
    known = applicants(seed + 1, trained)
    served = applicants(seed, rows, days=20)
    assert likely_causes(evidence(known, served, elapsed=20 * DAY)) == ()


def test_a_plain_drift_has_no_cause_in_the_code() -> None:
    served = applicants(1, 2000).assign(
        age=lambda one: one.age + 12, region=lambda one: one.region.where(one.age < 40, "south")
    )
    assert causes(served) == {}


Plant = Callable[[pd.DataFrame], pd.DataFrame]


@pytest.mark.parametrize(
    ("column", "kind", "plant"),
    [
        ("gaps", "nulls", lambda one: one.assign(gaps=one.gaps.where(np.arange(len(one)) % 2 > 0))),
        ("gaps", "nulls", lambda one: one.assign(gaps=one.gaps.fillna(0))),
        ("gaps", "constant", lambda one: one.assign(gaps=one.gaps.fillna(0))),
        ("age", "constant", lambda one: one.assign(age=one.age.where(np.arange(len(one)) % 4 > 0, 40.0))),
        ("age", "not yet known", lambda one: one.assign(age=one.age.where(np.arange(len(one)) % 3 > 0))),
        ("income", "unit", lambda one: one.assign(income=one.income / 1000)),
        ("income", "unit", lambda one: one.assign(income=one.income * 100)),
        ("height", "unit", lambda one: one.assign(height=one.height / 2.54)),
        ("height", "unit", lambda one: one.assign(height=one.height / 0.3048)),
        ("height", "unit", lambda one: one.assign(height=one.height * 0.3048)),
        ("celsius", "unit", lambda one: one.assign(celsius=1.8 * one.celsius + 32)),
        ("age", "column order", lambda one: one.assign(age=one.height, height=one.age)),
        (
            "height",
            "column order",
            lambda one: one.assign(age=one.height, height=one.celsius, celsius=one.age),
        ),
        ("region", "re-coded", lambda one: one.assign(region=one.region.str.upper())),
        (
            "region",
            "re-coded",
            lambda one: one.assign(
                region=one.region.map({"north": "west", "south": "east", "east": "south", "west": "north"})
            ),
        ),
        ("grade", "re-coded", lambda one: one.assign(grade=6 - one.grade)),
        ("region", "unseen", lambda one: one.assign(region=one.region.replace("east", "abroad"))),
        ("zip", "type", lambda one: one.assign(zip=one.zip.astype(int).astype(str))),
        ("zip", "type", lambda one: one.assign(zip=one.zip.astype(float).astype(str))),
        ("age", "type", lambda one: one.assign(age=one.age.astype(str))),
        ("children", "type", lambda one: one.assign(children=one.children + 0.5)),
        ("updated", "time zone", lambda one: one.assign(updated=one.updated + pd.Timedelta(hours=5))),
        ("updated", "time zone", lambda one: one.assign(updated=one.updated.dt.tz_localize(None))),
    ],
)
def test_what_is_planted_tells_itself(column: str, kind: str, plant: Plant) -> None:
    found = causes(plant(applicants(1, 1500)))
    assert kind in found[column]
    alike = {"nulls", "constant"}
    assert found[column] <= ({kind, *alike} if kind in alike else {kind}), "and as nothing else"


def test_a_join_that_stays_behind_tells_itself() -> None:
    assert causes(applicants(1, 1500), elapsed=10 * DAY) == {"updated": {"stale"}}
    assert causes(applicants(1, 1500, days=10), elapsed=10 * DAY) == {}


def test_hours_in_a_column_of_whole_numbers_have_a_zone_too() -> None:
    trained, served = (applicants(seed, 3000).updated.dt.hour.to_frame("hour") for seed in (1, 2))
    assert likely_causes(evidence(trained, served)) == ()
    (one,) = likely_causes(evidence(trained, (served - 2) % 24))
    assert (one.kind, one.evidence) == (
        "time zone",
        "hours of the day are 2 h earlier than in the training data",
    )


def test_few_rows_tell_nothing() -> None:
    served = applicants(1, 199)
    assert causes(served.assign(income=served.income * 1000)) == {}


def test_what_is_of_the_whole_version_comes_first() -> None:
    found = likely_causes(
        SkewEvidence(
            packages={"numpy": ("2.4.6", "2.4.6"), "pandas": ("2.3.3", "1.5.0")},
            digests=("a" * 64, "b" * 64),
            replay=Replay(200, {"ratio": (14, 0.5, None)}),
        )
    )
    assert [(one.kind, one.column) for one in found] == [
        ("transform", "ratio"),
        ("package", ""),
        ("model", ""),
    ]
    assert found[0].evidence.startswith("14 of 200 replayed rows have another value: 0.5 was served")
    assert found[1].evidence == "pandas 1.5.0 is served, 2.3.3 made the model"
    same = SkewEvidence(
        packages={"numpy": ("2", "2"), "gone": ("1", "")}, digests=("a", "a"), replay=Replay(200)
    )
    assert likely_causes(same) == ()


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.one_of(st.none(), st.floats(), st.integers(), st.text(max_size=3), st.booleans()),
        min_size=200,
        max_size=220,
    )
)
def test_whatever_is_served_is_told_in_words(values: list[Any]) -> None:
    known = applicants(0, 500)
    profile = kfnb_profile(known)
    served: Mapping[str, list[Any]] = {str(name): values for name in known}
    hours = {f"feature {name}": hours_of(known[name].astype(object).tolist()) for name in known}
    found = likely_causes(SkewEvidence(tuple(columns_of("feature", profile, served, hours)), elapsed=DAY))
    json.dumps([asdict(one) for one in found])
    assert {one.kind for one in found} <= {*COLUMN_CAUSES, *VERSION_CAUSES}
    assert all(one.evidence for one in found)
