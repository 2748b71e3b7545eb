"""What every registry of models does, whichever engine keeps it. An engine's test class inherits it all.

It gives the fixtures ``registry`` and ``another``, which are two connections to one registry, as two people have them.
"""

from __future__ import annotations

import math
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kfnb.errors import BackendError, Conflict, UsageError
from kfnb.resources.models.digest import folder_digest
from kfnb.resources.models.engine import VersionQuery
from kfnb.resources.models.model import ColumnType, ModelSource, ModelState, Signature, VersionSnapshot
from kfnb.resources.models.moves import AliasMove
from kfnb.resources.models.transfer import transfer

RUN = ModelSource("kfp", "pipelinerun", "6ede6767", "churn 2026-11-23", "team-a", "train", "kubeflow")
SIGNATURE = Signature(
    (ColumnType("tenure", "int64"), ColumnType("plan", "string", nullable=True)),
    (ColumnType("churned", "float64", (-1, 2)),),
)


def make_folder(where: Path, text: str = "weights") -> Path:
    """A model folder of a few files, one of them below another folder."""
    folder = where / f"model-{text}"
    (folder / "code").mkdir(parents=True)
    (folder / "model.skops").write_bytes(text.encode() * 100)
    (folder / "kfnb_model.json").write_text('{"format": "skops"}')
    (folder / "code/transform.py").write_text("def transform(df): return df")
    return folder


def draft(name: str, folder: Path, **fields: Any) -> VersionSnapshot:
    """A version as it is handed to a registry."""
    size = sum(one.stat().st_size for one in folder.rglob("*") if one.is_file())
    given = {"owner": "ann", "created": 1796000000.5, "metrics": {"accuracy": 0.9}}
    return VersionSnapshot(name, 0, folder_digest(folder), "skops", size=size, **{**given, **fields})


