"""Shapley values by permutations: how much each player of a game adds to what all of them make together.

For each background row a random order and its reverse are gone through: beginning with the background row, the players'
values are put in one after the other, and what changes with each is its part. The parts of an order add up to the
difference between the row and the background row, whatever is between, so that the sum is exact with few evaluations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_EVALUATIONS = 2500
"""Rows that are evaluated for a row, where there are few players; with many, two orders for each background row."""


def shapley_values(
    players: int, backgrounds: int, evaluate: Callable[[Any, Any], Any]
) -> tuple[Any, Any, Any]:
    """The value of each player for each output, what the backgrounds make alone, and what all players make.

    ``evaluate(masks, which)`` gives an array of numbers, a row of outputs for each row of ``masks``: true where a
    player's own value is taken, false where that of the background row ``which``. The shapes of what is returned are
    (players, outputs), (outputs,) and (outputs,). The same game has the same values each time.
    """
    import numpy as np

    random = np.random.default_rng(0)
    times = max(1, _EVALUATIONS // (2 * (players + 1) * backgrounds))
    orders = []
    for _ in range(times * backgrounds):
        order = random.permutation(players)
        orders += [order, order[::-1]]
    ranks = np.argsort(np.array(orders), axis=1)
    steps = np.arange(players + 1)
    # of each order: none, the first, the first two, ..., all
    masks = ranks[:, None, :] < steps[None, :, None]
    which = np.repeat(np.tile(np.arange(backgrounds), times), 2)
    found = np.asarray(
        evaluate(masks.reshape(-1, players), np.repeat(which, players + 1)), "float64"
    ).reshape(len(orders), players + 1, -1)
    gains = np.diff(found, axis=1)
    values = np.stack([gains[np.arange(len(orders)), ranks[:, one]].mean(axis=0) for one in range(players)])
    return values, found[:, 0].mean(axis=0), found[:, -1].mean(axis=0)
