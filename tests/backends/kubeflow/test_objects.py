import json
import pickle
from datetime import datetime, timezone

import pytest
from cluster import ACCESS, SECRET, recorded_kubernetes
from replay import GOOD

from kfnb.artifacts.preview import preview
from kfnb.backends.kubeflow.objects import Session, Store, read_secrets
from kfnb.backends.kubeflow.s3 import S3Files
from kfnb.backends.kubeflow.signing import Keys, encoded, signed
from kfnb.errors import BackendError, Unreadable
from kfnb.model import FILES, Artifact, Run, Task
from kfnb.resources.runs.output_files import keep, written

ROOT = f"minio://mlpipeline/v2/artifacts/train-and-deploy/{GOOD}"
MODEL = f"{ROOT}/train/39faecb9-f7b1-43ef-988e-633f9777309f/model"
DATA = f"{ROOT}/load/c8cf2151-942f-4495-8c74-2c1ac942fba2/out"
SESSION = json.dumps(
    {
        "Provider": "minio",
        "Params": {
            "accessKeyKey": "accesskey",
            "disableSSL": "true",
            "endpoint": "seaweedfs.kubeflow:9000",
            "fromEnv": "false",
            "region": "minio",
            "secretKeyKey": "secretkey",
            "secretName": "mlpipeline-minio-artifact",
        },
    }
)


@pytest.fixture
def store(objects, kubernetes):
    return Store("kubeflow", read_secrets(kubernetes.api()), lambda address: objects.address)


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def artifact(store, uri=MODEL, session=SESSION):
    return Artifact("model", "system.Model", uri, store=store.opener(session))


def test_an_artifact_is_opened_with_the_keys_of_the_runs_own_session(store):
    with artifact(store).open() as file:
        assert file.read() == b"model n=300 lr=0.1"
    with artifact(store).open("r") as file:
        assert file.read() == "model n=300 lr=0.1"


def test_an_artifact_is_downloaded(store, tmp_path):
    target = artifact(store).download(tmp_path / "new" / "model.txt")
    assert target.read_bytes() == b"model n=300 lr=0.1"


def test_an_artifact_has_a_preview(store):
    assert artifact(store).preview == "model n=300 lr=0.1"
    found = preview(artifact(store, DATA))
    assert found.text.splitlines()[:3] == ["0", "1", "2"]
    assert found.size == 1089


def test_a_folder_is_listed_page_by_page_and_downloaded(store, objects, tmp_path):
    objects.page = 2
    objects.held |= {f"folder/{name}": name.encode() for name in ("a b", "c&d", "e/f", "e/g", "h", "i")}
    folder = artifact(store, "minio://mlpipeline/folder")
    filesystem, path = folder.filesystem()
    assert sorted(filesystem.find(path)) == [
        f"mlpipeline/folder/{name}" for name in ("a b", "c&d", "e/f", "e/g", "h", "i")
    ]
    assert preview(folder).facts == (("files", "6 files"),)
    folder.download(tmp_path / "folder")
    assert (tmp_path / "folder" / "e" / "g").read_text() == "e/g"


def test_a_part_of_an_object_is_all_that_is_fetched(store, objects):
    objects.held["large"] = bytes(range(256)) * 10000
    filesystem, path = artifact(store, "minio://mlpipeline/large").filesystem()
    with filesystem.open(path, block_size=1000) as file:
        file.seek(256 * 9999)
        assert file.read(3) == b"\0\1\2"
    assert filesystem.cat_file(path, -2) == b"\xfe\xff"
    assert filesystem.cat_file(path, 1, 3) == b"\1\2"
    assert filesystem.cat_file(path, 3, 3) == b""


def test_the_files_that_a_step_left_are_opened_and_kept_by_their_paths(store, objects, tmp_path):
    objects.held |= {
        f"{ROOT[len('minio://mlpipeline/') :]}/w/kf_files/{name}": b"x" for name in ("p/a b.png", "c")
    }
    left = Artifact(
        FILES, "system.Artifact", f"{ROOT}/w/kf_files", {"removed": "[]"}, store=store.opener(SESSION)
    )
    files = written(Run("1", "r", "p", "kubeflow", tasks=(Task("w", "w", outputs={FILES: left}),)))
    assert set(files) == {"p/a b.png", "c"}
    assert keep(files, ["p/*.png"], tmp_path).copied == ("p/a b.png",)
    assert (tmp_path / "p/a b.png").read_bytes() == b"x"


