"""Twenty-odd small pipelines that use KFP's DSL as the public ones do: what every backend must run alike.

``CORPUS`` holds them by name; each makes a ``Case``. Nothing in them depends on where they run, but for the image:
``KFNB_CORPUS_IMAGE`` names one that has kfp in it, for a cluster. ``canonical`` says how a run of one ended, as JSON.
"""

# pipelines are as a user of KFP writes them
# ruff: noqa: B006, E712, PTH123, PYI024, UP006, UP035, UP045

import functools
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional

from google.protobuf import json_format
from kfp import dsl

from kfnb import entities
from kfnb.entities import Artifact

component = functools.partial(
    dsl.component,
    base_image=os.environ.get("KFNB_CORPUS_IMAGE", "python:3.11-slim"),
    install_kfp_package=False,
)


@dataclass(frozen=True)
class Case:
    """A compiled pipeline and its arguments; ``files`` are arguments that name a file with this text."""

    spec: dict[str, Any]
    arguments: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)


CORPUS: dict[str, Callable[[], Case]] = {}


def case(
    files: dict[str, str] | None = None, **arguments: Any
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Put a pipeline function into the corpus, with the arguments that it is run with."""

    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        def make() -> Case:
            pipeline = dsl.pipeline(name=function.__name__.replace("_", "-"))(function)
            return Case(json_format.MessageToDict(pipeline.pipeline_spec), arguments, files or {})

        CORPUS[function.__name__] = make
        return function

    return add


def canonical(run: entities.RunSnapshot, read: Callable[[Artifact], bytes] | None = None) -> str:
    """How a run ended, task by task, in JSON that two backends can be compared by; ``read`` gets artifacts' bytes.

    What differs from run to run is left out: times, addresses, ids, and what an exit task hears but the state.
    """
    tasks = {task.id: _task(task, read) for task in run.tasks}
    told = {"state": str(run.state), "result": _values(run.result, read), "tasks": tasks}
    return json.dumps(told, indent=1, sort_keys=True)


def _task(task: entities.Task, read: Callable[[Artifact], bytes] | None) -> dict[str, Any]:
    if task.group:
        return {"state": str(task.state)}
    inputs = {name: value for name, value in task.inputs.items() if not name.startswith("pipelinechannel--")}
    return {
        "state": str(task.state),
        "inputs": _values(inputs, read),
        "outputs": _values(task.outputs, read),
        "metrics": dict(task.metrics),
    }


def _values(values: Mapping[str, Any], read: Callable[[Artifact], bytes] | None) -> dict[str, Any]:
    return {name: _value(value, read) for name, value in values.items()}


def _value(value: Any, read: Callable[[Artifact], bytes] | None) -> Any:
    if isinstance(value, list):
        return [_value(item, read) for item in value]
    if isinstance(value, Artifact):
        told = {"name": value.name, "type": value.type, "metadata": dict(value.metadata)}
        return told | ({"content": hashlib.sha256(read(value)).hexdigest()} if read else {})
    if isinstance(value, dict) and "pipelineTaskName" in value:
        return {key: value[key] for key in ("state", "pipelineTaskName")}
    return value


def content(artifact: Artifact) -> bytes:
    """The bytes of an artifact on this machine; none of one that nobody wrote."""
    path = Path(artifact.uri)
    return path.read_bytes() if path.is_file() else b""


# what the tasks do


@component
def add(a: int, b: int = 5) -> int:
    return a + b


@component
def tell(value: str) -> str:
    return value


@component
def show(value: float) -> str:
    return repr(value)


@component
def kinds(i: int, f: float, s: str, b: bool, li: list, d: dict) -> str:
    return repr((i, f, s, b, li, d))


@component
def table() -> dict:
    return {"z": 66.0, "a": {"list": [1, 2.0, 2.5, None, True, "x"], "deep": {"n": -0.0}}}


@component
def floats() -> list:
    return [66.0, 0.5, 1e17, 1e-7]


@component
def seen(values: list, things: dict = {}) -> str:
    return repr((values, things))


@component
def upto(n: int) -> List[int]:
    return list(range(n))


@component
def words(text: str) -> List[str]:
    return text.split()


@component
def items() -> List[Dict[str, int]]:
    return [{"a": 1, "b": 2}, {"a": 3, "b": 4}]


@component
def write(text: str, out: dsl.Output[dsl.Dataset]):
    with open(out.path, "w") as file:
        file.write(text)
    out.metadata.update({"length": len(text), "half": 0.5, "whole": 3.0, "flag": True})
    out.metadata.update({"labels": ["a", 1], "by": {"n": 2.0}})


@component
def write_both(one: str, two: str, out: dsl.Output[dsl.Dataset]):
    with open(out.path, "w") as file:
        file.write(one + two)


@component
def read(data: dsl.Input[dsl.Dataset]) -> str:
    told = {name: data.metadata.get(name) for name in ("length", "half", "whole", "flag", "labels", "by")}
    return repr((open(data.path).read(), told))


@component
def read_all(data: dsl.Input[List[dsl.Dataset]]) -> str:
    return "|".join(open(one.path).read() for one in data)


@component
def measure(n: int, metrics: dsl.Output[dsl.Metrics]) -> float:
    metrics.log_metric("n", n)
    metrics.log_metric("half", n / 2)
    metrics.metadata["said"] = "not a number"
    return n / 2


@component
def look_at(metrics: dsl.Input[dsl.Metrics]) -> str:
    return repr([metrics.metadata[name] for name in ("n", "half", "said")])


@component
def report(
    page: dsl.Output[dsl.HTML],
    notes: dsl.Output[dsl.Markdown],
    curve: dsl.Output[dsl.ClassificationMetrics],
    net: dsl.Output[dsl.Model],
):
    for out in (page, notes, net):
        with open(out.path, "w") as file:
            file.write(f"<b>{out.metadata}</b>")
    net.metadata["framework"] = "none"
    curve.log_roc_curve([0.0, 1.0], [0.0, 1.0], [1.0, 0.5])
    curve.log_confusion_matrix(["a", "b"], [[1, 0], [2, 3]])


@component
def several(n: int) -> NamedTuple("Outputs", [("half", float), ("text", str), ("even", bool), ("ns", list)]):
    from collections import namedtuple

    return namedtuple("Outputs", ["half", "text", "even", "ns"])(n / 2, f"<{n}>", n % 2 == 0, [n, n * 1.0])


@component
def paths(
    text: dsl.OutputPath(str), n: dsl.OutputPath(int), flag: dsl.OutputPath(bool), li: dsl.OutputPath(list)
):
    for path, told in ((text, "any\n"), (n, "12\n"), (flag, "True"), (li, "[1.0, 2.5]")):
        with open(path, "w") as file:
            file.write(told)


@component
def fail(message: str) -> str:
    raise ValueError(message)


@component
def final(status: dsl.PipelineTaskFinalStatus) -> str:
    return f"{status.state} {status.pipeline_task_name}"


@component
def maybe(
    text: Optional[str] = None, n: Optional[int] = 7, data: Optional[dsl.Input[dsl.Dataset]] = None
) -> str:
    return repr((text, n, data and open(data.path).read()))


@component
def perhaps(data: dsl.Input[dsl.Dataset] = None) -> str:
    return repr(data and open(data.path).read())


@component
def kind_of(some: dsl.Input[dsl.Artifact]) -> str:
    return type(some).__name__


@component
def late(text: str = "default") -> str:
    return text


# the pipelines


@case(x=4)
def one_after_another(x: int) -> int:
    first = add(a=x).set_display_name("The first")
    second = add(a=first.output, b=1).set_caching_options(False)
    tell(value="last").after(second)
    return second.output


@case(i=1, f=2.0, s="3 <&> é", b=False, li=[1, 2.0, "x", None], d={"b": {"n": 1.0}, "a": 1.5})
def all_types(i: int, f: float, s: str, b: bool, li: list, d: dict) -> str:
    return kinds(i=i, f=f, s=s, b=b, li=li, d=d).output


@case()
def defaults(i: int = 3, f: float = 66.0, s: str = "", b: bool = True, li: list = [], d: dict = {"a": [1.0]}):
    kinds(i=i, f=f, s=s, b=b, li=li, d=d)
    kinds(i=2, f=5.0, s="constant", b=False, li=[66.0, 1, [2.5]], d={"k": {"f": 66.0}})


@case()
def numbers_in_values():
    seen(values=floats().output, things=table().output)
    show(value=several(n=4).outputs["half"])
    seen(values=several(n=3).outputs["ns"])


@case(n=3)
def everything_makes_a_text(n: int):
    made = several(n=n)
    tell(value=f"{made.outputs['half']} {made.outputs['text']} {made.outputs['even']} {n}")
    tell(value=f"{made.outputs['ns']}")


@case(n=2, word="w")
def placeholders(n: int, word: str):
    made = add(a=n)
    seen(values=[made.output, n, 2, f"<{word}>"], things={"k": made.output, "l": [word]})
    tell(value=f"({made.output}) of {n}")


@case(text="some text")
def artifacts(text: str) -> str:
    made = write(text=text)
    return read(data=made.outputs["out"]).output


@case()
def kinds_of_artifacts():
    report()


@case(n=3)
def metrics(n: int):
    look_at(metrics=measure(n=n).outputs["metrics"])
    with dsl.ParallelFor([1, 2]) as each:
        measure(n=each)


@case()
def output_paths():
    made = paths()
    kinds(
        i=made.outputs["n"],
        f=1.5,
        s=made.outputs["text"],
        b=made.outputs["flag"],
        li=made.outputs["li"],
        d={},
    )


@case(x=5)
def branches(x: int, low: float = 3.0) -> str:
    start = add(a=x, b=0)
    with dsl.If(start.output < low):
        small = tell(value="small")
    with dsl.Elif(start.output == 5):
        five = tell(value="five")
    with dsl.Else():
        big = tell(value="big")
    chosen = dsl.OneOf(small.output, five.output, big.output)
    tell(value=chosen)
    return chosen


@case(flag=False, word="b")
def one_of_artifacts(flag: bool, word: str):
    with dsl.If(flag == True):
        yes = write(text="yes")
    with dsl.Else():
        no = write(text="no")
        with dsl.If(word == "a"):
            tell(value="never")
    read(data=dsl.OneOf(yes.outputs["out"], no.outputs["out"]))


@case()
def loops_over_literals():
    with dsl.ParallelFor([{"a": 1, "b": 10}, {"a": 2, "b": 20}], parallelism=1) as item:
        made = add(a=item.a, b=item.b)
        with dsl.If(made.output > 11):
            tell(value="big")
    with dsl.ParallelFor(["x", "y"]) as text:
        tell(value=f"<{text}>")
    seen(values=dsl.Collected(made.output))


@case(given=[7, 8], untyped=[1, 2.0, "x", {"a": 1.0}])
def loops_over_values(given: List[int], untyped: list) -> list:
    with dsl.ParallelFor(given) as i:
        add(a=i)
    with dsl.ParallelFor(upto(n=3).output, parallelism=2) as j:
        doubled = add(a=j, b=j)
    with dsl.ParallelFor(untyped) as any_of_them:
        tell(value=any_of_them)
    with dsl.ParallelFor(items().output) as item:
        add(a=item.a, b=item.b)
    return dsl.Collected(doubled.output)


@case()
def loops_in_loops() -> list:
    with dsl.ParallelFor([1, 2]) as i:
        with dsl.ParallelFor([10, 20]) as j:
            made = add(a=i, b=j)
            lists = upto(n=i)
        seen(values=dsl.Collected(made.output))  # of this turn of the outer loop
    seen(values=dsl.Collected(made.output))
    seen(values=dsl.Collected(lists.output))
    return dsl.Collected(made.output)


@case()
def collected_artifacts() -> str:
    with dsl.ParallelFor(["a", "b"]) as text:
        one = write(text=text)
        with dsl.ParallelFor(["1", "2"]) as digit:
            deep = write_both(one=text, two=digit)
        read_all(data=dsl.Collected(deep.outputs["out"]))
    read_all(data=dsl.Collected(one.outputs["out"]))
    return read_all(data=dsl.Collected(deep.outputs["out"])).output


@case()
def exit_after_success():
    with dsl.ExitHandler(final()):
        seen(values=words(text="a b").output)


@case()
def exit_after_failure():
    with dsl.ExitHandler(final()):
        tell(value=fail(message="no").output)
    tell(value="beside it")


@case(files={"uri": "imported"})
def imported(uri: str):
    made = dsl.importer(artifact_uri=uri, artifact_class=dsl.Dataset, metadata={"length": 8, "labels": ["a"]})
    read(data=made.output)


def write_a_text() -> Case:
    """Not of the corpus: leaves a file with a text, its argument, in a cluster's own store."""

    @dsl.pipeline
    def write_a_text(text: str) -> dsl.Dataset:
        return write(text=text).outputs["out"]

    return Case(json_format.MessageToDict(write_a_text.pipeline_spec))


@dsl.pipeline
def inner(x: int, text: str = "inner", times: float = 2.0) -> NamedTuple(
    "Outputs", [("total", int), ("data", dsl.Dataset), ("each", List[int])]
):
    from collections import namedtuple

    with dsl.ParallelFor([1, 2]) as i:
        made = add(a=x, b=i)
    total = add(a=x)
    data = write(text=text)
    show(value=times)
    outputs = namedtuple("Outputs", ["total", "data", "each"])
    return outputs(total.output, data.outputs["out"], dsl.Collected(made.output))


@dsl.pipeline
def middle(x: int) -> int:
    return inner(x=x, text="middle").outputs["total"]


@case(x=3)
def pipelines_in_pipelines(x: int) -> int:
    one = inner(x=x)
    read(data=one.outputs["data"])
    seen(values=one.outputs["each"])
    with dsl.ParallelFor([10, 20]) as i:
        many = inner(x=i, times=1.0)
    seen(values=dsl.Collected(many.outputs["each"]))
    return add(a=middle(x=one.outputs["total"]).output).output


@case(n=1)
def optional_inputs(text: Optional[str] = None, n: Optional[int] = None):
    maybe()
    maybe(text=text, n=n)
    perhaps()
    data = write(text="data").outputs["out"]
    perhaps(data=data)
    kind_of(some=data)  # as it is annotated
    maybe(text="given", data=data)  # KFP cannot make an Optional[...]


@case()
def failures():
    failed = fail(message="no").set_retry(1, backoff_duration="0s")
    tell(value=failed.output)
    late(text=failed.output).ignore_upstream_failure()
    with dsl.ParallelFor([1, 2]) as i:
        made = add(a=i).set_retry(2)
        with dsl.If(i == 2):
            fail(message="two")
        add(a=made.output)


@component
def fail_all(message: str, out: dsl.Output[dsl.Dataset]) -> NamedTuple(
    "Outputs", [("n", int), ("text", str)]
):
    raise ValueError(message)


@case()
def ignored_failures():
    # KFP runs one task alone that ignores the failure of another, and none that depends on it
    one = fail_all(message="one")
    add(a=1, b=one.outputs["n"]).ignore_upstream_failure()
    two = fail_all(message="two")
    late(text=two.outputs["text"]).ignore_upstream_failure()
    three = fail_all(message="three")
    maybe(text="given", n=1, data=three.outputs["out"]).ignore_upstream_failure()
    four = fail_all(message="four")
    tell(value="in any case").after(four).ignore_upstream_failure()
    never = several(n=fail_all(message="five").outputs["n"])
    late(text=never.outputs["text"]).ignore_upstream_failure()
