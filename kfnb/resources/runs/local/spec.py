"""The PipelineSpec in types: components, tasks, and where each input's value comes from.

``spec_reader`` creates these from JSON; the rest of the engine uses nothing else of a spec.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kfnb.resources.runs.local.parameter_text import MISSING
from kfnb.resources.runs.local.pod_requirements import Demands
from kfnb.resources.runs.local.value_sources import FromTask, Source
from kfnb.resources.runs.step_code import code_digest
from kfnb.text.ranks import processes_of


@dataclass(frozen=True)
class ParameterSpec:
    """A component's parameter. ``type`` is KFP's name (``NUMBER_INTEGER``), ``default`` is MISSING if there is none."""

    type: str
    default: Any = MISSING
    optional: bool = False


@dataclass(frozen=True)
class ArtifactPort:
    """A component's artifact input or output. ``type`` is the schema title (``system.Dataset``)."""

    type: str
    optional: bool = False
    many: bool = False


@dataclass(frozen=True)
class LoopSpec:
    """A ParallelFor: ``item`` is the input that gets one of ``items`` in each iteration.

    ``items`` is a list in the spec or the name of the input that holds it; ``limit`` 0 means unlimited.
    """

    item: str
    items: list[Any] | str
    artifacts: bool = False
    limit: int = 0


@dataclass(frozen=True)
class Retries:
    """How often a failed task is retried, how many seconds later, and for how many seconds in total."""

    count: int = 0
    wait: float = 0.0
    factor: float = 2.0
    longest: float = 3600.0

    def pause(self, attempt: int, since: float) -> float | None:
        """Seconds between the failure of ``attempt`` (from 1) and the next attempt; None if there is no other.

        ``since`` is the seconds since the first attempt began: ``longest`` limits all attempts together.
        """
        pause = self.wait * self.factor ** (attempt - 1)
        return pause if attempt <= self.count and since + pause <= self.longest else None


@dataclass(frozen=True)
class TaskSpec:
    """A task of a DAG. ``anyway``: it runs however its ``needs`` ended (exit tasks, ignored upstream failures)."""

    name: str
    component: str
    parameters: Mapping[str, Source] = field(default_factory=dict)
    artifacts: Mapping[str, Source] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    condition: str = ""
    anyway: bool = False
    loop: LoopSpec | None = None
    retries: Retries = Retries()
    cache: bool = False
    cache_key: str = ""

    @property
    def takes(self) -> dict[str, list[str]]:
        """The names of the outputs that it takes, by the task that has them."""
        taken: dict[str, list[str]] = {}
        for source in (*self.parameters.values(), *self.artifacts.values()):
            if isinstance(source, FromTask):
                taken.setdefault(source.task, []).append(source.output)
        return {task: list(dict.fromkeys(names)) for task, names in taken.items()}


@dataclass(frozen=True)
class DagSpec:
    """Steps in topological order; and the outputs, each from the first step that has it."""

    steps: Mapping[str, TaskSpec]
    outputs: Mapping[str, tuple[FromTask, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class PythonProgram:
    """A lightweight Python component: ``source`` holds a function ``function``; ``installs`` is its pip script."""

    source: str
    function: str
    installs: str = ""
    image: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    demands: Demands = field(default_factory=Demands)

    @property
    def processes(self) -> int:
        """How many processes it starts, where it is a training; else 0."""
        return processes_of(self.source)

    @property
    def identity(self) -> Any:
        """Its definition as JSON data: equal definitions do the same."""
        return [self.source, self.function, self.installs, self.image, dict(self.env)]


@dataclass(frozen=True)
class Container:
    """A container component, or one whose program is in its image. ``command`` and ``args`` hold placeholders."""

    image: str
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    demands: Demands = field(default_factory=Demands)

    @property
    def identity(self) -> Any:
        """Its definition as JSON data: equal definitions do the same."""
        return [self.image, self.command, self.args, dict(self.env)]


@dataclass(frozen=True)
class Importer:
    """A ``dsl.importer``: its artifact's ``uri`` (or the parameter that holds it), type and metadata."""

    uri: str
    parameter: str
    type: str
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class VolumeChange:
    """``kubernetes.CreatePVC`` or, with ``gone``, ``DeletePVC``: creates or deletes a volume of the run."""

    gone: bool = False


@dataclass(frozen=True)
class ComponentSpec:
    """What a task runs: ``body`` is a DAG, or the work of one process."""

    name: str
    body: DagSpec | PythonProgram | Container | Importer | VolumeChange
    parameters: Mapping[str, ParameterSpec] = field(default_factory=dict)
    artifacts: Mapping[str, ArtifactPort] = field(default_factory=dict)
    output_parameters: Mapping[str, ParameterSpec] = field(default_factory=dict)
    output_artifacts: Mapping[str, ArtifactPort] = field(default_factory=dict)

    @property
    def kinds(self) -> dict[str, str]:
        """The types of its parameters, by name."""
        return {name: parameter.type for name, parameter in self.parameters.items()}


@dataclass(frozen=True)
class PipelineSpec:
    """A complete PipelineSpec. ``workspace``: it requests a folder that all of its tasks share.

    ``timeout`` in seconds is for the whole run, 0 for none.
    """

    name: str
    root: ComponentSpec
    components: Mapping[str, ComponentSpec]
    workspace: bool = False
    timeout: float = 0.0

    @property
    def defaults(self) -> dict[str, Any]:
        """The default values of its parameters."""
        parameters = self.root.parameters.items()
        return {name: one.default for name, one in parameters if one.default is not MISSING}

    @property
    def programs(self) -> Iterator[PythonProgram]:
        """The Python programs that it may run."""
        for component in self.components.values():
            if isinstance(component.body, PythonProgram):
                yield component.body

    @property
    def has_conditions(self) -> bool:
        """Whether any of its tasks depends on a condition."""
        bodies = [component.body for component in (self.root, *self.components.values())]
        return any(
            step.condition for body in bodies if isinstance(body, DagSpec) for step in body.steps.values()
        )

    def collects(self, dag: DagSpec, output: str) -> bool:
        """Whether an output of a DAG is a list collected from a loop in it."""
        return any(
            isinstance(body := self.components[dag.steps[one.task].component].body, DagSpec)
            and (dag.steps[one.task].loop is not None or self.collects(body, one.output))
            for one in dag.outputs.get(output, ())
        )

    def groups(self, dag: DagSpec) -> set[str]:
        """The names of a DAG's tasks that are DAGs themselves."""
        return {
            name
            for name, step in dag.steps.items()
            if isinstance(self.components[step.component].body, DagSpec)
        }

    def codes(self, dag: DagSpec) -> dict[str, str]:
        """The digests of the programs of a DAG's tasks, by their names; of those that have one."""
        bodies = {name: self.components[step.component].body for name, step in dag.steps.items()}
        return {
            name: code_digest(body.source) for name, body in bodies.items() if isinstance(body, PythonProgram)
        }

    def leaves(self, step: TaskSpec) -> Iterator[str]:
        """The names of the tasks in ``step``: its own, or those inside of it."""
        body = self.components[step.component].body
        if not isinstance(body, DagSpec):
            yield step.name
            return
        for inner in body.steps.values():
            yield from self.leaves(inner)
