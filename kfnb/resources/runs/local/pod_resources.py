"""What a step gets of what it requests (``demands``): variables, mounts, time, cores and GPUs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from kfnb.jobs import system
from kfnb.resources.runs.local.container_engine import engine
from kfnb.resources.runs.local.importer import missing_opener
from kfnb.resources.runs.local.known_values import Known
from kfnb.resources.runs.local.mounts import ProcessMount, possible
from kfnb.resources.runs.local.parameter_text import MISSING
from kfnb.resources.runs.local.placeholder import Context, fill, unfilled
from kfnb.resources.runs.local.pod_requirements import Demands, Mounted, SourceKind, VariableSource
from kfnb.resources.runs.local.spec import (
    ComponentSpec,
    Container,
    DagSpec,
    Importer,
    PipelineSpec,
    PythonProgram,
    TaskSpec,
)
from kfnb.resources.runs.local.step_errors import StepFault
from kfnb.resources.runs.local.value_sources import Constant, Source
from kfnb.secret_store import Secrets, SecretsUnreadable
from kfnb.text.quantity import amount

_CPU = re.compile(r"(\d*\.?\d+)(m?)")

Find: TypeAlias = Callable[[Source], str | None]
"""Looks up a name that settings refer to; None if the setting is left out."""


@dataclass(frozen=True)
class Supply:
    """What one task gets. ``env`` may hold secrets; ``timeout`` in seconds, 0 for none.

    ``explicit``: the pipeline requests the number of cores and GPUs. ``memory`` in bytes is what it requests, 0 for
    nothing, ``gpu`` the model of GPU.
    """

    env: Mapping[str, str] = field(default_factory=dict)
    mounts: tuple[ProcessMount, ...] = ()
    timeout: float = 0.0
    cores: float = 1.0
    gpus: int = 0
    explicit: bool = False
    memory: float = 0.0
    gpu: str = ""


@dataclass(frozen=True)
class Supplier:
    """Supplies tasks from ``secrets``, and from ``volumes``, the folder with the run's volumes."""

    secrets: Secrets
    volumes: Path

    def supply(
        self, program: PythonProgram | Container, find: Find, context: Context, folder: Path
    ) -> Supply:
        """What the task in ``folder`` gets; ``find`` looks up names. Raises ``StepFault`` if it is not available."""
        demands, processes = program.demands, _processes(program)
        resources = demands.resources
        return Supply(
            env=dict(self._variables(demands, find)),
            mounts=tuple(self._mounts(demands, find, folder)),
            timeout=demands.timeout,
            cores=_cores(fill(resources.cpu, context)) if resources.cpu != "" else float(processes or 1),
            gpus=_whole(fill(resources.gpus, context)) if resources.gpus != "" else 0,
            explicit=resources.cpu != "" or resources.gpus != "" or processes > 0,
            memory=amount(fill(resources.memory, context)),
            gpu=resources.gpu,
        )

    def volume(self, name: str) -> Path:
        """The folder of a volume of the run. Raises ``StepFault`` for an invalid name."""
        if not name or Path(name).name != name or name.startswith("."):
            raise StepFault(f"{name!r} is not a valid name of a volume")
        return self.volumes / name

    def _variables(self, demands: Demands, find: Find) -> Iterator[tuple[str, str]]:
        for source in demands.variables:
            name = find(source.name)
            value = None if name is None else self._keys(source, name, source.key).get(source.key)
            if value is not None:
                yield source.variable, value.decode("utf-8", "surrogateescape")

    def _mounts(self, demands: Demands, find: Find, folder: Path) -> Iterator[ProcessMount]:
        for mounted in demands.mounted:
            name = find(mounted.name)
            if mounted.kind in (SourceKind.SECRET, SourceKind.CONFIG):
                if name is not None:
                    yield ProcessMount(mounted.path, files=self._keys(mounted, name))
                continue
            if name is None:
                raise StepFault(f"it mounts a volume at {mounted.path} whose name has no value")
            base = folder / "scratch" / name if mounted.kind is SourceKind.SCRATCH else self.volume(name)
            yield ProcessMount(mounted.path, base / mounted.part)

    def _keys(self, request: VariableSource | Mounted, name: str, key: str = "") -> Mapping[str, bytes]:
        try:
            lacking = self.secrets.lacks(request.kind.value, name, key)
            if lacking and not request.optional:
                raise StepFault(f"it needs {lacking}")
            return self.secrets.find(name) or {}
        except SecretsUnreadable as error:
            raise StepFault(str(error)) from None


