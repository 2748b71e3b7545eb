"""What cannot run here is refused before anything starts, with all reasons at once."""

import pytest
from kfp import dsl
from local_runs import spec_of, submission
from steps import number, read, word, write

from kfnb.errors import BackendError


@dsl.container_component
def box():
    return dsl.ContainerSpec(image="alpine:3", command=["echo"], args=["hi"])


@dsl.component(base_image="python:3.11-slim", target_image="registry/steps:1")
def in_its_image() -> int:
    return 1


def refusal(backend, spec, tmp_path):
    with pytest.raises(BackendError) as caught:
        backend.submit(submission(spec, tmp_path))
    assert not (tmp_path / "home" / "runs").exists()
    return str(caught.value).splitlines()


def test_all_reasons_are_given(backend, tmp_path, monkeypatch):
    monkeypatch.setattr("kfnb.resources.runs.local.pod_resources.engine", str)

    @dsl.pipeline
    def pipeline():
        box()
        in_its_image()
        number(value=1)
        word(value="a")

    spec = spec_of(pipeline)
    spec["root"]["dag"]["tasks"]["number"]["magicPolicy"] = {"x": 1}
    spec["root"]["dag"]["tasks"]["word"]["inputs"]["parameters"]["value"] = {"fromTheFuture": {}}
    spec["root"]["dag"]["tasks"]["word"]["componentRef"]["name"] = "comp-none"

    first, *reasons = refusal(backend, spec, tmp_path)

    assert first == "pipeline cannot run here:"
    assert sorted(reasons) == [
        "- box is a container (alpine:3): neither docker nor podman answers here",
        "- in-its-image is a container (registry/steps:1): neither docker nor podman answers here",
        "- number uses magicPolicy, which this version does not support",
        "- word has an input of a kind that this version does not support (fromTheFuture)",
        "- word runs comp-none, which does not exist",
    ]


def test_a_cycle_and_an_unknown_need(backend, tmp_path):
    @dsl.pipeline
    def pipeline():
        number(value=1)
        number(value=2)
        word(value="a")

    spec = spec_of(pipeline)
    tasks = spec["root"]["dag"]["tasks"]
    tasks["number"]["dependentTasks"] = ["number-2"]
    tasks["number-2"]["dependentTasks"] = ["number"]
    tasks["word"]["dependentTasks"] = ["nobody"]

    lines = refusal(backend, spec, tmp_path)

    assert "- word needs nobody, which does not exist" in lines
    assert any(line.startswith("- its tasks wait for each other: number") for line in lines)


def test_what_is_no_pipeline(backend, tmp_path):
    assert refusal(backend, {"a": 1}, tmp_path) == [
        "this pipeline cannot run here:",
        "- it has no tasks: it is not a compiled KFP pipeline",
    ]


def test_an_output_of_a_task_that_does_not_exist_is_refused(backend, tmp_path):
    @dsl.pipeline
    def pipeline() -> int:
        return number(value=1).output

    spec = spec_of(pipeline)
    spec["root"]["dag"]["outputs"]["parameters"]["Output"]["valueFromParameter"]["producerSubtask"] = "nobody"
    told = refusal(backend, spec, tmp_path)
    assert told[1:] == ["- the output Output comes from nobody, which does not exist"]


def test_inputs_that_lead_nowhere_are_refused_all_at_once(backend, tmp_path):
    @dsl.pipeline
    def inner(text: str):
        read(data=write(text=text).output)

    @dsl.pipeline
    def pipeline():
        number(value=number(value=1).output)
        inner(text="a")

    spec = spec_of(pipeline)
    inside = spec["components"]["comp-inner"]["dag"]["tasks"]
    inside["write"]["inputs"]["parameters"]["text"] = {"componentInputParameter": "nothing"}
    inside["read"]["inputs"]["artifacts"]["data"] = {"componentInputArtifact": "nowhere"}
    outside = spec["root"]["dag"]["tasks"]
    outside["number"]["inputs"]["parameters"]["value"] = {"componentInputParameter": "argument"}
    outside["number-2"]["inputs"]["parameters"]["value"]["taskOutputParameter"]["outputParameterKey"] = "none"

    assert sorted(refusal(backend, spec, tmp_path)[1:]) == [
        "- number takes its value from the input argument of the pipeline, which does not exist",
        "- number-2 takes its value from the output none of number, which does not exist",
        "- read takes its data from the input nowhere of inner, which does not exist",
        "- write takes its text from the input nothing of inner, which does not exist",
    ]


def test_an_item_of_a_loop_that_the_compiler_has_lost_is_said(backend, tmp_path):
    @dsl.pipeline
    def pipeline(x: int):
        with dsl.If(x == 1), dsl.ParallelFor([1, 2]) as i:
            word(value=f"<{i}>")

    (told,) = refusal(backend, spec_of(pipeline), tmp_path)[1:]

    assert told.startswith("- condition-1 takes its pipelinechannel--loop-item-param-2 from the input ")
    assert told.endswith(
        "(KFP's compiler loses a loop's item in some texts and inner loops: pass it through a step)"
    )


def test_the_items_of_a_list_without_types_are_texts_and_no_numbers(backend, tmp_path):
    @dsl.pipeline
    def pipeline(items: list):
        with dsl.ParallelFor(items) as i:
            word(value=i)
            number(value=i)

    (told,) = refusal(backend, spec_of(pipeline), tmp_path)[1:]

    assert told == (
        "- number takes its value (NUMBER_INTEGER) from pipelinechannel--items-loop-item, which is a text"
        " (KFP makes text of the items of a list whose elements have no declared type: declare List[int])"
    )


def test_a_text_that_kfp_would_never_fill_is_refused(backend, tmp_path):
    @dsl.pipeline
    def inner(text: str):
        word(value=text)

    @dsl.pipeline
    def pipeline():
        inner(text=f"<{number(value=1).output}>")

    (told,) = refusal(backend, spec_of(pipeline), tmp_path)[1:]

    assert told == (
        "- inner is a pipeline, whose text contains {{$.inputs.parameters['pipelinechannel--number-Output']}},"
        " which KFP never fills there: build the text in a step"
    )


@pytest.mark.parametrize("how", ["constant", "parameter", "loop"])
def test_an_importer_whose_address_nothing_here_opens_is_refused(backend, tmp_path, monkeypatch, how):
    monkeypatch.setattr("kfnb.resources.runs.local.importer.find_spec", lambda name: None)

    @dsl.pipeline
    def pipeline(uri: str = "gs://bucket/data.csv"):
        if how == "loop":
            with dsl.ParallelFor(["gs://bucket/data.csv"]) as one:
                dsl.importer(artifact_uri=one, artifact_class=dsl.Dataset)
        else:
            dsl.importer(
                artifact_uri="gs://bucket/data.csv" if how == "constant" else uri, artifact_class=dsl.Dataset
            )

    first, reason = refusal(backend, spec_of(pipeline), tmp_path)

    assert first == "pipeline cannot run here:"
    assert reason == (
        "- importer imports gs://bucket/data.csv: gs:// needs the package gcsfs: pip install gcsfs"
    )


def test_an_importer_of_a_scheme_that_nobody_knows_is_refused(backend, tmp_path):
    @dsl.pipeline
    def pipeline():
        dsl.importer(artifact_uri="nowhere://bucket/data.csv", artifact_class=dsl.Dataset)

    _, reason = refusal(backend, spec_of(pipeline), tmp_path)

    assert reason.startswith("- importer imports nowhere://bucket/data.csv: cannot open nowhere:// here:")
