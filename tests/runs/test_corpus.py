"""The corpus of pipelines: the local engine ends each as KFP's driver and launcher would, and did on a cluster."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from corpus import CORPUS, Case, canonical, content
from launcher import Execution, Reference
from local_runs import submission, wait
from record_corpus import recorded

from kfnb.entities import Artifact, RunSnapshot, RunState, Task
from kfnb.resources.runs.local import LocalRunEngine


def reference(spec: dict[str, Any], arguments: dict[str, Any], folder: Path) -> RunSnapshot:
    """The run that ``Reference`` makes, with values as kfnb shows them: numbers of the declared types."""
    ran = Reference(spec, arguments, folder)
    result = {
        name: _shown(value, kind) for name, value, kind in _declared(ran.result, spec["root"], "output")
    }
    return RunSnapshot(
        "reference", "", "", "kfp", RunState(ran.state),
        tasks=tuple(_task(path, execution) for path, execution in ran.tasks.items()),
        result=result,
    )  # fmt: skip


def _task(path: str, execution: Execution) -> Task:
    group = bool(execution.dag)
    ran = execution.state != "SKIPPED" and execution.prepared and not group
    inputs = {**execution.parameters, **execution.received, **execution.artifacts}
    made = {**execution.outputs, **execution.made} if execution.state == "SUCCEEDED" else {}
    outputs = {name: _shown(value, kind) for name, value, kind in _declared(made, execution.spec, "output")}
    return Task(
        id=path,
        name=path.rpartition("/")[2],
        state=RunState(execution.state),
        group=group,
        inputs={
            name: _shown(value, kind, name)
            for name, value, kind in (_declared(inputs, execution.spec, "input") if ran else ())
        },
        outputs=outputs,
        metrics={
            name: float(value)
            for one in outputs.values()
            if isinstance(one, Artifact) and one.type == "system.Metrics"
            for name, value in one.metadata.items()
            if isinstance(value, int | float)
        },
    )


def _declared(values: dict[str, Any], spec: dict[str, Any], way: str) -> Iterator[tuple[str, Any, Any]]:
    """The values that a component declares, those without one by their defaults, with what it declares of each."""
    declared = spec.get(f"{way}Definitions", {})
    for name, item in declared.get("parameters", {}).items():
        value = values.get(name, item.get("defaultValue") if values or way == "input" else None)
        if value is not None:
            yield name, value, item["parameterType"]
    for name, item in declared.get("artifacts", {}).items():
        if name in values:
            yield name, values[name], item


def _shown(value: Any, kind: Any, name: str = "") -> Any:
    if isinstance(kind, dict):
        found = [
            Artifact(
                name or one["name"],
                one["type"]["schemaTitle"],
                one["uri"],
                {key: _unwrapped(item) for key, item in one["metadata"].items()},
            )
            for one in value
        ]
        return found if kind.get("isArtifactList") else found[0]
    return float(value) if kind == "NUMBER_DOUBLE" else int(value) if kind == "NUMBER_INTEGER" else value


def _unwrapped(value: Any) -> Any:
    return next(iter(value.values())) if isinstance(value, dict) else value


@dataclass(frozen=True)
class Ended:
    """A pipeline of the corpus, and how it ended on the local engine; ``arguments`` are what it was given."""

    name: str
    case: Case
    arguments: dict[str, Any]
    run: RunSnapshot

    @property
    def told(self) -> str:
        """What ``canonical`` says, with the names of arguments for files."""
        told = canonical(self.run, content)
        for argument in self.case.files:
            told = told.replace(json.dumps(self.arguments[argument]), json.dumps(f"<{argument}>"))
        return told


@pytest.fixture(scope="module", params=CORPUS)
def ended(request, tmp_path_factory):
    name, folder = request.param, tmp_path_factory.mktemp("corpus")
    case = CORPUS[name]()
    files = {argument: folder / argument for argument in case.files}
    for argument, file in files.items():
        file.write_text(case.files[argument])
    arguments = {**case.arguments, **{argument: str(file) for argument, file in files.items()}}
    backend = LocalRunEngine(folder / "home", jobs=4)
    run = wait(backend, backend.submit(submission(case.spec, folder, **arguments)), seconds=120)
    return Ended(name, case, arguments, run)


def test_a_pipeline_ends_as_kfps_driver_and_launcher_would_end_it(ended, tmp_path):
    there = reference(ended.case.spec, ended.arguments, tmp_path)

    assert json.loads(canonical(ended.run, content)) == json.loads(canonical(there, content)), ended.run.error
    assert canonical(ended.run, content) == canonical(there, content)  # 1 is not 1.0


def test_a_pipeline_ends_as_it_ended_on_a_real_cluster(ended):
    here, there = json.loads(ended.told), recorded()[ended.name]
    for name, task in here["tasks"].items():
        if name.rpartition("/")[2].startswith("importer"):
            task["inputs"] = {}  # KFP does not record an importer's

    assert here == there, ended.run.error
    assert json.dumps(here, sort_keys=True) == json.dumps(there, sort_keys=True)  # 1 is not 1.0


def test_the_corpus_is_as_large_as_it_should_be():
    assert len(CORPUS) >= 20
