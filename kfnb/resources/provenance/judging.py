"""How a verdict on two runs is found: their results one by one, and what most likely explains that they differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from kfnb.diagnostics import logger
from kfnb.entities import Artifact, RunSnapshot, Task
from kfnb.entities.manifest import LayerName
from kfnb.resources.provenance.closeness import FAR, distance
from kfnb.resources.provenance.diff import ManifestDiff
from kfnb.resources.provenance.differences import FactDifference
from kfnb.resources.provenance.effects import Effect
from kfnb.resources.provenance.verdict import Agreement, OutcomePair, RunVerdict
from kfnb.resources.runs.iterations import joined

_logger = logger(__package__)


def judged(before: RunSnapshot, after: RunSnapshot, diff: ManifestDiff) -> RunVerdict:
    """How far the results of two runs agree; ``diff`` is that of their manifests."""
    outcomes = tuple(_outcomes(before, after))
    agreement = _agreement(outcomes)
    if agreement is Agreement.BITWISE:
        return RunVerdict(agreement, outcomes)
    cause = most_likely(diff, agreement)
    return RunVerdict(agreement, outcomes, cause, "" if cause else _without_cause(diff))


def _agreement(outcomes: Sequence[OutcomePair]) -> Agreement:
    if all(one.distance == 0 for one in outcomes):
        return Agreement.BITWISE
    if all(one.close for one in outcomes):
        return Agreement.TOLERANCE
    metrics = [one for one in outcomes if one.metric] or [one for one in outcomes if not _is_artifact(one)]
    return Agreement.METRICS if metrics and all(one.close for one in metrics) else Agreement.DIFFERENT


def _is_artifact(one: OutcomePair) -> bool:
    return isinstance(one.before, Artifact)


def most_likely(diff: ManifestDiff, agreement: Agreement) -> FactDifference | None:
    """The difference that most likely explains an agreement: of other digits, what may change digits alone."""
    usual = Effect.DIGITS if agreement is Agreement.TOLERANCE else Effect.RESULTS
    causes = sorted(diff.causes, key=lambda one: one.effect is not usual)  # both ran, whatever was missing
    return causes[0] if causes else None


def _without_cause(diff: ManifestDiff) -> str:
    """Why results differ where no recorded difference may change them."""
    draws = diff.after[LayerName.MODEL].facts.get("unseeded") or ()
    if draws:
        return f"the seed does not reach {', '.join(map(str, draws))}"
    if diff.after[LayerName.MODEL].facts.get("seed") is None:
        return "nothing that is recorded differs: the steps may draw random numbers, and have no seed"
    return "nothing that is recorded differs: the steps may depend on the time, on threads, or on data from elsewhere"


def _outcomes(before: RunSnapshot, after: RunSnapshot) -> Iterator[OutcomePair]:
    """What both runs have given, by task and name; what only one of them has is far."""
    yield from _pairs(before, after, lambda task: task.metrics, metric=True)
    yield from _pairs(before, after, lambda task: task.outputs, metric=False)


def _pairs(
    before: RunSnapshot, after: RunSnapshot, part: Callable[[Task], Mapping[str, Any]], *, metric: bool
) -> Iterator[OutcomePair]:
    found, again = (_by_name(run.tasks, part) for run in (before, after))
    for name in dict.fromkeys([*found, *again]):
        if name not in found or name not in again:
            yield OutcomePair(name, found.get(name), again.get(name), FAR, metric, "only one of them has it")
            continue
        one, other = found[name], again[name]
        try:
            apart, why = _apart(one, other)
        except Exception as error:  # a file that is gone, a format whose library is missing
            _logger.debug("%s cannot be compared.", name, exc_info=True)
            apart, why = None, f"cannot be compared: {type(error).__name__}: {error}"
        yield OutcomePair(name, one, other, apart, metric, why)


def _by_name(tasks: Sequence[Task], part: Callable[[Task], Mapping[str, Any]]) -> Mapping[str, Any]:
    return {
        f"{task}.{name}": value
        for task, values in joined(tasks, part).items()
        for name, value in values.items()
        if not name.startswith("kf_")
    }


def _apart(one: Any, other: Any) -> tuple[float | None, str]:
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        parts = [_apart(*pair) for pair in zip(one, other, strict=True)]
        unknown = [why for apart, why in parts if apart is None]
        return (None, unknown[0]) if unknown else (max((apart or 0.0 for apart, _ in parts), default=0.0), "")
    if not isinstance(one, Artifact) or not isinstance(other, Artifact):
        return distance(one, other), ""
    if one.digest and one.digest == other.digest:
        return 0.0, ""
    found = distance(one.load(), other.load())
    return (found, "") if found else (0.0, "equal values in other bytes")
