"""A pipeline's graph before it runs, and what a component takes with it."""

from __future__ import annotations

import pytest

from kfnb.entities import ComponentView, Graph, GraphEdge
from tests.conftest import Shell


@pytest.fixture
def steps(shell: Shell) -> Shell:
    shell.run("import math\nLIMIT = 3\n\ndef half(x):\n    return math.floor(x / LIMIT)")
    shell.run("%%kf_component load --param rows:int=3\nxs = list(range(rows))")
    shell.run("%%kf_component total --output n\nn = half(sum(xs))")
    return shell


def test_show_draws_tasks_groups_and_what_flows(steps: Shell) -> None:
    body = "load()\nwith dsl.ParallelFor([1, 2]) as i:\n"
    body += "    with dsl.If(total().outputs['n'] > 0):\n        load(rows=i)"
    steps.run(f"%%kf_pipeline p\n{body}")
    graph = steps.run("%kf_show p")
    assert isinstance(graph, Graph)
    nodes = {node.name: node for node in graph.nodes}
    loop = next(node for node in graph.nodes if node.label == "for each of [1, 2]")
    branch = next(node for node in graph.nodes if node.label.startswith("if "))
    assert nodes["total"].parent == loop.id
    assert branch.parent == loop.id
    assert branch.label == "if n > 0"
    assert GraphEdge("load", loop.id, "xs") in graph.edges
    assert [port.name for port in graph.parameters] == ["rows"]


def test_show_tells_what_travels_with_a_component_and_why(steps: Shell) -> None:
    view = steps.run("%kf_show total")
    assert isinstance(view, ComponentView)
    told = {one.name: (one.kind, one.reason) for one in view.travellers}
    assert told == {
        "half": ("source", "read by the cell"),
        "math": ("import", "read by half"),
        "LIMIT = 3": ("constant", "read by half; inlined"),
    }
    assert [(port.name, port.origin) for port in view.inputs] == [("xs", "from load")]
    assert [port.name for port in view.outputs] == ["n"]
    assert "n = half(sum(xs))" in view.source


def test_show_of_an_unknown_name_names_the_known(steps: Shell) -> None:
    assert "unknown component or pipeline nothing" in steps.fails("%kf_show nothing")


def test_branches_read_as_they_were_written(steps: Shell) -> None:
    body = "n = total(xs=load().outputs['xs']).outputs['n']\nwith dsl.If(n > 5):\n    load()\n"
    body += "with dsl.Elif(n > 2):\n    load()\nwith dsl.Else():\n    load()"
    steps.run(f"%%kf_pipeline p\n{body}")
    labels = [node.label for node in steps.run("%kf_show p").nodes if node.label]
    assert labels == ["if n > 5", "else if n > 2", "else"]
