"""The PipelineSpec in types: components, tasks, and where each input's value comes from.

``reader.py`` makes these from JSON; the rest of the engine sees nothing else of a spec.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from kfnb.backends.local.values import MISSING


@dataclass(frozen=True)
class Constant:
    """The value stands in the spec; it may hold placeholders."""

    value: Any


@dataclass(frozen=True)
class FromInput:
    """The value is an input of the enclosing component; ``path`` picks an element of it."""

    name: str
    path: tuple[str | int, ...] = ()


@dataclass(frozen=True)
class FromTask:
    """The value is an output of a sibling task; ``path`` picks an element of it."""

    task: str
    output: str
    path: tuple[str | int, ...] = ()


@dataclass(frozen=True)
class FromStatus:
    """The value is how a sibling task ended (``dsl.PipelineTaskFinalStatus``)."""

    task: str


Source: TypeAlias = Constant | FromInput | FromTask | FromStatus


@dataclass(frozen=True)
class Parameter:
    """A component's parameter. ``type`` is KFP's word (``NUMBER_INTEGER``), ``default`` MISSING without one."""

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
class Loop:
    """A ParallelFor: ``item`` is the input that each iteration gets one of ``items`` in.

    ``items`` is a list that stands in the spec or the name of the input that holds it; ``limit`` 0 is no limit.
    """

    item: str
    items: list[Any] | str
    artifacts: bool = False
    limit: int = 0


@dataclass(frozen=True)
class Retries:
    """How often a failed task is tried again, and how many seconds later."""

    count: int = 0
    wait: float = 0.0
    factor: float = 2.0
    longest: float = 3600.0

    def pause(self, attempt: int) -> float:
        """Seconds between the failure of ``attempt`` (from 1) and the next."""
        return min(self.wait * self.factor ** (attempt - 1), self.longest)


@dataclass(frozen=True)
class Step:
    """A task of a DAG. ``anyway``: it runs however its ``needs`` ended (exit tasks, ignored upstream failures)."""

    name: str
    component: str
    parameters: Mapping[str, Source] = field(default_factory=dict)
    artifacts: Mapping[str, Source] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    condition: str = ""
    anyway: bool = False
    loop: Loop | None = None
    retries: Retries = Retries()
    cache: bool = False
    cache_key: str = ""


@dataclass(frozen=True)
class Dag:
    """Steps, in an order in which each follows what it needs; and the outputs, each from the first step that has it."""

    steps: Mapping[str, Step]
    outputs: Mapping[str, tuple[FromTask, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Program:
    """A lightweight Python component: ``source`` holds a function ``function``; ``installs`` is its pip script."""

    source: str
    function: str
    installs: str = ""
    image: str = ""
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Importer:
    """A ``dsl.importer``: its artifact's ``uri`` (or the parameter that holds it), type and metadata."""

    uri: str
    parameter: str
    type: str
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Component:
    """What a task runs: ``body`` is a DAG, or what one process does."""

    name: str
    body: Dag | Program | Importer
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    artifacts: Mapping[str, ArtifactPort] = field(default_factory=dict)
    output_parameters: Mapping[str, Parameter] = field(default_factory=dict)
    output_artifacts: Mapping[str, ArtifactPort] = field(default_factory=dict)


@dataclass(frozen=True)
class Pipeline:
    """A whole PipelineSpec."""

    name: str
    root: Component
    components: Mapping[str, Component]

    @property
    def programs(self) -> Iterator[Program]:
        """The Python programs that it may run."""
        for component in self.components.values():
            if isinstance(component.body, Program):
                yield component.body

    @property
    def has_conditions(self) -> bool:
        """Whether any of its tasks depends on a condition."""
        bodies = [component.body for component in (self.root, *self.components.values())]
        return any(step.condition for body in bodies if isinstance(body, Dag) for step in body.steps.values())

    def groups(self, dag: Dag) -> set[str]:
        """The names of those of a DAG's tasks that are DAGs themselves."""
        return {
            name for name, step in dag.steps.items() if isinstance(self.components[step.component].body, Dag)
        }

    def leaves(self, step: Step) -> Iterator[str]:
        """The names of the tasks that ``step`` comes down to: its own, or those inside of it."""
        body = self.components[step.component].body
        if not isinstance(body, Dag):
            yield step.name
            return
        for inner in body.steps.values():
            yield from self.leaves(inner)
