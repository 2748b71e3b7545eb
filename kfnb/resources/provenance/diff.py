"""What differs between two manifests, layer by layer, and how much it matters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kfnb.entities.manifest import Layer, LayerName, Manifest
from kfnb.entities.manifest_facts import FACTS
from kfnb.resources.provenance.effects import Effect
from kfnb.resources.provenance.rules import ITEMS, RULES, Change


@dataclass(frozen=True)
class Difference:
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
    differences: tuple[Difference, ...] = ()
    not_compared: tuple[NotCompared, ...] = ()
    same: int = 0

    @property
    def effect(self) -> Effect:
        """The largest effect of a difference in this layer."""
        return max((one.effect for one in self.differences), default=Effect.SAME)


@dataclass(frozen=True)
class ManifestDiff:
    """Two manifests compared. ``layers`` are all ten, in their order."""

    before: Manifest
    after: Manifest
    layers: tuple[LayerDiff, ...]

    @property
    def differences(self) -> tuple[Difference, ...]:
        """All differences, what matters most first, else by layer."""
        found = [one for layer in self.layers for one in layer.differences]
        return tuple(sorted(found, key=lambda one: -one.effect))

    @property
    def effect(self) -> Effect:
        """The largest effect of a difference."""
        return max((layer.effect for layer in self.layers), default=Effect.SAME)

    @property
    def causes(self) -> tuple[Difference, ...]:
        """The differences that may change a number, what matters most first."""
        return tuple(one for one in self.differences if one.effect is not Effect.SAME)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the comparison cannot tell."""
        return tuple(_notes(self))


def difference(before: Manifest, after: Manifest) -> ManifestDiff:
    """What differs between two manifests; ``after`` is judged against ``before``."""
    return ManifestDiff(before, after, tuple(_layer(name, before, after) for name in LayerName))


def _layer(name: LayerName, before: Manifest, after: Manifest) -> LayerDiff:
    one, other = before[name], after[name]
    differences: list[Difference] = []
    not_compared: list[NotCompared] = []
    same = 0
    for fact, rule in RULES[name].items():
        missing = [(layer, of) for layer, of in ((one, before), (other, after)) if fact not in layer.facts]
        if len(missing) == 2:  # noqa: PLR2004 - of both
            continue
        if missing:
            layer, of = missing[0]
            not_compared.append(NotCompared(name, fact, f"{_why(layer, fact)} of {of.ref}"))
            continue
        changes = [
            Change(*change, (before, after)) for change in _changes(fact, one.facts[fact], other.facts[fact])
        ]
        same += not changes
        for change in changes:
            judged = rule(change)
            item = change.name if change.name != fact else ""
            differences.append(
                Difference(name, fact, item, change.before, change.after, judged.effect, judged.reason)
            )
    ordered = sorted(differences, key=lambda found: -found.effect)
    return LayerDiff(name, tuple(ordered), tuple(not_compared), same)


def _why(layer: Layer, fact: str) -> str:
    return f"hidden ({layer.hidden[fact]})" if fact in layer.hidden else "not recorded"


def _changes(fact: str, before: Any, after: Any) -> Iterator[tuple[str, Any, Any]]:
    """What differs, by name: of a fact with several items, those that do."""
    if fact in ITEMS and isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in dict.fromkeys([*before, *after]):
            if before.get(name) != after.get(name):
                yield str(name), before.get(name), after.get(name)
    elif before != after:
        yield fact, before, after


def _notes(diff: ManifestDiff) -> Iterator[str]:
    draws = [one[LayerName.MODEL].facts.get("unseeded") for one in (diff.before, diff.after)]
    if all(draws):
        yield "both draw random numbers that no seed reaches: two runs differ even where nothing else does"
    for one in (diff.before, diff.after):
        yield from (f"{one.ref}: {note}" for note in one.notes)
