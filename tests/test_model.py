"""Plain data that every layer shares."""

from __future__ import annotations

from pathlib import Path

import pytest

from kfnb.entities import Artifact, RunState, Task


def test_a_state_is_its_word() -> None:
    assert RunState.FAILED == "FAILED"
    assert str(RunState.FAILED) == "FAILED"
    assert {state for state in RunState if state.finished} == {"SUCCEEDED", "FAILED", "SKIPPED", "CANCELED"}


def test_an_artifact_opens_downloads_and_previews_its_file(tmp_path: Path) -> None:
    file = tmp_path / "a" / "report"
    file.parent.mkdir()
    file.write_text("grün\n")
    artifact = Artifact("report", "system.HTML", str(file))
    with artifact.open("r") as opened:
        assert opened.read() == "grün\n"
    assert artifact.download(tmp_path / "b" / "copy").read_text() == "grün\n"
    assert artifact.preview == "grün\n"


def test_a_folder_is_downloaded_whole(tmp_path: Path) -> None:
    (tmp_path / "model" / "weights").mkdir(parents=True)
    (tmp_path / "model" / "weights" / "1.bin").write_bytes(b"\x00")
    artifact = Artifact("model", "system.Model", str(tmp_path / "model"))
    copy = artifact.download(tmp_path / "copy")
    assert (copy / "weights" / "1.bin").read_bytes() == b"\x00"


@pytest.mark.parametrize(
    ("content", "preview"),
    [(b"\x89PNG\xff\x00", ""), (b"a" * 1999 + "ü".encode(), "a" * 1999), (b"", "")],
)
def test_a_preview_is_text_or_nothing(tmp_path: Path, content: bytes, preview: str) -> None:
    (tmp_path / "file").write_bytes(content)
    assert Artifact("a", "system.Artifact", str(tmp_path / "file")).preview == preview


def test_a_preview_of_a_file_that_is_gone_is_empty() -> None:
    assert Artifact("a", "system.Artifact", "/nowhere/at/all").preview == ""


def test_a_task_knows_its_time_and_its_artifacts() -> None:
    artifact = Artifact("model", "system.Model", "/m")
    task = Task("train", "train", started=1.0, finished=3.0, outputs={"n": 1, "model": artifact})
    assert task.seconds == 2.0
    assert task.artifacts == {"model": artifact}
    assert Task("train", "train", started=1.0).seconds is None
