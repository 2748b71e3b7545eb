"""The body of a compiled pipeline, as KFP's DSL: tasks, loops, conditions, exit handlers, and what they pass."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kfnb.convert import values
from kfnb.convert.task_calls import calls_of
from kfnb.convert.task_order import GROUP, Number, exits, in_order
from kfnb.entities import FILES, importers, kfp_name
from kfnb.errors import PipelineError

_INDENT = "    "


@dataclass(frozen=True)
class Call:
    """How a component is called: its function, and the notebook's names of its inputs where they differ."""

    function: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    leaves_out: tuple[str, ...] = ()
    """The settings that its own cell has."""


@dataclass(frozen=True)
class _Scope:
    """What the inputs of a DAG are in the program."""

    task: Mapping[str, Any]
    outer: _Scope | None
    loop: str = ""


class DslBody:
    """The writer of a body. ``calls`` has the call of each component that has an executor."""

    def __init__(self, spec: Mapping[str, Any], calls: Mapping[str, Call]) -> None:
        self.components: Mapping[str, Any] = spec.get("components", {})
        self.executors: Mapping[str, Any] = spec.get("deploymentSpec", {}).get("executors", {})
        self.own_importers = {label for label, _ in importers(spec)}
        self.calls = calls
        self.root: Mapping[str, Any] = spec["root"]
        self.groups: dict[str, tuple[Mapping[str, Any], _Scope]] = {}
        self.chosen: dict[tuple[str, str], str] = {}
        self.given: dict[tuple[str, str], list[str]] = {}
        """The expressions that each input of a function is given."""
        self.top_level: list[tuple[str, str]] = []
        """The tasks outside of groups in order, each with its component."""

    def lines(self) -> list[str]:
        """The statements of the body."""
        return list(self.block(self.root, _Scope({}, None), ""))

    # -- statements -------------------------------------------------------------------------------------------

    def block(self, component: Mapping[str, Any], scope: _Scope, by: str) -> Iterator[str]:
        """The statements of a DAG."""
        tasks: Mapping[str, Any] = component.get("dag", {}).get("tasks", {})
        for key in in_order(tasks, self.numbers):
            task = tasks[key]
            inner = self.component(task)
            if "dag" in inner:
                yield from self.group(key, task, inner, scope, by)
            else:
                if not by:
                    self.top_level.append((key, task["componentRef"]["name"]))
                yield from self.task(key, task, inner, scope, by)

    def task(
        self, key: str, task: Mapping[str, Any], component: Mapping[str, Any], scope: _Scope, by: str
    ) -> Iterator[str]:
        """The statements of a task: its call, and its settings."""
        executor = self.executors.get(component.get("executorLabel", ""), {})
        variable = variable_of(key)
        if component.get("executorLabel") in self.own_importers:
            return  # kfnb gives a step its files by itself
        if "importer" in executor:
            yield f"{by}{variable} = {self.importer(executor['importer'], task, scope)}"
            return
        call = self.calls[task["componentRef"]["name"]]
        given = ", ".join(self.arguments(task, component, call, scope))
        yield f"{by}{variable} = {call.function}({given})"
        settings = [
            one for one in calls_of(key, task, executor) if one.partition("(")[0] not in call.leaves_out
        ]
        settings += [f"after({self.waited(one)})" for one in self.told(task)]
        yield from (f"{by}{variable}.{one}" for one in settings)

    def group(
        self, key: str, task: Mapping[str, Any], component: Mapping[str, Any], scope: _Scope, by: str
    ) -> Iterator[str]:
        """The statements of a loop, a condition or an exit handler."""
        kind, number = _kind(key)
        loop = f"item_{number}" if kind == "for-loop" else ""
        inner = _Scope(task, scope, loop)
        self.groups[key] = (component, inner)
        if kind == "condition-branches":
            yield from self.branches(key, component, inner, by)
            return
        head = {
            "condition": lambda: f"dsl.If({self.condition(str(task['triggerPolicy']['condition']), inner)})",
            "for-loop": lambda: f"{self.loop(task, scope)} as {loop}",
            "exit-handler": lambda: f"dsl.ExitHandler({variable_of(self.exit_task(key))})",
        }[kind]()
        yield f"{by}with {head}:"
        yield from self.block(component, inner, by + _INDENT)

    def branches(self, key: str, component: Mapping[str, Any], scope: _Scope, by: str) -> Iterator[str]:
        """If, Elif and Else: a branch's condition begins with those of the branches before it, negated."""
        before: list[str] = []
        tasks: Mapping[str, Any] = component["dag"]["tasks"]
        for one in in_order(tasks, self.numbers):
            task = tasks[one]
            text = str(task["triggerPolicy"]["condition"])
            negated = " && ".join(f"!({other})" for other in before)
            own = text.removeprefix(f"{negated} && ") if negated else text
            inner = _Scope(task, scope)
            self.groups[one] = (self.component(task), inner)
            if text == negated:
                yield f"{by}with dsl.Else():"
            else:
                word = "Elif" if before else "If"
                yield f"{by}with dsl.{word}({self.condition(own, inner)}):"
            before.append(own)
            yield from self.block(self.component(task), inner, by + _INDENT)
        for output, source in self.outputs(component).items():
            if "valueFromOneof" in source or "artifactSelectors" in source:
                variable = f"chosen_{len(self.chosen) + 1}"
                yield f"{by}{variable} = {self.one_of(component, output)}"
                self.chosen[key, output] = variable

    # -- parts of statements ----------------------------------------------------------------------------------

    def condition(self, text: str, scope: _Scope) -> str:
        """A comparison."""
        return values.condition(text, lambda name: self.input(name, scope))

    def loop(self, task: Mapping[str, Any], scope: _Scope) -> str:
        """The call that begins a loop."""
        iterator = task.get("parameterIterator") or task.get("artifactIterator") or {}
        items = iterator.get("items", {})
        name = items.get("inputParameter") or items.get("inputArtifact")
        over = self.input(name, _Scope(task, scope)) if name else repr(json.loads(items["raw"]))
        limit = task.get("iteratorPolicy", {}).get("parallelismLimit")
        return f"dsl.ParallelFor({over}, parallelism={limit})" if limit else f"dsl.ParallelFor({over})"

    def exit_task(self, handler: str) -> str:
        """The key of the task that an exit handler runs at its end."""
        for key, task in self.root["dag"]["tasks"].items():
            if exits(task) and handler in task["dependentTasks"]:
                return str(key)
        raise PipelineError(f"{handler} has no exit task", ref=handler)

    def arguments(
        self, task: Mapping[str, Any], component: Mapping[str, Any], call: Call, scope: _Scope
    ) -> Iterator[str]:
        """The arguments of a call."""
        for kind in ("parameters", "artifacts"):
            given = task.get("inputs", {}).get(kind) or {}
            for name, definition in (component.get("inputDefinitions", {}).get(kind) or {}).items():
                type_of = str(definition.get("parameterType", ""))
                if type_of == "TASK_FINAL_STATUS" or name.startswith(f"{FILES}_"):
                    continue
                # what a call does not give would be wired by its name
                source = given.get(name) or {"runtimeValue": {"constant": definition.get("defaultValue")}}
                if name not in given and "defaultValue" not in definition:
                    raise PipelineError(
                        f"{call.function} is called without its input {name}, which has no default: a notebook's"
                        " pipeline gives a component all inputs",
                        ref=call.function,
                    )
                expression = self.value(source, type_of, task, scope)
                self.given.setdefault((call.function, name), []).append(expression)
                yield f"{call.inputs.get(name, name)}={expression}"

    def importer(self, importer: Mapping[str, Any], task: Mapping[str, Any], scope: _Scope) -> str:
        """The call of an importer."""
        uri = importer.get("artifactUri", {})
        constant = uri.get("constant")
        given = (task.get("inputs", {}).get("parameters") or {}).get("uri")
        address = self.value(given, "STRING", task, scope) if given else repr(constant)
        kind = str(importer.get("typeSchema", {}).get("schemaTitle", "system.Artifact")).rpartition(".")[2]
        more = f", reimport={bool(importer.get('reimport', False))}"
        more += f", metadata={importer['metadata']!r}" if importer.get("metadata") else ""
        return f"dsl.importer(artifact_uri={address}, artifact_class=dsl.{kind}{more})"

    def told(self, task: Mapping[str, Any]) -> list[str]:
        """The tasks that a task waits for without taking anything from them."""
        if exits(task):
            return []
        inputs = task.get("inputs", {})
        taken = {
            one[source].get("producerTask")
            for kind in ("parameters", "artifacts")
            for one in (inputs.get(kind) or {}).values()
            for source in ("taskOutputParameter", "taskOutputArtifact", "taskFinalStatus")
            if source in one
        }
        return [one for one in task.get("dependentTasks") or () if one not in taken]

    def waited(self, key: str) -> str:
        """The variable of a task that another waits for."""
        if GROUP.fullmatch(key):
            raise PipelineError(
                f"a task that waits for all of {key} cannot be written in a notebook's pipeline", ref=key
            )
        return variable_of(key)

    # -- what inputs and outputs are --------------------------------------------------------------------------

    def value(self, source: Mapping[str, Any], kind: str, task: Mapping[str, Any], scope: _Scope) -> str:
        """The expression of what a task is given."""
        if "runtimeValue" in source:
            inside = _Scope(task, scope)
            return values.constant(
                source["runtimeValue"].get("constant"), kind, lambda name: self.input(name, inside)
            )
        if name := source.get("componentInputParameter") or source.get("componentInputArtifact"):
            found = self.input(str(name), scope)
        else:
            made = source.get("taskOutputParameter") or source.get("taskOutputArtifact") or {}
            key = made.get("outputParameterKey") or made.get("outputArtifactKey")
            found = self.output(str(made.get("producerTask")), str(key))
        selector = source.get("parameterExpressionSelector")
        return values.item(found, selector) if selector else found

    def input(self, name: str, scope: _Scope) -> str:
        """The expression of the input ``name`` of a DAG."""
        if scope.outer is None:
            return name
        iterator = scope.task.get("parameterIterator") or scope.task.get("artifactIterator") or {}
        if scope.loop and iterator.get("itemInput") == name:
            return scope.loop
        inputs = scope.task.get("inputs", {})
        source = (inputs.get("parameters") or {}).get(name) or (inputs.get("artifacts") or {}).get(name)
        if source is None and scope.loop and name.startswith(f"{iterator.get('itemInput')}-subvar-"):
            return f"{scope.loop}.{name.rpartition('-subvar-')[2]}"
        if source is None:
            raise PipelineError(f"nothing gives {name}, which a group of tasks takes", ref=name)
        return self.value(source, "", scope.task, scope.outer)

    def output(self, key: str, output: str) -> str:
        """The expression of the output of a task, or of a group."""
        if key not in self.groups:
            return f'{variable_of(key)}.outputs["{output}"]'
        if (key, output) in self.chosen:
            return self.chosen[key, output]
        inside, loops = self.inner_output(key, output)
        return f"dsl.Collected({inside})" if loops else inside

    def inner_output(self, key: str, output: str) -> tuple[str, bool]:
        """What is inside of a group as its output, and whether a loop makes a list of it."""
        if key not in self.groups or (key, output) in self.chosen:
            return self.output(key, output), False
        component, scope = self.groups[key]
        source = self.outputs(component)[output]
        made = source.get("valueFromParameter") or (source.get("artifactSelectors") or [{}])[0]
        name = made.get("outputParameterKey") or made.get("outputArtifactKey")
        inside, loops = self.inner_output(str(made.get("producerSubtask")), str(name))
        return inside, loops or bool(scope.loop)

    def one_of(self, component: Mapping[str, Any], output: str) -> str:
        """The call that gives the output of the branch that ran."""
        source = self.outputs(component)[output]
        selectors = (
            source.get("valueFromOneof", {}).get("parameterSelectors")
            or source.get("artifactSelectors")
            or ()
        )
        parts = [
            self.output(
                one["producerSubtask"], str(one.get("outputParameterKey") or one.get("outputArtifactKey"))
            )
            for one in selectors
        ]
        return f"dsl.OneOf({', '.join(parts)})"

    def outputs(self, component: Mapping[str, Any]) -> Mapping[str, Any]:
        """The outputs of a DAG, parameters and artifacts."""
        found = component.get("dag", {}).get("outputs", {})
        return {**(found.get("parameters") or {}), **(found.get("artifacts") or {})}

    # -- names ------------------------------------------------------------------------------------------------

    def component(self, task: Mapping[str, Any]) -> Mapping[str, Any]:
        """The component of a task. Raises ``PipelineError`` where it is missing."""
        name = task["componentRef"]["name"]
        found: Mapping[str, Any] | None = self.components.get(name)
        if found is None:
            raise PipelineError(f"the component {name} is missing", ref=name)
        return found

    def numbers(self, key: str, task: Mapping[str, Any]) -> Iterator[Number]:
        """What KFP counted as it made a task, and all that is inside of it."""
        component = self.component(task)
        yield ("group", int(_kind(key)[1])) if "dag" in component else self.counted(key, task)
        for inner_key, inner in component.get("dag", {}).get("tasks", {}).items():
            yield from self.numbers(inner_key, inner)

    def counted(self, key: str, task: Mapping[str, Any]) -> Number:
        """The name that KFP counts tasks by, and the number of this one."""
        call = self.calls.get(task["componentRef"]["name"])
        base = kfp_name(call.function) if call else "importer"
        rest = key.removeprefix(base).lstrip("-")
        return base, int(rest) if rest.isdecimal() else 1


def variable_of(key: str) -> str:
    """The variable of a task."""
    return f"{key.replace('-', '_')}_task"


def _kind(key: str) -> tuple[str, str]:
    """The kind of a group, and its number. Raises ``PipelineError`` for a pipeline that is a task."""
    found = GROUP.fullmatch(key)
    if found is None:
        raise PipelineError(
            f"task {key} is a pipeline inside the pipeline, which a notebook's pipeline cannot have:",
            hint="submit the file as it is",
            ref=key,
        )
    return found[1], found[2]