def unmet(pipeline: PipelineSpec, arguments: Mapping[str, Any], secrets: Secrets) -> Iterator[str]:
    """Why the pipeline's steps cannot get what they request, as far as that is known before it runs."""
    known = Known(pipeline, arguments)
    for group, step, component in _steps(pipeline):
        program = component.body
        if isinstance(program, Importer):
            for uri in known.values(_address(step, program, component), group):
                opener = missing_opener(str(uri))
                if opener:
                    yield f"{step.name} imports {uri}: {opener}"
        if not isinstance(program, PythonProgram | Container):
            continue
        if isinstance(program, Container):
            yield from _unfit(step, program)
        elif program.demands.mounted and not possible():
            paths = ", ".join(mounted.path for mounted in program.demands.mounted)
            yield f"{step.name} mounts {paths}: this machine does not allow processes to mount (user namespaces)"
        requests: list[VariableSource | Mounted] = [*program.demands.variables, *program.demands.mounted]
        for request in requests:
            if request.kind in (SourceKind.SECRET, SourceKind.CONFIG) and not request.optional:
                yield from _missing(step, request, secrets, known.values(request.name, group))


def _missing(
    step: TaskSpec, request: VariableSource | Mounted, secrets: Secrets, names: Iterable[Any]
) -> Iterator[str]:
    for name in dict.fromkeys(name for name in names if isinstance(name, str)):
        lacking = _lacking(secrets, request, name)
        if lacking:
            yield f"{step.name} needs {lacking}"


def _address(step: TaskSpec, importer: Importer, component: ComponentSpec) -> Source:
    """Where an importer's address comes from."""
    declared = component.parameters.get(importer.parameter)
    default = importer.uri if declared is None or declared.default is MISSING else declared.default
    return step.parameters.get(importer.parameter, Constant(default))


def _unfit(step: TaskSpec, container: Container) -> Iterator[str]:
    if not engine():
        yield f"{step.name} is a container ({container.image}): neither docker nor podman answers here"
    if any(mounted.kind in (SourceKind.SECRET, SourceKind.CONFIG) for mounted in container.demands.mounted):
        yield f"{step.name} is a container that mounts a secret as a folder: only Python steps can"


def request_notes(pipeline: PipelineSpec, cores: int) -> Iterator[str]:
    """Notes on what a pipeline requests and does not get on a machine with ``cores`` cores, a line each."""
    ignored: dict[str, dict[str, None]] = {}
    for step, program in _programs(pipeline):
        for words in program.demands.ignored:
            ignored.setdefault(words, {})[step.name] = None
    if ignored:
        yield f"ignored by local runs: {_by_step(ignored)}"
    for step, program in _programs(pipeline):
        if (processes := _processes(program)) > cores:
            yield f"{step.name} has {processes} processes on {cores} cores: they take turns"
        if processes and program.demands.resources.gpus != "" and not system.gpus():
            yield f"{step.name} requests GPUs, and this machine has none: its processes compute on the CPU"
    left: dict[str, dict[str, None]] = {}
    for step, _ in _programs(pipeline):
        for source in step.parameters.values():
            for words in unfilled(source.value, inputs=True) if isinstance(source, Constant) else ():
                left.setdefault(words, {})[step.name] = None
    if left:
        yield f"placeholders not filled, here or by KFP: {_by_step(left)}"


def _processes(program: PythonProgram | Container) -> int:
    """How many processes a training has; 0 for anything else."""
    return program.processes if isinstance(program, PythonProgram) else 0


def _by_step(found: Mapping[str, Iterable[str]]) -> str:
    return "; ".join(f"{words} ({', '.join(sorted(steps))})" for words, steps in found.items())


def _lacking(secrets: Secrets, request: VariableSource | Mounted, name: str) -> str:
    try:
        return secrets.lacks(
            request.kind.value, name, request.key if isinstance(request, VariableSource) else ""
        )
    except SecretsUnreadable as error:
        return f"the {request.kind.value} {name}: {error}"


def _programs(pipeline: PipelineSpec) -> Iterator[tuple[TaskSpec, PythonProgram | Container]]:
    """All steps that are programs or containers."""
    for _, step, component in _steps(pipeline):
        if isinstance(component.body, PythonProgram | Container):
            yield step, component.body


def _steps(pipeline: PipelineSpec) -> Iterator[tuple[ComponentSpec, TaskSpec, ComponentSpec]]:
    """All steps, each with its group and the component that it runs."""
    for group in (pipeline.root, *pipeline.components.values()):
        for step in group.body.steps.values() if isinstance(group.body, DagSpec) else ():
            component = pipeline.components.get(step.component)
            if component is not None:
                yield group, step, component


def _cores(value: Any) -> float:
    found = _CPU.fullmatch(str(value).strip())
    if found is None:
        raise StepFault(f"it requests {value!r} CPUs, which is not a number of CPUs (use 2, 0.5 or 500m)")
    return float(found[1]) / (1000 if found[2] else 1)


def _whole(value: Any) -> int:
    try:
        return int(float(value))
    except (TypeError, ValueError):
        raise StepFault(f"it requests {value!r} GPUs, which is not a number") from None
