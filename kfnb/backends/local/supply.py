"""What a step gets of what it asks for (``demands``): variables, mounts, time, and how much room it takes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kfnb.backends.local.container_engine import engine
from kfnb.backends.local.demands import Demands, Kind, Mounted, Variable
from kfnb.backends.local.faults import StepFault
from kfnb.backends.local.mounts import Mount, possible
from kfnb.backends.local.placeholder import Context, fill, unfilled
from kfnb.backends.local.secret_store import Secrets
from kfnb.backends.local.sources import Constant, FromInput, Source
from kfnb.backends.local.spec import Container, Dag, Pipeline, Program, Step
from kfnb.backends.local.values import MISSING

_CPU = re.compile(r"(\d*\.?\d+)(m?)")


@dataclass(frozen=True)
class Supply:
    """What one task gets. ``env`` may hold secrets; ``timeout`` in seconds, 0 for none."""

    env: Mapping[str, str] = field(default_factory=dict)
    mounts: tuple[Mount, ...] = ()
    timeout: float = 0.0
    cores: float = 1.0
    gpus: int = 0


@dataclass(frozen=True)
class Supplier:
    """Supplies tasks from ``secrets``, and from ``volumes``, the folder that holds the run's own volumes."""

    secrets: Secrets
    volumes: Path

    def supply(
        self, demands: Demands, find: Callable[[Source], Any], context: Context, folder: Path
    ) -> Supply:
        """What a task with its own ``folder`` gets; ``find`` looks up names. Raises ``StepFault``: not to be had."""
        resources = demands.resources
        return Supply(
            env=dict(self._variables(demands, find)),
            mounts=tuple(self._mounts(demands, find, folder)),
            timeout=demands.timeout,
            cores=_cores(fill(resources.cpu, context)) if resources.cpu != "" else 1.0,
            gpus=_whole(fill(resources.gpus, context)) if resources.gpus != "" else 0,
        )

    def volume(self, name: str) -> Path:
        """The folder of a volume of the run. Raises ``StepFault`` for what is no name."""
        if not name or Path(name).name != name or name.startswith("."):
            raise StepFault(f"{name!r} is no name of a volume")
        return self.volumes / name

    def _variables(self, demands: Demands, find: Callable[[Source], Any]) -> Iterator[tuple[str, str]]:
        for asked in demands.variables:
            value = self._keys(asked, find, asked.key).get(asked.key)
            if value is not None:
                yield asked.variable, value.decode("utf-8", "surrogateescape")

    def _mounts(self, demands: Demands, find: Callable[[Source], Any], folder: Path) -> Iterator[Mount]:
        for asked in demands.mounted:
            if asked.kind in (Kind.SECRET, Kind.CONFIG):
                yield Mount(asked.path, files=self._keys(asked, find))
                continue
            name = str(find(asked.name))
            base = folder / "scratch" / name if asked.kind is Kind.SCRATCH else self.volume(name)
            yield Mount(asked.path, base / asked.part)

    def _keys(
        self, asked: Variable | Mounted, find: Callable[[Source], Any], key: str = ""
    ) -> Mapping[str, bytes]:
        name = str(find(asked.name))
        lacking = self.secrets.lacks(asked.kind.value, name, key)
        if lacking and not asked.optional:
            raise StepFault(f"it needs {lacking}")
        return self.secrets.find(name) or {}


def unmet(pipeline: Pipeline, arguments: Mapping[str, Any], secrets: Secrets) -> Iterator[str]:
    """Why the pipeline's steps cannot get what they ask for, as far as that can be told before it runs."""
    for step, program, at_root in _programs(pipeline):
        if isinstance(program, Container):
            yield from _unfit(step, program)
        elif program.demands.mounted and not possible():
            paths = ", ".join(mounted.path for mounted in program.demands.mounted)
            yield f"{step.name} mounts {paths}: this machine does not let a process mount (user namespaces)"
        asking: list[Variable | Mounted] = [*program.demands.variables, *program.demands.mounted]
        for asked in asking:
            name = _known(pipeline, asked.name, arguments if at_root else None)
            if isinstance(name, str) and asked.kind in (Kind.SECRET, Kind.CONFIG) and not asked.optional:
                lacking = _lacking(secrets, asked, name)
                if lacking:
                    yield f"{step.name} needs {lacking}"


def _unfit(step: Step, container: Container) -> Iterator[str]:
    if not engine():
        yield f"{step.name} is a container ({container.image}), and neither docker nor podman answers here"
    if any(mounted.kind in (Kind.SECRET, Kind.CONFIG) for mounted in container.demands.mounted):
        yield f"{step.name} is a container that mounts a secret as a folder, which is for Python steps alone"


def said(pipeline: Pipeline) -> Iterator[str]:
    """What the user should know of a pipeline that asks for what it does not get, a line each."""
    asking: dict[str, dict[str, None]] = {}
    for step, program, _ in _programs(pipeline):
        for words in program.demands.ignored:
            asking.setdefault(words, {})[step.name] = None
    if asking:
        yield f"without effect on this one machine: {_by_step(asking)}"
    left: dict[str, dict[str, None]] = {}
    for step, _, _ in _programs(pipeline):
        for source in step.parameters.values():
            for words in unfilled(source.value, inputs=True) if isinstance(source, Constant) else ():
                left.setdefault(words, {})[step.name] = None
    if left:
        yield f"not filled, here or by KFP: {_by_step(left)}"


def _by_step(asking: Mapping[str, Iterable[str]]) -> str:
    return "; ".join(f"{words} ({', '.join(sorted(steps))})" for words, steps in asking.items())


def _lacking(secrets: Secrets, asked: Variable | Mounted, name: str) -> str:
    try:
        return secrets.lacks(asked.kind.value, name, asked.key if isinstance(asked, Variable) else "")
    except StepFault as fault:
        return f"the {asked.kind.value} {name}: {fault}"


def _known(pipeline: Pipeline, name: Source, arguments: Mapping[str, Any] | None) -> Any:
    """The name that ``name`` will be, as far as that is known: ``arguments`` are the run's, at its root."""
    if isinstance(name, Constant):
        return name.value
    if arguments is None or not isinstance(name, FromInput) or name.path:
        return MISSING
    declared = pipeline.root.parameters.get(name.name)
    return arguments.get(name.name, declared.default if declared else MISSING)


def _programs(pipeline: Pipeline) -> Iterator[tuple[Step, Program | Container, bool]]:
    """Each step that is a program or a container, and whether it stands at the pipeline's root."""
    for component in (pipeline.root, *pipeline.components.values()):
        for step in component.body.steps.values() if isinstance(component.body, Dag) else ():
            known = pipeline.components.get(step.component)
            if known is not None and isinstance(known.body, Program | Container):
                yield step, known.body, component is pipeline.root


def _cores(value: Any) -> float:
    found = _CPU.fullmatch(str(value).strip())
    if found is None:
        raise StepFault(f"it asks for {value!r} as its CPUs: write 2, 0.5 or 500m")
    return float(found[1]) / (1000 if found[2] else 1)


def _whole(value: Any) -> int:
    try:
        return int(float(value))
    except (TypeError, ValueError):
        raise StepFault(f"it asks for {value!r} as its number of GPUs") from None
