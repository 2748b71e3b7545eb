"""The data that models were measured on is compared by its content: one reference may name other data elsewhere."""

from __future__ import annotations

import cProfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from sklearn.dummy import DummyRegressor

import kfnb
from kfnb.entities import Artifact, ImportedData, RunSnapshot, Task
from kfnb.errors import UsageError
from kfnb.resources.models import api
from kfnb.resources.models.engine import VersionQuery
from kfnb.resources.models.kubeflow.properties import completed, decoded, encoded
from kfnb.resources.models.leaderboard import LeaderboardEntry, ranked
from kfnb.resources.models.local.engine import LocalRegistry
from kfnb.resources.models.model import ModelSource, VersionSnapshot
from kfnb.resources.models.moves import AliasMove
from kfnb.resources.models.run_data import data_behind
from kfnb.resources.models.view.leaderboard import MOST_GROUPS, draw_leaderboard
from kfnb.settings import settings
from tests.conftest import Shell
from tests.models.registry_conformance import draft, make_folder


@pytest.fixture(autouse=True)
def _shared(tmp_path: Path) -> Iterator[None]:
    """A registry that two users share, who keep their data in their own homes."""
    before = settings().home, settings().owner, settings().registry
    settings().registry = str(tmp_path / "shared")
    yield
    settings().home, settings().owner, settings().registry = before


def be(user: str, tmp_path: Path) -> None:
    settings().home, settings().owner = str(tmp_path / user), user


def constant(value: float) -> DummyRegressor:
    return DummyRegressor(strategy="constant", constant=value).fit([[0]], [0])


def entry(ref: str, data: str = "d@1", digest: str = "", **fields: object) -> LeaderboardEntry:
    name, _, version = ref.partition("@")
    given = {"metrics": {"acc": 0.5}, "data": data, "data_digest": digest, **fields}
    return LeaderboardEntry(ref, name, int(version or 0), **given)  # type: ignore[arg-type]


def grouped(entries: list[LeaderboardEntry]) -> list[tuple[str, list[str]]]:
    return [(group.title, [one.ref for one in group.entries]) for group in ranked(entries).groups]


def test_data_of_one_name_and_other_content_is_not_ranked_together(tmp_path: Path) -> None:
    for number, user in enumerate(("ann", "bob")):
        be(user, tmp_path)
        kfnb.add_data("churn-data", pd.DataFrame({"a": [number]}))
        kfnb.register(constant(number), "churn", metrics={"acc": 0.5 + number / 10}, data="churn-data@1")
    board = kfnb.models()
    assert sorted((one.ref, one.rank) for one in board) == [("churn@1", 1), ("churn@2", 1)]
    text = draw_leaderboard(board.snapshot())["text/plain"]
    assert all(f"Measured on churn-data@1 ({one.data_digest[:8]})" in text for one in board)
    assert [one.ref for one in kfnb.models(data="churn-data@1")] == ["churn@2"]
    be("ann", tmp_path)
    assert [one.ref for one in kfnb.models(data="churn-data@1")] == ["churn@1"]


def test_the_same_content_is_ranked_together_whatever_its_name(tmp_path: Path) -> None:
    for number, user in enumerate(("ann", "bob")):
        be(user, tmp_path)
        for version in range(number):  # bob has it as his second version
            kfnb.add_data("churn-data", pd.DataFrame({"b": [version]}))
        data = kfnb.add_data("churn-data", pd.DataFrame({"a": [1]}))
        kfnb.register(constant(number), "churn", metrics={"acc": 0.5 + number / 10}, data=data)
    assert [(one.ref, one.data, one.rank) for one in kfnb.models()] == [
        ("churn@2", "churn-data@2", 1),
        ("churn@1", "churn-data@1", 2),
    ]
    assert {one.ref for one in kfnb.models(data="churn-data@2")} == {"churn@1", "churn@2"}


def test_without_a_digest_data_is_compared_by_its_name() -> None:
    assert grouped([entry("a@1"), entry("b@1")]) == [("d@1", ["a@1", "b@1"])]
    board = ranked([entry("a@1"), entry("b@1", digest="1" * 64)])
    assert [len(group.entries) for group in board.groups] == [2]
    text = draw_leaderboard(board.snapshot())["text/plain"]
    assert "Unverified: 1 entry without the digest of d@1, ranked here by its name alone." in text
    assert "Unverified" not in draw_leaderboard(ranked([entry("a@1"), entry("b@1")]).snapshot())["text/plain"]


