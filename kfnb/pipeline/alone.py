"""A pipeline of one component, which takes its inputs as arguments: how a notebook runs a cell elsewhere."""

from __future__ import annotations

import copy
import sys
from collections.abc import Collection, Sequence
from dataclasses import replace

from kfnb.capture.cell import Cell
from kfnb.capture.component import Component
from kfnb.capture.dependencies import Dependencies
from kfnb.capture.notebook import DeclaredParameter, ExecutedNotebook
from kfnb.capture.tracer import dependencies_of
from kfnb.pipeline.files import NO_FILES
from kfnb.pipeline.pipeline import Built, Pipeline, default_image, import_files, rename_inputs
from kfnb.pipeline.program import write_program
from kfnb.pipeline.step import make_step
from kfnb.pipeline.wiring import wire


def build_alone(
    notebook: ExecutedNotebook,
    component: Component,
    requested: Collection[str],
    *,
    image: str = "",
    index_urls: Sequence[str] = (),
    seed: int | None = None,
) -> Built:
    """The pipeline of a component that works in the notebook's folder; with the outputs ``requested``."""
    # of a cell that has not run, the types of outputs are unknown: the notebook takes its names
    outputs = tuple(one for one in component.options.outputs if one in component.outputs)
    component = replace(component, options=replace(component.options, outputs=outputs)).seeded(seed)
    known = copy.copy(notebook)
    known.components = {**notebook.components, component.name: component}
    dependencies = dependencies_of(known, component)
    name = f"{component.name}_training"
    cell = Cell(f"{component.name}()", 0, sys.maxsize, name, name)
    step = make_step(known, component, dependencies, requested)
    params = {
        one: DeclaredParameter(one, kind.type if kind.parameter else f"Input[{kind.type}]")
        for one, kind in step.inputs.items()
        if component.data(one) is None
    }
    params |= {one.name: one for one in dependencies.params.values()}
    wired = wire(cell, known.components, {component.name: dependencies}, params, {})
    wired.results.clear()  # the notebook takes its names back
    rename_inputs(wired, {component.name: step})
    import_files(wired, {component.name: NO_FILES})
    program = write_program(
        name, [step], wired, Dependencies(), image=image or default_image(), index_urls=index_urls
    )
    return Built(Pipeline(name, cell, known), (step,), wired, program)
