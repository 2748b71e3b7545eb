"""What kfnb keeps of a training in annotations of its TrainJob: what it is, and how it ended."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from kfnb.entities import Rank, RunState, TaskError
from kfnb.remote.kubernetes.fields import Item, word
from kfnb.resources.training.trainer.objects import RECORD, RESULT

_LONGEST = 1000
"""Characters of an argument's JSON: annotations have 256 KiB in all."""
_MOST = 100_000
"""Characters of a result."""
_POINTS = 40
"""Points of each curve that a result keeps."""
Curves = Mapping[str, tuple[tuple[float, float], ...]]


@dataclass(frozen=True)
class TrainingRecord:
    """A training beside its TrainJob. ``root`` is the URI of its objects; ``arguments`` are without large values."""

    name: str = ""
    pipeline: str = ""
    task: str = ""
    experiment: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    nodes: int = 1
    procs: int = 1
    restarts: int = 0
    framework: str = "none"
    root: str = ""


@dataclass(frozen=True)
class TrainingResult:
    """How a training ended. It is kept, since pods go, and Trainer may start an old TrainJob again.

    ``outputs`` is the digest of what tells of its outputs in the store; empty if it is unknown.
    """

    state: RunState
    finished: float | None = None
    error: TaskError | None = None
    ranks: tuple[Rank, ...] = ()
    outputs: str = ""


def shortened(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that are small; of others, their type."""
    return {
        name: value if _is_small(value) else f"({type(value).__name__})" for name, value in arguments.items()
    }


def record_of(item: Item) -> TrainingRecord:
    """The record of a TrainJob; empty if it has none that can be read."""
    return TrainingRecord(**_known(item, RECORD, TrainingRecord))


def as_result(result: TrainingResult) -> str:
    """The annotation of a result, with curves of few points; without them, or without ranks, where it is too long."""
    for points, most in ((_POINTS, None), (0, None), (0, 0)):
        ranks = tuple(replace(one, curves=_thinned(one.curves, points)) for one in result.ranks[:most])
        text = json.dumps(asdict(replace(result, ranks=ranks)), separators=(",", ":"))
        if len(text) <= _MOST:
            break
    return text


def _thinned(curves: Curves, points: int) -> Curves:
    """The curves with at most about that many points each, and their last ones."""
    return {
        name: (*curve[: -1 : max(1, len(curve) // points)], curve[-1])
        for name, curve in curves.items()
        if points and curve
    }


def result_of(item: Item) -> TrainingResult | None:
    """The result of a TrainJob; None if it has none."""
    found = _known(item, RESULT, TrainingResult)
    if not found:
        return None
    try:
        error = found.get("error")
        return TrainingResult(
            RunState(found["state"]),
            found.get("finished"),
            TaskError(**error) if error else None,
            tuple(map(_rank, found.get("ranks", ()))),
            str(found.get("outputs", "")),
        )
    except (KeyError, TypeError, ValueError):  # written by something else
        return None


def _rank(stored: Mapping[str, Any]) -> Rank:
    curves = {name: tuple(map(tuple, curve)) for name, curve in stored.get("curves", {}).items()}
    return Rank(**{**stored, "state": RunState(stored["state"]), "curves": curves})


def _known(item: Item, annotation: str, kind: type) -> dict[str, Any]:
    """The fields of a class in an annotation, without those of a newer kfnb."""
    try:
        found = json.loads(word(item, "metadata", "annotations", annotation))
    except ValueError:
        return {}
    fields = kind.__dataclass_fields__  # type: ignore[attr-defined]
    return {name: one for name, one in found.items() if name in fields} if isinstance(found, dict) else {}


def _is_small(value: Any) -> bool:
    try:
        return len(json.dumps(value)) <= _LONGEST
    except (TypeError, ValueError):
        return False
