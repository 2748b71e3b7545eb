"""Any pipeline runs as its description says, which a reference reads in the plainest way: in order, in this process."""

import re
from collections import ChainMap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import graphs
import pytest
from graphs import Body, Branches, Call, Const, Exit, Item, Loop, Made, Node, Pair, Param, Pipeline, Ref, Text
from hypothesis import HealthCheck, given, settings
from kfp import dsl
from local_runs import submission, tasks, wait
from steps import word

from kfnb import entities
from kfnb.entities import RunState
from kfnb.resources.runs.local import LocalRunEngine

SUCCEEDED, FAILED, SKIPPED = RunState.SUCCEEDED, RunState.FAILED, RunState.SKIPPED
OURS = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])

Told = dict[str, tuple[RunState, Any, int]]
"""By a task's pipeline, iterations and name: how it ended, what it made, and its attempts."""


class Reference:
    """What a description means. ``tasks`` says what became of each task, ``state`` and ``result`` of the run."""

    def __init__(self, described: Pipeline, names: Mapping[int, str], arguments: Mapping[str, Any]) -> None:
        self.tasks: Told = {}
        self._names = names
        self.state, self.result = self._inside(described, arguments, "")

    def _inside(self, node: Pipeline, arguments: Mapping[str, Any], path: str) -> tuple[RunState, Any]:
        env = {**graphs.DEFAULTS, **arguments}
        state, made = self._body(node.body, env, path)
        return state, node.result and state is SUCCEEDED and _value(node.result, env | made)

    def _body(self, body: Body, env: Mapping[Any, Any], path: str) -> tuple[RunState, dict[int, Any]]:
        """How a body ended and what its nodes made, those within its groups too."""
        states: dict[int, RunState] = {}
        made: dict[int, Any] = {}
        for node in body:
            needs = [
                one for one in body if set(graphs.refers(node)) & set(graphs.inside(one)) and one != node
            ]
            good = {SUCCEEDED, FAILED} if getattr(node, "anyway", False) else {SUCCEEDED}
            if {states[one.node] for one in needs} <= good:
                run = getattr(self, f"_{type(node).__name__.lower()}")
                states[node.node], new = run(node, ChainMap(made, env), path)
                made |= new if states[node.node] is SUCCEEDED else {}
            else:
                states[node.node] = self._skip(node, path)
        return (FAILED if FAILED in states.values() else SUCCEEDED), made

    def _skip(self, node: Node, path: str) -> RunState:
        if isinstance(node, Exit):
            self.tasks[path + self._names[node.node]] = SKIPPED, None, 0
        if isinstance(node, Call):
            self.tasks[path + self._names[node.node]] = SKIPPED, None, 0
        if not isinstance(node, Call | Loop):
            deeper = f"{path}{self._names[node.node]}/" if isinstance(node, Pipeline) else path
            for body in [node.body] if isinstance(node, Pipeline) else graphs.bodies(node):
                for inner in body:
                    self._skip(inner, deeper)
        return SKIPPED

    def _call(self, node: Call, env: Mapping[Any, Any], path: str) -> tuple[RunState, dict[int, Any]]:
        try:
            args = _args(node, env) | ({"bad": node.bad} if node.op == "calc" else {})
        except Unfillable:
            self.tasks[path + self._names[node.node]] = FAILED, None, 0
            return FAILED, {node.node: None}
        try:
            state, value, attempts = SUCCEEDED, graphs.OPS[node.op](**args), 1
        except ValueError:
            state, value, attempts = FAILED, None, 1 + node.retries
        self.tasks[path + self._names[node.node]] = state, value, attempts
        return state, {node.node: value}

    def _pipeline(self, node: Pipeline, env: Mapping[Any, Any], path: str) -> tuple[RunState, dict[int, Any]]:
        try:
            args = _args(node, env)
        except Unfillable:
            return FAILED, {node.node: None}
        state, result = self._inside(node, args, f"{path}{self._names[node.node]}/")
        return state, {node.node: result}

    def _branches(self, node: Branches, env: Mapping[Any, Any], path: str) -> tuple[RunState, dict[int, Any]]:
        state, made, run = SKIPPED if len(node.bodies) == 1 else SUCCEEDED, {}, False
        for place, body in enumerate(node.bodies):
            if not run and (place == len(node.conditions) or _holds(*node.conditions[place], env)):
                run = True
                state, made = self._body(body, env, path)
                made |= {node.node: made.get(node.chosen[place])} if node.chosen else {}
            else:
                for inner in body:
                    self._skip(inner, path)
        return state, made

    def _loop(self, node: Loop, env: Mapping[Any, Any], path: str) -> tuple[RunState, dict[int, Any]]:
        items = _value(node.items, env)
        rounds = [
            self._body(node.body, ChainMap({(node.node, "item"): item}, env), f"{path}{index}/")
            for index, item in enumerate(items)
        ]
        made = {
            one: _collected([new[one] for _, new in rounds if one in new])
            for inner in node.body
            for one in graphs.inside(inner)
        }
        return (FAILED if FAILED in {state for state, _ in rounds} else SUCCEEDED), made

    def _exit(self, node: Exit, env: Mapping[Any, Any], path: str) -> tuple[RunState, dict[int, Any]]:
        state, _ = self._body(node.body, env, path)
        self.tasks[path + self._names[node.node]] = (
            SUCCEEDED,
            "COMPLETE" if state is SUCCEEDED else state.value,
            1,
        )
        return state, {}


