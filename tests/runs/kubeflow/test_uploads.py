"""Files of the notebook's folder that are too large for a pipeline reach the cluster's steps by its object store."""

import json
import os
import re
from contextlib import suppress

import pytest
from cluster import ACCESS, SECRET

from kfnb.entities import carried, digest_of, importers
from kfnb.entities.carried import imported
from kfnb.errors import BackendError
from kfnb.remote.objects import AccessKeys, ObjectStore, StoreAccess
from kfnb.resources.runs.engine import Submission
from kfnb.resources.runs.kubeflow import file_uploads as uploading
from kfnb.resources.runs.kubeflow.engine import KubeflowRunEngine
from kfnb.resources.runs.kubeflow.file_uploads import Uploads
from kfnb.resources.runs.kubeflow.objects import Store
from kfnb.resources.runs.kubeflow.storage import Storage
from kfnb.resources.runs.kubeflow.store_session import StoreSession
from kfnb.resources.runs.kubeflow.submitter import SubmissionTerms


def spec_of(*sets):
    """A pipeline with an importer for each of these, as KFP's compiler writes it."""
    names = ["importer", *(f"importer-{number}" for number in range(2, 9))][: len(sets)]
    files = dict(zip(names, sets, strict=True))
    return {
        "pipelineInfo": {"name": "p"},
        "deploymentSpec": {
            "executors": {
                f"exec-{name}": {
                    "importer": {"artifactUri": {"constant": one.uri}, "metadata": dict(one.metadata)}
                }
                for name, one in files.items()
            }
        },
        "components": {f"comp-{name}": {"executorLabel": f"exec-{name}"} for name in files},
        "root": {
            "dag": {
                "tasks": {
                    name: {
                        "inputs": {"parameters": {"uri": {"runtimeValue": {"constant": one.uri}}}},
                        "componentRef": {"name": f"comp-{name}"},
                    }
                    for name, one in files.items()
                }
            }
        },
    }


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/train set.csv").write_bytes(b"a,b\n" * 50_000)
    (tmp_path / "data/leer.csv").write_bytes(b"")
    return tmp_path


def set_of(folder, *paths):
    return carried({path: digest_of(folder / path) for path in paths})


@pytest.fixture
def files(folder):
    return set_of(folder, "data/leer.csv", "data/train set.csv")


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_S3_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def store(objects, kubernetes):
    return objects.store(kubernetes.api())


@pytest.fixture
def uploads(store):
    return Uploads(store.root, 200)


def keys_of(objects):
    return {key for key in objects.held if key.startswith("v2/artifacts/kfnb-files/")}


def test_files_are_uploaded_by_their_content_and_the_pipeline_imports_them_from_there(
    uploads, objects, folder, files
):
    told = []
    cargo = uploads.cargo(spec_of(files), str(folder))
    cargo.send(told.append)
    there = f"v2/artifacts/kfnb-files/{files.digest}"
    assert objects.held[f"{there}/data/train set.csv"] == b"a,b\n" * 50_000
    assert keys_of(objects) == {f"{there}/data/train set.csv", f"{there}/data/leer.csv"}
    uri = f"minio://mlpipeline/{there}"
    task = cargo.spec["root"]["dag"]["tasks"]["importer"]
    assert task["inputs"]["parameters"]["uri"]["runtimeValue"]["constant"] == uri
    importer = cargo.spec["deploymentSpec"]["executors"]["exec-importer"]["importer"]
    assert importer["artifactUri"]["constant"] == uri
    assert told == ["uploading leer.csv and 1 more file (0.2 MB)"]


def test_what_is_there_is_not_uploaded_again_and_what_is_missing_is(uploads, objects, folder, files):
    uploads.cargo(spec_of(files), str(folder)).send(print)
    asked = len(objects.asked)
    uploads.cargo(spec_of(files), str(folder)).send(print)
    assert [one for one in objects.asked[asked:] if one.startswith("PUT")] == []
    del objects.held[
        f"v2/artifacts/kfnb-files/{files.digest}/data/leer.csv"
    ]  # an upload that was interrupted
    asked = len(objects.asked)
    uploads.cargo(spec_of(files), str(folder)).send(print)
    assert len([one for one in objects.asked[asked:] if one.startswith("PUT")]) == 1


def test_other_content_goes_elsewhere(uploads, objects, folder, files):
    uploads.cargo(spec_of(files), str(folder)).send(print)
    (folder / "data/leer.csv").write_text("x")
    other = set_of(folder, *files.paths)
    uploads.cargo(spec_of(other), str(folder)).send(print)
    assert len(keys_of(objects)) == 4
    assert other.digest != files.digest


