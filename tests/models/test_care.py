"""A registry is looked after: damaged models and data are named, and what killed registrations left is removed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from registry_conformance import draft, make_folder

import kfnb
from kfnb.cli import main
from kfnb.errors import BackendError
from kfnb.resources.datasets import api as datasets
from kfnb.resources.models import data_damage
from kfnb.resources.models.display import DISPLAYS
from kfnb.resources.models.local.engine import LocalRegistry
from kfnb.resources.models.verification import verify
from kfnb.settings import settings


@pytest.fixture(autouse=True)
def home(tmp_path: Path) -> Iterator[Path]:
    before = settings().home, settings().owner, settings().data_store
    settings().home, settings().owner = str(tmp_path / "home"), "ann"
    yield tmp_path / "home"
    settings().home, settings().owner, settings().data_store = before


@pytest.fixture
def registered(tmp_path: Path) -> Callable[..., kfnb.ModelVersion]:
    """Registers a model folder with these weights."""

    def act(text: str = "weights", name: str = "churn", **options: object) -> kfnb.ModelVersion:
        folder = make_folder(tmp_path / "made" / text, text)
        (folder / "kfnb_model.json").write_text('{"format": "skops", "file": "model.skops"}')
        return kfnb.register(folder, name, notify=lambda _: None, **options)  # type: ignore[arg-type]

    return act


def data(number: int = 1) -> kfnb.DatasetVersion:
    return kfnb.add_data("churn-data", pd.DataFrame({"a": [number]}))


def change(file: Path) -> None:
    file.chmod(0o600)
    file.write_bytes(b"x" * file.stat().st_size)


def the_file_of(version: kfnb.DatasetVersion) -> Path:
    return Path(version.uri)


def board() -> str:
    return DISPLAYS[kfnb.Leaderboard].bundle(kfnb.models())["text/plain"]


def page(version: kfnb.ModelVersion) -> str:
    return DISPLAYS[kfnb.ModelVersion].bundle(version)["text/plain"]


def call(*words: str) -> int:
    return main(["models", *words])


# -- check ----------------------------------------------------------------------------------------------------------


def test_what_is_whole_is_reported_so(registered, capsys) -> None:
    registered("one", data=data().ref)
    registered("two")
    assert call("check") == 0
    assert "2 versions" in (text := capsys.readouterr().out)
    assert "every byte is as it was registered" in text


@pytest.mark.parametrize(
    ("harm", "problem"),
    [
        (lambda folder: change(folder / "code/transform.py"), "changed"),
        (lambda folder: (folder / "more").write_text("x"), "changed"),
        (shutil.rmtree, "missing"),
    ],
    ids=["changed", "added", "missing"],
)
def test_a_damaged_model_folder_is_named(registered, harm, problem) -> None:
    version, other = registered("one"), registered("two", "other")
    folder = version.path()
    harm(folder)
    assert [(one.ref, one.part, one.problem) for one in verify().damages] == [("churn@1", "", problem)]
    assert verify("other").damages == verify(other.ref).damages == ()
    assert verify("churn").damages == verify("local:churn@1").damages != ()


def test_archived_versions_are_checked_too(registered) -> None:
    version = registered()
    version.archive()
    shutil.rmtree(version.path())
    assert len(verify().damages) == len(verify("churn").damages) == 1


def test_the_models_of_damaged_data_are_marked_everywhere(registered, capsys) -> None:
    used, other = data(1), data(2)
    made = registered("one", data=used.ref, metrics={"accuracy": 0.9})
    fine = registered("two", data=other.ref, metrics={"accuracy": 0.8})
    change(the_file_of(used))
    assert "churn-data@1 was changed" not in board(), "nothing has read it yet"

    assert call("check") == 1

    assert "churn@1" in (text := capsys.readouterr().out)
    assert "data churn-data@1" in text
    assert "churn@2" not in text
    [row] = [line for line in board().splitlines() if "churn@1 " in line]
    assert "churn-data@1 was changed" in row
    assert "churn-data@1 was changed" in page(made)
    assert "was changed" not in page(fine)
    html = DISPLAYS[kfnb.Leaderboard].bundle(kfnb.models())["text/html"]
    assert html.count("churn-data@1 was changed") == 1
    call("show", "churn@1", "--json")
    assert json.loads(capsys.readouterr().out)["damaged_data"] == {"churn-data@1": "changed"}
    call("--json")
    assert json.loads(capsys.readouterr().out)["damaged_data"] == {"churn-data@1": "changed"}


def test_the_mark_goes_when_the_data_is_added_again(registered) -> None:
    used = data()
    registered(data=used.ref)
    change(the_file_of(used))
    datasets.verify()
    assert "was changed" in board()
    data()
    assert "was changed" not in board()


def test_a_check_of_data_names_the_models_made_of_it(registered, capsys) -> None:
    used = data()
    registered("one", data=used.ref)
    registered("two", "other", data=used.ref).archive()
    registered("three", data=data(2).ref)
    the_file_of(used).unlink()
    assert main(["data", "check"]) == 1
    assert "churn@1, other@1" in capsys.readouterr().out
    main(["data", "check", "--json"])
    [damage] = json.loads(capsys.readouterr().out)["damages"]
    assert (damage["problem"], damage["models"]) == ("missing", ["churn@1", "other@1"])


def test_the_models_of_a_version_that_is_not_in_the_store_are_marked(registered, home, capsys) -> None:
    made = registered(data=data().ref)
    shutil.rmtree(home / "data" / "versions")
    assert "churn-data@1 is not in the data store" in board()
    assert "churn-data@1 is not in the data store" in page(made)
    assert [(one.ref, one.part, one.problem) for one in verify().damages] == [
        ("churn@1", "churn-data@1", "missing")
    ]


def test_data_of_the_name_with_other_content_is_named(registered, home) -> None:
    registered(data=data(1).ref)
    shutil.rmtree(home / "data")
    data(2)
    assert [(one.ref, one.part, one.problem) for one in verify().damages] == [
        ("churn@1", "churn-data@1", "other content")
    ]


def test_a_record_that_cannot_be_read_is_damage(registered, home) -> None:
    registered(data=data().ref)
    record = home / "data/versions/churn-data/000001.json"
    record.chmod(0o600)
    record.write_text("{")
    assert [(one.part, one.problem) for one in verify().damages] == [("churn-data@1", "unreadable record")]
    assert "churn-data@1 is damaged (unreadable record)" in board()


def test_a_store_that_is_slow_or_broken_keeps_no_one_from_the_leaderboard(
    registered, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(data=data().ref)
    waits = threading.Event()
    monkeypatch.setattr(data_damage, "TIMEOUT", 0.05)
    monkeypatch.setattr(datasets, "damaged", lambda refs: waits.wait(10) and {})
    assert "The data store did not answer within 0.05 s" in board()
    waits.set()
    monkeypatch.undo()

    settings().data_store = "s3://bucket/data?endpoint=http://127.0.0.1:9"
    monkeypatch.setattr(data_damage, "TIMEOUT", 60.0)
    assert "churn@1" in (text := board())
    assert "Damaged data is not marked" in text
    assert "The data behind the models was not verified" in verify().note


def test_a_store_that_cannot_be_written_is_checked_all_the_same(registered, home) -> None:
    used = data()
    change(the_file_of(used))
    shutil.rmtree(home / "data/drafts")
    (home / "data/drafts").touch()
    assert len(datasets.verify().damages) == 1


# -- prune ----------------------------------------------------------------------------------------------------------


def old(folder: Path) -> Path:
    for one in (*folder.rglob("*"), folder):
        os.utime(one, (1, 1))
    return folder


def killed_registration(home: Path, folder: Path) -> None:
    """Another process registers a folder, and is killed after the folder was stored, before its record is."""
    program = textwrap.dedent(
        """
        import os, signal, sys
        from pathlib import Path
        sys.path.insert(0, sys.argv[3])
        from registry_conformance import draft
        from kfnb.resources.models.local.folders import ModelFolders
        from kfnb.resources.models.local.engine import LocalRegistry
        keep = ModelFolders.keep
        def killed(*args):
            keep(*args)
            os.kill(os.getpid(), signal.SIGKILL)
        ModelFolders.keep = killed
        folder = Path(sys.argv[2])
        LocalRegistry(Path(sys.argv[1])).register(draft("churn", folder), folder)
        """
    )
    here = str(Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", program, str(home / "registry"), str(folder), here], check=False
    )
    assert done.returncode == -signal.SIGKILL


def test_what_a_killed_registration_left_is_removed_after_a_question(
    registered, home, tmp_path, capsys
) -> None:
    kept = registered("kept")
    killed_registration(home, make_folder(tmp_path, "lost"))
    folders = home / "registry/models"
    [lost] = [one for one in folders.glob("sha256/*/*") if one != kept.path()]
    assert call("prune") == 0
    assert "nothing to remove" in capsys.readouterr().err, "a registration may be about to refer to it"

    old(lost)
    cut_off = folders / ".draft-x"
    cut_off.mkdir()
    (cut_off / "model.skops").write_bytes(b"1234")
    old(cut_off)
    old(kept.path())
    assert call("prune") == 2
    text = capsys.readouterr().err
    assert "1 model folder (447 B) that no version refers to" in text
    assert "1 draft (4 B) of registrations that were cut off" in text
    assert "give --yes to remove it without confirmation" in text
    assert lost.exists()

    assert call("prune", "--yes") == 0

    assert "removed 451 B" in capsys.readouterr().err
    assert [one.exists() for one in (lost, cut_off)] == [False, False]
    assert verify().damages == ()
    assert not [*folders.glob(".draft-*")]


def test_a_folder_that_is_registered_meanwhile_is_kept(home, tmp_path) -> None:
    folder = make_folder(tmp_path)
    killed_registration(home, folder)
    registry = LocalRegistry(home / "registry")
    [lost] = (home / "registry/models").glob("sha256/*/*")
    old(lost)
    found = registry.unused()
    version = registry.register(draft("churn", folder), folder)
    assert registry.remove(found) == 0
    assert registry.download(version) == lost


def test_a_registration_stores_what_was_removed_at_the_same_time(home, tmp_path, monkeypatch) -> None:
    folder = make_folder(tmp_path)
    killed_registration(home, folder)
    registry = LocalRegistry(home / "registry")
    [lost] = (home / "registry/models").glob("sha256/*/*")
    old(lost)
    found = registry.unused()
    keep = registry._folders.keep

    def keep_then_lose(*args: Path | str) -> Path:
        place = keep(*args)
        monkeypatch.undo()
        assert registry.remove(found) > 0
        return place

    monkeypatch.setattr(registry._folders, "keep", keep_then_lose)
    version = registry.register(draft("churn", folder), folder)
    assert registry.problem(version) == ""


def test_what_another_user_owns_is_an_error_in_words(home, tmp_path, monkeypatch) -> None:
    killed_registration(home, make_folder(tmp_path))
    registry = LocalRegistry(home / "registry")

    def forbidden(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "rename", forbidden)
    with pytest.raises(BackendError, match="cannot be removed: Permission denied") as caught:
        registry.remove(registry.unused(grace=-60))
    assert caught.value.code == "forbidden"
    monkeypatch.undo()
    assert registry.remove(registry.unused(grace=-60)) > 0
