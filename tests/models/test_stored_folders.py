"""Model folders in an object store: what is written there by others, and what is sent again."""

from __future__ import annotations

import pytest
from cluster import ACCESS, SECRET
from registry_conformance import make_folder

from kfnb.errors import BackendError
from kfnb.remote.objects import AccessKeys, ObjectStore, StoreAccess
from kfnb.remote.objects.files import ObjectFiles
from kfnb.resources.models.digest import folder_digest
from kfnb.resources.models.kubeflow.folders import StoredFolders


@pytest.fixture
def folders(objects, tmp_path):
    keys = AccessKeys(ACCESS, SECRET)
    files = ObjectFiles(ObjectStore(StoreAccess("s3", f"http://{objects.address}", keys=keys)))
    return StoredFolders(
        lambda: ("s3://mlpipeline/v2", files), lambda uri: (files, uri.partition("://")[2]), tmp_path / "kept"
    )


def test_only_what_is_missing_is_sent(folders, objects, tmp_path):
    folder = make_folder(tmp_path)
    uri = folders.upload(folder, folder_digest(folder))
    [missing] = [key for key in objects.held if key.endswith("transform.py")]
    del objects.held[missing]

    assert folders.upload(folder, folder_digest(folder)) == uri

    assert missing in objects.held


def test_a_damaged_object_is_repaired_by_sending_the_folder_again(folders, objects, tmp_path):
    folder = make_folder(tmp_path)
    digest = folder_digest(folder)
    uri = folders.upload(folder, digest)
    whole = dict(objects.held)
    cut, lost, other = sorted(objects.held)
    objects.held[cut] = objects.held[cut][:-1]
    del objects.held[lost]
    objects.held[other] = b"x" * len(whole[other])

    folders.repair(folder, digest, uri)

    assert objects.held == whole


def test_a_copy_that_was_edited_here_is_fetched_again(folders, tmp_path):
    folder = make_folder(tmp_path)
    digest = folder_digest(folder)
    uri = folders.upload(folder, digest)
    edited = folders.download(uri, digest) / "model.skops"
    edited.chmod(0o600)
    edited.write_bytes(b"edited")

    assert folder_digest(folders.download(uri, digest)) == digest


@pytest.mark.parametrize("path", ["../escape", "a/../../escape", "..", "a/.."])
def test_an_object_cannot_be_written_outside_of_the_folder(folders, objects, tmp_path, path):
    objects.held = {"models/one": b"x", f"models/{path}": b"x"}

    with pytest.raises(
        BackendError, match=r"cannot fetch the model at s3://mlpipeline/models: .*(outside|illegal)"
    ):
        folders.download("s3://mlpipeline/models", "")

    assert not [one for one in tmp_path.rglob("*") if one.is_file()]


@pytest.mark.parametrize("digest", ["../../x", "abc", "A" * 64, "/etc"])
def test_a_digest_that_is_none_is_not_a_path(folders, digest):
    with pytest.raises(BackendError, match="invalid digest"):
        folders.download("s3://mlpipeline/models", digest)


def test_one_file_is_a_folder_with_one_file(folders, objects):
    """So other clients register models."""
    objects.held = {"models/model.onnx": b"onnx"}

    there = folders.download("s3://mlpipeline/models/model.onnx", "")

    assert (there / "model.onnx").read_bytes() == b"onnx"


def test_a_store_that_cannot_be_reached_says_what_to_set(folders, objects, tmp_path):
    folder = make_folder(tmp_path)

    def unknown():
        raise BackendError("no store is known", code="not-found")

    lost = StoredFolders(unknown, lambda uri: unknown(), tmp_path / "lost")
    with pytest.raises(
        BackendError, match=r"cannot keep the model .*no store is known.*pipeline_root=s3"
    ) as caught:
        lost.upload(folder, folder_digest(folder))
    assert caught.value.code == "not-found"
    with pytest.raises(BackendError, match=r"cannot fetch the model at s3://x/y: no store is known"):
        lost.download("s3://x/y", "")


def test_a_full_disk_leaves_nothing_half_there(folders, objects, tmp_path, monkeypatch):
    folder = make_folder(tmp_path)
    digest = folder_digest(folder)
    uri = folders.upload(folder, digest)
    monkeypatch.setattr(ObjectFiles, "get_file", _full)

    with pytest.raises(BackendError, match=r"cannot fetch the model at .*No space left on device"):
        folders.download(uri, digest)
    monkeypatch.undo()

    assert folder_digest(folders.download(uri, digest)) == digest
    assert not [*(tmp_path / "kept").rglob(".draft-*")]


def _full(self, rpath, lpath, **_):
    raise OSError(28, "No space left on device")


def test_every_byte_of_a_stored_folder_is_verified(folders, objects, tmp_path):
    """Also where this machine has a copy of it."""
    folder = make_folder(tmp_path)
    digest = folder_digest(folder)
    uri = folders.upload(folder, digest)
    folders.download(uri, digest)
    assert folders.problem(uri, digest) == ""
    [key] = [key for key in objects.held if key.endswith("model.skops")]
    objects.held[key] = b"x" * len(objects.held[key])
    assert folders.problem(uri, digest) == "changed"
    objects.held.clear()
    assert folders.problem(uri, digest) == "missing"
