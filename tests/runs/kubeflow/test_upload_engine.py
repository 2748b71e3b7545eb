"""UploadEngine that are uploaded: new ones, new versions, and what a server says of them."""

from __future__ import annotations

import email
import json
from urllib.parse import parse_qsl, urlsplit

import pytest
import yaml
from replay import Replay, exchanges, serving

from kfnb.errors import BackendError
from kfnb.remote.kfp import paging
from kfnb.remote.kfp.names import ResourceNames
from kfnb.remote.kfp.server import KfpServer
from kfnb.resources.uploads.engine import UploadEngine, form
from kfnb.resources.uploads.model import UploadedPipeline

PIPELINE, FIRST, SECOND = (
    "af1840ec-e847-4e5c-80fb-3a49720de5c1",
    "bacfd945-8fe5-4be0-aec0-20fecadecbb3",
    "c069aaea-d6c9-47ef-8cd9-052a7de02add",
)
VERSIONS = f"/apis/v2beta1/pipelines/{PIPELINE}/versions"
SPEC = {"pipelineInfo": {"name": "train-and-deploy"}, "root": {"dag": {}}}


@pytest.fixture(autouse=True)
def _recorded_pages(monkeypatch):
    monkeypatch.setattr(paging, "PAGE", 10)


@pytest.fixture
def pipelines(server: KfpServer) -> UploadEngine:
    return UploadEngine(server, "https://kubeflow/#/")


def recorded_versions() -> list:
    return next(
        row["response"]["pipeline_versions"]
        for row in exchanges("catalog")
        if row["method"] == "GET" and row["path"].startswith(f"{VERSIONS}?")
    )


def sorted_too(replay: Replay, *, there: bool = True) -> None:
    """The recorded versions, when only the newest is asked for; and pipelines that are not there yet."""

    def invented(method, path, body):
        query = dict(parse_qsl(urlsplit(path).query))
        if urlsplit(path).path == VERSIONS and query.get("sort_by") == "created_at desc":
            return 200, {"pipeline_versions": recorded_versions()[::-1][: int(query["page_size"])]}
        if method == "GET" and "filter" in query and not there:
            return 200, {}
        return None

    replay.invented = invented


def test_a_name_that_is_new_is_a_new_pipeline(pipelines: UploadEngine, replay: Replay):
    sorted_too(replay, there=False)
    made = pipelines.upload(SPEC, None, name="train-and-deploy", description="v1")
    assert (made.id, made.name, made.created) == (PIPELINE, "train-and-deploy", 1795444992.0)
    assert made.version_id == SECOND  # the newest that the recording has
    assert made.url == f"https://kubeflow/#/pipelines/details/{PIPELINE}/version/{SECOND}"


def test_a_name_that_is_there_becomes_a_new_version(pipelines: UploadEngine, replay: Replay):
    made = pipelines.upload(SPEC, None, name="train-and-deploy", version="v2")
    assert made == UploadedPipeline(
        PIPELINE,
        "train-and-deploy",
        "v2",
        SECOND,
        "v1",  # the pipeline's description
        1795444992.0,
        f"https://kubeflow/#/pipelines/details/{PIPELINE}/version/{SECOND}",
    )
    assert replay.paths("POST") == ["/apis/v2beta1/pipelines/upload_version"]


def test_a_version_without_a_name_is_called_by_the_time(pipelines: UploadEngine, replay: Replay):
    with pytest.raises(BackendError, match="not recorded"):
        pipelines.upload(SPEC, None, name="train-and-deploy")
    sent = dict(parse_qsl(urlsplit(replay.asked[-1]["path"]).query))
    assert sent["pipelineid"] == PIPELINE
    assert len(sent["name"]) == len("20261125-060000-1a2b")