def test_without_a_digest_an_ambiguous_name_stands_apart() -> None:
    found = grouped([entry("a@1"), entry("b@1", digest="1" * 64), entry("c@1", digest="2" * 64)])
    assert dict(found) == {
        "d@1 (content not recorded)": ["a@1"],
        "d@1 (11111111)": ["b@1"],
        "d@1 (22222222)": ["c@1"],
    }


def test_a_measurement_on_other_data_of_the_same_name_is_not_mixed_with_the_first(tmp_path: Path) -> None:
    notes: list[str] = []
    for number, user in enumerate(("ann", "bob")):
        be(user, tmp_path)
        kfnb.add_data("churn-data", pd.DataFrame({"a": [number]}))
        kfnb.register(constant(1), "churn", metrics={"acc": number}, data="churn-data@1", notify=notes.append)
    assert kfnb.model("churn").measured == {"churn-data@1": {"acc": 0}}
    assert notes == [
        "churn@1 has this content already: acc = 1 on churn-data@1 was not kept: its churn-data@1 has other content"
    ]


def test_a_cluster_keeps_the_digests_of_data_too() -> None:
    known = VersionSnapshot("m", 1, "a" * 64, "skops", data=("d@1",), metrics_data="d@1")
    one = replace(known, data_digests={"d@1": "1" * 64})
    answer = {"customProperties": encoded(one), "state": "LIVE"}
    assert decoded(answer, "m", 1).data_digests == {"d@1": "1" * 64}
    assert "kfnb.data_digests" not in encoded(known)
    other = replace(known, metrics={"acc": 0.9}, data_digests={"d@1": "2" * 64})
    added = decoded({"customProperties": completed(encoded(one), other)}, "m", 1)
    assert (added.metrics, added.data_digests) == ({}, {"d@1": "1" * 64})
    same = replace(other, data_digests={"d@1": "1" * 64})
    assert decoded({"customProperties": completed(encoded(one), same)}, "m", 1).metrics == {"acc": 0.9}


def test_what_a_run_saved_knows_the_digest_of_its_data(shell: Shell) -> None:
    data = kfnb.add_data("churn-data", pd.DataFrame({"a": [0.0, 1.0], "churn": [0, 1]}))
    shell.run("%%kf_component prepare --data churn=churn-data\ntable = churn[['a', 'churn']]")
    shell.run(
        "%%kf_component train\nfrom sklearn.linear_model import LogisticRegression\n"
        "model = LogisticRegression().fit(table[['a']], table['churn'])\nkf.save(model, 'churn', accuracy=1.0)"
    )
    shell.run("%kf_pipeline learning prepare train")
    shell.submit("learning")
    assert kfnb.model("churn@1").snapshot().data_digests == {"churn-data@1": data.digest}


# -- the data behind a task -------------------------------------------------------------------------------------


def importer(id: str, ref: str, parent: str = "") -> Task:
    data = ImportedData(ref, "frame", "d" * 64)
    artifact = Artifact("data", "system.Dataset", data.uri, metadata=data.metadata)
    return Task(id, id.rpartition("/")[2], parent=parent, outputs={"artifact": artifact})


def test_the_data_behind_a_task_are_those_of_all_before_it() -> None:
    run = RunSnapshot(
        "r",
        "r",
        "p",
        "local",
        tasks=(
            importer("outside", "outside@1"),
            Task("loop", "loop", group=True, needs=("outside",)),
            importer("loop/0/data", "inside@1", "loop"),
            Task("loop/0/make", "make", parent="loop", needs=("data",)),
            importer("unrelated", "unrelated@1"),
            Task("train", "train", needs=("loop",)),
        ),
    )
    by_id = {one.id: one for one in run.tasks}
    assert [*data_behind(run, by_id["train"])] == ["inside@1", "outside@1"]
    assert [*data_behind(run, by_id["outside"])] == ["outside@1"]
    assert data_behind(run, by_id["train"])["inside@1"] == "d" * 64


def test_the_tasks_of_a_loop_are_each_visited_once() -> None:
    assert calls_for_a_loop_of(2000) < 11 * calls_for_a_loop_of(200)


def calls_for_a_loop_of(count: int) -> int:
    """How many functions are called to find the data behind a task after a loop of so many iterations."""
    tasks = [Task("loop", "loop", group=True)]
    for number in range(count):
        tasks.append(importer(f"loop/{number}/data", f"d@{number + 1}", "loop"))
        tasks.append(Task(f"loop/{number}/make", "make", parent="loop", needs=("data",)))
    last = Task("train", "train", needs=("loop",))
    run = RunSnapshot("r", "r", "p", "local", tasks=(*tasks, last))
    profile = cProfile.Profile()
    assert len(profile.runcall(data_behind, run, last)) == count
    return sum(entry.callcount for entry in profile.getstats())


