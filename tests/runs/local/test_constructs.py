"""Each construct of a pipeline, with the outcome reasoned by hand."""

# steps are as a notebook's user writes them, or as KFP wants them
# ruff: noqa: B006, PTH123, UP006, UP035, UP045

import functools
import gzip
import json
import re
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import List, Optional

import pytest
import yaml
from kfp import dsl
from local_runs import spec_of, task, tasks, text
from steps import (
    add,
    component,
    fail,
    number,
    numbers,
    read,
    read_all,
    real,
    same,
    total,
    word,
    write,
)

from kfnb.entities import Artifact, RunState

pytestmark = pytest.mark.usefixtures("way")

DATA = Path(__file__).parent / "data"
STOCK = Path(__file__).parents[1] / "kubeflow" / "recordings" / "stock"


def test_values_flow_from_task_to_task(run_pipeline):
    @dsl.pipeline
    def pipeline(x: int = 3) -> int:
        return add(a=add(a=x, b=1).output, b=10).output

    run = run_pipeline(pipeline, x=5)

    assert run.state is RunState.SUCCEEDED
    assert run.result == {"Output": 16}
    assert task(run, "add").inputs == {"a": 5, "b": 1}
    assert task(run, "add-2").needs == ("add",)


def test_default_arguments_are_the_specs(run_pipeline):
    @dsl.pipeline
    def pipeline(x: int = 3, y: float = 2.0, flag: bool = True, words: list = ["a"]) -> str:
        @component
        def show(x: int, y: float, flag: bool, words: list) -> str:
            return repr((x, y, flag, words))

        return show(x=x, y=y, flag=flag, words=words).output

    assert run_pipeline(pipeline).result == {"Output": "(3, 2, True, ['a'])"}  # a whole number, as there


def test_artifacts_flow_and_keep_their_metadata(run_pipeline):
    @dsl.pipeline
    def pipeline() -> str:
        return read(data=write(text="hello").output).output

    run = run_pipeline(pipeline)

    assert run.result == {"Output": "hello"}
    made = task(run, "write").outputs["out"]
    assert isinstance(made, Artifact)
    assert (made.type, made.metadata, made.open().read()) == ("system.Dataset", {"length": 5}, b"hello")
    assert made.uri.endswith("/tasks/write/artifacts/out")


def test_an_artifact_argument_is_a_path_from_the_notebooks_folder(run_pipeline, tmp_path):
    @dsl.pipeline
    def pipeline(data: dsl.Input[dsl.Dataset]) -> str:
        return read(data=data).output

    (tmp_path / "data.txt").write_text("here")

    assert run_pipeline(pipeline, data="data.txt").result == {"Output": "here"}


def test_a_step_starts_in_the_notebooks_folder(run_pipeline, tmp_path):
    @component
    def look() -> str:
        return open("data.txt").read()

    @dsl.pipeline
    def pipeline() -> str:
        return look().output

    (tmp_path / "data.txt").write_text("here")

    assert run_pipeline(pipeline).result == {"Output": "here"}


def test_several_outputs_and_output_paths(run_pipeline):
    from typing import NamedTuple

    @component
    def several(
        count: dsl.OutputPath(int), names: dsl.OutputPath(list), raw: dsl.OutputPath("Dataset")
    ) -> NamedTuple("Both", [("a", int), ("b", dict)]):
        for path, content in ((count, "7"), (names, '["x"]'), (raw, "bytes")):
            with open(path, "w") as file:
                file.write(content)
        return (1, {"k": [1, 2.5]})

    @dsl.pipeline
    def pipeline():
        several()

    outputs = task(run_pipeline(pipeline), "several").outputs

    assert {name: outputs[name] for name in ("a", "b", "count", "names")} == {
        "a": 1,
        "b": {"k": [1, 2.5]},
        "count": 7,
        "names": ["x"],
    }
    assert outputs["raw"].open().read() == b"bytes"


def test_metrics_are_the_numbers_of_metrics_artifacts(run_pipeline):
    @component
    def measure(metrics: dsl.Output[dsl.Metrics]):
        metrics.log_metric("accuracy", 0.75)
        metrics.log_metric("rows", 10)
        metrics.metadata["note"] = "text"

    @dsl.pipeline
    def pipeline():
        measure()

    assert task(run_pipeline(pipeline), "measure").metrics == {"accuracy": 0.75, "rows": 10}


