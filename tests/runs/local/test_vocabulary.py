"""The rest of what KFP's compiler can write, a test for each word of it: see docs/local-engine.md."""

# steps are as a notebook's user writes them, or as KFP wants them
# ruff: noqa: PTH110, PTH123

import re
from typing import Optional

import nbformat
import pytest
from kfp import dsl
from local_runs import spec_of, submission, task, wait
from steps import add, component, fail, nap, number, read, word, write

from kfnb.entities import RunState
from kfnb.errors import BackendError
from kfnb.resources.runs.engine import Submission


@component
def show(value: str) -> str:
    return value


def test_a_display_name_a_description_and_a_pipeline_root_change_nothing(run_pipeline):
    @dsl.pipeline(name="p", description="said", display_name="P", pipeline_root="s3://bucket/root")
    def pipeline() -> int:
        return number(value=1).set_display_name("One").output

    run = run_pipeline(pipeline)

    assert run.result == {"Output": 1}
    assert task(run, "number").outputs == {"Output": 1}


def test_every_parameter_type_arrives_as_the_cluster_writes_it(run_pipeline):
    @component
    def kinds(i: int, f: float, s: str, b: bool, li: list, d: dict) -> str:
        return repr((i, f, s, b, li, d))

    @dsl.pipeline
    def pipeline(i: int, f: float, s: str, b: bool, li: list, d: dict) -> str:
        return kinds(i=i, f=f, s=s, b=b, li=li, d=d).output

    given = {"i": 1, "f": 2.0, "s": "3", "b": False, "li": [1, 2.5, "x", None], "d": {"k": {"n": 1}}}

    run = run_pipeline(pipeline, **given)

    assert run.result == {"Output": repr((1, 2, *list(given.values())[2:]))}  # 2.0 has no fraction in JSON
    assert repr(task(run, "kinds").inputs["f"]) == "2.0"  # as it is shown


def test_an_order_without_data(run_pipeline):
    @dsl.pipeline
    def pipeline():
        number(value=2).after(number(value=1))

    first, second = sorted(run_pipeline(pipeline).tasks, key=lambda one: one.started)

    assert first.finished <= second.started
    assert second.needs == (first.name,)


def test_an_element_of_a_loops_item_is_picked(run_pipeline):
    @dsl.pipeline
    def pipeline() -> str:
        with dsl.ParallelFor([{"a": "x", "b": "y"}]) as item:
            show(value=item.b)
        return word(value="done").output

    assert task(run_pipeline(pipeline), "show").outputs == {"Output": "y"}


@pytest.mark.parametrize(("selector", "value"), [('["k"][0]', "1"), ("['k'][1]", "2"), ('["k"]', "[1,2]")])
def test_an_expression_selects_from_an_output(run_pipeline, selector, value):
    @component
    def table() -> dict:
        return {"k": [1, 2]}

    @component
    def tell(value: dict) -> str:
        return value  # a text, as the input's type below says

    @dsl.pipeline
    def pipeline() -> str:
        return tell(value=table().outputs["Output"]).output

    spec = spec_of(pipeline)
    source = spec["root"]["dag"]["tasks"]["tell"]["inputs"]["parameters"]["value"]
    spec["components"]["comp-tell"]["inputDefinitions"]["parameters"]["value"]["parameterType"] = "STRING"
    source["parameterExpressionSelector"] = f"parseJson(string_value){selector}"

    assert run_pipeline(spec).result == {"Output": value}


def test_one_of_parameters_from_three_branches(run_pipeline):
    @dsl.pipeline
    def pipeline(x: int) -> int:
        with dsl.If(x == 1):
            one = number(value=10)
        with dsl.Elif(x == 2):
            two = number(value=20)
        with dsl.Else():
            three = number(value=30)
        return add(a=dsl.OneOf(one.output, two.output, three.output), b=1).output

    assert [run_pipeline(pipeline, x=x).result["Output"] for x in (1, 2, 3)] == [11, 21, 31]


def test_a_cache_key_tells_entries_apart(run_pipeline):
    def keyed(key):
        @dsl.pipeline
        def pipeline() -> int:
            return number(value=1).set_caching_options(enable_caching=True, cache_key=key).output

        return pipeline

    first = run_pipeline(keyed("one"), cache=True)
    same = run_pipeline(keyed("one"), cache=True)
    other = run_pipeline(keyed("two"), cache=True)

    assert [task(run, "number").cached for run in (first, same, other)] == [False, True, False]


@component
def late():
    raise OSError("not yet")


def test_a_retry_waits_before_it_tries_again(run_pipeline):
    @dsl.pipeline
    def pipeline():
        late().set_retry(2, backoff_duration="1s", backoff_factor=1.0)

    made = task(run_pipeline(pipeline), "late")

    assert made.attempts == 3
    assert 2 <= made.seconds < 4


def test_retries_end_when_their_time_is_over(run_pipeline):
    @dsl.pipeline
    def pipeline():
        late().set_retry(9, backoff_duration="1s", backoff_factor=1.0, backoff_max_duration="2s")

    made = task(run_pipeline(pipeline), "late")

    assert 1 < made.attempts < 4
    assert made.seconds < 4


