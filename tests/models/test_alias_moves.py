"""The history of an alias: its order, the kind of each move, and what a rollback goes back to."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfnb.resources.models.kubeflow.aliases import AliasLog
from kfnb.resources.models.kubeflow.numbers import numbered
from kfnb.resources.models.local.engine import LocalRegistry
from kfnb.resources.models.model import AliasChange, MoveKind
from kfnb.resources.models.moves import AliasMove, earlier_versions
from kfnb.resources.models.promotion import rollback

REGISTRIES = Path(__file__).parent / "registries"


class Server:
    """A registry that keeps artifacts, in the order in which they were created."""

    def __init__(self) -> None:
        self.artifacts: list[dict[str, Any]] = []

    def list(self, path: str, **query: Any) -> list[dict[str, Any]]:
        del path, query
        return list(self.artifacts)

    def create(self, path: str, body: Any) -> Any:
        del path
        self.artifacts.append({**body, "id": str(len(self.artifacts) + 1)})


def move(to: int | None, expected: int | None, **fields: Any) -> AliasMove:
    return AliasMove("churn", "champion", to, expected, "ann", **fields)


def changes(log: AliasLog) -> list[AliasChange]:
    """The history as the cluster's registry returns it, newest first."""
    return [one.change for one in sorted(log.entries({}, "1"), key=lambda one: one.id, reverse=True)]


def test_the_clusters_history_is_in_the_order_of_the_moves_whatever_the_clocks_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = AliasLog(Server())  # type: ignore[arg-type]
    for number, at in ((1, 5000.0), (2, 1000.0), (3, 3000.0)):
        monkeypatch.setattr("time.time", lambda at=at: at)
        log.append("1", move(number, number - 1 or None), "10")
    assert [one.to_version for one in changes(log)] == [3, 2, 1]
    assert earlier_versions(changes(log), "champion") == [1, 2]


@pytest.mark.parametrize("because", ["rollback", "rollback: 3 is slow"])
def test_the_clusters_history_knows_a_promotion_from_a_rollback(because: str) -> None:
    log = AliasLog(Server())  # type: ignore[arg-type]
    log.append("1", move(1, None), "10")
    log.append("1", move(2, 1), "10")
    log.append("1", move(1, 2, because=because), "10")
    log.append("1", move(3, 1), "10")
    log.append("1", move(1, 3, because="rollback", kind=MoveKind.ROLLBACK), "10")
    assert [one.kind.value for one in changes(log)] == [
        "rollback",
        "promotion",
        "promotion",
        "promotion",
        "promotion",
    ]
    assert earlier_versions(changes(log), "champion") == [1, 2]


def test_a_kind_that_a_newer_kfnb_recorded_is_a_promotion() -> None:
    server = Server()
    log = AliasLog(server)  # type: ignore[arg-type]
    log.append("1", move(1, None), "10")
    server.artifacts[0]["customProperties"]["kfnb.kind"] = {
        "metadataType": "MetadataStringValue",
        "string_value": "schedule",
    }
    assert [one.kind for one in changes(log)] == [MoveKind.PROMOTION]


def test_a_rollback_of_an_old_registry_is_still_one(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "registry.db")) as database:
        database.executescript((REGISTRIES / "format-1.sql").read_text())
        database.execute(
            "insert into alias_history (model, alias, from_version, to_version, by, at, because)"
            " values (1, 'champion', 2, 1, 'ann', 1796026151.0, 'rollback: slow')"
        )
        database.execute("update aliases set version = 1")
        database.commit()
    registry = LocalRegistry(tmp_path)
    assert [str(one.kind) for one in registry.history("churn")] == ["rollback", "promotion", "promotion"]
    assert earlier_versions(registry.history("churn"), "champion") == []
    registry.move_alias(AliasMove("churn", "champion", 2, expected=1, by="ann", because="again"))
    assert rollback(registry, "churn", "champion", by="ann", because="").to_version == 1


def test_an_old_registry_in_a_folder_that_cannot_be_written_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "registry"
    folder.mkdir()
    with closing(sqlite3.connect(folder / "registry.db")) as database:
        database.executescript((REGISTRIES / "format-1.sql").read_text())
    before = (folder / "registry.db").read_bytes()
    (folder / "registry.db").chmod(0o400)
    folder.chmod(0o500)
    try:
        assert LocalRegistry(folder).aliases("churn") == {"champion": 2}
        assert len(LocalRegistry(folder).history("churn")) == 2
    finally:
        folder.chmod(0o700)
    assert (folder / "registry.db").read_bytes() == before or os.geteuid() == 0


def version(id: int, name: str, own: bool = False) -> dict[str, str]:
    return {"id": str(id), "name": name, "externalId": f"kfnb:version:1:{id}" if own else ""}


def numbers(versions: list[dict[str, str]]) -> dict[str, int]:
    return {one["id"]: number for number, one in numbered(versions).items()}


def test_a_version_keeps_its_number_when_another_client_registers_one_of_that_name() -> None:
    assert numbers([version(1, "v1"), version(2, "1")]) == {"1": 1, "2": 2}
    assert numbers([version(1, "v1"), version(2, "2", own=True), version(3, "2.0"), version(4, "3")]) == {
        "1": 1,
        "2": 2,
        "3": 3,
        "4": 4,
    }


@given(st.lists(st.sampled_from(["own", "v", "1", "2", "3", "7", "01"]), max_size=12))
def test_no_version_changes_its_number_ever(kinds: list[str]) -> None:
    """Versions are registered one after the other, by kfnb and by other clients."""
    versions: list[dict[str, str]] = []
    for id, kind in enumerate(kinds, 1):
        before = numbers(versions)
        taken = {one["name"] for one in versions}
        if kind == "own":
            versions.append(version(id, str(max(before.values(), default=0) + 1), own=True))
        else:
            name = f"v{id}" if kind == "v" else kind
            if name in taken:  # the registry refuses it
                continue
            versions.append(version(id, name))
        after = numbers(versions)
        assert {one: after[one] for one in before} == before
        assert all(after[one["id"]] == int(one["name"]) for one in versions if one["externalId"])