@pytest.mark.parametrize(("value", "ran"), [(1, "one"), (2, "two"), (30, "many")])
def test_if_elif_else_run_one_branch(run_pipeline, value, ran):
    @dsl.pipeline
    def pipeline(x: int) -> str:
        flip = number(value=x)
        with dsl.If(flip.output == 1):
            one = word(value="one")
        with dsl.Elif(flip.output == 2):
            two = word(value="two")
        with dsl.Else():
            many = word(value="many")
        return dsl.OneOf(one.output, two.output, many.output)

    run = run_pipeline(pipeline, x=value)

    assert run.result == {"Output": ran}
    states = sorted(item.state for item in run.tasks if item.name.startswith("word"))
    assert states == [RunState.SKIPPED, RunState.SKIPPED, RunState.SUCCEEDED]


def test_one_of_artifacts(run_pipeline):
    @dsl.pipeline
    def pipeline(x: int) -> str:
        with dsl.If(number(value=x).output > 0):
            yes = write(text="yes")
        with dsl.Else():
            no = write(text="no")
        return read(data=dsl.OneOf(yes.output, no.output)).output

    assert run_pipeline(pipeline, x=-1).result == {"Output": "no"}


def test_a_condition_compares_integers_with_doubles(run_pipeline):
    @dsl.pipeline
    def pipeline(x: int, y: float):
        with dsl.If(number(value=x).output > real(value=y).output):
            word(value="yes")

    assert task(run_pipeline(pipeline, x=2, y=1.5), "word").state is RunState.SUCCEEDED
    assert task(run_pipeline(pipeline, x=2, y=2), "word").state is RunState.SKIPPED


def test_a_condition_on_a_text_that_holds_a_quote(run_pipeline):
    @dsl.pipeline
    def pipeline(x: str, y: str):
        with dsl.If(word(value=x).output == y):
            word(value="yes")

    assert task(run_pipeline(pipeline, x="it's", y="it's"), "word-2").state is RunState.SUCCEEDED
    assert task(run_pipeline(pipeline, x="it's", y='it"s'), "word-2").state is RunState.SKIPPED


def test_a_condition_that_cannot_be_evaluated_fails_the_run_and_is_named(run_pipeline):
    @dsl.pipeline
    def pipeline(x: str):
        with dsl.If(word(value=x).output == "it's"):  # KFP does not escape the quote
            word(value="yes")

    run = run_pipeline(pipeline, x="it's")

    assert run.state is RunState.FAILED
    assert run.error.startswith("condition-1 failed: cannot evaluate the condition inputs.parameter_values[")
    assert run.error.endswith("; word-2 never ran")


def test_a_loop_over_literals_reads_outer_tasks_not_items(run_pipeline):
    @dsl.pipeline
    def pipeline() -> int:
        base = number(value=100)
        with dsl.ParallelFor([1, 2, 3]) as i:
            each = add(a=i, b=base.output)
        return total(values=dsl.Collected(each.output)).output

    run = run_pipeline(pipeline)

    assert run.result == {"Output": 306}
    assert [(item.id, item.iteration, item.parent) for item in tasks(run, "add")] == [
        ("for-loop-2/0/add", 0, "for-loop-2"),
        ("for-loop-2/1/add", 1, "for-loop-2"),
        ("for-loop-2/2/add", 2, "for-loop-2"),
    ]


def test_a_loop_over_a_parameter_and_one_over_a_tasks_output(run_pipeline):
    @dsl.pipeline
    def pipeline(values: List[int], upto: int) -> list:
        with dsl.ParallelFor(values) as i:
            number(value=i)
        with dsl.ParallelFor(numbers(upto=upto).output) as j:
            doubled = add(a=j, b=j)
        return same(value=dsl.Collected(doubled.output)).output

    run = run_pipeline(pipeline, values=[7, 8], upto=3)

    assert [item.outputs["Output"] for item in tasks(run, "number")] == [7, 8]
    assert run.result == {"Output": [0, 2, 4]}
    assert all(type(value) is int for value in run.result["Output"])