def test_a_resource_that_is_a_tasks_output(run_pipeline):
    @dsl.pipeline
    def pipeline() -> int:
        return number(value=1).set_cpu_limit(word(value="1").output).set_memory_limit("1G").output

    assert run_pipeline(pipeline).result == {"Output": 1}


def test_the_runs_placeholders_in_a_steps_arguments(run_pipeline):
    words = [
        dsl.PIPELINE_JOB_NAME_PLACEHOLDER,
        dsl.PIPELINE_JOB_RESOURCE_NAME_PLACEHOLDER,
        dsl.PIPELINE_JOB_ID_PLACEHOLDER,
        dsl.PIPELINE_TASK_NAME_PLACEHOLDER,
        dsl.PIPELINE_TASK_ID_PLACEHOLDER,
        dsl.PIPELINE_JOB_CREATE_TIME_UTC_PLACEHOLDER,
        dsl.PIPELINE_JOB_SCHEDULE_TIME_UTC_PLACEHOLDER,
    ]

    @dsl.pipeline
    def pipeline() -> str:
        for one in words:
            show(value=one)
        return show(value=f"in {dsl.PIPELINE_JOB_NAME_PLACEHOLDER}").set_display_name("text").output

    run = run_pipeline(pipeline)
    names = ["show", *(f"show-{number}" for number in range(2, len(words) + 1))]
    told = [task(run, name).outputs["Output"] for name in names]

    name, resource, *ids = told[:5]
    assert [name, *ids] == ["test", run.id, "show-4", "show-5"]  # of the task, its name and an id
    assert re.fullmatch(
        "pipeline-[a-z0-9]{5}", resource
    )  # as Argo calls the workflow of a pipeline "pipeline"
    assert all(time.endswith("Z") for time in told[5:])
    assert run.result == {"Output": "in {{$.pipeline_job_name}}"}  # KFP fills it where it is all of the value
    assert run.notes == ("placeholders not filled, here or by KFP: {{$.pipeline_job_name}} (show-8)",)


def test_the_resource_name_of_a_run_is_the_same_everywhere_also_after_a_retry(run_pipeline, backend):
    @component
    def resource(status: dsl.PipelineTaskFinalStatus, mark: str) -> str:
        return status.pipeline_job_resource_name

    @component
    def flaky(mark: str) -> str:
        import os

        if not os.path.exists(mark):
            open(mark, "w").close()
            raise RuntimeError("the first time")
        return "ok"

    @dsl.pipeline(name="my-nightly")
    def pipeline(mark: str = "mark"):
        with dsl.ExitHandler(resource(mark=mark)):
            show(value=dsl.PIPELINE_JOB_RESOURCE_NAME_PLACEHOLDER)
            flaky(mark=mark)

    first = run_pipeline(pipeline)
    backend.retry(first.id)
    again, other = wait(backend, first.id), run_pipeline(pipeline)

    names = [task(run, name).outputs["Output"] for run in (first, again) for name in ("show", "resource")]
    assert (first.state, again.state) == (RunState.FAILED, RunState.SUCCEEDED)
    assert len(set(names)) == 1
    assert re.fullmatch("my-nightly-[a-z0-9]{5}", names[0])
    assert task(other, "show").outputs["Output"] != names[0]


def test_placeholders_in_an_importers_metadata_stay(run_pipeline, tmp_path):
    (tmp_path / "data.txt").write_text("x")

    @dsl.pipeline
    def pipeline(rows: int = 3):
        made = dsl.importer(
            artifact_uri="data.txt",
            artifact_class=dsl.Dataset,
            reimport=True,
            metadata={"rows": rows, "n": 1},
        )
        read(data=made.output)

    made = task(run_pipeline(pipeline), "importer").outputs["artifact"]

    assert made.metadata["n"] == 1
    assert made.metadata["rows"].startswith("{{$.inputs.parameters[")


def test_an_artifact_of_the_users_own_type(run_pipeline):
    @component
    def make(
        out: dsl.Output[dsl.HTML],
        text: dsl.Output[dsl.Markdown],
        table: dsl.Output[dsl.SlicedClassificationMetrics],
    ):
        with open(out.path, "w") as file:
            file.write("<b>x</b>")

    @dsl.pipeline
    def pipeline():
        make()

    outputs = task(run_pipeline(pipeline), "make").outputs

    assert {name: one.type for name, one in outputs.items()} == {
        "out": "system.HTML",
        "text": "system.Markdown",
        "table": "system.SlicedClassificationMetrics",
    }


def test_an_optional_artifact_that_nobody_gives(run_pipeline):
    @component
    def look(data: Optional[dsl.Input[dsl.Dataset]] = None) -> str:  # noqa: UP045 - as KFP wants it
        return str(data)

    @dsl.pipeline
    def pipeline() -> str:
        return look().output

    assert run_pipeline(pipeline).result == {"Output": "None"}


