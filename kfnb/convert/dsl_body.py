"""The body of a compiled pipeline, as KFP's DSL: tasks, loops, conditions, exit handlers, and what they pass."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kfnb.convert import values
from kfnb.convert.dsl_values import DslValues, Scope, variable_of
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


class DslBody(DslValues):
    """The writer of a body. ``calls`` has the call of each component that has an executor."""

    def __init__(self, spec: Mapping[str, Any], calls: Mapping[str, Call]) -> None:
        super().__init__(spec)
        self.executors: Mapping[str, Any] = spec.get("deploymentSpec", {}).get("executors", {})
        self.own_importers = {label for label, _ in importers(spec)}
        self.calls = calls
        self.root: Mapping[str, Any] = spec["root"]
        self.given: dict[tuple[str, str], list[str]] = {}
        """The expressions that each input of a function is given."""
        self.top_level: list[tuple[str, str]] = []
        """The tasks outside of groups in order, each with its component."""

    def lines(self) -> list[str]:
        """The statements of the body."""
        return list(self.block(self.root, Scope({}, None), ""))

    # -- statements -------------------------------------------------------------------------------------------

    def block(self, component: Mapping[str, Any], scope: Scope, by: str) -> Iterator[str]:
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
        self, key: str, task: Mapping[str, Any], component: Mapping[str, Any], scope: Scope, by: str
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
        settings += [f"after({self.waited(one)})" for one in self.awaited(task)]
        yield from (f"{by}{variable}.{one}" for one in settings)

    def group(
        self, key: str, task: Mapping[str, Any], component: Mapping[str, Any], scope: Scope, by: str
    ) -> Iterator[str]:
        """The statements of a loop, a condition or an exit handler."""
        kind, number = _kind(key)
        loop = f"item_{number}" if kind == "for-loop" else ""
        inner = Scope(task, scope, loop)
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

    def branches(self, key: str, component: Mapping[str, Any], scope: Scope, by: str) -> Iterator[str]:
        """If, Elif and Else: a branch's condition begins with those of the branches before it, negated."""
        before: list[str] = []
        tasks: Mapping[str, Any] = component["dag"]["tasks"]
        for one in in_order(tasks, self.numbers):
            task = tasks[one]
            text = str(task["triggerPolicy"]["condition"])
            negated = " && ".join(f"!({other})" for other in before)
            own = text.removeprefix(f"{negated} && ") if negated else text
            inner = Scope(task, scope)
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

    def condition(self, text: str, scope: Scope) -> str:
        """A comparison."""
        return values.condition(text, lambda name: self.input(name, scope))

    def loop(self, task: Mapping[str, Any], scope: Scope) -> str:
        """The call that begins a loop."""
        iterator = task.get("parameterIterator") or task.get("artifactIterator") or {}
        items = iterator.get("items", {})
        name = items.get("inputParameter") or items.get("inputArtifact")
        over = self.input(name, Scope(task, scope)) if name else repr(json.loads(items["raw"]))
        limit = task.get("iteratorPolicy", {}).get("parallelismLimit")
        return f"dsl.ParallelFor({over}, parallelism={limit})" if limit else f"dsl.ParallelFor({over})"

    def exit_task(self, handler: str) -> str:
        """The key of the task that an exit handler runs at its end."""
        for key, task in self.root["dag"]["tasks"].items():
            if exits(task) and handler in task["dependentTasks"]:
                return str(key)
        raise PipelineError(f"{handler} has no exit task", ref=handler)

    def arguments(
        self, task: Mapping[str, Any], component: Mapping[str, Any], call: Call, scope: Scope
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

    def importer(self, importer: Mapping[str, Any], task: Mapping[str, Any], scope: Scope) -> str:
        """The call of an importer."""
        uri = importer.get("artifactUri", {})
        constant = uri.get("constant")
        given = (task.get("inputs", {}).get("parameters") or {}).get("uri")
        address = self.value(given, "STRING", task, scope) if given else repr(constant)
        kind = str(importer.get("typeSchema", {}).get("schemaTitle", "system.Artifact")).rpartition(".")[2]
        more = f", reimport={bool(importer.get('reimport', False))}"
        more += f", metadata={importer['metadata']!r}" if importer.get("metadata") else ""
        return f"dsl.importer(artifact_uri={address}, artifact_class=dsl.{kind}{more})"

    def awaited(self, task: Mapping[str, Any]) -> list[str]:
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

    # -- names -----------------------------------------------------------------------------------------------

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


def _kind(key: str) -> tuple[str, str]:
    """The kind of a group, and its number. Raises ``PipelineError`` for a pipeline that is a task."""
    found = GROUP.fullmatch(key)
    if found is None:
        raise PipelineError(
            f"task {key} is a pipeline inside the pipeline, which a notebook's pipeline cannot have:",
            hint="submit the file unchanged",
            ref=key,
        )
    return found[1], found[2]
