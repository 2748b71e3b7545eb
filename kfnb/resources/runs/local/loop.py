"""ParallelFor: the inputs of each iteration, and the outputs of all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from kfnb.entities import RunState
from kfnb.resources.runs.local.parameter_text import accepted
from kfnb.resources.runs.local.resolve import Inputs, Result
from kfnb.resources.runs.local.spec import ComponentSpec, DagSpec, LoopSpec, PipelineSpec
from kfnb.resources.runs.local.step_errors import StepFault
from kfnb.resources.runs.local.summary import worst
from kfnb.text.parameter_values import typed


def items(loop: LoopSpec, component: ComponentSpec, inputs: Inputs) -> list[Inputs]:
    """The inputs of each iteration: the loop's inputs, with one item. Raises ``StepFault`` if there is no list."""
    if loop.artifacts:
        artifacts = _list(loop, inputs.artifacts)
        return [
            replace(inputs, artifacts={**inputs.artifacts, loop.item: artifact}) for artifact in artifacts
        ]
    kind = component.kinds.get(loop.item, "")
    values = [typed(accepted(loop.item, value, kind), kind) for value in _list(loop, inputs.parameters)]
    return [replace(inputs, parameters={**inputs.parameters, loop.item: value}) for value in values]


def _list(loop: LoopSpec, inputs: Any) -> list[Any]:
    if isinstance(loop.items, list):
        return loop.items
    value = inputs.get(loop.items)
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = None
    if not isinstance(value, list):
        raise StepFault(f"it loops over {loop.items}, which is not a list")
    return value


def joined(pipeline: PipelineSpec, dag: DagSpec, results: Sequence[Result]) -> Result:
    """The loop's outputs from those of its iterations: each a list, in order, of the iterations that gave it.

    As on the cluster, lists that nested loops have collected are flattened into it.
    """
    outputs: dict[str, list[Any]] = {}
    for name in dag.outputs:
        given = [result.outputs[name] for result in results if name in result.outputs]
        outputs[name] = list(chain.from_iterable(given)) if pipeline.collects(dag, name) else given
    state, error = worst(results)
    reused = all(result.reused for result in results)
    return Result(state, outputs if state is RunState.SUCCEEDED else {}, error, reused)
