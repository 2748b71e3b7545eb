"""What differs between two manifests, layer by layer, and how much it matters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

from kfnb.entities.manifest import Layer, LayerName, Manifest, joined_layers
from kfnb.resources.provenance.differences import FactDifference, LayerDiff, NotCompared
from kfnb.resources.provenance.effects import Effect
from kfnb.resources.provenance.rules import ITEMS, RULES, FactChange
from kfnb.resources.provenance.verdict import RunVerdict


@dataclass(frozen=True)
class ManifestDiff:
    """Two manifests compared. ``layers`` are all ten, in their order; ``verdict`` is that of two finished runs."""

    before: Manifest
    after: Manifest
    layers: tuple[LayerDiff, ...]
    verdict: RunVerdict | None = None

    @property
    def differences(self) -> tuple[FactDifference, ...]:
        """All differences, what matters most first, else by layer."""
        found = [one for layer in self.layers for one in layer.differences]
        return tuple(sorted(found, key=lambda one: -one.effect))

    @property
    def effect(self) -> Effect:
        """The largest effect of a difference."""
        return max((layer.effect for layer in self.layers), default=Effect.SAME)

    @property
    def causes(self) -> tuple[FactDifference, ...]:
        """The differences that may change a number, what matters most first."""
        return tuple(one for one in self.differences if one.effect is not Effect.SAME)

    def of_what_ran(self) -> ManifestDiff:
        """The comparison of two that ran: what the second lacks, it did not need."""
        return replace(self, layers=tuple(layer.of_what_ran() for layer in self.layers))

    @property
    def notes(self) -> tuple[str, ...]:
        """What the comparison cannot tell."""
        return tuple(_notes(self))


def difference(before: Manifest, after: Manifest) -> ManifestDiff:
    """What differs between two manifests; ``after`` is judged against ``before``.

    Where both have the environments of their tasks, each task is compared with the task of its name.
    """
    found = [[_layer(name, *pair) for name in LayerName] for pair in _pairs(before, after)]
    layers = (reduce(_with_more, several) for several in zip(*found, strict=True))
    return ManifestDiff(before, after, tuple(layers))


def _pairs(before: Manifest, after: Manifest) -> Iterator[tuple[Manifest, Manifest]]:
    """The manifests as tasks had them, each pair of environments once; as they are where no task is in both."""
    own, others = (_by_task(one) for one in (before, after))
    pairs = dict.fromkeys((own[task], others[task]) for task in own if task in others)
    if not pairs:
        yield before, after
    for one, other in pairs:
        yield _in(before, one), _in(after, other)


def _by_task(manifest: Manifest) -> dict[str, int]:
    """The environment of each task, by its place among the manifest's."""
    return {task: place for place, one in enumerate(manifest.environments) for task in one.tasks}


def _in(manifest: Manifest, place: int) -> Manifest:
    """The manifest with one of its environments: those layers, and what is of the notebook and the model."""
    return replace(manifest, layers=joined_layers(manifest.layers, manifest.environments[place].layers))


def _with_more(one: LayerDiff, other: LayerDiff) -> LayerDiff:
    """The differences of a layer in two environments, each once."""
    known = {(found.fact, found.item, repr(found.before), repr(found.after)) for found in one.differences}
    new = [
        found
        for found in other.differences
        if (found.fact, found.item, repr(found.before), repr(found.after)) not in known
    ]
    ordered = sorted([*one.differences, *new], key=lambda found: -found.effect)
    return LayerDiff(
        one.name,
        tuple(ordered),
        tuple(dict.fromkeys((*one.not_compared, *other.not_compared))),
        min(one.same, other.same),
    )


def _layer(name: LayerName, before: Manifest, after: Manifest) -> LayerDiff:
    one, other = before[name], after[name]
    differences: list[FactDifference] = []
    not_compared: list[NotCompared] = []
    same = 0
    for fact in RULES[name]:
        missing = [(layer, of) for layer, of in ((one, before), (other, after)) if fact not in layer.facts]
        if len(missing) == 1:
            layer, of = missing[0]
            not_compared.append(NotCompared(name, fact, f"{_why(layer, fact)} for {of.ref}"))
        if missing:
            continue
        found = list(_differences(name, fact, before, after))
        same += not found
        differences += found
    ordered = sorted(differences, key=lambda found: -found.effect)
    return LayerDiff(name, tuple(ordered), tuple(not_compared), same)


def _differences(name: LayerName, fact: str, before: Manifest, after: Manifest) -> Iterator[FactDifference]:
    for item, one, other in _changes(fact, before[name].facts[fact], after[name].facts[fact]):
        judged = RULES[name][fact](FactChange(item, one, other, (before, after)))
        part = item if item != fact else ""
        yield FactDifference(name, fact, part, one, other, judged.effect, judged.reason)


def _why(layer: Layer, fact: str) -> str:
    return f"hidden ({layer.hidden[fact]})" if fact in layer.hidden else "not recorded"


def _changes(fact: str, before: Any, after: Any) -> Iterator[tuple[str, Any, Any]]:
    """What differs, by name: of a fact with several items, those that do."""
    if fact == "data":
        before, after = _by_set(before), _by_set(after)
    if fact in ITEMS and isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in dict.fromkeys([*before, *after]):
            if before.get(name) != after.get(name):
                yield str(name), before.get(name), after.get(name)
    elif before != after:
        yield fact, before, after


def _by_set(versions: Any) -> Any:
    """Versions of data by the data set: another version of one is a change of it."""
    if not isinstance(versions, Mapping):
        return versions
    split = {ref: str(ref).rpartition("@") for ref in versions}
    names = [name for name, _, _ in split.values()]
    return {
        name if name and names.count(name) == 1 else ref: {"version": f"@{version}", "digest": versions[ref]}
        for ref, (name, _, version) in split.items()
    }


def _notes(diff: ManifestDiff) -> Iterator[str]:
    draws = [one[LayerName.MODEL].facts.get("unseeded") for one in (diff.before, diff.after)]
    if all(draws):
        yield "both draw random numbers that no seed reaches: two runs differ even where nothing else does"
    for one in (diff.before, diff.after):
        yield from (f"{one.ref}: {note}" for note in one.notes)
