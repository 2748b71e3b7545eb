"""The dimensions of a study: those that its space names, and those that only its trials have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kfnb.resources.studies.model import Dimension, StudySnapshot, Value
from kfnb.resources.studies.view.scale import usable

_DECADES = 1000
"""The ratio of the largest to the smallest of positive values from which their scale is logarithmic."""


def dimensions_of(study: StudySnapshot) -> tuple[Dimension, ...]:
    """All dimensions of a study."""
    seen = TrialDimensions(study.space)
    for trial in study.trials:
        seen.add(trial.params)
    return seen.dimensions


class TrialDimensions:
    """The dimensions of trials that come one after the other.

    A parameter that the space does not name (one that is asked for in Python) reaches as far as its values.
    """

    def __init__(self, space: Iterable[Dimension]) -> None:
        self._space = tuple(space)
        self._named = {dimension.name for dimension in self._space}
        self._values: dict[str, dict[tuple[type, Value], None]] = {}

    def add(self, params: Mapping[str, Value]) -> None:
        """Take a trial's parameters in."""
        for name, value in params.items():
            if name not in self._named:
                self._values.setdefault(name, {})[type(value), value] = None

    @property
    def dimensions(self) -> tuple[Dimension, ...]:
        """The space's own, then the others as they appeared."""
        return (*self._space, *(_guessed(name, values) for name, values in self._values.items()))


def _guessed(name: str, seen: Iterable[tuple[type, Value]]) -> Dimension:
    values = [value for _, value in seen]
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(numbers) < len(values):
        return Dimension(name, "choice", choices=tuple(values))
    drawn = [value for value in numbers if usable(value)] or [0]
    low, high = min(drawn), max(drawn)
    whole = all(isinstance(value, int) for value in numbers)
    return Dimension(name, "int" if whole else "float", low, high, log=0 < low < high / _DECADES)
