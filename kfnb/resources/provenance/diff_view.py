"""``draw_manifest_diff``: what differs between two manifests, what matters most first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kfnb.entities.manifest_facts import FACTS
from kfnb.resources.provenance.diff import ManifestDiff
from kfnb.resources.provenance.differences import FactDifference, LayerDiff
from kfnb.resources.provenance.effects import WORDS, Effect
from kfnb.resources.provenance.verdict_view import layer_title, verdict_alert, verdict_data
from kfnb.ui import theme
from kfnb.ui.blocks import Block, Folded, Items, Section, Text, Title, bundle, notes_section
from kfnb.ui.states import StateStyle
from kfnb.ui.table import Column, Table, TableCell, Value
from kfnb.ui.words import cut, file_size, one_line, short

_MOST = 60
"""Differences of a layer that are shown."""
_DIGEST = 12
_CELL = 40
_LONGEST = 280
_CAUSES = 3

_STYLES = {
    Effect.FAILS: StateStyle("✗", WORDS[Effect.FAILS], theme.RED, ""),
    Effect.RESULTS: StateStyle("≠", WORDS[Effect.RESULTS], theme.AMBER, ""),
    Effect.DIGITS: StateStyle("≈", WORDS[Effect.DIGITS], theme.BLUE, ""),
    Effect.SAME: StateStyle("=", WORDS[Effect.SAME], theme.GREEN, ""),
}


_CHANGES = {
    Effect.FAILS: "does not run",
    Effect.RESULTS: "results",
    Effect.DIGITS: "last digits",
    Effect.SAME: "nothing",
}
_BYTES = frozenset({"memory", "memory_limit"})


def draw_manifest_diff(diff: ManifestDiff) -> dict[str, str]:
    """Two manifests compared, as a mimebundle of HTML and text."""
    before, after = diff.before.ref, diff.after.ref
    count = len(diff.differences)
    facts = (f"{count} differ{'s' if count == 1 else ''}" if count else "nothing that is known differs",)
    blocks: list[Block] = [Title(f"{before} and {after}", _STYLES[diff.effect], facts=facts)]
    blocks += [verdict_alert(diff.verdict)] if diff.verdict else []
    blocks += [Text(summary(diff))] if diff.causes else []
    for layer in sorted(diff.layers, key=lambda layer: -layer.effect):
        if layer.effect is not Effect.SAME:
            blocks.append(_layer(layer, before, after))
    blocks += [*_harmless(diff, before, after), *_rest(diff), *notes_section(diff.notes)]
    return bundle(f"Differences between {before} and {after}", blocks)


def effect_style(effect: Effect) -> StateStyle:
    """How an effect is shown."""
    return _STYLES[effect]


def summary(diff: ManifestDiff) -> str:
    """What matters most, in a sentence; empty where nothing does."""
    worst = [one for one in diff.causes if one.effect is diff.effect]
    named = [f"{layer_title(one.layer)}: {one.words} ({one.reason})" for one in worst[:_CAUSES]]
    more = f", and {len(worst) - _CAUSES} more" if len(worst) > _CAUSES else ""
    return (
        f"{WORDS[diff.effect][0].upper()}{WORDS[diff.effect][1:]}. {'; '.join(named)}{more}." if worst else ""
    )


def _layer(layer: LayerDiff, before: str, after: str) -> Section:
    """What of a layer may change a number."""
    found = [one for one in layer.differences if one.effect is not Effect.SAME]
    return Section(layer_title(layer.name), _table(layer_title(layer.name), found, before, after))


def _harmless(diff: ManifestDiff, before: str, after: str) -> Iterator[Block]:
    """What differs and changes no number."""
    found = [one for one in diff.differences if one.effect is Effect.SAME]
    if found:
        heading = f"Differs, and changes no number ({len(found)})"
        names = ", ".join(f"{layer_title(one.layer)}: {one.words}" for one in found)
        text = cut(f"{heading}: {names}", _LONGEST)
        yield Folded(heading, _table(heading, found, before, after), quiet=True, text_form=text)


def _table(label: str, found: Sequence[FactDifference], before: str, after: str) -> list[Block]:
    columns = (
        Column("What"),
        Column(cut(before, 24)),
        Column(cut(after, 24)),
        Column("May change", whole=True),
        Column("Why"),
    )
    rows = [_row(one) for one in found[:_MOST]]
    rest = len(found) - _MOST
    more = [Text(f"… {rest} more, in --json")] if rest > 0 else []
    return [Table(f"{label} that differs", columns, rows), *more]


def _row(one: FactDifference) -> list[Value]:
    return [
        TableCell(one.words),
        TableCell(_shown(one.before, one.after, one.fact), code=True, hint=_whole(one.before)),
        TableCell(_shown(one.after, one.before, one.fact), code=True, hint=_whole(one.after)),
        TableCell(_CHANGES[one.effect], state_style=_STYLES[one.effect], hint=WORDS[one.effect]),
        one.reason,
    ]


def _shown(value: Any, other: Any, fact: str = "") -> str:
    """A value in a table's cell: of several parts, only those that differ from the other's."""
    if isinstance(value, Mapping):
        against = other if isinstance(other, Mapping) else {}
        own = {key: part for key, part in value.items() if against.get(key) != part} or value
        parts = [f"{key} {_shown(part, None)}" for key, part in own.items()]
        return short(str(own["version"]) if "version" in own else ", ".join(parts), _CELL)
    if isinstance(value, list) and isinstance(other, list):
        return short(" ".join(_shown(part, None) for part in value if part not in other) or "-", _CELL)
    if fact in _BYTES and isinstance(value, int):
        return file_size(value)
    return "none" if value is None else _text(one_line(str(value)))


def _text(text: str) -> str:
    """A text, or the beginning of a digest."""
    bare = text.removeprefix("sha256:")
    return bare[:_DIGEST] if re.fullmatch("[0-9a-f]{40,64}", bare) else short(text, _CELL)


def _whole(value: Any) -> str:
    return cut(one_line(str(value)), 400)


def _rest(diff: ManifestDiff) -> Iterator[Block]:
    """The layers without a difference, and what could not be compared."""
    same = [
        f"{layer_title(layer.name)}: {_count(layer.same)} the same" for layer in diff.layers if layer.same
    ]
    if same:
        yield Folded("What is the same", [Items(tuple(same))], quiet=True, text_form="; ".join(same))
    unknown = _unknown(diff.layers)
    if unknown:
        yield Section("Not compared", [Items(unknown)])


def _count(facts: int) -> str:
    return "1 fact is" if facts == 1 else f"{facts} facts are"


def _unknown(layers: Sequence[LayerDiff]) -> tuple[str, ...]:
    """A line for each layer and reason."""
    lines: dict[tuple[str, str], list[str]] = {}
    for layer in layers:
        for one in layer.not_compared:
            lines.setdefault((layer_title(layer.name), one.why), []).append(
                FACTS[one.layer].get(one.fact, one.fact)
            )
    return tuple(f"{layer}: {', '.join(facts)}: {why}" for (layer, why), facts in lines.items())


def diff_data(diff: ManifestDiff) -> dict[str, Any]:
    """A comparison as JSON data."""
    return {
        "before": diff.before.ref,
        "after": diff.after.ref,
        "effect": WORDS[diff.effect],
        "verdict": verdict_data(diff.verdict) if diff.verdict else None,
        "layers": [_layer_data(layer) for layer in diff.layers],
        "notes": list(diff.notes),
    }


def _layer_data(layer: LayerDiff) -> dict[str, Any]:
    return {
        "layer": str(layer.name),
        "effect": WORDS[layer.effect],
        "same": layer.same,
        "differences": [
            {
                "fact": one.fact,
                "item": one.item,
                "before": one.before,
                "after": one.after,
                "effect": WORDS[one.effect],
                "reason": one.reason,
            }
            for one in layer.differences
        ],
        "not_compared": [{"fact": one.fact, "why": one.why} for one in layer.not_compared],
    }
