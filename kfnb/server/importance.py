"""How much a model depends on a column: what its score loses when the column's values are shuffled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kfnb.server.row_mixtures import shuffled


def permutation_importance(
    score: Callable[[Any], float], rows: Any, columns: tuple[str, ...], *, repeats: int = 5
) -> list[tuple[str, float, float]]:
    """Each column of ``rows`` with the mean loss of the score and its standard deviation, the largest loss first.

    ``score`` gives for rows a number that is larger the better the model predicts them: it knows the truth, in the
    order of the rows. The same rows have the same importance each time.
    """
    import numpy as np

    random = np.random.default_rng(0)
    whole = score(rows)
    found = []
    for place, name in enumerate(columns):
        losses = [whole - score(shuffled(rows, place, random.permutation(len(rows)))) for _ in range(repeats)]
        found.append((name, float(np.mean(losses)), float(np.std(losses))))
    return sorted(found, key=lambda one: -one[1])
