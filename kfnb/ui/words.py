"""Values, moments and durations in words that fit a line."""

from __future__ import annotations

import math
import re
import reprlib
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from decimal import ROUND_HALF_UP, Context
from typing import Any

from kfnb.entities import Artifact, RunSnapshot

TIMES = "\N{MULTIPLICATION SIGN}"

_TENTHS_BELOW = 100
_WHOLE_BELOW, _SMALL = 1e15, 4
_NEXT_UNIT, _TENTHS_OF_UNIT = 999.5, 99.95
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_MOST_SIZES = 5
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
_LINE_ENDS = re.compile(r"\r\n?")


def clean(text: str) -> str:
    """``text`` without what acts instead of being read: terminal colours, controls, lone surrogates."""
    if text.isascii() and text.isprintable():
        return text
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", _LINE_ENDS.sub("\n", _ANSI.sub("", text)))


def one_line(text: str) -> str:
    """``text`` on one line, with runs of white space as one space."""
    return " ".join(clean(text).split())


def width(text: str) -> int:
    """How many columns of a terminal ``text`` takes."""
    if text.isascii():
        return len(text)
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut(text: str, columns: int) -> str:
    """``text``, or its beginning and an ellipsis, in at most ``columns`` columns."""
    if width(text) <= columns:
        return text
    shown, left = [], columns - 1
    for character in text:
        left -= _columns(character)
        if left < 0:
            break
        shown.append(character)
    return "".join(shown).rstrip() + "…"


