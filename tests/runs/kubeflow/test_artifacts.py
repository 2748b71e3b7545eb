import json
import pickle

import pytest
import yaml
from cluster import Metadata, running
from replay import BAD, CACHED, GOOD, text_of

from kfnb.artifacts.preview import preview
from kfnb.entities import Artifact
from kfnb.resources.runs.kubeflow import artifacts, mlmd
from kfnb.resources.runs.kubeflow.mlmd import ArtifactUse, Execution, Recorded, Stored
from kfnb.resources.runs.kubeflow.objects import Store
from kfnb.resources.runs.kubeflow.storage import Storage
from kfnb.resources.runs.view.classification import read_confusion, read_roc


@pytest.fixture(scope="module")
def metadata():
    with running(Metadata()) as server:
        yield mlmd.Metadata(server.address)


def made(metadata, run, pipeline):
    return artifacts.read(metadata.run(run), yaml.safe_load(text_of(f"pipeline-{pipeline}.yaml")))


@pytest.fixture(scope="module")
def good(metadata):
    return made(metadata, GOOD, "good")


def test_tasks_are_known_by_the_path_of_the_groups_around_them(good):
    assert {task for task, one in good.items() if one.pod} == {
        "load",
        "train",
        "evaluate",
        "condition-branches-1/condition-2/deploy",
        "for-loop-5/0/score",
        "for-loop-5/1/score",
        "for-loop-5/2/score",
    }


def test_a_branch_that_was_not_taken_is_told(good):
    assert good["condition-branches-1/condition-3"].state == "CANCELED"


def test_parameters_have_their_declared_types(good):
    assert good["load"].inputs["rows"] == 300
    assert isinstance(good["load"].inputs["rows"], int)
    assert isinstance(good["for-loop-5/0/score"].inputs["i"], int)
    assert isinstance(good["train"].inputs["lr"], float)
    assert [good[f"for-loop-5/{turn}/score"].outputs["Output"] for turn in range(3)] == [0.8, 1.6, 0.8 * 3]


def test_artifacts_have_their_name_type_and_uri(good):
    model = good["train"].outputs["model"]
    assert (model.name, model.type) == ("model", "system.Model")
    assert model.uri.startswith("minio://mlpipeline/v2/artifacts/train-and-deploy/")
    assert model.uri.endswith("/model")
    assert good["train"].inputs["data"].uri == good["load"].outputs["out"].uri


def test_metadata_are_those_of_the_step_alone(good):
    assert good["load"].outputs["out"].metadata == {"rows": 300}
    assert good["train"].outputs["model"].metadata == {}


def test_numbers_of_metrics_are_the_tasks_metrics(good):
    assert good["train"].metrics == {"rows": 300, "accuracy": 0.8}
    assert good["load"].metrics == {}


def test_classification_metrics_are_what_the_widgets_read(good):
    metadata = good["evaluate"].outputs["cls"].metadata
    assert read_roc(metadata).points == ((0.0, 0.0), (0.1, 0.9), (1.0, 1.0))
    assert read_confusion(metadata).counts == ((9.0, 1.0), (2.0, 8.0))


def test_the_log_is_beside_the_outputs_and_none_of_them(good):
    assert "executor-logs" not in good["train"].outputs
    assert good["train"].log.uri.endswith("/executor-logs-0")


def test_a_cached_task_has_what_the_earlier_one_made(metadata, good):
    cached = made(metadata, CACHED, "good")
    assert cached["train"].state == "CACHED"
    assert cached["train"].outputs == good["train"].outputs
    assert cached["train"].metrics == good["train"].metrics


def test_a_failed_task_has_its_inputs_and_its_last_log(metadata):
    bad = made(metadata, BAD, "bad")
    assert bad["exit-handler-1/boom"].state == "FAILED"
    assert bad["exit-handler-1/boom"].inputs == {"x": 7}
    assert bad["exit-handler-1/boom"].outputs == {}
    assert bad["exit-handler-1/boom"].log is not None
    assert bad["notify"].inputs["status"]["state"] == "FAILED"


SPEC = {
    "root": {"dag": {"tasks": {"join": {"componentRef": {"name": "comp-join"}}}}},
    "components": {
        "comp-join": {
            "inputDefinitions": {
                "artifacts": {"parts": {"artifactType": {}, "isArtifactList": True}},
                "parameters": {
                    "numbers": {"parameterType": "LIST"},
                    "ratio": {"parameterType": "NUMBER_DOUBLE"},
                    "flag": {"parameterType": "BOOLEAN"},
                    "rate": {"parameterType": "NUMBER_DOUBLE", "defaultValue": 3, "isOptional": True},
                    "note": {"parameterType": "STRING", "isOptional": True},
                },
            },
            "outputDefinitions": {"artifacts": {"out": {"artifactType": {}}}},
        }
    },
}


