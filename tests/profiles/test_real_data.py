"""Distances and checks on real data with real drift; the control is quiet."""

from __future__ import annotations

import pandas as pd
import pytest

from kfnb.capture.embedded.checks import kfnb_check_table
from kfnb.capture.embedded.counting import kfnb_Counter
from kfnb.capture.embedded.schemas import kfnb_read_schema
from kfnb.entities.distance import ColumnDistance
from kfnb.entities.profile import TableProfile
from kfnb.profiles.comparing import distances
from kfnb.profiles.measuring import profile_of
from kfnb.profiles.schema import schema_text
from tests.real_data import car_loans, rain

pytestmark = pytest.mark.slow

HALF = 25_000
"""The first row of the car loans in which they differ from the reference."""
WITHOUT_CAUSE = ["id", "timestamp", "repaid"]


def loans(part: str) -> pd.DataFrame:
    return pd.read_csv(car_loans(part)).drop(columns=WITHOUT_CAUSE, errors="ignore")


def window(reference: TableProfile, table: pd.DataFrame) -> dict[str, ColumnDistance]:
    counter = kfnb_Counter(reference.to_json())
    counter.add(table)
    found = distances(reference, TableProfile.from_json(counter.profile()))
    return {one.name: one for one in found}


def failing(table: pd.DataFrame, reference: pd.DataFrame) -> set[tuple[str, str]]:
    schema = kfnb_read_schema(schema_text(profile_of(reference), "loans", "loans.yaml"), "loans.yaml")
    lines = kfnb_check_table(table, schema)
    return {(line["column"], line["check"]) for line in lines if line["verdict"] == "fail"}


def test_a_window_of_car_loans_is_quiet_until_they_change() -> None:
    reference, analysis = profile_of(loans("reference")), loans("analysis")
    for first in range(0, HALF, 1000):
        assert not any(one.drifted for one in window(reference, analysis[first : first + 1000]).values()), (
            first
        )
    for first in range(HALF + 1000, 50_000, 5000):
        found = window(reference, analysis[first : first + 1000])
        assert {name for name, one in found.items() if one.drifted} >= {"car_value", "loan_length"}, first


def test_a_jump_of_nulls_is_found() -> None:
    reference, analysis = loans("dq_reference"), loans("dq_analysis")
    nulls = {"salary_range", "driver_tenure"}
    found = window(profile_of(reference), analysis[HALF + 1000 : HALF + 3000])
    assert all(found[name].nulls[1] > 2 * found[name].nulls[0] for name in nulls)
    assert failing(analysis[HALF + 1000 :], reference) >= {(name, "nulls") for name in nulls}


def test_the_schema_of_one_half_fits_the_other() -> None:
    reference = loans("dq_reference")
    assert failing(reference[:HALF], reference[HALF:]) == set()


def test_the_change_of_the_weather_is_found() -> None:
    days = pd.read_csv(rain()).iloc[:, 1:9]
    reference = profile_of(days[:2000])
    before = [
        window(reference, days[first : first + 1000])["dew point"] for first in range(2000, 11_000, 1000)
    ]
    after = [
        window(reference, days[first : first + 1000])["dew point"] for first in range(12_000, 17_000, 1000)
    ]
    assert max(one.psi or 0 for one in before) < 0.5
    assert min(one.psi or 0 for one in after) > 4