class _Short(reprlib.Repr):
    """``repr`` of a value's beginning: cheap for huge values, and safe for those whose own ``repr`` fails."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = self.maxdict = 8
        self.maxstring = self.maxother = 80

    def repr1(self, x: Any, level: int) -> str:
        if isinstance(x, float):
            return number(x)
        if isinstance(x, Artifact):
            return f"<{type_name(x.type)} {x.name}>"
        return super().repr1(x, level)


_short = _Short()


def digits(value: float, most: int = 6) -> str:
    """A number rounded to ``most`` digits, but a whole one in full: ``0.1``, ``30``, ``1234567``, ``1e+20``, ``nan``.

    Halves are rounded away from zero, as people do and JavaScript does: ``js/src/kit/words.ts`` says the same.
    """
    if not math.isfinite(value):
        return str(value)
    if value == int(value) and abs(value) < _WHOLE_BELOW:
        return str(int(value))
    rounded = Context(prec=most, rounding=ROUND_HALF_UP).create_decimal(value)
    exponent = rounded.adjusted()
    if -_SMALL <= exponent < most:
        return _trimmed(f"{rounded:f}")
    return f"{_trimmed(f'{rounded.scaleb(-exponent):f}')}e{exponent:+03d}"


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def brief(value: float | str | bool | None, most: int = 5, columns: int = 32) -> str:
    """A parameter's value in a table's cell: numbers rounded to ``most`` digits; empty for None."""
    if value is None:
        return ""
    return digits(value, most) if isinstance(value, float) else short(value, columns)


def aligned(values: Iterable[float | None], most: int = 5) -> list[str]:
    """Numbers of a column, each rounded to ``most`` digits, with as many decimals as the longest; empty for None.

    Those whose sizes differ much keep their own decimals.
    """
    known = list(values)
    texts = ["" if value is None else digits(value, most) for value in known]
    plain = [text for text in texts if re.fullmatch(r"-?\d+(\.\d+)?", text)]
    decimals = max((len(text.partition(".")[2]) for text in plain), default=0)
    if any(len(text.partition(".")[0].lstrip("-")) + decimals > most + 1 for text in plain):
        return texts
    return [
        text if value is None or text not in plain else f"{value:.{decimals}f}"
        for value, text in zip(known, texts, strict=True)
    ]


def number(value: float) -> str:
    """A float to six digits, which still says that it is one: ``0.1``, ``30.0``, ``1e+20``, ``nan``."""
    text = digits(value)
    return f"{text}.0" if text.lstrip("-").isdigit() else text


def short(value: Any, columns: int = 60) -> str:
    """A value on one line: strings as they are, numbers to six digits, the beginning of the rest."""
    if isinstance(value, str):
        # a line needs no more than its beginning, and a string may be a whole file
        return cut(one_line(value[: 4 * columns]), columns) if value.strip() else repr(value[:columns])
    return cut(one_line(_short.repr(value)), columns)


def assignments(values: Mapping[str, Any], columns: int = 28) -> str:
    """Several values in one line: ``C = 0.5, rows = 300``."""
    return ", ".join(f"{name} = {short(value, columns)}" for name, value in values.items())


def flat(value: Any) -> list[Any]:
    """A value, or those in a list of values, of lists, and so on; nothing where it is None."""
    if isinstance(value, list):
        return [inner for item in value for inner in flat(item)]
    return [] if value is None else [value]


def kind(value: Any) -> str:
    """What an artifact, or a list of artifacts, is: ``Dataset 569 x 31``, ``4 x Model``; empty for other values."""
    if isinstance(value, Artifact):
        shape = value.metadata.get("shape")
        # what a step reports of a shape is its own affair: a few words are believed
        return " ".join(
            filter(None, (type_name(value.type), short(shape, 24) if isinstance(shape, str) else ""))
        )
    if isinstance(value, list | tuple) and value and all(isinstance(item, Artifact) for item in value):
        return f"{len(value)} {TIMES} {', '.join(dict.fromkeys(type_name(item.type) for item in value))}"
    return ""


def type_name(schema_title: str) -> str:
    """``Dataset`` for ``system.Dataset``."""
    return schema_title.removeprefix("system.")


def own_name(run: RunSnapshot) -> str:
    """A run's name; empty where it says no more than the pipeline's name and when that began."""
    generated = re.escape(run.pipeline) + r"(-\d{8}-\d{6}(-[0-9a-f]{4})?)?"
    return "" if re.fullmatch(generated, run.name) else run.name


def duration(seconds: float | None) -> str:
    """``0.4 s``, ``12 s``, ``3 min 05 s``, ``2 h 10 min``, ``4 d 3 h``; empty for None.

    Halves are rounded up, as in ``js/src/kit/words.ts``.
    """
    if seconds is None or not math.isfinite(seconds):
        return ""
    tenths = math.floor(min(max(0.0, seconds), _MINUTE) * 10 + 0.5)
    if tenths < _TENTHS_BELOW:
        return f"{tenths // 10}.{tenths % 10} s"
    whole = math.floor(seconds + 0.5)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02} s"
    if whole < 2 * _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"


def file_size(count: int) -> str:
    """Bytes in a unit that fits them: ``812 B``, ``12.3 kB``, ``569 MB``."""
    size, units = float(count), ["B", "kB", "MB", "GB", "TB"]
    while size >= _NEXT_UNIT and len(units) > 1:
        size, units = size / 1000, units[1:]
    return (
        f"{size:.0f} {units[0]}" if units[0] == "B" or size >= _TENTHS_OF_UNIT else f"{size:.1f} {units[0]}"
    )


def file_sizes(counts: Iterable[int]) -> str:
    """Several sizes, the largest first, and their sum: ``12 MB, 3 MB; 15 MB in all``."""
    largest = sorted(counts, reverse=True)
    shown = ", ".join(map(file_size, largest[:_MOST_SIZES]))
    return f"{shown}{', ...' if len(largest) > _MOST_SIZES else ''}; {file_size(sum(largest))} in all"


def moment(epoch: float | None) -> str:
    """Local time, ``2026-11-24 06:37:22``; empty for None."""
    if epoch is None:
        return ""
    try:
        return f"{datetime.fromtimestamp(epoch, timezone.utc).astimezone():%Y-%m-%d %H:%M:%S}"
    except (OverflowError, OSError, ValueError):
        return ""


def counted(names: Iterable[str]) -> str:
    """``prepare, train x 3``, with a real sign of multiplication: each name once, in order."""
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return ", ".join(name if count == 1 else f"{name} {TIMES} {count}" for name, count in counts.items())
