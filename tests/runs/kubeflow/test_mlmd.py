import base64

import pytest
from cluster import Metadata, running
from google.protobuf import json_format
from replay import BAD, CACHED, GOOD, STOPPED

from kfnb.errors import BackendError
from kfnb.remote.grpc import messages
from kfnb.resources.runs.kubeflow import mlmd
from kfnb.resources.runs.kubeflow.mlmd import API

READ = (
    "GetContextByTypeAndName",
    "GetExecutionsByContext",
    "GetArtifactsByContext",
    "GetEventsByExecutionIDs",
)


@pytest.fixture
def metadata():
    with running(Metadata()) as server:
        yield server


def test_the_recorded_requests_are_written_byte_for_byte(metadata):
    rows = [row for row in metadata.rows if row["method"] in READ]
    assert rows
    for row in rows:
        kind = messages(API)[f"{row['method']}Request"]
        raw = base64.b64decode(row["request_bytes"])
        assert kind.FromString(raw).SerializeToString() == raw
        assert json_format.ParseDict(row["request"], kind()).SerializeToString() == raw


def test_the_recorded_answers_are_read_as_they_were_recorded(metadata):
    for row in (row for row in metadata.rows if row["method"] in READ):
        message = messages(API)[f"{row['method']}Response"].FromString(
            base64.b64decode(row["response_bytes"])
        )
        found = json_format.MessageToDict(message, preserving_proto_field_name=True)
        assert found.keys() == row["response"].keys()
        for name in found:
            items = zip(listed(row["response"][name]), listed(found[name]), strict=True)
            assert all(said[field] == value for said, got in items for field, value in read_fields(name, got))


def listed(value):
    return value if isinstance(value, list) else [value]


def read_fields(name, got):
    """The fields that were read, but for enums, which are read as numbers."""
    enums = ("last_known_state", "type") if name == "events" else ("last_known_state",)
    return [(field, value) for field, value in got.items() if field not in enums]


def test_a_run_is_read_with_its_executions_and_artifacts(metadata):
    found = mlmd.Metadata(metadata.address).run(GOOD)
    by_task = {execution.task: execution for execution in found.executions}
    assert by_task["train"].inputs == {"lr": 0.1}
    assert by_task["train"].outputs == {"Output": 0.8}
    assert by_task["train"].state == "COMPLETE"
    assert by_task["condition-3"].state == "CANCELED"
    assert by_task["load"].pod == "train-and-deploy-tsnfn-system-container-impl-524909162"
    assert sorted(e.iteration for e in found.executions if e.iteration is not None) == [0, 1, 2]
    assert found.properties["namespace"] == "kubeflow"
    assert {artifact.type for artifact in found.artifacts.values()} >= {"system.Model", "system.HTML"}
    assert ("metrics", True) in {(use.name, use.output) for use in found.uses}
    assert ("data", False) in {(use.name, use.output) for use in found.uses}


def test_a_run_is_read_with_four_questions(metadata):
    mlmd.Metadata(metadata.address).run(GOOD)
    assert sorted(metadata.asked) == sorted(READ)


def test_artifacts_from_elsewhere_are_asked_for_by_their_ids(metadata):
    request = messages(API)["GetArtifactsByIDRequest"](artifact_ids=[8]).SerializeToString()
    everything = messages(API)["GetArtifactsByContextResponse"].FromString(
        base64.b64decode(metadata.answers["GetArtifactsByContext", "CAQ="])
    )
    first = messages(API)["GetArtifactsByIDResponse"](artifacts=[everything.artifacts[0]])
    del everything.artifacts[0]
    metadata.answers["GetArtifactsByContext", "CAQ="] = base64.b64encode(everything.SerializeToString())
    asked = base64.b64encode(request).decode()
    metadata.answers["GetArtifactsByID", asked] = base64.b64encode(first.SerializeToString())
    assert 8 in mlmd.Metadata(metadata.address).run(GOOD).artifacts


def test_a_run_that_is_not_recorded_yet_is_none(metadata):
    request = messages(API)["GetContextByTypeAndNameRequest"](
        type_name="system.PipelineRun", context_name="new"
    )
    key = "GetContextByTypeAndName", base64.b64encode(request.SerializeToString()).decode()
    metadata.answers[key] = ""
    assert mlmd.Metadata(metadata.address).run("new") is None


def test_states_of_a_newer_server_are_unknown(metadata):
    message = messages(API)["Execution"](id=1, last_known_state=99)
    assert mlmd._execution(message).state == "UNKNOWN"


@pytest.mark.parametrize("run", [GOOD, CACHED, BAD, STOPPED])
def test_every_recorded_run_is_read(metadata, run):
    assert mlmd.Metadata(metadata.address).run(run).executions


def test_no_server_is_said_with_its_address():
    with pytest.raises(BackendError, match=r"does not answer at 127\.0\.0\.1:1: "):
        mlmd.Metadata("127.0.0.1:1").run(GOOD)


def test_a_refusal_is_said_with_its_code(metadata):
    import grpc

    metadata.status = grpc.StatusCode.PERMISSION_DENIED
    with pytest.raises(BackendError, match=r"refused \(PERMISSION_DENIED\)"):
        mlmd.Metadata(metadata.address).run(GOOD)
