"""The registry of this machine: what every registry does, and what its files do."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kfnb.errors import BackendError, UsageError
from kfnb.resources.models.digest import folder_digest
from kfnb.resources.models.engine import VersionQuery
from kfnb.resources.models.local.engine import LocalRegistry
from kfnb.resources.models.local.folders import ModelFolders
from kfnb.resources.models.model import ModelState
from kfnb.resources.models.moves import AliasMove
from tests.models.registry_conformance import RegistryConformance, draft, make_folder


class TestLocalRegistry(RegistryConformance):
    """Two connections to one folder."""

    @pytest.fixture
    def registry(self, tmp_path: Path) -> Any:
        return LocalRegistry(tmp_path / "registry")

    @pytest.fixture
    def another(self, registry: LocalRegistry) -> Any:
        return LocalRegistry(registry.folder)

    def test_a_name_that_is_refused_creates_nothing(self, registry, tmp_path):
        folder = make_folder(tmp_path)
        with pytest.raises(UsageError, match="model name"):
            registry.register(draft("a/b", folder), folder)
        assert not registry.folder.exists()

    def test_the_history_of_aliases_cannot_be_changed(self, registry, register, churn):
        register()
        registry.move_alias(AliasMove(churn, "champion", 1, expected=None, by="ann", because=""))
        with sqlite3.connect(registry.folder / "registry.db") as database:
            for statement in ("delete from alias_history", "update alias_history set by = 'eve'"):
                with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                    database.execute(statement)

    def test_bytes_that_were_changed_on_disk_are_named(self, registry, register):
        version = register()
        file = Path(version.uri) / "model.skops"
        file.chmod(0o600)
        file.write_bytes(b"other")
        with pytest.raises(BackendError, match="was changed on disk"):
            registry.download(version)

    def test_files_are_for_their_user_alone_unless_the_folder_is_shared(self, registry, register, tmp_path):
        version = register()
        assert stat.S_IMODE(registry.folder.stat().st_mode) == 0o700
        assert stat.S_IMODE((registry.folder / "registry.db").stat().st_mode) == 0o600
        assert stat.S_IMODE((Path(version.uri) / "model.skops").stat().st_mode) == 0o400
        shared = tmp_path / "shared"
        shared.mkdir()
        shared.chmod(0o770)
        shared_version = register(by=LocalRegistry(shared))
        assert stat.S_IMODE((shared / "registry.db").stat().st_mode) == 0o660
        assert stat.S_IMODE((Path(shared_version.uri) / "model.skops").stat().st_mode) == 0o440


class _Settling(ModelFolders):
    """Model folders whose writer is overtaken by another one, just before it renames its draft."""

    def __init__(self, root: Path, overtaken_by: Callable[[], object]) -> None:
        super().__init__(root)
        self._overtaken_by = overtaken_by

    def _settle(self, draft: Path) -> None:
        super()._settle(draft)
        self._overtaken_by()


def test_a_folder_that_another_process_finished_first_stays_in_place(tmp_path: Path) -> None:
    """It is the content of a version that is registered by then."""
    folder = make_folder(tmp_path)
    digest = folder_digest(folder)
    root = tmp_path / "registry/models"
    first = ModelFolders(root)
    places: list[int] = []
    second = _Settling(root, lambda: places.append(first.keep(folder, digest).stat().st_ino))

    assert [second.keep(folder, digest).stat().st_ino] == places

    assert not [one for one in root.iterdir() if one.name.startswith(".draft-")]


def test_no_alias_names_an_archived_version_even_if_the_caller_does_not_know(tmp_path: Path) -> None:
    registry = LocalRegistry(tmp_path / "registry")
    folder = make_folder(tmp_path)
    registry.register(draft("churn", folder), folder)
    registry.set_state("churn", 1, ModelState.ARCHIVED)
    with pytest.raises(UsageError, match="churn@1 is archived: restore it first"):
        registry.move_alias(AliasMove("churn", "champion", 1, expected=None, by="ann", because=""))
    assert registry.history("churn") == []


def _register_for_ever(folder: Path, source: Path, started: Any) -> None:
    registry = LocalRegistry(folder)
    for number in range(10_000):
        made = make_folder(source / str(number), str(number))
        registry.register(draft("churn", made), made)
        started.value = number + 1


@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.05])
def test_whoever_is_killed_leaves_nothing_half_there(tmp_path: Path, seconds: float) -> None:
    folder = tmp_path / "registry"
    context = multiprocessing.get_context("fork")
    kept = context.Value("i", 0)
    process = context.Process(target=_register_for_ever, args=(folder, tmp_path, kept))
    process.start()
    until = time.monotonic() + 60
    while not kept.value and time.monotonic() < until:
        time.sleep(0.005)
    time.sleep(seconds)
    assert process.pid
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    registry = LocalRegistry(folder)
    versions = registry.versions(VersionQuery(name="churn"))
    assert len(versions) >= kept.value
    assert [one.version for one in versions] == list(range(len(versions), 0, -1))
    for one in versions:
        registry.download(one)
    again = make_folder(tmp_path / "again", "again")
    assert registry.register(draft("churn", again), again).version == len(versions) + 1