def test_a_notebook_is_a_step(run_pipeline, tmp_path):
    notebook = nbformat.v4.new_notebook()
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    tagged = nbformat.v4.new_code_cell("text, target = 'default', ''", metadata={"tags": ["parameters"]})
    notebook.cells = [tagged, nbformat.v4.new_code_cell("open(target, 'w').write(text)")]
    nbformat.write(notebook, tmp_path / "step.ipynb")

    @dsl.notebook_component(
        notebook_path=str(tmp_path / "step.ipynb"), base_image="python:3.11-slim", packages_to_install=[]
    )
    def execute(text: str, made: dsl.Output[dsl.Dataset]):
        dsl.run_notebook(text=text, target=made.path)

    @dsl.pipeline
    def pipeline() -> str:
        return read(data=execute(text="given").outputs["made"]).output

    run = run_pipeline(pipeline)

    assert run.result == {"Output": "given"}, run.error


def test_a_file_that_is_embedded_in_a_component(run_pipeline, tmp_path):
    (tmp_path / "words.txt").write_text("inside")

    @component(embedded_artifact_path=str(tmp_path / "words.txt"))
    def look(data: dsl.EmbeddedInput[dsl.Dataset]) -> str:
        return open(data.path).read()

    @dsl.pipeline
    def pipeline() -> str:
        return look().output

    assert run_pipeline(pipeline).result == {"Output": "inside"}


def test_a_task_config_is_what_the_task_would_have_had(run_pipeline):
    @component(task_config_passthroughs=[dsl.TaskConfigField.RESOURCES])
    def look(config: dsl.TaskConfig) -> str:
        return str(config.resources)

    @dsl.pipeline
    def pipeline() -> str:
        return look().output

    run = run_pipeline(pipeline)

    assert run.state is RunState.SUCCEEDED, run.error


def test_a_debug_pause_and_another_image_change_nothing(run_pipeline):
    @dsl.pipeline
    def pipeline() -> int:
        return number(value=1).set_container_image("python:3.12").output

    assert run_pipeline(pipeline).result == {"Output": 1}


def test_an_artifact_goes_through_a_group_that_only_passes_it_on(run_pipeline):
    @dsl.pipeline
    def pipeline(x: int = 1):
        made = write(text="deep")
        with dsl.ParallelFor([1, 2]), dsl.If(x == 1):
            read(data=made.output)

    found = [one for one in run_pipeline(pipeline).tasks if one.name == "read"]

    assert [one.outputs["Output"] for one in found] == ["deep", "deep"]


def test_an_exit_task_hears_of_a_failure_and_its_message(run_pipeline):
    @component
    def notify(status: dsl.PipelineTaskFinalStatus) -> str:
        return f"{status.state} {status.error_message}"

    @dsl.pipeline
    def pipeline():
        with dsl.ExitHandler(notify()):
            fail(message="broken")

    told = task(run_pipeline(pipeline), "notify").outputs["Output"]

    assert told.startswith("FAILED ")
    assert "broken" in told


@pytest.mark.parametrize("kind", ["resolver", "customJob"])
def test_executors_that_only_a_cloud_knows_are_refused(backend, tmp_path, kind):
    @dsl.pipeline
    def pipeline():
        number(value=1)

    spec = spec_of(pipeline)
    spec["deploymentSpec"]["executors"]["exec-number"] = {kind: {}}

    with pytest.raises(BackendError, match=rf"number is of a kind that local runs do not support \({kind}\)"):
        backend.submit(submission(spec, tmp_path))


def configured(backend, folder, pipeline, **config):
    """The run of a pipeline with this ``pipelineConfig``."""
    platform = {"platforms": {"kubernetes": {"pipelineConfig": config}}}
    told = Submission(**{**vars(submission(pipeline, folder)), "platform": platform})
    return wait(backend, backend.submit(told))


def test_how_long_a_cluster_keeps_a_finished_run_changes_nothing(backend, tmp_path):
    @dsl.pipeline
    def pipeline() -> int:
        return number(value=1).output

    kept = dict.fromkeys(("resourceTtlOnCompletion", "resourceTtlOnSuccess", "resourceTtlOnFailure"), 0)

    assert configured(backend, tmp_path, pipeline, **kept).result == {"Output": 1}


def test_a_run_that_takes_longer_than_it_may_is_ended(backend, tmp_path):
    @dsl.pipeline
    def pipeline():
        nap(seconds=3.0)

    assert configured(backend, tmp_path, pipeline, activeDeadlineSeconds=1).state is RunState.FAILED


def test_an_artifact_that_would_be_copied_to_the_workspace_is_read_where_it_lies(run_pipeline, tmp_path):
    (tmp_path / "data.txt").write_text("x")

    @dsl.pipeline(pipeline_config=dsl.PipelineConfig(workspace=dsl.WorkspaceConfig(size="1Gi")))
    def pipeline() -> str:
        made = dsl.importer(
            artifact_uri="data.txt", artifact_class=dsl.Dataset, reimport=False, download_to_workspace=True
        )
        return read(data=made.output).output

    assert run_pipeline(pipeline).result == {"Output": "x"}
