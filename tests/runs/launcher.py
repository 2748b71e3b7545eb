"""A reference for what a compiled pipeline means: KFP's driver and launcher, retold in the plainest way.

Written from the sources of KFP 2.17 (``backend/src/v2/driver`` and ``component/launcher_v2.go``), and with nothing of
kfnb's: tasks run one after the other, values go through protobuf's own ``Value`` and its JSON, a step's command runs
as the launcher would run it, in a plain process. In place of the object store there is a folder.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf import json_format, struct_pb2

Json = dict[str, Any]
SUCCEEDED, FAILED, SKIPPED = "SUCCEEDED", "FAILED", "SKIPPED"


class Refused(Exception):
    """The driver or the launcher cannot go on with a task."""


@dataclass
class Execution:
    """What ML Metadata knows of a task: of a DAG the executions within, of a loop those of its iterations.

    ``received`` are a step's parameters as they reached its program, with texts filled. One that is not ``prepared``
    is none that ML Metadata knows: its driver failed.
    """

    spec: Json
    parameters: Json = field(default_factory=dict)
    artifacts: dict[str, list[Json]] = field(default_factory=dict)
    received: Json = field(default_factory=dict)
    state: str = SUCCEEDED
    prepared: bool = True
    outputs: Json = field(default_factory=dict)
    made: dict[str, list[Json]] = field(default_factory=dict)
    tasks: dict[str, "Execution"] = field(default_factory=dict)
    iterations: list["Execution"] | None = None

    @property
    def dag(self) -> Json:
        return self.spec.get("dag", {})


def through_protobuf(value: Any) -> Any:
    """A value as it is once protobuf has held it and JSON has been written of it."""
    return json.loads(json_text(value))


def json_text(value: Any) -> str:
    """As protobuf's JSON: numbers are doubles, keys are in order."""
    held = json_format.ParseDict(value, struct_pb2.Value())
    return json.dumps(_digits(json_format.MessageToDict(held)), sort_keys=True, separators=(",", ":"))


def _digits(value: Any) -> Any:
    """Numbers without exponents below 1e21, as Go writes them; Python would write one from 1e16 on."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return int(value)
    if isinstance(value, list):
        return [_digits(item) for item in value]
    return {name: _digits(item) for name, item in value.items()} if isinstance(value, dict) else value


def text_of(value: Any) -> str:
    """``PbValueToText``."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:f}".rstrip("0").rstrip(".") if abs(value) > 1e-5 else f"{value:.20f}".rstrip("0")
    told = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return told.replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026")


_TYPES = {
    "NUMBER_INTEGER": (int, float),
    "NUMBER_DOUBLE": (int, float),
    "BOOLEAN": (bool,),
    "LIST": (list,),
    "STRUCT": (dict,),
    "TASK_FINAL_STATUS": (dict,),
}


