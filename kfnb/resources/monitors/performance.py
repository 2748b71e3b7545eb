"""How right predictions were, as far as labels have come: metrics with 99 % bounds, by slice."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any

from kfnb.entities.proportions import Proportion
from kfnb.resources.monitors.model import MetricValue

CONFIDENCE = 0.99
LEAST = 200
"""Labels below which a metric is not judged."""
AMOUNTS = "mean_error"
"""The metric of amounts, which is better the lower it is."""
ADAPTIVE = "accuracy"
"""The metric that ADWIN follows: each label is right or wrong."""
METRICS = (ADAPTIVE, "precision", "recall", AMOUNTS)
"""The metrics that can be limited."""

CERTAIN = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
"""Standard errors that a bound of that confidence is away."""
_MOST_SLICES = 20
_LEAST_OF_SLICE = 30


@dataclass(frozen=True)
class Labelled:
    """A prediction and what turned out to be true. ``slices`` are the row's values of the columns to measure by."""

    prediction: Any
    label: Any
    at: float = 0.0
    slices: Mapping[str, str] = field(default_factory=dict)

    @property
    def right(self) -> bool:
        """Whether the prediction was right."""
        return bool(self.prediction == self.label)


def measured(rows: Sequence[Labelled], slices: Sequence[str] = ()) -> tuple[MetricValue, ...]:
    """The metrics of labelled rows; then the first of them for each value of the columns ``slices``."""
    found = list(_metrics(rows))
    for column in slices if found else ():
        for value, some in _by_value(rows, column):
            first = next(_metrics(some), None)
            if first is not None and len(some) >= _LEAST_OF_SLICE:
                found.append(MetricValue(**{**vars(first), "slice": f"{column}={value}"}))
    return tuple(found)


def _by_value(rows: Iterable[Labelled], column: str) -> list[tuple[str, list[Labelled]]]:
    """Rows by the value of a column, the largest groups first."""
    groups: dict[str, list[Labelled]] = {}
    for one in rows:
        groups.setdefault(one.slices.get(column, ""), []).append(one)
    return sorted(groups.items(), key=lambda pair: (-len(pair[1]), pair[0]))[:_MOST_SLICES]


def _metrics(rows: Sequence[Labelled]) -> Iterator[MetricValue]:
    if not rows:
        return
    if _are_amounts(rows):
        yield _mean_error(rows)
        return
    yield _share("accuracy", [one.right for one in rows])
    positive = _positive(rows)
    if positive is not None:
        predicted = [one.right for one in rows if one.prediction == positive]
        true = [one.right for one in rows if one.label == positive]
        yield from (_share(name, some) for name, some in (("precision", predicted), ("recall", true)) if some)


def _are_amounts(rows: Iterable[Labelled]) -> bool:
    """Whether amounts are predicted, rather than classes: some number is not whole."""
    numbers = [value for one in rows for value in (one.prediction, one.label)]
    plain = all(isinstance(value, int | float) and not isinstance(value, bool) for value in numbers)
    return plain and any(not float(value).is_integer() for value in numbers)


def _positive(rows: Iterable[Labelled]) -> Any:
    """The larger one of two classes: True, 1, ``yes``; None where there are more, or they have no order."""
    try:
        classes = {value for one in rows for value in (one.prediction, one.label)}
        return max(classes) if len(classes) == 2 else None  # noqa: PLR2004 - two classes
    except TypeError:  # a text and a number; lists of several outputs
        return None


def _share(name: str, right: Sequence[bool]) -> MetricValue:
    share = Proportion(sum(right), len(right))
    return MetricValue(name, share.rate, *share.interval_at(CONFIDENCE), share.total)


def _mean_error(rows: Sequence[Labelled]) -> MetricValue:
    errors = [abs(float(one.prediction) - float(one.label)) for one in rows]
    mean = math.fsum(errors) / len(errors)
    spread = math.fsum((one - mean) ** 2 for one in errors) / max(1, len(errors) - 1)
    half = CERTAIN * math.sqrt(spread / len(errors))
    return MetricValue(AMOUNTS, mean, max(0.0, mean - half), mean + half, len(errors))
