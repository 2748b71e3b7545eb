"""What differs between two manifests, as data: each fact by itself, and a layer of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from kfnb.entities.manifest import LayerName
from kfnb.entities.manifest_facts import FACTS
from kfnb.resources.provenance.effects import Effect


@dataclass(frozen=True)
class FactDifference:
    """A fact that differs. ``item`` is which part of it, such as a package; empty where the fact is one value."""

    layer: LayerName
    fact: str
    item: str
    before: Any
    after: Any
    effect: Effect
    reason: str

    @property
    def words(self) -> str:
        """What differs, as people call it."""
        named = FACTS[self.layer].get(self.fact, self.fact)
        return f"{named}: {self.item}" if self.item else named


@dataclass(frozen=True)
class NotCompared:
    """A fact that only one of them knows, and why the other does not."""

    layer: LayerName
    fact: str
    why: str


@dataclass(frozen=True)
class LayerDiff:
    """What differs in a layer, what matters most first. ``same`` is how many facts do not differ."""

    name: LayerName
    differences: tuple[FactDifference, ...] = ()
    not_compared: tuple[NotCompared, ...] = ()
    same: int = 0

    def of_what_ran(self) -> LayerDiff:
        """The layer of two that ran: what would fail has no effect."""
        found = [
            replace(one, effect=Effect.SAME, reason="it ran without it")
            if one.effect is Effect.FAILS
            else one
            for one in self.differences
        ]
        return replace(self, differences=tuple(sorted(found, key=lambda one: -one.effect)))

    @property
    def effect(self) -> Effect:
        """The largest effect of a difference in this layer."""
        return max((one.effect for one in self.differences), default=Effect.SAME)
