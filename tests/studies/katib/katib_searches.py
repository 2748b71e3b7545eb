"""Searches to try Katib with: a component as a notebook captures it, compiled, with a space around it."""

# steps are as a notebook's user writes them, or as KFP wants them
# ruff: noqa: PTH123, T201

from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

from google.protobuf import json_format
from kfp import dsl

from kfnb.resources.studies.model import Objective
from kfnb.resources.studies.search import Search, TrialSubject
from kfnb.resources.studies.space import read_space

SPACE = "lr=log(1e-4,1e-1) depth=int(2,8) act=choice(relu,tanh)"


@dsl.component(base_image="python:3.11-slim")
def bowl(
    depth: int,
    lr: float = 0.1,
    act: str = "relu",
    flag: bool = False,
    say: str = "",
    result: float = 0.0,
) -> NamedTuple("Outputs", [("loss", float)]):
    """A loss that is least at depth 4, said on the way for three epochs."""
    for epoch in range(3):
        print(f"step {epoch}: loss={depth + 3 - epoch}")
    if say:
        print(say)
    if act == "fail":
        raise ValueError("no such activation")
    print(
        f"types {type(depth).__name__} {type(lr).__name__} {type(act).__name__} {type(flag).__name__} {flag}"
    )
    return (result or (depth - 4) ** 2 + lr,)


@dsl.component(base_image="python:3.11-slim")
def count(rows: int) -> int:
    """The rows, and a loss that is not the trial's."""
    print("loss=999")
    return rows * 2


@dsl.component(base_image="python:3.11-slim")
def save(rows: int, table: dsl.Output[dsl.Dataset]) -> None:
    with open(table.path, "w") as file:
        file.write("x" * rows)
    table.metadata["rows"] = rows


@dsl.component(base_image="python:3.11-slim")
def train(table: dsl.Input[dsl.Dataset], lr: float, found: dsl.Output[dsl.Metrics]) -> NamedTuple(
    "Outputs", [("loss", float)]
):
    with open(table.path) as file:
        size = len(file.read())
    if lr > 1:
        raise ValueError("lr is too large")
    for epoch in range(2):
        print(f"step {epoch}: loss={10 - epoch}")
    found.log_metric("rows", table.metadata["rows"])
    return (size + lr,)


@dsl.component(base_image="python:3.11-slim")
def other(lr: float) -> None:
    print("loss=555")


@dsl.component(base_image="python:3.12-slim")
def newer(rows: int) -> int:
    return rows


def spec_of(pipeline: Any) -> dict[str, Any]:
    """A pipeline's PipelineSpec as its YAML file holds it."""
    found: dict[str, Any] = json_format.MessageToDict(pipeline.pipeline_spec)
    return found


@cache
def _bowl_spec() -> dict[str, Any]:
    @dsl.pipeline(name="bowl-trial")
    def pipeline(
        depth: int,
        lr: float = 0.1,
        act: str = "relu",
        flag: bool = False,
        say: str = "",
        result: float = 0.0,
    ) -> None:
        task = bowl(depth=depth, lr=lr, act=act, flag=flag, say=say, result=result)
        task.set_cpu_limit("1").set_memory_limit("1G")

    return spec_of(pipeline)


@cache
def churn() -> dict[str, Any]:
    """A pipeline of four steps, in which numbers and a table are handed on."""

    @dsl.pipeline(name="churn")
    def pipeline(rows: int = 10, lr: float = 0.1) -> float:
        counted = count(rows=rows)
        saved = save(rows=counted.output)
        trained = train(table=saved.outputs["table"], lr=lr)
        other(lr=lr).after(trained)
        return trained.outputs["loss"]

    return spec_of(pipeline)


@cache
def branching() -> dict[str, Any]:
    """A pipeline with a condition, a loop and an exit handler."""

    @dsl.pipeline(name="branching")
    def pipeline(rows: int = 10) -> None:
        counted = count(rows=rows)
        with dsl.If(counted.output > 3):
            count(rows=rows)
        with dsl.ParallelFor([1, 2]) as one:
            count(rows=one)

    return spec_of(pipeline)


@cache
def unlike() -> dict[str, Any]:
    """A pipeline whose steps have different images and environments."""

    @dsl.pipeline(name="unlike")
    def pipeline(rows: int = 10) -> None:
        counted = count(rows=rows).set_env_variable("PLACE", "here")
        newer(rows=counted.output).set_env_variable("PLACE", "there")

    return spec_of(pipeline)


@cache
def ready_made() -> dict[str, Any]:
    """A pipeline of a step that is a program of its image."""

    @dsl.container_component
    def program(rows: int) -> dsl.ContainerSpec:
        return dsl.ContainerSpec(image="alpine", command=["echo"], args=[str(rows)])

    @dsl.pipeline(name="ready-made")
    def pipeline(rows: int = 10) -> None:
        program(rows=rows)

    return spec_of(pipeline)


def search(space: str = SPACE, **changes: Any) -> Search:
    """A search for the bowl's bottom, with what is to be different."""
    made = Search(
        name="my_bowl",
        subject=TrialSubject("bowl", _bowl_spec(), arguments={"depth": 3}, step="bowl"),
        objective=Objective("loss"),
        space=read_space(space) if space else (),
        algorithm="tpe",
        max_trials=12,
        parallel=3,
    )
    return replace(made, **changes)
