"""A version keeps its metrics on each version of the data; who registers it again learns what became of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from sklearn.dummy import DummyRegressor

import kfnb
from kfnb.resources.models import api
from kfnb.resources.models.local.engine import LocalRegistry
from kfnb.resources.models.model import ModelComparison, VersionSnapshot
from kfnb.resources.models.transfer import transfer
from kfnb.resources.models.view.comparison import draw_model_comparison
from kfnb.resources.models.view.version import draw_model_version
from kfnb.settings import settings


@pytest.fixture(autouse=True)
def _home(tmp_path: Path) -> Iterator[None]:
    before = settings().home, settings().owner
    settings().home, settings().owner = str(tmp_path / "home"), "ann"
    for number in (1, 2):
        kfnb.add_data("holdout", pd.DataFrame({"x": [number]}))
    yield
    settings().home, settings().owner = before


def constant(value: float) -> DummyRegressor:
    return DummyRegressor(strategy="constant", constant=value).fit([[0]], [0])


def snapshot(ref: str) -> VersionSnapshot:
    return kfnb.model(ref).snapshot()


def test_each_version_of_the_data_has_its_metrics_and_its_ranks() -> None:
    kfnb.register(constant(1), "m", metrics={"a": 1}, data="holdout@1")
    kfnb.register(constant(2), "m", metrics={"a": 2}, data="holdout@1")
    again = kfnb.register(constant(1), "m", metrics={"a": 9, "b": 5}, data="holdout@2")
    assert again.ref == "m@1"
    assert again.measured == {"holdout@2": {"a": 9, "b": 5}, "holdout@1": {"a": 1}}
    assert (again.metrics, again.data) == ({"a": 9, "b": 5}, ("holdout@1", "holdout@2"))
    assert {(one.data, one.ref, one.rank) for one in kfnb.models(by="a")} == {
        ("holdout@1", "m@2", 1),
        ("holdout@1", "m@1", 2),
        ("holdout@2", "m@1", 1),
    }
    assert [(one.data, one.ref) for one in kfnb.models(data="holdout@2")] == [("holdout@2", "m@1")]
    page = draw_model_version(again.snapshot(), again.siblings(), [])["text/plain"]
    assert "Metrics on holdout@1" in page
    assert "Metrics on holdout@2" in page
    compared = draw_model_comparison(ModelComparison((snapshot("m@1"), snapshot("m@2"))))["text/plain"]
    assert "different data" not in compared


def test_on_the_same_data_the_newest_metrics_hold_and_a_note_says_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    kfnb.register(constant(1), "m", metrics={"a": 0.5, "b": 1}, data="holdout@1")
    assert not capsys.readouterr().out
    again = kfnb.register(constant(1), "m", metrics={"a": 0.95}, data="holdout@1")
    assert again.measured == {"holdout@1": {"a": 0.95, "b": 1}}
    assert capsys.readouterr().out == ("m@1 has this content already: a = 0.95 on holdout@1 replaces 0.5\n")
    kfnb.register(constant(1), "m", metrics={"a": 0.95}, data="holdout@1")
    assert not capsys.readouterr().out


def test_a_note_says_what_is_not_taken_and_that_an_archived_version_is_restored() -> None:
    kfnb.register(constant(1), "m", parameters={"C": 1}, description="first", tags={"t": "1"}).archive()
    notes: list[str] = []
    kfnb.register(
        constant(1), "m", parameters={"C": 2}, description="second", tags={"t": "2"}, notify=notes.append
    )
    [note] = notes
    assert note.partition(": ")[2].split("; ") == [
        "the parameters stay as they were",
        "the description stays as it was",
        "the tag t stays as it was",
        "it was archived and is restored",
    ]


def test_metrics_on_one_of_two_data_sets_are_ranked_once_it_is_known_which() -> None:
    notes: list[str] = []
    both = ["holdout@1", "holdout@2"]
    kfnb.register(constant(1), "m", metrics={"a": 1}, data=both, notify=notes.append)
    assert notes[0].startswith(
        "m@1 is not ranked, as it was measured on holdout@1 or holdout@2: register it again"
    )
    assert [one.rank for one in kfnb.models()] == [None]
    kfnb.register(constant(1), "m", metrics={"a": 1}, data="holdout@2")
    assert [(one.data, one.rank) for one in kfnb.models()] == [("holdout@2", 1)]


def test_a_copy_keeps_all_measurements_and_replaces_none(tmp_path: Path) -> None:
    for number in (1, 2):
        kfnb.register(constant(1), "m", metrics={"a": number}, data=f"holdout@{number}")
    there = LocalRegistry(tmp_path / "there")
    transfer(api.registry_of(), there, "m", by="ann")
    assert there.version("m", 1).measured == kfnb.model("m").measured
    kfnb.register(constant(1), "m", metrics={"a": 7, "b": 7}, data="holdout@1")
    transfer(api.registry_of(), there, "m", by="ann")
    assert there.version("m", 1).measured["holdout@1"] == {"a": 1, "b": 7}