class Reference:
    """Runs a PipelineSpec in ``folder``. ``tasks`` are the executions by the ids that kfnb gives tasks."""

    def __init__(self, spec: Json, arguments: Json, folder: Path) -> None:
        self._components = spec.get("components", {})
        self._executors = spec.get("deploymentSpec", {}).get("executors", {})
        self._folder = folder
        self.tasks: dict[str, Execution] = {}
        root = Execution(spec["root"])
        for name, item in root.spec.get("inputDefinitions", {}).get("parameters", {}).items():
            given = arguments.get(name, item.get("defaultValue"))
            root.parameters[name] = through_protobuf(given)
        self.state = self._dag(root, "")
        chosen = root.dag.get("outputs", {}) if self.state == SUCCEEDED else {}
        self.result = {name: self._descend(root, name) for name in chosen.get("parameters", {})}
        self.result |= {name: self._descend(root, name, made=True) for name in chosen.get("artifacts", {})}

    # DAGs

    def _dag(self, dag: Execution, prefix: str) -> str:
        left = dict(dag.dag["tasks"])
        while left:
            name = next(one for one in left if not set(left[one].get("dependentTasks", ())) & set(left))
            dag.tasks[name] = self._task(dag, name, left.pop(name), prefix)
        return FAILED if any(task.state == FAILED for task in dag.tasks.values()) else SUCCEEDED

    def _task(self, dag: Execution, name: str, task: Json, prefix: str) -> Execution:
        made = self.tasks[prefix + name] = Execution(self._components[task["componentRef"]["name"]])
        trigger = task.get("triggerPolicy", {})
        before = [dag.tasks[one].state for one in task.get("dependentTasks", ())]
        anyway = trigger.get("strategy") == "ALL_UPSTREAM_TASKS_COMPLETED"  # a hook of Argo's: of what ran
        if set(before) - {SUCCEEDED} - ({FAILED} if anyway else set()):
            return self._skip(made, prefix + name, loop="parameterIterator" in task)
        try:
            self._resolve(dag, made, task)
        except Refused:
            made.state, made.prepared = FAILED, False
            return made
        try:
            if "condition" in trigger and not _holds(trigger["condition"], made.parameters):
                return self._skip(made, prefix + name, loop="parameterIterator" in task)
            if "parameterIterator" in task:
                self._loop(made, task["parameterIterator"], f"{prefix}{name}/")
            elif made.dag:
                made.state = self._dag(made, f"{prefix}{name}/")
            else:
                self._leaf(made, prefix + name, task)
        except Refused:
            made.state = FAILED
        return made

    def _skip(self, execution: Execution, path: str, *, loop: bool) -> Execution:
        execution.state = SKIPPED
        for name, task in {} if loop else execution.dag.get("tasks", {}).items():
            inner = self.tasks[f"{path}/{name}"] = Execution(self._components[task["componentRef"]["name"]])
            self._skip(inner, f"{path}/{name}", loop="parameterIterator" in task)
        return execution

    def _loop(self, head: Execution, iterator: Json, prefix: str) -> None:
        items, item = iterator["items"], iterator["itemInput"]
        values = json.loads(items["raw"]) if "raw" in items else head.parameters[items["inputParameter"]]
        values = json.loads(values) if isinstance(values, str) else values
        head.iterations = []
        for index, value in enumerate(through_protobuf(values)):
            turn = Execution(head.spec, {**head.parameters, item: value}, dict(head.artifacts))
            head.iterations.append(turn)
            try:
                self._convert(turn)
                turn.state = self._dag(turn, f"{prefix}{index}/")
            except Refused:
                turn.state = FAILED
        head.state = FAILED if any(turn.state == FAILED for turn in head.iterations) else SUCCEEDED

    # inputs: resolveInputs

    def _resolve(self, dag: Execution, into: Execution, task: Json) -> None:
        inputs = task.get("inputs", {})
        declared = into.spec.get("inputDefinitions", {}).get("parameters", {})
        for name, item in declared.items() if into.dag else ():
            if name not in inputs.get("parameters", {}) and item.get("isOptional"):
                into.parameters[name] = through_protobuf(item.get("defaultValue"))
        for name, source in inputs.get("parameters", {}).items():
            value = self._parameter(dag, source, task)
            if value is None and "taskOutputParameter" in source:
                value = _nothing(name, declared.get(name, {}))
            if value is None:
                if not declared.get(name, {}).get("isOptional"):
                    raise Refused(f"{name} is null")
                continue
            into.parameters[name] = value
        for name, source in inputs.get("artifacts", {}).items():
            given = self._artifacts(dag, source)
            if given is not None:  # else an optional one that nobody gave
                into.artifacts[name] = given
        for name, source in inputs.get("parameters", {}).items():
            if "parameterExpressionSelector" in source:
                into.parameters[name] = _selected(
                    into.parameters[name], source["parameterExpressionSelector"]
                )
        self._convert(into)

    def _convert(self, execution: Execution) -> None:
        """``handleParamTypeValidationAndConversion``."""
        for name, item in execution.spec.get("inputDefinitions", {}).get("parameters", {}).items():
            value = execution.parameters.get(name)
            if value is None:
                missing = name not in execution.parameters and "defaultValue" not in item
                looped = name.endswith(("-loop-item",)) or "loop-item-param" in name
                if missing and not item.get("isOptional") and not looped:
                    raise Refused(f"neither value nor default value provided for {name}")
            elif item["parameterType"] == "STRING":
                execution.parameters[name] = text_of(value)
            else:
                types = _TYPES[item["parameterType"]]
                if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
                    raise Refused(f"input parameter {name} type mismatch")

    def _parameter(self, dag: Execution, source: Json, task: Json) -> Any:
        if "componentInputParameter" in source:
            return dag.parameters.get(source["componentInputParameter"])
        if "taskOutputParameter" in source:
            one = source["taskOutputParameter"]
            return self._upstream(dag, one["producerTask"], one["outputParameterKey"])
        if "taskFinalStatus" in source:
            name = task["dependentTasks"][0]
            states = {SUCCEEDED: "COMPLETE", FAILED: "FAILED"}
            return {
                "state": states[dag.tasks[name].state],
                "pipelineTaskName": name,
                "pipelineJobResourceName": "reference",
                "error": {},
            }
        return through_protobuf(source["runtimeValue"]["constant"])

    def _artifacts(self, dag: Execution, source: Json) -> list[Json] | None:
        if "componentInputArtifact" in source:
            return dag.artifacts.get(source["componentInputArtifact"])
        one = source["taskOutputArtifact"]
        made: list[Json] | None = self._upstream(
            dag, one["producerTask"], one["outputArtifactKey"], made=True
        )
        if made is None:
            raise Refused(f"cannot find output artifact key {one['outputArtifactKey']}")
        return made

    # outputs of upstream tasks: resolveUpstreamParameters, resolveUpstreamArtifacts, CollectInputs

    def _upstream(self, dag: Execution, producer: str, key: str, *, made: bool = False) -> Any:
        return self._descend(dag.tasks[producer], key, made=made)

    def _descend(self, current: Execution, key: str, *, made: bool = False) -> Any:
        while current.dag:
            if current.iterations is not None:
                return self._collected(current, key, made=made)
            producer, key = _producer(current, key, made=made)
            current = current.tasks[producer]
        return (current.made if made else current.outputs).get(key)

    def _collected(self, head: Execution, key: str, *, made: bool) -> list[Any]:
        """Every output that lies within a loop, breadth first, in one list."""
        queue, found = [(head, key)], []
        while queue:
            current, key = queue.pop(0)
            if not current.dag:
                given = (current.made if made else current.outputs)[key]
                found += given if made else [given]
            elif current.iterations is not None:
                queue += [(turn, key) for turn in current.iterations]
            else:
                producer, inner = _producer(current, key, made=made)
                queue.append((current.tasks[producer], inner))
        return found

    # steps

    def _leaf(self, task: Execution, path: str, spec: Json) -> None:
        executor = self._executors[task.spec["executorLabel"]]
        if "importer" in executor:
            self._import(task, executor["importer"])
            return
        for attempt in range(1 + int(spec.get("retryPolicy", {}).get("maxRetryCount", 0))):
            try:
                self._launch(task, executor["container"], self._folder / path / str(attempt))
                return
            except Refused as refused:
                last = refused
        raise last

    def _import(self, task: Execution, importer: Json) -> None:
        uri = importer["artifactUri"]
        address = task.parameters[uri["runtimeParameter"]] if "runtimeParameter" in uri else uri["constant"]
        for name in task.spec["outputDefinitions"]["artifacts"]:
            task.made[name] = [
                self._recorded(name, importer["typeSchema"], address, importer.get("metadata", {}))
            ]

    def _recorded(self, name: str, kind: Json, uri: str, metadata: Json) -> Json:
        """An artifact as ML Metadata has it: truth values are integers, lists and structures are wrapped."""
        kept = {}
        for key, value in through_protobuf(metadata).items():
            if isinstance(value, bool):
                kept[key] = int(value)
            elif isinstance(value, list | dict):
                kept[key] = {"list" if isinstance(value, list) else "struct": value}
            elif value is None:
                raise Refused(f"unknown/unsupported value type of {key}")
            else:
                kept[key] = value
        return {"name": name, "type": kind, "uri": uri, "metadata": kept}

    def _launch(self, task: Execution, container: Json, folder: Path) -> None:
        declared = task.spec.get("outputDefinitions", {})
        folder.mkdir(parents=True)
        planned = {
            name: {"name": name, "type": item["artifactType"], "uri": str(folder / name)}
            for name, item in declared.get("artifacts", {}).items()
        }
        told = {
            "inputs": {
                "parameterValues": task.parameters,
                "artifacts": {name: {"artifacts": _told(given)} for name, given in task.artifacts.items()},
            },
            "outputs": {
                "parameters": {
                    name: {"outputFile": str(folder / "parameters" / name)}
                    for name in declared.get("parameters", {})
                },
                "artifacts": {name: {"artifacts": [one]} for name, one in planned.items()},
                "outputFile": str(folder / "executor_output.json"),
            },
        }
        (folder / "parameters").mkdir()
        words = list(_placeholders(task, told["outputs"]))
        command = [*container["command"], *(_filled(word, told, words) for word in container["args"])]
        task.received = json.loads(_filled("{{$}}", told, words))["inputs"]["parameterValues"]
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=folder, env={**os.environ, "PATH": path}, check=False
        )
        if done.returncode:
            raise Refused(done.stderr[-2000:])
        self._read(task, folder, planned)

    def _read(self, task: Execution, folder: Path, planned: dict[str, Json]) -> None:
        file = folder / "executor_output.json"
        output = through_protobuf(json.loads(file.read_text())) if file.exists() else {}
        given = output.get("parameterValues", {})
        for name, item in task.spec.get("outputDefinitions", {}).get("parameters", {}).items():
            if name in given:
                task.outputs[name] = given[name]
                continue
            try:
                task.outputs[name] = _read_text(
                    (folder / "parameters" / name).read_text(), item["parameterType"]
                )
            except (OSError, ValueError, KeyError) as error:
                raise Refused(f"failed to read output parameter {name}: {error}") from None
        for name, one in planned.items():
            merged = dict(one)
            for told in output.get("artifacts", {}).get(name, {}).get("artifacts", [])[:1]:
                merged |= {"uri": told.get("uri") or one["uri"], "metadata": told.get("metadata", {})}
            task.made[name] = [self._recorded(name, one["type"], merged["uri"], merged.get("metadata", {}))]