def test_a_pipeline_without_such_files_asks_for_nothing(folder):
    def unasked():
        raise AssertionError

    spec = spec_of()
    assert Uploads(unasked, 0).cargo(spec, str(folder)).spec is spec


def test_a_file_that_changed_since_the_pipeline_was_compiled_is_not_uploaded(uploads, objects, folder, files):
    (folder / "data/leer.csv").write_text("x")
    with pytest.raises(BackendError, match="changed since the pipeline was compiled"):
        uploads.cargo(spec_of(files), str(folder)).send(print)
    assert not keys_of(objects)


def test_a_file_that_is_not_there_is_named(uploads, files, tmp_path):
    with pytest.raises(BackendError, match=r"reads data/leer\.csv, which is not in"):
        uploads.cargo(spec_of(files), str(tmp_path / "elsewhere"))


def test_more_than_the_limit_is_refused_with_what_to_do(store, objects, folder):
    with (folder / "big.bin").open("wb") as file:
        file.truncate(3_200_000)
    (folder / "other").write_bytes(b"x" * 100_000)
    sets = [set_of(folder, "big.bin"), set_of(folder, "other")]
    limited = Uploads(store.root, 3)
    with pytest.raises(BackendError) as refused:
        limited.cargo(spec_of(*sets), str(folder))
    assert str(refused.value) == (
        "big.bin (3.2 MB, with others 3.3 MB) exceeds the upload limit of 3 MB per run:"
        " set %kf_config upload_limit=MB, or read it from a URL or a volume (--pvc NAME:/PATH)"
    )
    assert not objects.asked


def test_thousands_of_files_travel_and_only_some_of_them_are_named(uploads, objects, folder):
    names = [
        f"images/class {number % 3}/a rather long name of a picture, {number}.png" for number in range(1200)
    ]
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    told = []
    cargo = uploads.cargo(spec_of(set_of(folder, *names)), str(folder))
    cargo.send(told.append)
    assert len(keys_of(objects)) == 1200
    importer = cargo.spec["deploymentSpec"]["executors"]["exec-importer"]["importer"]
    assert len(json.dumps(importer)) < 3000
    assert imported(importer["metadata"]).endswith(" and 1199 more files")
    assert len(told) == 1
    asked = len(objects.asked)
    cargo.send(told.append)
    assert not [one for one in objects.asked[asked:] if one.startswith("PUT")]


def test_how_far_a_long_upload_is_is_told(uploads, objects, folder, files, monkeypatch):
    monkeypatch.setattr(uploading, "_EVERY", 0.0)
    told = []
    uploads.cargo(spec_of(files), str(folder)).send(told.append)
    assert told[0] == "uploading leer.csv and 1 more file (0.2 MB)"
    assert re.fullmatch(r"uploading leer\.csv and 1 more file: \d+% of 0\.2 MB", told[1])
    assert re.fullmatch(r"uploaded leer\.csv and 1 more file in \d+ s", told[-1])


def test_before_kfp_2_15_the_store_is_minio(kubernetes):
    absent = {"kind": "Status", "reason": "NotFound", "details": {"kind": "services", "name": "seaweedfs"}}
    kubernetes.refuses = lambda path: (404, absent) if path.endswith("/services/seaweedfs") else None
    assert root_of(kubernetes, {})[1].endpoint == "minio-service.kubeflow:9000"
    kubernetes.refuses = lambda path: (403, {"message": "no"}) if "/services/" in path else None
    assert root_of(kubernetes, {})[1].endpoint == "seaweedfs.kubeflow:9000"


def test_a_store_that_refuses_says_so_before_there_is_a_run(
    kubeflow, replay, uploads, objects, folder, files
):
    objects.refuses = {"PUT"}
    backend = KubeflowRunEngine(kubeflow._server, SubmissionTerms(uploads=uploads))
    with pytest.raises(BackendError) as refused:
        backend.submit(Submission(spec_of(files), {}, "p", folder=str(folder)))
    text = str(refused.value)
    assert text.startswith(
        "cannot upload leer.csv and 1 more file (0.2 MB) to the cluster's object store: the object store at"
    )
    assert len([one for one in objects.asked if one.startswith("PUT")]) <= 2
    assert "does not allow writing mlpipeline/v2/artifacts/" in text
    assert "Access Denied." in text
    assert text.endswith("Get access to the store, or read it from a URL or a volume (--pvc NAME:/PATH)")
    assert not [path for path in replay.paths("POST") if path.endswith("/runs")]


