"""How requests are split between versions: exactly, or by the value of a header."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from kfnb.resources.services.model import WHOLE


class Split:
    """Gives each of some revisions its share: of any 100 requests in a row, exactly as many as its percent.

    The shares add up to 100. Each request adds its share to what a revision is owed; who is owed most gets it.
    """

    def __init__(self, shares: Mapping[int, int]) -> None:
        self._shares = dict(shares)
        self._owed = dict.fromkeys(shares, 0)

    def next(self) -> int:
        """The revision that gets the next request."""
        owed = self._owed
        for revision, share in self._shares.items():
            owed[revision] += share
        chosen = max(owed, key=owed.__getitem__)
        owed[chosen] -= WHOLE
        return chosen


def place_of(value: str) -> int:
    """The place from 0 to 99 of a header's value, always the same.

    A canary with 5 percent gets the places below 5, so that who is with it stays with it when its share grows.
    """
    return int.from_bytes(hashlib.sha256(value.encode()).digest()[:8], "big") % WHOLE
