"""A dimension of a search space as Optuna has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kfnb.resources.studies.model import Dimension

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution


def distribution(dimension: Dimension) -> BaseDistribution:
    """The distribution of Optuna's that holds the values of ``dimension``."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if dimension.kind == "choice":
        return CategoricalDistribution(dimension.choices)
    if dimension.kind == "int":
        low, high, step = int(dimension.low), int(dimension.high), int(dimension.step or 1)
        return IntDistribution(low, high, log=dimension.log, step=step)
    return FloatDistribution(dimension.low, dimension.high, log=dimension.log, step=dimension.step or None)
