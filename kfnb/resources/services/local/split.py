"""How requests are split between versions: exactly, or by the value of a header."""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Mapping

from kfnb.resources.services.model import WHOLE


class Split:
    """Gives each of some revisions its share, exactly: of each 100 requests as many as its percent.

    The shares add up to 100. The order within the shortest block in which they come out exactly (10 requests for 90
    and 10 percent, 100 for 99 and 1) is random: where every tenth request is of one kind, a fixed order would send all
    of that kind to the same version.
    """

    def __init__(self, shares: Mapping[int, int]) -> None:
        common = math.gcd(*shares.values())
        self._block = [revision for revision, share in shares.items() for _ in range(share // common)]
        self._left: list[int] = []

    def next(self) -> int:
        """The revision that gets the next request."""
        if not self._left:
            self._left = random.sample(self._block, len(self._block))
        return self._left.pop()


def place_of(value: str) -> int:
    """The place from 0 to 99 of a header's value, always the same.

    A canary with 5 percent gets the places below 5, so that who is with it stays with it when its share grows.
    """
    return int.from_bytes(hashlib.sha256(value.encode()).digest()[:8], "big") % WHOLE