def _told(artifacts: list[Json]) -> list[Json]:
    """``toRuntimeArtifact``: without their type."""
    return [{key: value for key, value in one.items() if key != "type"} for one in artifacts]


def _nothing(name: str, declared: Json) -> str:
    """What becomes of an output that is not there: in Go it is nil, which as text is empty."""
    if declared.get("parameterType") != "STRING":
        raise Refused(f"parameter {name} has unknown protobuf.Value type: <nil>")
    return ""


def _producer(dag: Execution, key: str, *, made: bool) -> tuple[str, str]:
    """``GetProducerTask``: of several, the first that is complete."""
    outputs = dag.dag["outputs"]
    if made:
        choices = outputs["artifacts"][key]["artifactSelectors"]
    elif "valueFromParameter" in outputs["parameters"][key]:
        choices = [outputs["parameters"][key]["valueFromParameter"]]
    else:
        choices = outputs["parameters"][key]["valueFromOneof"]["parameterSelectors"]
    done = [one for one in choices if dag.tasks[one["producerSubtask"]].state == SUCCEEDED]
    if len(choices) > 1 and not done:
        raise Refused(f"no successful task found for {key}")
    one = done[0] if len(choices) > 1 else choices[0]
    return one["producerSubtask"], one["outputArtifactKey" if made else "outputParameterKey"]