class RegistryConformance:
    """See the module."""

    one_order = False
    """Whether the registry answers in one order alone (recorded traffic), so that nothing can happen at once."""

    measured_once = False
    """Whether a version has the metrics on one version of the data alone, of which the first hold."""

    @pytest.fixture
    def registry(self) -> Any:
        raise NotImplementedError

    @pytest.fixture
    def another(self) -> Any:
        raise NotImplementedError

    @pytest.fixture
    def churn(self) -> str:
        """The name of a model that the registry does not have yet."""
        return "churn"

    @pytest.fixture
    def register(self, registry, churn, tmp_path) -> Any:
        """Register a version of ``churn`` with this text as its weights."""

        def act(text: str = "weights", by: Any = None, **fields: Any) -> VersionSnapshot:
            folder = make_folder(tmp_path / f"{time.monotonic_ns()}", text)
            return (by or registry).register(draft(churn, folder, **fields), folder)

        return act

    def test_a_version_keeps_all_that_is_known_of_it(self, registry, churn, tmp_path):
        folder = make_folder(tmp_path)
        wanted = draft(
            churn,
            folder,
            metrics={"accuracy": 0.9375, "loss": 1e-9, "wins": 3.0},
            parameters={
                "C": 0.5,
                "depth": 3,
                "solver": "lbfgs",
                "layers": [64, 32],
                "scale": True,
                "seed": None,
            },
            data=("churn-data@2", "regions@1"),
            metrics_data="churn-data@2",
            source=RUN,
            signature=SIGNATURE,
            packages={"scikit-learn": "1.7.2", "pandas": "2.3.3"},
            python="3.11",
            code="c" * 64,
            transform="prepare",
            description="Größer & <b>better</b> 日本",
            tags={"team": "blue", "reviewed": ""},
        )
        kept = registry.register(wanted, folder)
        assert kept.version == 1
        assert kept.uri
        assert kept.ref == f"{churn}@1"
        assert replace(kept, version=0, uri="") == wanted
        assert registry.version(churn, 1) == kept
        assert registry.versions(VersionQuery(name=churn)) == [kept]

    def test_versions_are_numbered_from_1(self, registry, register, churn):
        assert [register(text).version for text in ("one", "two", "three")] == [1, 2, 3]
        [model] = [one for one in registry.models() if one.name == churn]
        assert (model.owner, model.versions, model.state) == ("ann", 3, ModelState.LIVE)

    def test_the_newest_version_comes_first(self, registry, register, churn):
        for number, text in enumerate(("one", "two", "three")):
            register(text, created=1796000000.0 + number)
        assert [one.version for one in registry.versions(VersionQuery(name=churn))] == [3, 2, 1]

    def test_the_same_content_is_the_same_version(self, registry, register, churn):
        first = register("same", tags={"a": "1"}, metrics={"accuracy": 0.9})
        register("other")
        again = register(
            "same", tags={"a": "2", "b": "3"}, metrics={"accuracy": 0.1, "loss": 0.2}, owner="bob"
        )
        assert again.version == first.version == 1
        assert again.metrics == {"accuracy": 0.9 if self.measured_once else 0.1, "loss": 0.2}
        assert again.tags == {"a": "1", "b": "3"}
        assert again.owner == "ann"
        assert len(registry.versions(VersionQuery(name=churn))) == 2

    def test_the_same_content_may_be_a_version_of_two_models(self, registry, churn, tmp_path):
        folder = make_folder(tmp_path)
        for name in (churn, f"{churn}-b"):
            assert registry.register(draft(name, folder), folder).version == 1

    def test_a_downloaded_folder_has_every_byte(self, registry, register, churn, tmp_path):
        version = register("downloaded")
        there = registry.download(version)
        assert folder_digest(there) == version.digest
        assert (there / "code/transform.py").read_text() == "def transform(df): return df"
        assert registry.download(registry.version(churn, 1)) == there

    def test_a_version_does_not_change_with_the_folder_that_it_was_made_of(self, registry, churn, tmp_path):
        folder = make_folder(tmp_path)
        version = registry.register(draft(churn, folder), folder)
        (folder / "model.skops").write_bytes(b"edited afterwards")
        assert folder_digest(registry.download(version)) == version.digest

    def test_an_unknown_model_or_version_says_what_there_is(self, registry, register, churn):
        register()
        with pytest.raises(UsageError, match=f"unknown model {churn}n; did you mean {churn}"):
            registry.version(f"{churn}n", 1)
        with pytest.raises(UsageError, match=f"unknown version {churn}@7"):
            registry.version(churn, 7)
        with pytest.raises(UsageError, match="unknown"):
            registry.move_alias(AliasMove(churn, "champion", 7, expected=None, by="ann", because=""))
        with pytest.raises(UsageError, match="unknown"):
            registry.history(f"{churn}n")
        with pytest.raises(UsageError, match="unknown"):
            registry.versions(VersionQuery(name=f"{churn}n"))

    @pytest.mark.parametrize("value", [math.nan, math.inf])
    def test_a_metric_that_is_not_a_number_is_refused_before_anything_is_kept(
        self, registry, churn, tmp_path, value
    ):
        folder = make_folder(tmp_path)
        with pytest.raises(UsageError, match="metric accuracy is"):
            registry.register(draft(churn, folder, metrics={"accuracy": value}), folder)
        assert churn not in {one.name for one in registry.models()}

    def test_an_alias_is_moved_and_its_history_stays(self, registry, register, churn):
        register("one")
        register("two")
        before = time.time()
        registry.move_alias(AliasMove(churn, "champion", 1, expected=None, by="ann", because="first"))
        change = registry.move_alias(
            AliasMove(churn, "champion", 2, expected=1, by="bob", because="better: +2%")
        )
        assert (change.from_version, change.to_version, change.by) == (1, 2, "bob")
        assert registry.version(churn, 2).aliases == ("champion",)
        assert registry.version(churn, 1).aliases == ()
        registry.move_alias(AliasMove(churn, "champion", None, expected=2, by="ann", because="withdrawn"))
        assert registry.version(churn, 2).aliases == ()
        history = registry.history(churn)
        assert [(one.from_version, one.to_version, one.by, one.because) for one in history] == [
            (2, None, "ann", "withdrawn"),
            (1, 2, "bob", "better: +2%"),
            (None, 1, "ann", "first"),
        ]
        assert history[1] == change
        assert all(before <= one.at <= time.time() + 5 for one in history)

    def test_a_version_may_have_several_aliases(self, registry, register, churn):
        register("one")
        register("two")
        for alias, number in (("champion", 1), ("candidate", 2), ("stable", 1)):
            registry.move_alias(AliasMove(churn, alias, number, expected=None, by="ann", because=""))
        assert registry.version(churn, 1).aliases == ("champion", "stable")
        [model] = [one for one in registry.models() if one.name == churn]
        assert model.aliases == {"champion": 1, "candidate": 2, "stable": 1}
        chosen = registry.versions(VersionQuery(name=churn, alias="candidate"))
        assert [one.version for one in chosen] == [2]

    def test_who_expected_another_version_is_told_who_moved_it(self, registry, another, register, churn):
        for text in ("one", "two", "three"):
            register(text)
        registry.move_alias(AliasMove(churn, "champion", 1, expected=None, by="ann", because="first"))
        another.move_alias(AliasMove(churn, "champion", 2, expected=1, by="bob", because="faster"))
        with pytest.raises(Conflict, match=rf"bob moved {churn}@champion to version 2 at .*'faster'"):
            registry.move_alias(AliasMove(churn, "champion", 3, expected=1, by="ann", because="mine"))
        assert registry.version(churn, 2).aliases == ("champion",)
        assert len(registry.history(churn)) == 2

    def test_a_move_to_where_the_alias_is_changes_nothing(self, registry, register, churn):
        register("one")
        first = registry.move_alias(AliasMove(churn, "champion", 1, expected=None, by="ann", because="first"))
        again = registry.move_alias(AliasMove(churn, "champion", 1, expected=1, by="bob", because="again"))
        assert again == first
        assert registry.history(churn) == [first]

    def test_an_alias_that_does_not_exist_cannot_be_removed(self, registry, register, churn):
        register("one")
        registry.move_alias(AliasMove(churn, "champion", 1, expected=None, by="ann", because=""))
        with pytest.raises(UsageError, match="has no alias champoin; did you mean champion"):
            registry.move_alias(AliasMove(churn, "champoin", None, expected=None, by="ann", because=""))

    def test_archived_versions_are_left_out_of_lists_and_keep_everything(self, registry, register, churn):
        register("one")
        register("two")
        registry.set_state(churn, 1, ModelState.ARCHIVED)
        assert [one.version for one in registry.versions(VersionQuery(name=churn))] == [2]
        every = registry.versions(VersionQuery(name=churn, archived=True))
        assert {one.version: one.state for one in every} == {1: ModelState.ARCHIVED, 2: ModelState.LIVE}
        archived = registry.version(churn, 1)
        assert archived.metrics == {"accuracy": 0.9}
        assert registry.download(archived).exists()
        registry.set_state(churn, 1, ModelState.LIVE)
        assert len(registry.versions(VersionQuery(name=churn))) == 2

    def test_a_version_with_an_alias_is_not_archived(self, registry, register, churn):
        register()
        registry.move_alias(AliasMove(churn, "champion", 1, expected=None, by="ann", because=""))
        with pytest.raises(UsageError, match=f"{churn}@1 is {churn}@champion: move the alias"):
            registry.set_state(churn, 1, ModelState.ARCHIVED)
        registry.move_alias(AliasMove(churn, "champion", None, expected=1, by="ann", because=""))
        registry.set_state(churn, 1, ModelState.ARCHIVED)

    def test_content_that_is_registered_again_is_restored_and_gets_what_it_did_not_have(
        self, registry, register, churn
    ):
        register("same", data=("d@1",))
        registry.set_state(churn, 1, ModelState.ARCHIVED)
        again = register(
            "same", data=("d@2", "d@1"), metrics_data="d@2", metrics={"loss": 0.5}, description="new"
        )
        assert (again.version, again.state) == (1, ModelState.LIVE)
        assert (again.data, again.metrics_data, again.description) == (("d@1", "d@2"), "d@2", "new")
        if self.measured_once:
            assert again.metrics == {"accuracy": 0.9, "loss": 0.5}
        else:
            assert again.measured == {"d@2": {"loss": 0.5}, "": {"accuracy": 0.9}}
        later = register("same", metrics_data="d@9", description="newer")
        assert (later.metrics_data, later.description) == ("d@2" if self.measured_once else "d@9", "new")

    @pytest.mark.parametrize("alias", ["7", "latest", "a/b", "", "-x"])
    def test_an_alias_is_a_word(self, registry, register, churn, alias):
        register()
        with pytest.raises(UsageError, match="alias"):
            registry.move_alias(AliasMove(churn, alias, 1, expected=None, by="ann", because=""))
        assert registry.history(churn) == []

    @pytest.mark.parametrize("name", ["a/b", "Churn", "", "-x", "x" * 64, "größe", "a b", "../x"])
    def test_a_name_is_checked_before_anything_is_kept(self, registry, tmp_path, name):
        folder = make_folder(tmp_path)
        with pytest.raises(UsageError, match="model name"):
            registry.register(draft(name, folder), folder)
        assert name not in {one.name for one in registry.models()}

    def test_description_and_tags_are_changed(self, registry, register, churn):
        register("one", tags={"team": "blue", "old": "x"}, description="first")
        registry.annotate(churn, 1, tags={"team": "red", "old": None, "reviewed": ""})
        assert registry.version(churn, 1).tags == {"team": "red", "reviewed": ""}
        assert registry.version(churn, 1).description == "first"
        registry.annotate(churn, 1, description="second")
        kept = registry.version(churn, 1)
        assert (kept.description, kept.tags) == ("second", {"team": "red", "reviewed": ""})
        assert kept.metrics == {"accuracy": 0.9}

    def test_a_tag_may_have_the_name_of_a_metric(self, registry, register, churn):
        register("one", tags={"accuracy": "on the holdout set"})
        kept = registry.version(churn, 1)
        assert kept.metrics == {"accuracy": 0.9}
        assert kept.tags == {"accuracy": "on the holdout set"}
        registry.annotate(churn, 1, tags={"accuracy": None})
        assert registry.version(churn, 1).tags == {}
        assert registry.version(churn, 1).metrics == {"accuracy": 0.9}

    def test_queries_choose(self, registry, register, churn):
        register("one", owner="ann", created=1000.0, data=("d@1",), tags={"team": "blue"})
        register("two", owner="bob", created=2000.0, data=("d@2",), metrics_data="d@3")
        register("three", owner="bob", created=3000.0, tags={"team": "red"})

        def numbers(**query: Any) -> list[int]:
            return [one.version for one in registry.versions(VersionQuery(name=churn, **query))]

        assert numbers() == [3, 2, 1]
        assert numbers(owner="bob") == [3, 2]
        assert numbers(data="d@1") == [1]
        assert numbers(data="d@3") == [2]
        assert numbers(tag="team") == [3, 1]
        assert numbers(tag="team=red") == [3]
        assert numbers(since=2000.0) == [3, 2]
        assert numbers(owner="ann", since=2000.0) == []
        everything = registry.versions(VersionQuery())
        assert [one.version for one in everything if one.name == churn] == [3, 2, 1]

    def test_all_of_several_models_are_listed(self, registry, churn, tmp_path):
        folder = make_folder(tmp_path)
        for name in (f"{churn}-b", churn, f"{churn}-a"):
            registry.register(draft(name, folder), folder)
            registry.move_alias(AliasMove(name, "champion", 1, expected=None, by="ann", because=name))
        ours = [one.name for one in registry.models() if one.name.startswith(churn)]
        assert ours == [churn, f"{churn}-a", f"{churn}-b"]
        versions = [one for one in registry.versions(VersionQuery()) if one.name.startswith(churn)]
        assert {one.name: one.aliases for one in versions} == dict.fromkeys(ours, ("champion",))

    def test_of_two_who_register_at_once_both_succeed(self, registry, another, register, churn):
        self._needs_two_at_once()
        found: dict[str, VersionSnapshot] = {}

        def act(text: str, by: Any) -> None:
            found[text] = register(text, by=by)

        _at_once(*[lambda t=text, b=by: act(t, b) for text, by in (("a", registry), ("b", another))])
        assert sorted(one.version for one in found.values()) == [1, 2]

    def test_of_two_who_register_the_same_at_once_there_is_one_version(
        self, registry, another, register, churn
    ):
        self._needs_two_at_once()
        found: list[VersionSnapshot] = []
        _at_once(*[lambda b=by: found.append(register("same", by=b)) for by in (registry, another)])
        assert [one.version for one in found] == [1, 1]
        assert len(registry.versions(VersionQuery(name=churn))) == 1

    def test_of_two_who_promote_at_once_one_wins_and_the_other_is_told(
        self, registry, another, register, churn
    ):
        self._needs_two_at_once()
        for text in ("one", "two"):
            register(text)
        errors: list[Exception] = []

        def act(by: Any, number: int) -> None:
            try:
                by.move_alias(
                    AliasMove(churn, "champion", number, expected=None, by=f"user {number}", because="")
                )
            except BackendError as error:
                errors.append(error)

        _at_once(lambda: act(registry, 1), lambda: act(another, 2))
        assert [type(one) for one in errors] == [Conflict]
        [change] = registry.history(churn)
        assert f"user {change.to_version} moved {churn}@champion" in str(errors[0])

    def test_a_transfer_to_itself_changes_nothing(self, registry, register, churn):
        register("one")
        register("two")
        registry.move_alias(AliasMove(churn, "champion", 2, expected=None, by="ann", because=""))
        before = registry.versions(VersionQuery(name=churn))
        done = transfer(registry, registry, churn, by="ann")
        assert done.versions == {1: 1, 2: 2}
        assert not done.aliases
        assert not done.left
        assert registry.versions(VersionQuery(name=churn)) == before
        assert len(registry.history(churn)) == 1

    def _needs_two_at_once(self) -> None:
        if self.one_order:
            pytest.skip("recorded traffic has one order")


def _at_once(*acts: Any) -> None:
    ready = threading.Barrier(len(acts))
    failed: list[BaseException] = []

    def run(act: Any) -> None:
        ready.wait()
        try:
            act()
        except BaseException as error:  # raised below, in the test's own thread
            failed.append(error)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    for error in failed:
        raise error
