"""An artifact on its way to a person's disk."""

import io
import zipfile

import pytest

from kfnb.entities import Artifact, RunSnapshot, RunState, Task
from kfnb.resources.runs import downloads
from kfnb.resources.runs.downloads import CannotDownload, Downloads


def run_with(**artifacts):
    task = Task("train", "train", RunState.SUCCEEDED, outputs=artifacts)
    return RunSnapshot("r", "r", "p", "local", tasks=(task,))


def whole(run, artifact):
    """All that a page gets that asks for a piece after the other, and what it is called."""
    files, got = Downloads(), b""
    while True:
        piece = files.next(run, "train", artifact, first=len(got))
        got += piece.data
        if len(got) >= piece.size:
            return piece.name, got


def test_a_file_comes_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "PIECE", 7)
    file = tmp_path / "data.parquet"
    file.write_bytes(bytes(range(100)))
    run = run_with(data=Artifact("data", "system.Dataset", str(file)))
    assert whole(run, "outputs/data") == ("train-data.parquet", bytes(range(100)))


def test_a_folder_comes_as_a_zip_file(tmp_path):
    (tmp_path / "model" / "deep").mkdir(parents=True)
    (tmp_path / "model" / "deep" / "a.bin").write_bytes(b"a")
    (tmp_path / "model" / "b.txt").write_text("b")
    name, data = whole(
        run_with(model=Artifact("model", "system.Model", str(tmp_path / "model"))), "outputs/model"
    )
    assert name == "train-model.zip"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert {one: archive.read(one) for one in archive.namelist()} == {"deep/a.bin": b"a", "b.txt": b"b"}


def test_a_file_without_an_ending_has_that_of_its_format(tmp_path):
    file = tmp_path / "model"
    file.write_bytes(b"x")
    run = run_with(model=Artifact("model", "system.Model", str(file), {"format": "skops"}))
    assert whole(run, "outputs/model") == ("train-model.skops", b"x")


def test_an_empty_file_is_a_file(tmp_path):
    file = tmp_path / "log.txt"
    file.touch()
    assert whole(run_with(log=Artifact("log", "system.Artifact", str(file))), "outputs/log") == (
        "train-log.txt",
        b"",
    )


def test_one_of_a_list_is_named_by_its_number(tmp_path):
    for number in range(2):
        (tmp_path / f"{number}.txt").write_text(str(number))
    parts = [Artifact("part", "system.Dataset", str(tmp_path / f"{number}.txt")) for number in range(2)]
    assert whole(run_with(parts=parts), "outputs/parts [1]") == ("train-parts-1.txt", b"1")


def test_what_is_too_large_is_refused_with_another_way(tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "LIMIT", 1000)
    file = tmp_path / "data.bin"
    file.write_bytes(b"x" * 1001)
    with pytest.raises(CannotDownload, match=r"data is 1.0 kB, and a page can fetch .*download\('PATH'\)"):
        whole(run_with(data=Artifact("data", "system.Dataset", str(file))), "outputs/data")


@pytest.mark.parametrize("artifact", ["outputs/other", "inputs/data", "data", ""])
def test_an_artifact_that_is_not_there_is_said_to_be_gone(tmp_path, artifact):
    run = run_with(data=Artifact("data", "system.Dataset", str(tmp_path / "gone")))
    with pytest.raises(CannotDownload, match="no such artifact"):
        whole(run, artifact)


def test_a_file_that_is_gone_is_said_in_words(tmp_path):
    run = run_with(data=Artifact("data", "system.Dataset", str(tmp_path / "gone")))
    with pytest.raises(CannotDownload, match="data cannot be read"):
        whole(run, "outputs/data")