def test_a_name_that_somebody_else_was_faster_with_becomes_a_version():
    with serving(("errors",)) as replay:
        told = iter([{}, {"pipelines": [{"pipeline_id": PIPELINE, "display_name": "train-and-deploy"}]}])
        replay.invented = lambda method, path, _: (200, next(told)) if "filter=" in path else None
        with pytest.raises(BackendError, match="not recorded"):
            UploadEngine(KfpServer(replay.url)).upload(SPEC, None, name="train-and-deploy")
        assert [path.rpartition("/")[2] for path in replay.paths("POST")] == ["upload", "upload_version"]


def test_a_first_version_that_has_a_name_keeps_it_and_leaves_nothing_where_it_is_refused(
    pipelines: UploadEngine, replay: Replay
):
    refused = {"code": 3, "message": "pipeline spec is invalid"}

    def invented(method, path, body):
        if "filter=" in path:
            return 200, {}
        if method == "POST" and path == "/apis/v2beta1/pipelines":
            return 200, {"pipeline_id": PIPELINE, "display_name": body["display_name"]}
        if "upload_version" in path:
            return (400, refused) if "name=bad" in path else (200, recorded_versions()[1])
        return (200, {}) if method == "DELETE" else None

    replay.invented = invented
    assert pipelines.upload(SPEC, None, name="p", version="v2").version == "v2"
    assert replay.paths("DELETE") == []
    with pytest.raises(BackendError, match="pipeline spec is invalid"):
        pipelines.upload(SPEC, None, name="p", version="bad")
    assert replay.paths("DELETE") == [f"/apis/v2beta1/pipelines/{PIPELINE}"]


def test_what_is_sent_reads_as_the_pipeline_that_it_was():
    spec = {"pipelineInfo": {"name": "p"}, "texts": ["1e3", "yes", "0x1", "a: b\n--- \t\x1b", "\U0001f600 é"]}
    sent = form(spec, {"platforms": {}})
    (part,) = email.message_from_bytes(f"Content-Type: {sent.kind}\n\n".encode() + sent.data).get_payload()
    assert part.get_filename() == "pipeline.yaml"
    assert part.get_param("name", header="content-disposition") == "uploadfile"
    text = part.get_payload(decode=True).decode()
    assert list(yaml.safe_load_all(text)) == [spec, {"platforms": {}}]
    assert json.loads(text.split("\n---\n")[0]) == spec


def test_the_versions_of_a_pipeline_are_listed(pipelines: UploadEngine):
    found = pipelines.list("train-and-deploy")
    assert [(one.version, one.version_id) for one in found] == [("train-and-deploy", FIRST), ("v2", SECOND)]


def test_pipelines_are_listed_with_their_newest_version(pipelines: UploadEngine, replay: Replay, monkeypatch):
    monkeypatch.setattr(paging, "PAGE", 5)
    sorted_too(replay)
    (found,) = pipelines.list()
    assert (found.name, found.version) == ("train-and-deploy", "v2")


def test_a_version_is_found_by_its_name_or_its_id(pipelines: UploadEngine):
    assert pipelines.find("train-and-deploy", "v2").version_id == SECOND
    assert pipelines.find("train-and-deploy", FIRST).version == "train-and-deploy"
    with pytest.raises(
        BackendError, match=r"unknown version v9 of pipeline .*; its versions: train-and-deploy, v2"
    ):
        pipelines.find("train-and-deploy", "v9")


def test_an_uploaded_pipeline_has_its_spec(pipelines: UploadEngine):
    spec, platform = pipelines.spec(pipelines.find("train-and-deploy", "v2"))
    assert spec["pipelineInfo"]["name"] == "train-and-deploy"
    assert platform is None


def test_a_pipeline_that_is_not_there_is_said(pipelines: UploadEngine, server: KfpServer, replay: Replay):
    sorted_too(replay, there=False)
    with pytest.raises(BackendError, match="unknown uploaded pipeline moon; %kf_upload --list"):
        pipelines.find("moon")
    assert ResourceNames(server, "/pipelines").of("nope") == "nope"
    assert ResourceNames(server, "/pipelines").of(PIPELINE) == "train-and-deploy"
