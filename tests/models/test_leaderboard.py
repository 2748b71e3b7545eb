"""The leaderboard ranks together what was measured on the same data, and says of the rest that it stands apart."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kfnb
from kfnb.errors import UsageError
from kfnb.resources.models.leaderboard import (
    Leaderboard,
    LeaderboardEntry,
    LeaderboardQuery,
    ranked,
)
from kfnb.resources.models.metric_direction import maximized
from kfnb.resources.models.model import (
    AliasChange,
    ColumnType,
    ModelComparison,
    ModelSource,
    ModelState,
    Signature,
    VersionSnapshot,
)
from kfnb.resources.models.view.comparison import draw_model_comparison
from kfnb.resources.models.view.leaderboard import draw_leaderboard
from kfnb.resources.models.view.version import draw_model_version
from kfnb.settings import settings
from tests.conftest import Shell

HOSTILE = "<script>alert(1)</script>\"'&\x1b[31m"


def entry(ref: str, data: str = "d@1", **metrics: float) -> LeaderboardEntry:
    name, _, version = ref.partition("@")
    return LeaderboardEntry(ref, name, int(version or 0), metrics=metrics, data=data)


def order(board: Leaderboard) -> list[tuple[str, int | None]]:
    return [(one.ref, one.rank) for one in board]


def test_the_best_comes_first_and_equal_ones_share_a_rank() -> None:
    board = ranked(
        [entry("a@1", acc=0.8), entry("b@1", acc=0.9), entry("c@1", acc=0.8), entry("d@1", acc=0.7)]
    )
    assert order(board) == [("b@1", 1), ("a@1", 2), ("c@1", 2), ("d@1", 4)]


def test_what_was_measured_on_other_data_has_ranks_of_its_own() -> None:
    board = ranked([entry("a@1", acc=0.8), entry("b@1", "d@2", acc=0.9), entry("c@1", acc=0.7)])
    assert [(group.data, [one.rank for one in group.entries]) for group in board.groups] == [
        ("d@1", [1, 2]),
        ("d@2", [1]),
    ]


def test_what_was_measured_on_unknown_data_is_sorted_last_and_not_ranked() -> None:
    board = ranked([entry("a@1", "", acc=0.8), entry("b@1", "", acc=0.9), entry("c@1", "d@1", acc=0.1)])
    assert order(board) == [("c@1", 1), ("b@1", None), ("a@1", None)]
    text = draw_leaderboard(board.snapshot())["text/plain"]
    assert "Measured on d@1" in text
    assert "Not ranked (unknown data version)" in text


def test_what_lacks_the_metric_comes_after_the_ranks() -> None:
    assert order(ranked([entry("a@1", f1=1.0), entry("b@1", acc=0.5)], "acc")) == [("b@1", 1), ("a@1", None)]


LESS = (
    "loss val_loss rmse log_loss test_error latency_ms MAE test-rmse log-loss train.loss valLoss RMSE logLoss"
)


@pytest.mark.parametrize("name", [*LESS.split(), "eval loss"])
def test_less_is_better_where_the_name_says_so(name: str) -> None:
    assert not maximized(name)
    assert order(ranked([entry("a@1", **{name: 2.0}), entry("b@1", **{name: 1.0})]))[0] == ("b@1", 1)
    assert order(ranked([entry("a@1", **{name: 2.0}), entry("b@1", **{name: 1.0})], maximize=True))[0] == (
        "a@1",
        1,
    )


@pytest.mark.parametrize(
    "name", ["accuracy", "f1", "auc", "r2", "terror", "gloss", "merror_free", "precision", "rocAUC"]
)
def test_more_is_better_otherwise(name: str) -> None:
    assert maximized(name)


@pytest.mark.parametrize(
    "name", ["neg_mean_squared_error", "neg_log_loss", "neg_rmse", "test_neg_brier_score"]
)
def test_more_is_better_of_what_scikit_learn_negates(name: str) -> None:
    assert order(ranked([entry("a@1", **{name: -2.0}), entry("b@1", **{name: -1.0})]))[0] == ("b@1", 1)


def test_a_metric_that_is_no_text_is_unknown() -> None:
    with pytest.raises(UsageError, match="no model has the metric 3"):
        ranked([entry("a@1", acc=0.5)], 3)  # type: ignore[arg-type]


def test_the_metric_that_most_have_ranks_and_an_unknown_one_is_an_error() -> None:
    entries = [entry("a@1", acc=0.8, f1=1.0), entry("b@1", acc=0.9)]
    assert ranked(entries).by == "acc"
    with pytest.raises(UsageError, match="no model has the metric ac; did you mean acc"):
        ranked(entries, "ac")
    assert not ranked([], "acc")


values = st.floats(-1e6, 1e6).map(lambda value: round(value, 3))


@given(st.lists(st.tuples(values, st.sampled_from(["d@1", "d@2"])), max_size=30), st.booleans())
def test_ranks_follow_the_metric(measured: list[tuple[float, str]], maximize: bool) -> None:
    entries = [entry(f"m@{number}", data, x=value) for number, (value, data) in enumerate(measured, 1)]
    board = ranked(entries, maximize=maximize)
    assert sorted(one.ref for one in board) == sorted(one.ref for one in entries)
    for group in board.groups:
        for one in group.entries:
            better = [o for o in group.entries if (o.metrics["x"] > one.metrics["x"]) == maximize]
            better = [o for o in better if o.metrics["x"] != one.metrics["x"]]
            assert one.rank == len(better) + 1


def test_a_frame_has_a_column_for_each_metric() -> None:
    frame = ranked([entry("a@1", acc=0.8, f1=0.5), entry("b@2", acc=0.9)]).to_frame()
    assert list(frame.columns) == [
        "name",
        "version",
        "aliases",
        "owner",
        "data",
        "created",
        "rank",
        "acc",
        "f1",
    ]
    assert list(frame["name"]) == ["b", "a"]
    assert ranked([]).to_frame().empty


def test_only_so_many_rows_are_drawn() -> None:
    board = ranked([entry(f"m@{number}", acc=number / 100) for number in range(1, 100)])
    board.query = LeaderboardQuery(limit=10)
    text = draw_leaderboard(board.snapshot())["text/plain"]
    assert "m@99" in text
    assert "m@50" not in text
    assert "89 more; --limit shows them." in text


def test_filters_that_nothing_fits_do_not_say_that_there_are_no_models(tmp_path: Path) -> None:
    from kfnb.resources.models import api

    settings().home = str(tmp_path)
    assert "No models yet" in draw_leaderboard(api.models().snapshot())["text/plain"]
    for board in (api.models(owner="zoe"), api.models(data="d@1")):
        assert "No versions match." in draw_leaderboard(board.snapshot())["text/plain"]
    with pytest.raises(UsageError, match="data='d': give a version of a data set; such as churn-data@2"):
        api.models(data="d")


def snapshot(number: int, **fields: object) -> VersionSnapshot:
    given = {
        "metrics": {"accuracy": 0.5 + number / 10},
        "metrics_data": "d@1",
        "created": 1796000000.0,
        **fields,
    }
    return VersionSnapshot("churn", number, "a" * 64, "skops", **given)  # type: ignore[arg-type]


def test_a_page_has_what_a_version_is_made_of_and_how_it_is_loaded() -> None:
    source = ModelSource("kfp", "pipelinerun", "261130-1", "churn run", task="train")
    one = snapshot(2, aliases=("champion",), source=source, parameters={"C": 0.5}, packages={"skops": "0.16"})
    history = [AliasChange("churn", "champion", 1, 2, "bob", 1796000000.0, "better")]
    page = draw_model_version(one, [one, snapshot(1, state=ModelState.ARCHIVED)], history)["text/plain"]
    for text in (
        'kfnb.model("churn@champion").load()',
        "@champion",
        "261130-1",
        "train",
        "bob",
        "better",
        "archived",
    ):
        assert text in page
    assert "accuracy by version" in page


def test_the_columns_of_a_wide_model_are_folded() -> None:
    columns = tuple(ColumnType(f"column-{number}", "double") for number in range(10_000))
    shown = draw_model_version(snapshot(1, signature=Signature(inputs=columns)), [], [])
    assert "<details" in shown["text/html"]
    assert "and 9800 more columns" in shown["text/html"]
    assert len(shown["text/html"]) < 150_000
    assert "Takes 10000 columns: column-0, column-1, column-2, column-3, column-4, …" in shown["text/plain"]
    assert "column-5" not in shown["text/plain"]


def test_a_comparison_shows_what_differs_and_says_that_the_data_do() -> None:
    one, two = (
        snapshot(1, parameters={"C": 1, "n": 2}),
        snapshot(2, parameters={"C": 3, "n": 2}, metrics_data="d@2"),
    )
    text = draw_model_comparison(ModelComparison((one, two)))["text/plain"]
    assert "They were measured on different data" in text
    assert "C " in text
    assert "\nn " not in text


def test_nothing_hostile_gets_into_a_page() -> None:
    change = AliasChange("churn", HOSTILE, 1, 2, HOSTILE, 1.0, HOSTILE)
    source = ModelSource("kfp", HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    one = snapshot(
        1,
        metrics={HOSTILE: 1.0},
        metrics_data=HOSTILE,
        parameters={HOSTILE: HOSTILE},
        data=(HOSTILE,),
        source=source,
        packages={HOSTILE: HOSTILE},
        python=HOSTILE,
        owner=HOSTILE,
        description=HOSTILE,
        tags={HOSTILE: HOSTILE},
        aliases=(HOSTILE,),
    )
    row = LeaderboardEntry(
        HOSTILE, HOSTILE, 1, aliases=(HOSTILE,), owner=HOSTILE, metrics={HOSTILE: 1.0}, data=HOSTILE
    )
    for drawn in (
        draw_model_version(one, [one, snapshot(2, metrics={HOSTILE: 2.0})], [change]),
        draw_model_comparison(ModelComparison((one, snapshot(2)))),
        draw_leaderboard(ranked([row]).snapshot()),
    ):
        assert "<script" not in drawn["text/html"]
        assert "\x1b" not in drawn["text/html"] + drawn["text/plain"]


def test_runs_and_trials_are_listed_where_they_are_asked_for(shell: Shell) -> None:
    shell.run("%%kf_component train --param C:float=1.0\nkf.log_metrics(accuracy=C / 10)")
    shell.run("%kf_pipeline p train")
    run = shell.submit("p", C=7.0)
    shell.run("%%kf_tune bowl --space x=int(1,3) --objective loss --minimize --trials 2\nloss = x * x")
    kfnb.add_data("d", pd.DataFrame({"a": [1]}))
    shell.run("model = {'weights': 1}")
    shell.run("%kf_register model --name churn --metric accuracy=0.9 --data d@1 --pickle")
    assert [one.ref for one in shell.run("%kf_models")] == ["churn@1"]
    board = shell.run("%kf_models --runs")
    assert {(one.kind, one.ref.partition(",")[0]) for one in board} == {
        ("version", "churn@1"),
        ("run", f"run {run.id}"),
        ("trial", "study bowl"),
    }
    assert next(one.rank for one in board if one.kind == "run") is None


@pytest.mark.slow
def test_ten_thousand_versions_of_fifty_users_are_ranked(tmp_path: Path) -> None:
    from kfnb.resources.models import api
    from tests.models.many_versions import fill

    settings().home = str(tmp_path)
    fill(tmp_path / "registry", versions=10_000, users=50)
    board = api.models()
    assert len(board) == len(board.to_frame()) == 10_000
    assert {one.owner for one in board} == {f"user-{number}" for number in range(50)}
    assert "Measured on churn-data@1" in draw_leaderboard(board.snapshot())["text/plain"]
