"""Causes of skew that categories and types tell: pure functions of a column, which give words or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from kfnb.capture.embedded.profiles import kfnb_sort
from kfnb.resources.monitors.skew.evidence import ColumnEvidence, SkewEvidence
from kfnb.ui.words import short

_NEW = 0.01
"""The share of values that are new, or of another type."""
_APART, _ALIKE = 0.1, 0.03
"""How far the shares of values are from those before, and how far at most once they are sorted by size."""
_NAMED, _LEAST_VALUES = 3, 3


def recoded(one: ColumnEvidence, whole: SkewEvidence) -> str:
    """Categories are written otherwise, or their codes mean others."""
    del whole
    if _types_of_texts(one):
        return ""
    known = [str(value) for value, _ in one.trained.get("top", ())]
    new = _new_values(one)
    plain = {_plain(value): value for value in known}
    pairs = [f"{short(value)} for {short(plain[_plain(value)])}" for value in new if _plain(value) in plain]
    if pairs:
        return f"categories are written otherwise: {', '.join(pairs[:_NAMED])}"
    before, now = _shares(one, known)
    apart, alike = _farthest(before, now), _farthest(sorted(before), sorted(now))
    if len(known) >= _LEAST_VALUES and apart > max(_APART, one.apart_by_chance) and alike < _ALIKE:
        return "the shares of the values are those of other values: their codes differ"
    return ""


def unseen(one: ColumnEvidence, whole: SkewEvidence) -> str:
    """Categories that the training data does not have."""
    if recoded(one, whole) or _types_of_texts(one):
        return ""
    new = _new_values(one)
    if not new:
        return ""
    share = 100 * sum(new.values()) / len(one.values)
    return f"{', '.join(map(short, list(new)[:_NAMED]))}: {share:.0f} % of the values are not in the training data"


def other_type(one: ColumnEvidence, whole: SkewEvidence) -> str:
    """Values came to have another type: integers are floats or texts, texts with zeros in front were numbers."""
    del whole
    before, now = one.distance["types"]
    if one.distance["mistyped"] > _NEW:
        return (
            f"{100 * one.distance['mistyped']:.0f} % of the values are {now}, {before} in the training data"
        )
    if (
        _family(before) == "int"
        and _family(now) == "float"
        and any(not value.is_integer() for value in one.numbers)
    ):
        return f"{now}, {before} in the training data"
    if _family(before) == "int" and _family(now) == "float" and one.part == "feature":
        return f"{now}, {before} in the training data"
    return _types_of_texts(one)


def _types_of_texts(one: ColumnEvidence) -> str:
    """Texts that are numbers of known texts: 7 or 7.0 for 007."""
    new = _new_values(one)
    known = {_number(str(value)): str(value) for value, _ in one.trained.get("top", ())}
    pairs = [
        f"{short(value)} for {short(known[_number(value)])}"
        for value in new
        if _number(value) is not None and _number(value) in known
    ]
    if not pairs:
        return ""
    return f"texts were numbers before: {', '.join(pairs[:_NAMED])}"


def _new_values(one: ColumnEvidence) -> Mapping[str, int]:
    """Texts that the training data lacks, the most frequent first; none if they are few, or categories are unknown."""
    closed = bool(one.trained.get("top")) and not one.trained.get("other")
    if not closed or kfnb_sort(one.trained["type"]) != "words" or one.trained["type"] == "bool":
        return {}
    known = {value for value, _ in one.trained["top"]}
    new = Counter(value for value in one.words if value not in known)
    return dict(new.most_common()) if sum(new.values()) > _NEW * len(one.values) else {}


def _shares(one: ColumnEvidence, known: Sequence[str]) -> tuple[list[float], list[float]]:
    """The shares of the known values, in the training data and served; none where not all of them are known."""
    trained, counts = dict(one.trained.get("top", ())), dict(one.counted.get("top", ()))
    if one.trained.get("other") or not known:
        return [], []
    before, now = max(1, sum(trained.values())), max(1, sum(counts.values()))
    return [trained[value] / before for value in known], [counts.get(value, 0) / now for value in known]


def _farthest(before: Sequence[float], now: Sequence[float]) -> float:
    return max((abs(a - b) for a, b in zip(before, now, strict=True)), default=0.0)


def _plain(value: str) -> str:
    """A category without what spelling changes: case, spaces and signs around."""
    return "".join(one for one in value.casefold() if one.isalnum())


def _number(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None


def _family(kind: str) -> str:
    if kind.startswith(("int", "uint")):
        return "int"
    return "float" if kind.startswith(("float", "double", "halffloat")) else kind