class Collected(list[Any]):
    """What a loop has collected, in whatever it lies: an outer loop joins such lists."""


class Unfillable(Exception):
    """A text would have to be filled with what KFP cannot fill in, or an input with an output that is not there."""


def _collected(values: list[Any]) -> Collected:
    if any(isinstance(value, Collected) for value in values):
        return Collected(one for value in values for one in value)
    return Collected(values)


def _filled(value: Any) -> str:
    """A value in a text that is made of it."""
    if set(str(value)) & set('"\\\n'):
        raise Unfillable(value)
    return str(value)


def _args(node: Call | Pipeline, env: Mapping[Any, Any]) -> dict[str, Any]:
    """What a node is called with; of a maker that failed a text is empty, and anything else fails."""
    args = {}
    for name, ref in node.args.items():
        if not isinstance(ref, Made) or ref.node in env:
            args[name] = _value(ref, env)
        elif name in ("s", "word"):
            args[name] = ""
        else:
            raise Unfillable(name)
    return args


def _holds(left: Ref, relation: str, right: Ref, env: Mapping[Any, Any]) -> bool:
    return graphs.RELATIONS[relation](_value(left, env), _value(right, env))


def _value(ref: Ref, env: Mapping[Any, Any]) -> Any:
    match ref:
        case Const(value):
            return value
        case Param(name):
            return env[name]
        case Made(node):
            return env[node]
        case Item(loop, field):
            return env[loop, "item"][field] if field else env[loop, "item"]
        case Text(of):
            return f"<{_filled(_value(of, env))}>"
        case Pair():
            return [
                one.value if isinstance(one, Const) else _filled(_value(one, env))
                for one in (ref.first, ref.second)
            ]


def told(run: entities.RunSnapshot) -> Told:
    """What the engine says of its tasks; groups, which the description knows nothing of, are left out of the ids."""
    return {
        re.sub(r"(for-loop|condition|condition-branches|exit-handler)-\d+/", "", task.id): (
            task.state,
            task.outputs.get("Output"),
            task.attempts,
        )
        for task in run.tasks
        if not task.group
    }


def check(described: Pipeline, arguments: dict[str, Any], folder: Path, *, again: bool = False) -> None:
    """Run it, and ``again``: what failed is tried once more; and the whole is run from the cache."""
    written = graphs.Written(described)
    expected = Reference(described, written.names, arguments)
    backend = LocalRunEngine(folder / "home", jobs=4)
    told_to = submission(written.pipeline, folder, cache=again, **arguments)
    run_id = backend.submit(told_to)
    compare(wait(backend, run_id), described, expected, attempts=not again)
    if again:
        backend.retry(run_id)  # harmless where all has succeeded
        compare(wait(backend, run_id), described, expected, attempts=False)
        compare(wait(backend, backend.submit(told_to)), described, expected, attempts=False)


def compare(run: entities.RunSnapshot, described: Pipeline, expected: Reference, *, attempts: bool) -> None:
    last = 3 if attempts else 2  # a cached task has no attempts, a retried one has more
    assert repr(_sorted(told(run), last)) == repr(_sorted(expected.tasks, last)), run.error
    assert run.state is expected.state
    result = {"Output": expected.result} if described.result and expected.state is SUCCEEDED else {}
    assert repr(dict(run.result)) == repr(result)


def _sorted(tasks: Told, last: int) -> dict[str, tuple[Any, ...]]:
    return {name: (str(tasks[name][0]), *tasks[name][1:last]) for name in sorted(tasks)}


@given(graphs.graphs())
@settings(OURS, max_examples=30, derandomize=True)
def test_a_pipeline_runs_as_its_description_says(tmp_path_factory, graph):
    check(*graph, tmp_path_factory.mktemp("run"))


@pytest.mark.slow
@given(graphs.graphs(nodes=14))
@settings(OURS, max_examples=100, derandomize=True)
def test_many_pipelines_run_as_their_descriptions_say(tmp_path_factory, graph):
    check(*graph, tmp_path_factory.mktemp("run"))


@pytest.mark.slow
@given(graphs.graphs(nodes=12))
@settings(OURS, max_examples=25, derandomize=True)
def test_retried_or_run_from_the_cache_it_is_the_same(tmp_path_factory, graph):
    check(*graph, tmp_path_factory.mktemp("run"), again=True)


def test_a_condition_on_an_item_of_a_list_of_unknown_type(run_pipeline):
    @dsl.pipeline
    def pipeline(items: list):
        with dsl.ParallelFor(items) as i:
            with dsl.If(i == 5):  # KFP writes i == '5'
                word(value=i)
            with dsl.If(i == '{"a":[1,true]}'):
                word(value=i)

    run = run_pipeline(pipeline, items=[1, 5, {"a": [1.0, True]}])

    assert [item.outputs.get("Output") for item in tasks(run, "word")] == [None, "5", None]
    assert [item.outputs.get("Output") for item in tasks(run, "word-2")] == [None, None, '{"a":[1,true]}']
