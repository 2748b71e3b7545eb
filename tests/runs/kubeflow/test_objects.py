"""Artifacts of a cluster's runs are opened as the namespace's configuration says, and nothing else is."""

import json
import pickle

import pytest
from cluster import ACCESS, SECRET, recorded_kubernetes
from hypothesis import given
from hypothesis import strategies as st
from replay import GOOD

from kfnb.artifacts.preview import preview
from kfnb.entities import FILES, Artifact, RunSnapshot, Task
from kfnb.errors import BackendError, Unreadable
from kfnb.resources.runs.kubeflow.objects import Store
from kfnb.resources.runs.kubeflow.storage import Storage
from kfnb.resources.runs.kubeflow.store_session import StoreSession
from kfnb.resources.runs.output_files import copy_files, written

ROOT = f"minio://mlpipeline/v2/artifacts/train-and-deploy/{GOOD}"
MODEL = f"{ROOT}/train/39faecb9-f7b1-43ef-988e-633f9777309f/model"
DATA = f"{ROOT}/load/c8cf2151-942f-4495-8c74-2c1ac942fba2/out"
PARAMS = {
    "accessKeyKey": "accesskey",
    "disableSSL": "true",
    "endpoint": "seaweedfs.kubeflow:9000",
    "fromEnv": "false",
    "region": "minio",
    "secretKeyKey": "secretkey",
    "secretName": "mlpipeline-minio-artifact",
}


def session(**changed):
    return json.dumps({"Provider": "minio", "Params": PARAMS | changed})


SESSION = session()


@pytest.fixture
def store(objects, kubernetes):
    return objects.store(kubernetes.api())


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    for name in (
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_S3_ENDPOINT",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def keys_in_the_environment(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)


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
    names = ("a b", "c&d", "e/f", "e/g", "h", "i")
    objects.held |= {f"folder/{name}": name.encode() for name in names}
    folder = artifact(store, "minio://mlpipeline/folder")
    filesystem, path = folder.filesystem()
    assert filesystem.find(path) == [f"mlpipeline/folder/{name}" for name in names]
    assert preview(folder).facts == (("files", "6 files"),)
    folder.download(tmp_path / "folder")
    assert (tmp_path / "folder" / "e" / "g").read_text() == "e/g"


def test_a_folder_that_a_store_marks_by_an_empty_object_is_no_file(store, objects, tmp_path):
    objects.held |= {"marked/": b"", "marked/in/": b"", "marked/in/x": b"1"}
    folder = artifact(store, "minio://mlpipeline/marked")
    filesystem, path = folder.filesystem()
    assert filesystem.find(path) == ["mlpipeline/marked/in/x"]
    assert filesystem.ls(path, detail=False) == ["mlpipeline/marked/in"]
    folder.download(tmp_path / "marked")
    assert (tmp_path / "marked/in/x").read_text() == "1"


def test_a_name_that_leads_out_of_its_folder_is_not_downloaded(store, objects, tmp_path):
    objects.held |= {"folder/a": b"1", "folder/../../evil": b"2"}
    with pytest.raises(Unreadable, match="listing mlpipeline/folder failed"):
        artifact(store, "minio://mlpipeline/folder").download(tmp_path / "in" / "folder")
    assert not list(tmp_path.rglob("evil"))


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
    files = written(RunSnapshot("1", "r", "p", "kubeflow", tasks=(Task("w", "w", outputs={FILES: left}),)))
    assert set(files) == {"p/a b.png", "c"}
    assert copy_files(files, ["p/*.png"], tmp_path).copied == ("p/a b.png",)
    assert (tmp_path / "p/a b.png").read_bytes() == b"x"


def test_what_is_gone_is_a_file_not_found(store):
    with pytest.raises(FileNotFoundError):
        artifact(store, f"{ROOT}/nothing").open()
    assert preview(artifact(store, f"{ROOT}/nothing")).note.startswith("file not found")


def test_keys_from_the_environment_serve_where_the_secret_may_not_be_read(objects, keys_in_the_environment):
    with artifact(objects.store(None)).open() as file:
        assert file.read(5) == b"model"


def test_keys_that_are_not_known_are_told_with_the_next_step(objects):
    with pytest.raises(
        Unreadable, match=r"secret mlpipeline-minio-artifact in namespace kubeflow.*AWS_ACCESS_KEY_ID"
    ):
        artifact(objects.store(None)).open()


def test_a_secret_that_may_not_be_read_is_told(store, kubernetes):
    (refusal,) = (row for row in recorded_kubernetes() if "/secrets/" in row["path"])
    kubernetes.refuses = lambda path: (403, refusal["response"])
    with pytest.raises(Unreadable, match=r"this notebook's account may not read .* \(403\)"):
        artifact(store).open()


def test_a_store_that_does_not_answer_is_told_with_its_address(kubernetes):
    store = Store(Storage("kubeflow", kubernetes.api()), lambda address: "127.0.0.1:1")
    with pytest.raises(Unreadable, match=r"object store at 127\.0\.0\.1:1 does not answer") as raised:
        artifact(store).open()
    assert isinstance(raised.value, BackendError)


def test_secrets_are_never_shown(store, objects, capfd, caplog):
    caplog.set_level(0)
    opened = artifact(store)
    opened.open().close()
    filesystem, _ = opened.filesystem()
    objects.refuses = {"PUT"}
    with pytest.raises(Unreadable) as refused:
        filesystem.pipe_file("mlpipeline/x", b"1")
    shown = [opened, store, opened.store, filesystem, filesystem.store, filesystem.store._access]
    shown += [refused.value, *filesystem.store._short.values(), filesystem.store.__dict__]
    for one in (*map(repr, shown), str(capfd.readouterr()), caplog.text):
        assert SECRET not in one
    for write in (pickle.dumps, type(filesystem).to_json):
        with pytest.raises(TypeError):
            write(filesystem)
    assert SECRET.encode() not in pickle.dumps(opened)


def test_keys_are_read_once_for_a_session(store, kubernetes):
    for _ in range(3):
        artifact(store).open().close()
    assert len(kubernetes.asked) == 1


def test_stores_that_are_kept_open_are_bounded(store):
    for number in range(40):
        store.filesystem(StoreSession.parse(session(region=f"region-{number}")), MODEL)
    assert len(store._open) == 16


# -- what a run's record may not open --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "uri",
    [
        "file://{}",
        "local://{}",
        "{}",
        "http://127.0.0.1/x",
        "https://example.com/x",
        "simplecache::file://{}",
        "zip://a::file://{}",
        "s3::file://{}",
        "memory://x",
        "oci://registry/image",
        "hf://model",
        "FILE://{}",
        "",
    ],
)
def test_only_objects_in_stores_are_opened(store, tmp_path, uri):
    secret = tmp_path / "secret.txt"
    secret.write_text("of this machine")
    one = artifact(store, uri.format(secret))
    with pytest.raises(
        Unreadable, match=r"is not allowed for an artifact of a cluster; allowed are s3, minio"
    ):
        one.open()
    assert one.preview == ""
    assert "of this machine" not in str(preview(one))
    with pytest.raises(Unreadable):
        one.download(tmp_path / "copy")


