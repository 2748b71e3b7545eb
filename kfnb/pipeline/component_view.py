"""A component as ``%kf_show`` shows it: its inputs, its outputs, and what its step includes, with the reasons."""

from __future__ import annotations

from collections.abc import Iterator

from kfnb.capture.captured_transform import CapturedTransform
from kfnb.capture.component import Component, Options
from kfnb.capture.definitions import DefinitionKind
from kfnb.capture.dependencies import Dependencies
from kfnb.capture.notebook import ExecutedNotebook
from kfnb.capture.tracer import dependencies_of
from kfnb.entities import CarriedItem, ComponentView, PodSetting, Port
from kfnb.pipeline.pipeline import default_image
from kfnb.pipeline.step import Step, make_step


def view_component(
    notebook: ExecutedNotebook, component: Component, image: str = "", seed: int | None = None
) -> ComponentView:
    """The view of a component, as in a pipeline that uses only its ``--output`` names."""
    component = component.giving(component.options.outputs).seeded(seed)
    step = make_step(notebook, component, dependencies_of(notebook, component), ())
    return ComponentView(
        name=component.name,
        cell=str(component.cell),
        image=component.options.image or image or default_image(),
        inputs=(*_inputs(step), *_params(step)),
        outputs=_outputs(step),
        travellers=(*_carried(step.dependencies), *_read(step)),
        packages=step.requirements,
        pod=tuple(PodSetting(what, value) for what, value in _settings(component.options)),
        notes=component.notes,
        source=step.text,
    )


def _settings(options: Options) -> Iterator[tuple[str, str]]:
    """The settings of a step's processes, if it is a training, and of its pod."""
    if options.training is not None:
        yield from options.training.described()
    if options.seed is not None:
        yield "seed", str(options.seed)
    yield from options.pod.described()


def _inputs(step: Step) -> list[Port]:
    producers = step.component.inputs
    return [Port(name, kind.type, f"from {producers[name].producer}") for name, kind in step.inputs.items()]


def _params(step: Step) -> list[Port]:
    return [
        Port(
            param.name,
            param.type,
            f"parameter, {param.place}",
            "" if param.default is None else repr(param.default),
        )
        for param in step.params.values()
    ]


def _outputs(step: Step) -> tuple[Port, ...]:
    component = step.component
    real = [Port(name, kind.type, kind.note) for name, kind in step.outputs.items()]
    possible = [
        Port(name, kind.type, component.refusals.get(name, ""), unread=True)
        for name, kind in component.outputs.items()
        if name not in step.outputs
    ]
    return (*real, *possible)


def view_transform(captured: CapturedTransform) -> ComponentView:
    """The view of a transform: what is in its module, and why."""
    return ComponentView(
        name=captured.name,
        cell=str(captured.cell),
        kind="transform",
        travellers=tuple(_carried(captured.dependencies)),
        packages=tuple(sorted(set(captured.packages.values()))),
        notes=captured.notes,
        source=captured.code,
    )


def _carried(dependencies: Dependencies) -> list[CarriedItem]:
    def why(name: str) -> str:
        return (
            f"read by {dependencies.reasons[name]}"
            if name in dependencies.reasons
            else "used by the cell's own commands"
        )

    found = [
        CarriedItem(f"cell {one.cell}", "set-up", f"cell {one.cell}", "runs before every step")
        for one in dependencies.setups
    ]
    found += [
        CarriedItem(one.name, "import", one.origin, why(one.name)) for one in dependencies.imports.values()
    ]
    found += [
        CarriedItem(
            s.name,
            "constant" if s.sort is DefinitionKind.EXPRESSION else "source",
            f"cell {s.cell}, line {s.first}",
            why(s.name),
        )
        for s in dependencies.sources
    ]
    found += [
        CarriedItem(
            f"{name} = {value}", "constant", f"cell {dependencies.origins[name]}", f"{why(name)}; inlined"
        )
        for name, value in dependencies.constants.items()
    ]
    found += [CarriedItem(name, "module", "beside the notebook", "imported") for name in dependencies.files]
    found += [
        CarriedItem(name, "transform", f"cell {one.cell}", why(name))
        for name, one in dependencies.transforms.items()
    ]
    return found


def _read(step: Step) -> list[CarriedItem]:
    files = step.component.files
    found = [
        CarriedItem(name, "file", "beside the notebook, or from an earlier step", "read")
        for name in sorted(files.reads)
    ]
    found += [
        CarriedItem(name, "variable", "the environment", "read where the step runs")
        for name in sorted(step.variables.names)
    ]
    return found