def recorded(*uses: ArtifactUse) -> Recorded:
    values = {"numbers": [1.0, 2.5], "ratio": 2.0, "flag": True, "pipelinechannel--x": 1.0}
    return Recorded(
        properties={"store_session_info": json.dumps({"Provider": "minio"})},
        executions=(
            Execution(1, "", "system.DAGExecution", "RUNNING"),
            Execution(2, "join", "system.ContainerExecution", "COMPLETE", 1, inputs=values),
        ),
        uses=uses,
        artifacts={
            number: Stored(number, "system.Dataset", f"minio://b/{number}", {"display_name": "d"})
            for number in (1, 2)
        },
    )


def test_inner_numbers_are_what_the_step_got_and_what_is_not_given_is_the_default():
    inputs = artifacts.read(recorded(), SPEC)["join"].inputs
    assert json.dumps(inputs, sort_keys=True) == (
        '{"flag": true, "numbers": [1, 2.5], "rate": 3.0, "ratio": 2.0}'
    )


FROM_PODS = json.dumps({"Provider": "minio", "Params": {"fromEnv": "true"}})
"""What KFP 2.17's importer records, wherever an artifact lies."""


@pytest.mark.parametrize(
    ("uri", "session"),
    [
        ("minio://mlpipeline/v2/artifacts/other/out", "the run's"),
        ("minio://mlpipeline-2/out", FROM_PODS),
        ("s3://mlpipeline/out", FROM_PODS),
    ],
)
def test_an_imported_artifact_in_the_runs_bucket_is_opened_as_the_runs_own(uri, session):
    told = Recorded(
        properties={
            "store_session_info": "the run's",
            "pipeline_root": "minio://mlpipeline/v2/artifacts/imported/1?region=minio",
        },
        executions=(Execution(1, "", "", "RUNNING"), Execution(2, "join", "", "COMPLETE", 1)),
        uses=(ArtifactUse(2, 1, "out", output=True),),
        artifacts={1: Stored(1, "system.Dataset", uri, {"store_session_info": FROM_PODS})},
    )
    asked = []
    artifacts.read(told, SPEC, asked.append)
    assert asked == [session]


def test_a_list_of_artifacts_is_a_list_even_of_one():
    read = artifacts.read(recorded(ArtifactUse(2, 1, "parts", output=False)), SPEC)
    assert [artifact.uri for artifact in read["join"].inputs["parts"]] == ["minio://b/1"]


def test_of_several_attempts_the_last_ones_output_counts():
    uses = ArtifactUse(2, 1, "out", output=True), ArtifactUse(2, 2, "out", output=True)
    assert artifacts.read(recorded(*uses), SPEC)["join"].outputs["out"].uri == "minio://b/2"


def test_artifacts_get_what_they_are_opened_with_from_their_session():
    seen = []

    def opener(session):
        seen.append(json.loads(session))
        return lambda uri: ("file system", uri)

    artifact = artifacts.read(recorded(ArtifactUse(2, 1, "out", output=True)), SPEC, opener)["join"].outputs[
        "out"
    ]
    assert seen == [{"Provider": "minio"}]
    assert artifact.filesystem() == ("file system", "minio://b/1")


@pytest.mark.parametrize(
    "session", [None, "null", "[]", '"x"', "[" * 100_000, 1, [], {"Params": 1}, '{"Params": "x"}']
)
def test_a_session_of_any_form_spoils_no_picture(session, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    monkeypatch.delenv("AWS_WEB_IDENTITY_TOKEN_FILE", raising=False)
    told = Recorded(
        properties={"pipeline_root": session},
        executions=(Execution(1, "", "", "RUNNING"), Execution(2, "join", "", "COMPLETE", 1)),
        uses=(ArtifactUse(2, 1, "out", output=True),),
        artifacts={1: Stored(1, "system.Dataset", "minio://b/x", {"store_session_info": session})},
    )
    read = artifacts.read(told, SPEC, Store(Storage("kubeflow", None)).opener)
    assert "keys of the object store are unknown here" in preview(read["join"].outputs["out"]).note


def test_what_opens_an_artifact_is_neither_shown_nor_pickled_nor_compared():
    canary = "canary"
    artifact = Artifact("a", "system.Model", "s3://b/a", store=lambda uri: (canary, uri))
    assert "store" not in repr(artifact)
    assert artifact == Artifact("a", "system.Model", "s3://b/a")
    assert canary.encode() not in pickle.dumps(artifact)


def test_a_pickled_artifact_of_a_cluster_opens_nothing_by_its_address_alone(tmp_path):
    (tmp_path / "secret").write_text("of this machine")
    artifact = Artifact("a", "system.Model", f"file://{tmp_path}/secret", store=lambda uri: (None, uri))
    with pytest.raises(
        PermissionError, match=r"belongs to a run on a cluster: get the run again with kfnb\.run"
    ):
        pickle.loads(pickle.dumps(artifact)).open()