# -- filters and size -------------------------------------------------------------------------------------------


def test_only_the_newest_tables_are_drawn() -> None:
    entries = [entry(f"m@{number}", f"d@{number}", created=float(number)) for number in range(1, 31)]
    text = draw_leaderboard(ranked(entries).snapshot())["text/plain"]
    assert "Measured on d@30" in text
    assert f"Measured on d@{30 - MOST_GROUPS}" not in text
    assert f"{30 - MOST_GROUPS} more tables, of other data; --data NAME@VERSION shows one." in text


def test_filters_choose_runs_as_well(shell: Shell) -> None:
    shell.run("%%kf_component train --param C:float=1.0\nkf.log_metrics(accuracy=C / 10)")
    shell.run("%kf_pipeline p train")
    run = shell.submit("p", C=7.0)
    assert [one.ref for one in kfnb.models(runs=True)] == [f"run {run.id}"]
    assert [one.ref for one in kfnb.models("p", runs=True, since="1h")] == [f"run {run.id}"]
    assert not kfnb.models(runs=True, since=time.time() + 3600)
    for given in ({"owner": "ann"}, {"data": "d@1"}, {"alias": "champion"}, {"tag": "x"}, {"namespace": "x"}):
        [name] = given
        with pytest.raises(UsageError, match=f"{name} cannot be combined with runs"):
            kfnb.models(runs=True, **given)  # type: ignore[arg-type]


def test_a_run_is_not_listed_beside_its_model_that_a_filter_leaves_out(shell: Shell) -> None:
    shell.run(
        "%%kf_component train\nfrom sklearn.linear_model import LogisticRegression\n"
        "model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])\nkf.save(model, 'churn', accuracy=1.0)\n"
        "kf.log_metrics(accuracy=1.0)"
    )
    shell.run("%kf_pipeline p train")
    shell.submit("p")
    kfnb.model("churn").archive()
    assert not kfnb.models(runs=True)


def test_versions_are_chosen_by_the_namespace_of_their_run(tmp_path: Path) -> None:
    registry = LocalRegistry(tmp_path / "registry")
    for text, group in (("one", "team-a"), ("two", "")):
        folder = make_folder(tmp_path, text)
        source = ModelSource("kfp", "pipelinerun", text, text, group)
        registry.register(draft("churn", folder, source=source), folder)
    assert [one.version for one in registry.versions(VersionQuery(namespace="team-a"))] == [1]


def test_a_registry_looks_up_what_it_needs_alone(tmp_path: Path) -> None:
    registry = LocalRegistry(tmp_path / "registry")
    folders = [make_folder(tmp_path, text) for text in ("one", "two")]
    kept = [registry.register(draft("churn", folder), folder) for folder in folders]
    registry.move_alias(AliasMove("churn", "champion", 1, expected=None, by="ann", because=""))
    newest = registry.newest("churn")
    assert newest is not None
    assert newest.version == 2
    assert registry.aliases("churn") == {"champion": 1}
    assert registry.by_digest("churn", kept[0].digest) == registry.version("churn", 1)
    assert registry.by_digest("churn", "0" * 64) is None
    assert registry.by_digest("unknown", kept[0].digest) is None
    with pytest.raises(UsageError, match="unknown model unknown"):
        registry.newest("unknown")
    with pytest.raises(UsageError, match="unknown model unknown"):
        registry.aliases("unknown")


def test_both_registries_are_one_leaderboard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = LocalRegistry(tmp_path / "cluster")
    cluster.name = "kubeflow"
    here = api.registry_of("local")
    monkeypatch.setattr(api, "registry_of", {"kubeflow": cluster, "local": here}.__getitem__)
    for registry, value in ((here, 0.7), (cluster, 0.8)):
        folder = make_folder(tmp_path / registry.name)
        given = {"metrics": {"acc": value}, "metrics_data": "d@1", "data_digests": {"d@1": "1" * 64}}
        registry.register(draft("churn", folder, **given), folder)
    assert [(one.ref, one.rank) for one in api.models(backend="all")] == [
        ("kubeflow:churn@1", 1),
        ("churn@1", 2),
    ]
    with pytest.raises(UsageError, match="unknown backend both"):
        api.models(backend="both")