def test_a_chain_behind_an_allowed_scheme_is_a_key_and_no_chain(store, tmp_path):
    (tmp_path / "secret.txt").write_text("of this machine")
    with pytest.raises(Unreadable):
        artifact(store, f"minio://mlpipeline/x::file://{tmp_path}/secret.txt").open()


@pytest.mark.parametrize(
    "uri", ["s3://", "s3:///etc/passwd", "s3://user:word@host/x", "s3://a b/x", "gs://../x"]
)
def test_an_address_without_a_bucket_is_refused_without_being_shown(store, uri):
    with pytest.raises(Unreadable, match=r"without a valid bucket name") as refused:
        artifact(store, uri).open()
    assert "word" not in str(refused.value)


ELSEWHERE = "evil.example.com:9000"


def test_an_endpoint_that_only_the_record_names_is_not_asked(store, kubernetes, keys_in_the_environment):
    for settings in ({}, {"fromEnv": "true"}):
        with pytest.raises(Unreadable) as refused:
            artifact(store, session=session(endpoint=ELSEWHERE, **settings)).open()
        assert str(refused.value) == (
            "cannot open the artifact: the run's record names the object store 'evil.example.com:9000', but the"
            " configuration of namespace kubeflow (config map kfp-launcher) does not. If you trust it, set"
            " AWS_ENDPOINT_URL_S3 to it in the environment"
        )
    assert not [path for path in kubernetes.asked if "/secrets/" in path]


@pytest.mark.parametrize(
    "name", ["s3-amazonaws.com", "s3.evil.com", "s3.us-east-1.amazonaws.com.evil.com", "x@s3.amazonaws.com"]
)
def test_what_only_looks_like_amazon_is_not_asked(store, keys_in_the_environment, name):
    with pytest.raises(Unreadable, match="names the object store"):
        artifact(store, session=session(endpoint=name)).open()


@pytest.mark.parametrize("region", ["x.evil.com/", "a@b", "eu 1", "x#"])
def test_a_region_is_no_way_to_another_host(store, keys_in_the_environment, region):
    with pytest.raises(Unreadable, match="invalid region"):
        artifact(store, session=session(endpoint="", region=region)).open()


def test_an_endpoint_of_the_config_map_is_asked(store, objects, kubernetes):
    kubernetes.config_maps["kfp-launcher"] = {
        "providers": "s3: {overrides: [{bucketName: b, endpoint: 'https://store.example.com:9000/'}]}"
    }
    with artifact(store, session=session(endpoint="store.example.com:9000")).open() as file:
        assert file.read(5) == b"model"
    kubernetes.config_maps["kfp-launcher"] = {
        "defaultPipelineRoot": "s3://b/c?endpoint=other.example.com&region=x"
    }
    with artifact(store, session=session(endpoint="other.example.com")).open() as file:
        assert file.read(5) == b"model"