def test_fields_of_loop_items(run_pipeline):
    @dsl.pipeline
    def pipeline() -> list:
        with dsl.ParallelFor([{"a": 1, "b": 10}, {"a": 2, "b": 20}]) as item:
            each = add(a=item.a, b=item.b)
            with dsl.If(item.a == 2):
                word(value="two")
        return same(value=dsl.Collected(each.output)).output

    run = run_pipeline(pipeline)

    assert run.result == {"Output": [11, 22]}
    assert [item.state for item in tasks(run, "word")] == [RunState.SKIPPED, RunState.SUCCEEDED]


def test_an_empty_loop_collects_nothing(run_pipeline):
    @dsl.pipeline
    def pipeline() -> int:
        with dsl.ParallelFor(numbers(upto=0).output) as i:
            each = number(value=i)
            made = write(text="x")
        read_all(data=dsl.Collected(made.output))
        return total(values=dsl.Collected(each.output)).output

    run = run_pipeline(pipeline)

    assert run.result == {"Output": 0}
    assert task(run, "read-all").outputs == {"Output": ""}


def test_nested_loops_collect_one_flat_list(run_pipeline):
    @dsl.pipeline
    def pipeline() -> list:
        with dsl.ParallelFor([10, 20]) as i, dsl.ParallelFor([1, 2]) as j:
            each = add(a=i, b=j)
        return same(value=dsl.Collected(each.output)).output

    assert run_pipeline(pipeline).result == {"Output": [11, 12, 21, 22]}


def test_the_steps_of_the_recorded_loops_get_what_they_got_on_the_cluster(run_pipeline, backend):
    spec = yaml.safe_load((STOCK / "pipeline-loops.yaml").read_text())
    logs = json.loads(gzip.decompress((STOCK / "loops.logs.json.gz").read_bytes()))
    there = "\n".join(log["main"] for pod, log in logs.items() if "-impl-" in pod)

    run = run_pipeline(spec)

    said = [
        line
        for line in text(backend, run.id).splitlines()
        if re.match(r"rate |values |small |big |\d+ x ", line)
    ]
    assert len(said) == 3 + 1 + 3 + 4
    assert "values [1, 10, 100] products [10, 20, 20, 40] rows 10" in said
    assert sorted(said) == sorted(line for line in there.splitlines() if line in said)


def test_an_artifact_is_called_as_the_input_that_takes_it(run_pipeline):
    @dsl.pipeline
    def pipeline():
        with dsl.ParallelFor(["a", "b"]) as each:
            made = write(text=each)
        read_all(data=dsl.Collected(made.outputs["out"]))
        read(data=write(text="c").outputs["out"])

    run = run_pipeline(pipeline)

    assert task(run, "write-2").outputs["out"].name == "out"
    assert task(run, "read").inputs["data"].name == "data"
    assert [one.name for one in task(run, "read-all").inputs["data"]] == ["data", "data"]


def test_a_loop_over_an_item_of_the_outer_loop(run_pipeline):
    @dsl.pipeline
    def pipeline() -> list:
        with dsl.ParallelFor([{"k": [1, 2]}, {"k": [3]}]) as item, dsl.ParallelFor(item.k) as j:
            each = word(value=j)  # elements without a declared type are texts
        return same(value=dsl.Collected(each.output)).output

    assert run_pipeline(pipeline).result == {"Output": ["1", "2", "3"]}


def test_what_a_condition_skips_in_one_iteration_is_left_out_of_what_is_collected(run_pipeline):
    @dsl.pipeline
    def pipeline() -> list:
        with dsl.ParallelFor([1, 2, 3]) as i, dsl.If(i != 2):
            each = number(value=i)
        return same(value=dsl.Collected(each.output)).output

    assert run_pipeline(pipeline).result == {"Output": [1, 3]}


def test_artifacts_are_collected_in_order(run_pipeline):
    @dsl.pipeline
    def pipeline() -> str:
        with dsl.ParallelFor(["a", "b", "c"]) as text:
            made = write(text=text)
        return read_all(data=dsl.Collected(made.output)).output

    assert run_pipeline(pipeline).result == {"Output": "a,b,c"}


