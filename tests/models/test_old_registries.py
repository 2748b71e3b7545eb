"""A registry of every format that was ever written opens, with all that is in it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from kfnb.errors import BackendError
from kfnb.resources.models.engine import VersionQuery
from kfnb.resources.models.local.engine import LocalRegistry
from kfnb.resources.models.local.schema import SCHEMA
from kfnb.resources.models.model import ColumnType
from kfnb.resources.models.moves import AliasMove

SCRIPTS = sorted((Path(__file__).parent / "registries").glob("format-*.sql"))


def written(folder: Path, script: str) -> LocalRegistry:
    folder.mkdir()
    with closing(sqlite3.connect(folder / "registry.db")) as database:
        database.executescript(script)
    return LocalRegistry(folder)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_an_old_registry_has_what_was_in_it(script: Path, tmp_path: Path) -> None:
    registry = written(tmp_path / "registry", script.read_text())
    two, one = registry.versions(VersionQuery(name="churn"))
    assert (one.version, two.version, two.aliases) == (1, 2, ("champion",))
    assert (one.metrics, one.metrics_data, one.data) == (
        {"accuracy": 0.81},
        "churn-data@1",
        ("churn-data@1",),
    )
    assert (one.parameters, one.tags, one.packages) == ({"C": 1}, {"team": "blue"}, {"skops": "0.16.0"})
    assert (one.source.id, one.source.task, one.owner, one.python) == (
        "261130-072300-abcd",
        "train",
        "ann",
        "3.11",
    )
    assert one.signature.inputs == (ColumnType("tenure", "int64"),)
    assert one.signature.outputs == (ColumnType("", "float64", (-1, 2)),)
    assert [(change.to_version, change.by, change.because) for change in registry.history("churn")] == [
        (2, "bob", "better"),
        (1, "ann", "first"),
    ]
    registry.move_alias(AliasMove("churn", "champion", 1, expected=2, by="ann", because="back"))
    assert registry.version("churn", 1).aliases == ("champion",)


def test_there_is_one_for_each_format() -> None:
    assert [path.stem for path in SCRIPTS] == [f"format-{number}" for number in range(1, SCHEMA.format + 1)]


def test_a_newer_registry_is_left_alone(tmp_path: Path) -> None:
    registry = written(tmp_path / "registry", f"pragma user_version = {SCHEMA.format + 1};")
    with pytest.raises(BackendError, match="written by a newer kfnb"):
        registry.models()
