"""Transforms in a component: a step gets one that no earlier step has fitted without a state, and so does its cell."""

from __future__ import annotations

from kfnb.capture.component import Component
from kfnb.capture.dependencies import Dependencies
from kfnb.capture.embedded.transforms import kfnb_Transform
from kfnb.capture.notebook import ExecutedNotebook
from kfnb.capture.object_changes import ObjectWatch
from kfnb.errors import CaptureError


def check_fitted(
    notebook: ExecutedNotebook, component: Component, dependencies: Dependencies, watch: ObjectWatch
) -> None:
    """Raise ``CaptureError`` for a transform with a state that no component has given it."""
    for name in dependencies.transforms:
        value, newest = notebook.namespace.get(name), notebook.definition(name)
        again = newest is not None and newest.cell.key == component.cell.key  # it fitted it itself, before
        if not isinstance(value, kfnb_Transform):
            message = f"cell {component.cell}: {name} is no longer the transform that its cell made:"
            raise CaptureError(message, hint="run that cell again", ref=f"cell {component.cell}")
        if value.fitted and value.learns and not again and name not in watch.suspects.fitted:
            place = component.cell.place(component.names.reads.get(name, 1))
            message = f"{place}: {name} was fitted outside of components, so a step does not have its state:"
            raise CaptureError(message, hint=f"call {name}.fit(df) in a component", ref=str(place))


def begin_unfitted(notebook: ExecutedNotebook, dependencies: Dependencies) -> None:
    """Drop what the transforms of a component have learned in an earlier run of its cell."""
    for name in dependencies.transforms:
        notebook.namespace[name].forget()
