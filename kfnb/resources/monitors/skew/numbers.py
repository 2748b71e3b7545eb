"""Causes of skew that numbers and missing values tell: pure functions of a column, which give words or nothing."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

from kfnb.capture.embedded.profiles import kfnb_numeral, kfnb_sort
from kfnb.resources.monitors.skew.evidence import CHANCE, ColumnEvidence, SkewEvidence
from kfnb.ui.words import digits

_NULLS, _MORE, _NONE, _UNKNOWN = 0.02, 1.5, 0.001, 0.2
"""A difference of shares of missing values, and how many times as many; the share of none, and of an unknown one."""
_CONSTANT = 0.05
"""How much more of the values a constant has that was filled in."""
_OUTSTANDING = 3.0
"""How many times more frequent it is than the next value."""
_CLOSE, _CLOSER = 0.08, 3.0
"""The distance of converted values from the training data, and how many times smaller than before that is."""

_UNITS = (
    ("feet to meters", 0.3048, 0.0),
    ("inches to centimeters", 2.54, 0.0),
    ("miles to kilometers", 1.609344, 0.0),
    ("pounds to kilograms", 0.45359237, 0.0),
    ("degrees Celsius to Fahrenheit", 1.8, 32.0),
    ("Celsius to Kelvin", 1.0, 273.15),
    ("radians to degrees", 180 / math.pi, 0.0),
    ("hours to seconds or degrees to arc seconds", 3600.0, 0.0),
    ("minutes to seconds or hours to minutes", 60.0, 0.0),
    ("dozens to pieces", 12.0, 0.0),
)
_MOST_POWERS = 9


def nulls_otherwise(one: ColumnEvidence, whole: SkewEvidence) -> str:
    """More or fewer values are missing than in the training data: nulls are handled otherwise."""
    before, now = one.missing
    if unknown_yet(one, whole) or not _nulls_differ(one):
        return ""
    return f"{_percent(now)} missing, {_percent(before)} in the training data"


def unknown_yet(one: ColumnEvidence, whole: SkewEvidence) -> str:
    """The training data has every value, and many requests have none: it is known after the request alone."""
    del whole
    before, now = one.missing
    if before > _NONE or now < _UNKNOWN:
        return ""
    return (
        f"{_percent(now)} missing, none in the training data: it may not be known yet when a request is made"
    )


def constant_fill(one: ColumnEvidence, whole: SkewEvidence) -> str:
    """A value has a far larger share than in the training data: something fills it in."""
    del whole
    known = [value for value in one.values if value is not None and value == value]  # noqa: PLR0124 - NaN
    if not known:
        return ""
    by_value = Counter(map(_word, known))
    before, now = one.missing
    filled = before - now if _nulls_differ(one) and before > now else 0.0
    common = [(word, count / len(one.values)) for word, count in by_value.most_common(3)]
    for word, share in common if len(by_value) > 1 else ():
        outstanding = share > _OUTSTANDING * common[1][1]
        if _is_filled_in(one, word, share, filled, outstanding=outstanding):
            return f"{word} is {_percent(share)} of the values"
    if len(by_value) == 1 and (one.trained.get("distinct") or 2) > 1:
        return f"all values are {next(iter(by_value))}"
    return ""


def _is_filled_in(one: ColumnEvidence, word: str, share: float, filled: float, *, outstanding: bool) -> bool:
    """Whether a value has the share of those that are no longer missing; or, among many numbers, far more than before.

    The shares of few values, such as categories, change by themselves; of many, a constant is ``outstanding``.
    """
    least, most = _shares_before(one, word)
    if filled:
        return abs(share - least - filled) < max(_NULLS, filled / 2)
    return outstanding and not one.trained.get("top") and share - most > max(_CONSTANT, _by_chance(one, most))


def other_unit(one: ColumnEvidence, whole: SkewEvidence) -> str:
    """The values are those of the training data after a conversion: another unit or scale."""
    del whole
    if not one.moved or len(one.numbers) < len(one.values) / 2:
        return ""
    found = [(_apart(one, factor, offset), words) for words, factor, offset in _conversions()]
    apart, words = min(found)
    close = max(_CLOSE, one.apart_by_chance)
    return f"the values fit after {words}" if apart < close and apart < one.moved / _CLOSER else ""


def other_order(one: ColumnEvidence, whole: SkewEvidence) -> str:
    """The values are those of another column of the training data."""
    if not one.moved:
        return ""
    others = [
        other for other in whole.columns if other.part == one.part and other.name != one.name and other.moved
    ]
    found = [((other.distance_of(one.values)["ks"] or 1.0), other.name) for other in others]
    apart, name = min(found, default=(1.0, ""))
    close = apart < max(_CLOSE, one.apart_by_chance) and apart < one.moved / _CLOSER
    return (
        f"the values are those of {name} in the training data: the order of the columns differs"
        if close
        else ""
    )


def _nulls_differ(one: ColumnEvidence) -> bool:
    before, now = one.missing
    less, more = sorted(one.missing)
    return now != before and more - less > max(_NULLS, _by_chance(one, *one.missing)) and more > _MORE * less


def _by_chance(one: ColumnEvidence, *shares: float) -> float:
    """The difference between two shares that chance does not pass, where they are about as large as ``shares``."""
    share = min(0.5, max(0.01, *shares))  # the share that varies most is a half
    return math.sqrt(2 * math.log(2 * one.columns / CHANCE) * share * (1 - share) * one.uneven)


def _shares_before(one: ColumnEvidence, word: str) -> tuple[float, float]:
    """The least and the largest share that a value may have had in the training data.

    Of a number among many, its bin is known. One that has as many rows as a bin is an edge.
    """
    trained, rows = one.trained, max(1, int(one.trained["rows"]))
    if trained.get("top"):
        share = float(dict(trained["top"]).get(word, 0)) / rows
        return share, share
    if kfnb_sort(trained["type"]) != "numbers" or not trained.get("edges"):
        return 0.0, 1.0
    try:
        number = float(word)
    except ValueError:
        return 0.0, 0.0
    edges, counts = trained["edges"], trained["counts"]
    if not edges[0] <= number <= edges[-1]:
        return 0.0, 0.0
    place = min(sum(edge <= number for edge in edges), len(counts)) - 1
    share = float(counts[place]) / rows
    return (share if number in edges else 0.0), share


def _conversions() -> Iterator[tuple[str, float, float]]:
    """What makes values of the training data from served ones: in words, a factor and an offset."""
    for power in range(1, _MOST_POWERS + 1):
        yield f"multiplication by {10**power:,}", 10.0**power, 0.0
        yield f"division by {10**power:,}", 10.0**-power, 0.0
    for words, factor, offset in _UNITS:
        yield f"conversion from {words}", factor, offset
        before, _, after = words.partition(" to ")
        yield f"conversion from {after} to {before}", 1 / factor, -offset / factor


def _apart(one: ColumnEvidence, factor: float, offset: float) -> float:
    """How far the served values are from the training data after a conversion."""
    found = one.distance_of([factor * value + offset for value in one.numbers])["ks"]
    return 1.0 if found is None else float(found)


def _word(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return kfnb_numeral(value) if isinstance(value, int | float) else str(value)


def _percent(share: float) -> str:
    return f"{digits(100 * share, 3)} %"