def test_without_kubernetes_the_keys_are_wanted_from_the_environment(objects, folder, files, monkeypatch):
    alone = Uploads(objects.store(None).root, 200)
    with pytest.raises(BackendError, match="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to reach it"):
        alone.cargo(spec_of(files), str(folder))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    alone.cargo(spec_of(files), str(folder)).send(print)
    assert len(keys_of(objects)) == 2


def test_a_store_that_does_not_answer_is_told(kubernetes, folder, files):
    nowhere = Store(Storage("kubeflow", kubernetes.api()), lambda _: "127.0.0.1:1")
    uploads = Uploads(nowhere.root, 200)
    with pytest.raises(BackendError, match=r"the object store at 127\.0\.0\.1:1 does not answer"):
        uploads.cargo(spec_of(files), str(folder)).send(print)


def test_a_config_map_that_may_not_be_read_is_told(uploads, kubernetes, folder, files):
    kubernetes.refuses = lambda path: (403, {"message": "no"}) if "configmaps" in path else None
    with pytest.raises(BackendError, match="cannot read the config map kfp-launcher in namespace kubeflow"):
        uploads.cargo(spec_of(files), str(folder))


PROVIDERS = """
s3:
  default:
    endpoint: s3.example.com
    disableSSL: true
    region: eu-1
    credentials: {fromEnv: true}
  overrides:
    - bucketName: mlpipeline
      keyPrefix: team/
      endpoint: other.example.com:9000
      region: eu-2
      credentials:
        secretRef: {secretName: mlpipeline-minio-artifact, accessKeyKey: accesskey, secretKeyKey: secretkey}
"""


def root_of(kubernetes, told, root=""):
    kubernetes.config_maps["kfp-launcher"] = told
    return Storage("kubeflow", kubernetes.api(), root).root()


def test_the_root_and_its_store_are_those_that_kfps_own_pods_take(kubernetes):
    root, session = root_of(kubernetes, {})
    assert root == "minio://mlpipeline/v2/artifacts"
    assert (session.endpoint, session.secret) == ("seaweedfs.kubeflow:9000", "mlpipeline-minio-artifact")
    told = {"defaultPipelineRoot": "s3://mlpipeline/team/a", "providers": PROVIDERS}
    root, session = root_of(kubernetes, told)
    assert root == "s3://mlpipeline/team/a"
    secret = "mlpipeline-minio-artifact"
    assert session == StoreSession("s3", "other.example.com:9000", "eu-2", secure=False, secret=secret)
    root, session = root_of(kubernetes, told, "s3://else/where/")
    assert (root, session) == ("s3://else/where", StoreSession("s3", "s3.example.com", "eu-1", secure=False))
    root, session = root_of(kubernetes, {}, "s3://b/k?region=r&endpoint=e:1&disableSSL=true")
    assert (root, session) == ("s3://b/k", StoreSession("s3", "e:1", "r", secure=False))


def test_an_upload_that_is_cut_is_sent_again_from_its_beginning(objects, tmp_path):
    data = os.urandom(300_000)
    (tmp_path / "x").write_bytes(data)
    cut = []
    take = objects.take

    def once(handler, path, sent):
        if not cut:
            cut.append(path)
            handler.close_connection = True
            with suppress(OSError):
                handler.connection.shutdown(2)
        else:
            take(handler, path, sent)

    objects.take = once
    access = StoreAccess("s3", f"http://{objects.address}", keys=AccessKeys(ACCESS, SECRET))
    ObjectStore(access).write_file("mlpipeline/x", tmp_path / "x")
    assert cut
    assert objects.held["x"] == data


def test_a_pipeline_names_its_importers(files):
    named = list(importers(spec_of(files)))
    assert named == [("exec-importer", files)]
    assert list(importers(replace_uri(spec_of(files)))) == []


def replace_uri(spec):
    spec["deploymentSpec"]["executors"]["exec-importer"]["importer"]["artifactUri"]["constant"] = "s3://b/x"
    return spec


def test_a_file_above_the_notebooks_folder_is_uploaded_under_a_name_that_a_store_has(folder):
    (folder / "notebooks").mkdir()
    files = carried({"../data/train set.csv": digest_of(folder / "data/train set.csv")})
    sent = []

    class Shelf:
        def invalidate_cache(self):
            pass

        def find(self, target, detail):
            return {}

        def put_file(self, source, target, callback):
            sent.append(target)

    cargo = uploading.Cargo({}, folder / "notebooks", {"s3://bucket/kfnb-files/1": files}, Shelf())
    cargo.send(lambda _: None)
    assert sent == ["bucket/kfnb-files/1/kfnb-parent/data/train set.csv"]