@pytest.mark.parametrize(
    "endpoint",
    [
        "seaweedfs.kubeflow:9000",
        "minio-service.kubeflow:9000",
        "http://seaweedfs.kubeflow.svc.cluster.local:9000/",
        "SEAWEEDFS.kubeflow.svc:9000",
    ],
)
def test_the_store_that_kfp_is_installed_with_is_asked_under_all_its_names(objects, kubernetes, endpoint):
    asked = []
    store = Store(
        Storage("kubeflow", kubernetes.api()), lambda address: asked.append(address) or objects.address
    )
    with artifact(store, session=session(endpoint=endpoint)).open() as file:
        assert file.read(5) == b"model"
    assert asked == [endpoint.rstrip("/")]


def test_an_endpoint_of_the_users_settings_is_asked(objects, kubernetes, monkeypatch):
    root = f"minio://mlpipeline/x?endpoint={ELSEWHERE}"
    store = Store(Storage("kubeflow", kubernetes.api(), root), lambda _: objects.address)
    artifact(store, session=session(endpoint=ELSEWHERE)).open().close()
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://{ELSEWHERE}")
    store = Store(Storage("kubeflow", kubernetes.api()), lambda _: objects.address)
    artifact(store, session=session(endpoint=ELSEWHERE)).open().close()


@pytest.mark.parametrize(
    "named",
    [{"secretName": "ssh-key"}, {"accessKeyKey": "token"}, {"secretKeyKey": "password"}],
)
def test_a_secret_or_a_key_that_only_the_record_names_is_not_read(store, kubernetes, named):
    with pytest.raises(Unreadable, match=r"the namespace's configuration .* does not name secret"):
        artifact(store, session=session(**named)).open()
    assert not [path for path in kubernetes.asked if "/secrets/" in path]


def test_a_secret_of_the_config_map_is_read(store, kubernetes):
    kubernetes.config_maps["kfp-launcher"] = {
        "providers": "minio: {default: {credentials: {secretRef:"
        " {secretName: mine, accessKeyKey: a, secretKeyKey: s}}}}"
    }
    with pytest.raises(
        Unreadable, match="secret mine in namespace kubeflow"
    ):  # it is asked for, and not there
        artifact(store, session=session(secretName="mine", accessKeyKey="a", secretKeyKey="s")).open()
    assert [path for path in kubernetes.asked if path.endswith("/secrets/mine")]


def test_a_config_map_that_may_not_be_read_names_nothing(store, kubernetes, keys_in_the_environment):
    kubernetes.refuses = lambda path: (403, {"message": "no"}) if "configmaps" in path else None
    with pytest.raises(Unreadable, match="names the object store"):
        artifact(store, session=session(endpoint=ELSEWHERE)).open()


def test_an_azure_account_that_only_the_record_names_is_not_asked(store, kubernetes, monkeypatch):
    uri = "abfss://container@other.dfs.core.windows.net/x"
    with pytest.raises(
        Unreadable,
        match="neither the environment nor the pipeline root names its Azure storage account other",
    ):
        artifact(store, uri).open()
    kubernetes.config_maps["kfp-launcher"] = {"defaultPipelineRoot": uri}
    assert store.filesystem(StoreSession(), uri)[1] == "container/x"
    del kubernetes.config_maps["kfp-launcher"]
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "other")
    assert store.filesystem(StoreSession(), uri)[1] == "container/x"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["Provider", "Params", *PARAMS]), inner),
)


@given(JSON | st.fixed_dictionaries({"Params": st.dictionaries(st.sampled_from(sorted(PARAMS)), JSON)}))
def test_a_session_of_any_json_is_read(told):
    found = StoreSession.parse(json.dumps(told))
    assert all(isinstance(value, str | bool) for value in vars(found).values())


@given(st.text() | st.binary() | JSON)
def test_a_session_of_anything_else_is_read(told):
    assert isinstance(StoreSession.parse(told), StoreSession)


def test_a_session_that_says_nothing_is_read():
    for text in ("", "not JSON", "null", "[]", '"x"', "1", "[" * 100_000, '{"Params": []}', None, 1, {}):
        assert StoreSession.parse(text) == StoreSession()
    assert (
        StoreSession.parse('{"Provider": "s3", "Params": {"fromEnv": "true", "secretName": "x"}}').secret
        == ""
    )


@given(
    st.dictionaries(st.sampled_from(["defaultPipelineRoot", "providers"]), st.text() | JSON.map(json.dumps))
)
def test_a_config_map_of_any_text_names_no_endpoint_by_chance(told):
    class Told(Storage):
        def _settings(self):
            return told

    assert not Told("kubeflow", None).names_endpoint(StoreSession(endpoint=ELSEWHERE))
