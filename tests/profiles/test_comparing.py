"""Profiles as frozen data: kept as JSON, compared, added up."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kfnb.capture.embedded.counting import kfnb_Counter
from kfnb.entities.distance import ColumnDistance
from kfnb.entities.profile import ColumnProfile, TableProfile
from kfnb.errors import UsageError
from kfnb.profiles.comparing import added, distances, drift_score
from kfnb.profiles.measuring import profile_of


def frame(seed: int, rows: int = 1000) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "x": random.normal(size=rows),
            "plan": random.choice(["basic", "plus"], rows),
            "note": [f"note {number}" for number in random.integers(0, 10**6, rows)],
        }
    )


def counted(reference: TableProfile, *tables: pd.DataFrame) -> TableProfile:
    counter = kfnb_Counter(reference.to_json())
    for table in tables:
        counter.add(table)
    return TableProfile.from_json(counter.profile())


def test_a_profile_is_small_json_and_comes_back() -> None:
    random = np.random.default_rng(0)
    found = profile_of(pd.DataFrame(random.normal(size=(10_000, 15))), data="d" * 64, transform="t" * 64)
    text = json.dumps(found.to_json())
    assert len(text) < 15_000
    assert TableProfile.from_json(json.loads(text)) == found
    assert (found.rows, found.data, found.transform) == (10_000, "d" * 64, "t" * 64)


def test_a_column_that_an_older_version_kept_can_be_read() -> None:
    found = ColumnProfile.from_json({"name": "x", "type": "int64", "rows": 2, "nulls": 0, "top": [["1", 2]]})
    assert (found.top, found.below, found.unseen, found.mistyped) == ((("1", 2),), 0, (), 0)


def test_a_field_of_a_newer_version_is_left_out() -> None:
    found = ColumnProfile.from_json({"name": "x", "type": "int64", "rows": 2, "nulls": 0, "entropy": 1.0})
    assert found == ColumnProfile("x", "int64", 2, 0)


def test_counts_of_replicas_add_up_to_what_one_would_have_counted() -> None:
    reference = profile_of(frame(0))
    one, two = frame(1), frame(2)
    found = added([counted(reference, one), counted(reference, two)])
    whole = counted(reference, one, two)
    assert distances(reference, found) == pytest.approx(distances(reference, whole))


def test_distances_are_kept_as_json_and_come_back() -> None:
    reference = profile_of(frame(0))
    for one in distances(reference, counted(reference, frame(1).assign(plan="gold"))):
        assert ColumnDistance.from_json(json.loads(json.dumps(one.to_json()))) == one


def test_what_has_drifted_is_told_by_its_column() -> None:
    reference = profile_of(frame(0))
    found = {one.name: one for one in distances(reference, counted(reference, frame(1).assign(plan="gold")))}
    assert {name: one.drifted for name, one in found.items()} == {"x": False, "plan": True, "note": False}
    assert found["plan"].unseen == (("gold", 1000),)
    assert drift_score(found.values(), {"x": 1.0, "plan": 3.0}) == pytest.approx(0.75, abs=0.05)


def test_a_parquet_file_is_profiled_as_the_table_in_it(tmp_path: Path) -> None:
    table = pa.Table.from_pandas(frame(0))
    pq.write_table(table, tmp_path / "a.parquet")
    assert profile_of(tmp_path / "a.parquet") == profile_of(table)


def test_a_larger_parquet_file_is_counted_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kfnb.profiles.parquet._SAMPLE", 500)
    whole = pd.concat([frame(seed, 3000) for seed in range(3)], ignore_index=True)
    for place in range(3):
        pq.write_table(
            pa.Table.from_pandas(whole[place * 3000 : (place + 1) * 3000], preserve_index=False),
            tmp_path / f"{place}.parquet",
        )
    found, exact = profile_of(tmp_path), profile_of(whole)
    assert found.rows == exact.rows
    for one, other in zip(found.columns, exact.columns, strict=True):
        assert (one.name, one.type, one.nulls, one.rows) == (other.name, other.type, other.nulls, other.rows)
        assert (one.minimum, one.maximum) == (other.minimum, other.maximum)
        assert one.mean == pytest.approx(other.mean)
        assert sum(one.counts) + one.below + one.above == sum(other.counts)
    assert found.columns[1].top == exact.columns[1].top
    assert all((one.psi or 0) < 0.1 for one in distances(exact, found) if one.name != "note")


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (5, "a table is a DataFrame of pandas or polars, an Arrow table"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "the table has two columns called 'a': rename one"),
        ("no-such.parquet", "no-such.parquet is neither a Parquet file nor a folder of Parquet files"),
    ],
)
def test_what_is_no_table_is_refused_in_words(value: object, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        profile_of(value)


@pytest.mark.parametrize("value", [pd.DataFrame(), pd.DataFrame({"x": []}), pa.table({}), []])
def test_an_empty_table_has_an_empty_profile(value: object) -> None:
    assert profile_of(value).rows == 0