def _selected(value: Any, selector: str) -> Any:
    value = json.loads(value) if isinstance(value, str) else value
    for quoted, index in re.findall(r"""\[(?:["']([^"']*)["']|(\d+))\]""", selector):
        value = value[int(index)] if index else value[quoted]
    return value


def _holds(condition: str, parameters: Mapping[str, Any]) -> bool:
    """A CEL condition, which Python's own operators mean the same as."""
    told = (
        condition.replace("inputs.parameter_values", "_values").replace("&&", " and ").replace("||", " or ")
    )
    told = re.sub(r"!(?!=)", " not ", told)
    names = {"_values": parameters, "true": True, "false": False, "int": int, "double": float}
    return bool(eval(told, {"__builtins__": {}}, names))


def _placeholders(task: Execution, outputs: Json) -> Iterator[tuple[str, str]]:
    defaults = task.spec.get("inputDefinitions", {}).get("parameters", {})
    given = {name: item["defaultValue"] for name, item in defaults.items() if "defaultValue" in item}
    for name, value in {**given, **task.parameters}.items():
        yield f"{{{{$.inputs.parameters['{name}']}}}}", text_of(through_protobuf(value))
    for name, artifacts in task.artifacts.items():
        for key in ("uri", "path") if artifacts else ():
            yield f"{{{{$.inputs.artifacts['{name}'].{key}}}}}", artifacts[0]["uri"]
    for name, one in outputs["artifacts"].items():
        for key in ("uri", "path"):
            yield f"{{{{$.outputs.artifacts['{name}'].{key}}}}}", one["artifacts"][0]["uri"]
    for name, one in outputs["parameters"].items():
        yield f"{{{{$.outputs.parameters['{name}'].output_file}}}}", one["outputFile"]


def _filled(word: str, told: Json, words: list[tuple[str, str]]) -> str:
    """``compileCmdAndArgs``: plain replacement, in the JSON of the executor's input too."""
    word = word.replace("{{$}}", json_text(told))
    for placeholder, value in words:
        word = word.replace(placeholder, value)
    return word


def _read_text(text: str, kind: str) -> Any:
    """``TextToPbValue``."""
    if kind == "STRING":
        return text
    if kind == "NUMBER_INTEGER":
        return through_protobuf(int(text.strip()))
    if kind == "NUMBER_DOUBLE":
        return through_protobuf(float(text.strip()))
    if kind == "BOOLEAN":
        return {"1": True, "t": True, "true": True, "True": True, "0": False, "false": False, "False": False}[
            text.strip()
        ]
    return through_protobuf(json.loads(text))