def test_what_is_gone_is_a_file_not_found(store):
    with pytest.raises(FileNotFoundError):
        artifact(store, f"{ROOT}/nothing").open()
    assert preview(artifact(store, f"{ROOT}/nothing")).note.startswith("the file is gone")


def test_keys_from_the_environment_serve_where_the_secret_may_not_be_read(objects, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    without = Store("kubeflow", None, lambda address: objects.address)
    with artifact(without).open() as file:
        assert file.read(5) == b"model"


def test_keys_that_nobody_has_are_said_with_the_next_step():
    with pytest.raises(
        Unreadable, match=r"secret mlpipeline-minio-artifact in namespace kubeflow.*AWS_ACCESS_KEY_ID"
    ):
        artifact(Store("kubeflow")).open()


def test_a_secret_that_may_not_be_read_is_said(objects, kubernetes):
    (refusal,) = (row for row in recorded_kubernetes() if "/secrets/" in row["path"])
    kubernetes.refuses = lambda path: (403, refusal["response"])
    store = Store("kubeflow", read_secrets(kubernetes.api()), lambda address: objects.address)
    with pytest.raises(Unreadable, match=r"may not be read by this notebook's account \(403\)"):
        artifact(store).open()


def test_a_store_that_refuses_is_said_in_its_own_words(objects):
    files = S3Files(f"http://{objects.address}", Keys("somebody", "else"))
    with pytest.raises(Unreadable, match=r"refuses to give mlpipeline/x: No such key\."):
        files.cat_file("mlpipeline/x")


def test_a_store_that_does_not_answer_is_said_with_its_address(kubernetes):
    store = Store("kubeflow", read_secrets(kubernetes.api()), lambda address: "127.0.0.1:1")
    with pytest.raises(Unreadable, match=r"object store at 127\.0\.0\.1:1 does not answer") as raised:
        artifact(store).open()
    assert isinstance(raised.value, BackendError)


def test_a_store_that_does_not_answer_is_left_alone_for_a_while(objects, monkeypatch):
    files = S3Files("http://127.0.0.1:1", None)
    with pytest.raises(Unreadable):
        files.cat_file("b/x")
    files._endpoint = f"http://{objects.address}"
    with pytest.raises(Unreadable, match=r"at 127\.0\.0\.1:1 does not answer"):
        files.cat_file("b/x")
    monkeypatch.setattr("time.monotonic", lambda: files._silent[0] + 1)
    with pytest.raises(Unreadable, match="refuses"):
        files.cat_file("b/x")


def test_a_store_of_another_kind_names_the_package_that_opens_it():
    gone = Artifact(
        "a", "system.Model", "gs://bucket/a", store=Store("kubeflow").opener('{"Provider": "gs"}')
    )
    try:
        import gcsfs  # noqa: F401
    except ImportError:
        with pytest.raises(Unreadable, match="pip install gcsfs"):
            gone.open()


def test_secrets_are_never_shown(store):
    opened = artifact(store)
    opened.open().close()
    filesystem, _ = opened.filesystem()
    for shown in (repr(opened), repr(store), repr(opened.store), repr(filesystem), repr(filesystem._keys)):
        assert SECRET not in shown
    for write in (pickle.dumps, type(filesystem).to_json):
        with pytest.raises(TypeError):
            write(filesystem)
    assert SECRET.encode() not in pickle.dumps(opened)


def test_keys_are_read_once_for_a_session(store, kubernetes):
    for _ in range(3):
        artifact(store).open().close()
    assert len(kubernetes.asked) == 1


def test_a_session_that_says_nothing_is_read():
    assert Session.parse("") == Session.parse("not JSON") == Session()
    assert Session.parse('{"Provider": "s3", "Params": {"fromEnv": "true", "secretName": "x"}}').secret == ""


# the examples of AWS's own documentation of Signature Version 4
EXAMPLE = Keys("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
WHEN = datetime(2013, 5, 24, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("query", "signature"),
    [
        ({"lifecycle": ""}, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        (
            {"max-keys": "2", "prefix": "J"},
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ],
)
def test_requests_are_signed_as_aws_documents_it(query, signature):
    host = "examplebucket.s3.amazonaws.com"
    headers = signed(EXAMPLE, "us-east-1", "GET", host, "/", encoded(query), WHEN)
    assert headers["authorization"].endswith(f"Signature={signature}")


def test_a_session_token_is_sent_and_signed():
    headers = signed(Keys("a", "b", "token"), "r", "GET", "h", "/", "", WHEN)
    assert headers["x-amz-security-token"] == "token"
    assert "x-amz-security-token" in headers["authorization"]
