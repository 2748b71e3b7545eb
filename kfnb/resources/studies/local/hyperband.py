"""Hyperband, as Katib means it: a parameter of the space says how long a trial runs, and the best ones run longer.

Brackets follow one another, from many short trials to few long ones. In each, the best ``1/eta`` of a rung advance to
the next with ``eta`` times the resource.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from kfnb.resources.studies.model import Dimension, Trial, Value
from kfnb.resources.studies.search import Search
from kfnb.resources.studies.space import drawn


@dataclass
class Rung:
    """Trials with the same resource: those ``waiting`` to be run, and what came of the others."""

    resource: int
    waiting: list[dict[str, Value]]
    running: dict[int, dict[str, Value]] = field(default_factory=dict)
    done: list[tuple[float, dict[str, Value]]] = field(default_factory=list)


@dataclass
class Hyperband:
    """The brackets of one search, one after the other, and then again."""

    space: tuple[Dimension, ...]
    resource: str
    longest: int
    eta: float
    maximize: bool
    chance: random.Random
    _brackets: int = 0
    _left: int = 0
    _rung: Rung | None = None

    @classmethod
    def of(cls, search: Search, past: Sequence[Trial]) -> Hyperband:
        """The brackets of ``search``. Those of trials in the past are not gone on with: new ones begin."""
        resource = search.settings["resource_name"]
        known = next(one for one in search.space if one.name == resource)
        longest = min(int(float(search.settings.get("r_l", known.high))), int(known.high))
        seed = None if search.seed is None else search.seed + len(past)
        eta = float(search.settings.get("eta", 3))
        return cls(search.space, resource, longest, eta, search.objective.maximize, random.Random(seed))  # noqa: S311

    @property
    def widest(self) -> int:
        """How many trials the first rung has, which are the shortest."""
        return math.ceil(self.eta**self._most)

    @property
    def _most(self) -> int:
        """How often the resource can grow."""
        return int(math.log(max(self.longest, 1)) / math.log(self.eta) + 1e-9)

    def next(self) -> dict[str, Value] | None:
        """The parameters of another trial; None until some that run have ended."""
        if self._rung is None:
            self._begin()
        rung = self._rung
        assert rung is not None
        return rung.waiting.pop() if rung.waiting else None

    def began(self, number: int, params: dict[str, Value]) -> None:
        """A trial with parameters of ``next`` has begun."""
        if self._rung is not None:
            self._rung.running[number] = params

    def ended(self, number: int, value: float | None) -> None:
        """A trial has ended, with a value or without one."""
        rung = self._rung
        if rung is None or number not in rung.running:
            return
        params = rung.running.pop(number)
        if value is not None:
            rung.done.append((value, params))
        if not rung.waiting and not rung.running:
            self._climb(rung)

    def _begin(self) -> None:
        most = self._most
        self._left = most - self._brackets % (most + 1)
        self._brackets += 1
        count = math.ceil((most + 1) / (self._left + 1) * self.eta**self._left)
        resource = self._rounded(self.longest * self.eta**-self._left)
        others = [one for one in self.space if one.name != self.resource]
        points = [{one.name: drawn(one, self.chance) for one in others} for _ in range(count)]
        self._rung = Rung(resource, [{**point, self.resource: resource} for point in points])

    def _climb(self, rung: Rung) -> None:
        """Advance the best of a rung, where there is a next rung."""
        rung.done.sort(key=lambda one: one[0], reverse=self.maximize)
        going = [params for _, params in rung.done[: int((len(rung.done)) / self.eta + 1e-9)]]
        self._left -= 1
        if self._left < 0 or not going:
            self._rung = None
            return
        resource = self._rounded(self.longest * self.eta**-self._left)
        self._rung = Rung(resource, [{**params, self.resource: resource} for params in going])

    def _rounded(self, resource: float) -> int:
        low = next(int(one.low) for one in self.space if one.name == self.resource)
        return max(low, round(resource))