def test_a_loop_over_artifacts(run_pipeline):
    @dsl.pipeline
    def inner(data: dsl.Input[list[dsl.Dataset]]) -> list:
        with dsl.ParallelFor(data) as artifact:
            each = read(data=artifact)
        return same(value=dsl.Collected(each.output)).output

    @dsl.pipeline
    def pipeline() -> list:
        with dsl.ParallelFor(["a", "b"]) as text:
            made = write(text=text)
        return inner(data=dsl.Collected(made.output)).output

    assert run_pipeline(pipeline).result == {"Output": ["a", "b"]}


def test_a_loop_over_artifacts_in_a_loop(run_pipeline):
    @dsl.pipeline
    def two(tag: str) -> list[dsl.Dataset]:
        with dsl.ParallelFor([1, 2]) as i:
            made = write(text=f"{tag}{i}")
        return dsl.Collected(made.output)

    @dsl.pipeline
    def pipeline() -> list:
        with dsl.ParallelFor(["x", "y"]) as tag, dsl.ParallelFor(two(tag=tag).output) as artifact:
            each = read(data=artifact)
        return same(value=dsl.Collected(each.output)).output

    assert run_pipeline(pipeline).result == {"Output": ["x1", "x2", "y1", "y2"]}


def test_an_exit_task_sees_a_failure(run_pipeline, backend):
    run = run_pipeline(yaml.safe_load((DATA / "pipeline-bad.yaml").read_text()))

    assert run.state is RunState.FAILED
    assert run.error == "boom failed: ValueError: bad input x=3; after never ran"
    assert "final FAILED exit-handler-1" in text(backend, run.id, "notify")
    assert task(run, "after").state is RunState.SKIPPED
    assert task(run, "exit-handler-1").state is RunState.FAILED


def test_an_exit_task_sees_a_success(run_pipeline):
    @component
    def notify(status: dsl.PipelineTaskFinalStatus) -> str:
        return f"{status.state} {status.pipeline_task_name} {status.error_message}"

    @dsl.pipeline
    def pipeline():
        with dsl.ExitHandler(notify()):
            number(value=1)

    run = run_pipeline(pipeline)

    assert run.state is RunState.SUCCEEDED
    assert task(run, "notify").outputs == {"Output": "COMPLETE exit-handler-1 None"}


def test_an_ignored_upstream_failure_leaves_an_empty_text(run_pipeline):
    @component
    def clean_up(message: str = "nothing") -> str:
        return message

    @dsl.pipeline
    def pipeline():
        clean_up(message=fail(message="no").output).ignore_upstream_failure()

    run = run_pipeline(pipeline)

    assert task(run, "clean-up").outputs == {"Output": ""}
    assert run.state is RunState.FAILED


def test_pipelines_in_pipelines_with_optional_inputs(run_pipeline):
    @component
    def show(a: Optional[int] = None, data: dsl.Input[dsl.Dataset] = None) -> str:
        return f"{a} {data}"

    @dsl.pipeline
    def inner(a: int = 5, data: Optional[dsl.Input[dsl.Dataset]] = None) -> str:
        show()
        return show(a=a, data=data).output

    @dsl.pipeline
    def pipeline() -> str:
        return inner().output

    run = run_pipeline(pipeline)

    assert run.result == {"Output": "5 None"}
    assert task(run, "inner/show").outputs == {"Output": "None None"}
    assert task(run, "inner").group


def test_artifacts_go_into_and_come_out_of_a_nested_pipeline(run_pipeline):
    @dsl.pipeline
    def inner(data: dsl.Input[dsl.Dataset]) -> dsl.Dataset:
        return write(text=read(data=data).output).output

    @dsl.pipeline
    def pipeline() -> str:
        return read(data=inner(data=write(text="deep").output).output).output

    assert run_pipeline(pipeline).result == {"Output": "deep"}


def test_placeholders_in_texts_lists_and_dicts(run_pipeline):
    @component
    def show(text: str, values: list, table: dict) -> str:
        return repr((text, values, table))

    @dsl.pipeline
    def pipeline(x: float = 2.0) -> str:
        one = number(value=1).output
        return show(text=f"{one} of {x}", values=[one, 2], table={"k": one}).output

    assert run_pipeline(pipeline).result == {"Output": "('1 of 2', ['1', 2], {'k': '1'})"}


