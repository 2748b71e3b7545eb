"""Ends a run whose cost passes its budget."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from kfnb.entities import Amounts, Purpose
from kfnb.prices.budget import Budget

_LOOKS_EVERY = 0.5
"""Seconds between two looks at what the run occupied."""


class Spending:
    """What a run may cost. ``occupied`` returns what it occupied until now; ``end`` ends it, for a reason."""

    def __init__(
        self,
        budget: Budget | None,
        occupied: Callable[[], Mapping[Purpose, Amounts]],
        end: Callable[[str], None],
    ) -> None:
        self._budget, self._occupied, self._end = budget, occupied, end

    async def watch(self) -> None:
        """Look again and again, until cancelled or until the budget is passed."""
        while self._budget is not None:
            if reason := self._budget.passed(self._occupied()):
                self._end(reason)
                return
            await asyncio.sleep(_LOOKS_EVERY)
