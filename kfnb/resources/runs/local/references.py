"""Checks the references in a pipeline before the first task runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kfnb.resources.runs.local.placeholder import unfilled
from kfnb.resources.runs.local.spec import ComponentSpec, DagSpec, TaskSpec
from kfnb.resources.runs.local.value_sources import Constant, FromInput, FromTask, Source

_UNTYPED = " (KFP makes text of the items of a list whose elements have no declared type: declare List[int])"
_NEVER_FILLED = "which KFP never fills there: build the text in a step"
_LOST = " (KFP's compiler loses a loop's item in some texts and inner loops: pass it through a step)"


def broken(root: ComponentSpec, components: Mapping[str, ComponentSpec]) -> Iterator[str]:
    """A message for each broken reference of a pipeline's tasks."""
    groups = [(component, component.body) for component in (root, *components.values())]
    dags = [(component, body) for component, body in groups if isinstance(body, DagSpec)]
    for group, dag in dags:
        callers = [step for _, other in dags for step in other.steps.values() if step.component == group.name]
        given = {*group.parameters, *group.artifacts}.union(*map(_handed, callers))
        for step in dag.steps.values():
            if step.component not in components:
                yield f"{step.name} runs {step.component or 'nothing'}, which does not exist"
            yield from _from_nowhere(step, human(group.name), given)
            yield from _not_made(step, dag, components)
            yield from _unfilled(step, components)
            yield from _mistyped(step, group, components)


def human(component: str) -> str:
    """The name of a component for messages."""
    return component.removeprefix("comp-")


def _handed(step: TaskSpec) -> Iterator[str]:
    """The names of the inputs that a task passes to the group that it runs."""
    yield from step.parameters
    yield from step.artifacts
    if step.loop is not None:
        yield step.loop.item


def _from_nowhere(step: TaskSpec, group: str, given: set[str]) -> Iterator[str]:
    """The inputs of ``step`` that refer to inputs missing from ``given``, those of its group."""
    where = group or "the pipeline"
    for name, source in _sources(step):
        if isinstance(source, FromInput) and source.name not in given:
            from_ = f"the input {source.name} of {where}"
            yield f"{step.name} takes its {name} from {from_}, which does not exist{_why(source.name)}"


def _not_made(step: TaskSpec, dag: DagSpec, components: Mapping[str, ComponentSpec]) -> Iterator[str]:
    """The inputs of ``step`` that refer to outputs that its siblings do not have."""
    for name, source in _sources(step):
        if not isinstance(source, FromTask) or source.task not in dag.steps:
            continue
        maker = components.get(dag.steps[source.task].component)
        if maker and source.output not in {*maker.output_parameters, *maker.output_artifacts}:
            from_ = f"the output {source.output} of {source.task}"
            yield f"{step.name} takes its {name} from {from_}, which does not exist{_why(source.output)}"


def _unfilled(step: TaskSpec, components: Mapping[str, ComponentSpec]) -> Iterator[str]:
    """The texts with placeholders of inputs that ``step`` passes to a pipeline: KFP only fills those of steps."""
    called = components.get(step.component)
    for name, source in step.parameters.items():
        if isinstance(source, Constant) and called is not None and isinstance(called.body, DagSpec):
            for found in unfilled(source.value, inputs=False):
                if found.startswith("{{$.inputs."):
                    yield f"{step.name} is a pipeline, whose {name} contains {found}, {_NEVER_FILLED}"


def _mistyped(step: TaskSpec, group: ComponentSpec, components: Mapping[str, ComponentSpec]) -> Iterator[str]:
    """The inputs of ``step`` that are texts in its group and another type for it: KFP does not convert texts."""
    expected = components[step.component].kinds if step.component in components else {}
    for name, source in step.parameters.items():
        if not isinstance(source, FromInput) or source.path or group.kinds.get(source.name) != "STRING":
            continue
        if expected.get(name, "STRING") != "STRING":
            why = _UNTYPED if source.name.endswith("loop-item") else ""
            yield f"{step.name} takes its {name} ({expected[name]}) from {source.name}, which is a text{why}"


def _why(name: str) -> str:
    """A likely reason why ``name`` does not exist."""
    return _LOST if "loop-item" in name else ""


def _sources(step: TaskSpec) -> Iterator[tuple[str, Source]]:
    yield from step.parameters.items()
    yield from step.artifacts.items()