def test_a_failed_attempt_is_tried_again(run_pipeline, tmp_path):
    @component
    def third_time_lucky() -> int:
        with open("attempts", "a+") as file:
            file.write("x")
            file.seek(0)
            attempts = len(file.read())
        if attempts < 3:
            raise OSError("not yet")
        return attempts

    @dsl.pipeline
    def pipeline():
        third_time_lucky().set_retry(2, backoff_duration="0s")

    run = run_pipeline(pipeline)

    assert run.state is RunState.SUCCEEDED
    assert task(run, "third-time-lucky").attempts == 3
    assert task(run, "third-time-lucky").outputs == {"Output": 3}


def test_importers_take_local_paths_and_addresses(run_pipeline, tmp_path):
    (tmp_path / "data.txt").write_text("local")

    @dsl.pipeline
    def pipeline(uri: str) -> str:
        local = dsl.importer(artifact_uri="data.txt", artifact_class=dsl.Dataset, metadata={"rows": 2})
        far = dsl.importer(artifact_uri=uri, artifact_class=dsl.Dataset)
        read(data=local.output)
        return read(data=far.output).output

    run = run_pipeline(pipeline, uri=f"local://{tmp_path}/data.txt")

    assert run.result == {"Output": "local"}
    assert task(run, "importer").outputs["artifact"].metadata == {"rows": 2}


def test_an_importer_fetches_from_the_web(run_pipeline, tmp_path):
    (tmp_path / "data.txt").write_text("far")

    @dsl.pipeline
    def pipeline(uri: str) -> str:
        return read(data=dsl.importer(artifact_uri=uri, artifact_class=dsl.Dataset).output).output

    with served(tmp_path) as address:
        signed = f"{address}/data.txt?signature={'x' * 300}"
        run, failed = run_pipeline(pipeline, uri=signed), run_pipeline(pipeline, uri=f"{address}/no.txt")

    assert run.result == {"Output": "far"}, run.error
    assert Path(task(run, "importer").outputs["artifact"].uri).name == "data.txt"
    assert failed.error.startswith("importer failed: urllib.error.HTTPError: HTTP Error 404")


@contextmanager
def served(folder):
    """A web server that shows a folder; its address."""

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_an_importer_of_nothing_fails(run_pipeline):
    @dsl.pipeline
    def pipeline():
        read(data=dsl.importer(artifact_uri="no.txt", artifact_class=dsl.Dataset).output)

    run = run_pipeline(pipeline)

    assert run.state is RunState.FAILED
    assert run.error.startswith("importer failed: it imports no.txt: /")


def test_environment_variables_of_a_task(run_pipeline):
    @component
    def show() -> str:
        import os

        return os.environ["COLOUR"]

    @dsl.pipeline
    def pipeline() -> str:
        return show().set_env_variable("COLOUR", "blue").output

    assert run_pipeline(pipeline).result == {"Output": "blue"}


def test_the_recorded_pipeline_runs_as_on_the_cluster(run_pipeline):
    run = run_pipeline(yaml.safe_load((DATA / "pipeline-good.yaml").read_text()))

    assert run.state is RunState.SUCCEEDED
    assert task(run, "train").outputs["Output"] == 0.8
    assert task(run, "train").metrics == {"accuracy": 0.8, "rows": 300}
    assert task(run, "deploy").state is RunState.SUCCEEDED
    assert task(run, "slow").state is RunState.SKIPPED
    assert [item.outputs["Output"] for item in tasks(run, "score")] == pytest.approx([0.8, 1.6, 2.4])


def test_a_spec_written_by_protobuf_runs_like_the_yaml(run_pipeline):
    @dsl.pipeline
    def pipeline(x: int = 3) -> int:
        return number(value=x).output

    spec = spec_of(pipeline)
    assert spec["root"]["inputDefinitions"]["parameters"]["x"]["defaultValue"] == 3.0

    assert repr(run_pipeline(spec).result) == "{'Output': 3}"
