"""The values that a source will have, as far as they are known before a pipeline runs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from kfnb.resources.runs.local.parameter_text import MISSING
from kfnb.resources.runs.local.spec import ComponentSpec, DagSpec, PipelineSpec, TaskSpec
from kfnb.resources.runs.local.value_sources import Constant, FromInput, Source


@dataclass(frozen=True)
class Known:
    """Looks up values in ``pipeline``, which will run with ``arguments``."""

    pipeline: PipelineSpec
    arguments: Mapping[str, Any]

    def values(self, source: Source, group: ComponentSpec) -> Iterator[Any]:
        """The values of ``source`` in ``group``: one for each path to it, such as each item of a loop.

        Outputs of steps and texts with placeholders are not included.
        """
        if isinstance(source, Constant):
            if not (isinstance(source.value, str) and "{{$." in source.value):
                yield source.value
        elif isinstance(source, FromInput):
            for value in self._inputs(source.name, group):
                with suppress(KeyError, IndexError, TypeError, ValueError):
                    yield _picked(value, source.path)

    def _inputs(self, name: str, group: ComponentSpec) -> Iterator[Any]:
        declared = group.parameters.get(name)
        default = MISSING if declared is None else declared.default
        if group is self.pipeline.root:
            found = [self.arguments.get(name, default)]
        else:
            found = [
                value
                for caller, step in self._calls(group)
                for value in self._given(name, caller, step, default)
            ]
        yield from (value for value in found if value is not MISSING and value is not None)

    def _given(self, name: str, caller: ComponentSpec, step: TaskSpec, default: Any) -> Iterator[Any]:
        """What ``step`` of ``caller`` passes to the input ``name`` of the group that it runs."""
        loop = step.loop
        if loop is not None and loop.item == name and not loop.artifacts:
            lists = [loop.items] if isinstance(loop.items, list) else self._listed(loop.items, caller, step)
            for items in lists:
                yield from items
        elif name in step.parameters:
            yield from self.values(step.parameters[name], caller)
        else:
            yield default

    def _listed(self, name: str, caller: ComponentSpec, step: TaskSpec) -> Iterator[list[Any]]:
        """The lists that the input ``name`` of a loop has."""
        for value in self.values(step.parameters[name], caller) if name in step.parameters else ():
            with suppress(ValueError):
                items = json.loads(value) if isinstance(value, str) else value
                if isinstance(items, list):
                    yield items

    def _calls(self, group: ComponentSpec) -> Iterator[tuple[ComponentSpec, TaskSpec]]:
        """The steps that run ``group``, each with the component that it belongs to."""
        for caller in (self.pipeline.root, *self.pipeline.components.values()):
            for step in caller.body.steps.values() if isinstance(caller.body, DagSpec) else ():
                if step.component == group.name:
                    yield caller, step


def _picked(value: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        value = (json.loads(value) if isinstance(value, str) else value)[key]
    return value
