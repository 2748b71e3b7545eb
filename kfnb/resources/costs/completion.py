"""Completion of offers."""

from __future__ import annotations

from collections.abc import Iterable

from kfnb.commands.completion import Around, Values
from kfnb.commands.expected import Expected
from kfnb.prices.current import names


def _offers(_found: Expected, _around: Around) -> Iterable[str]:
    return names()


VALUES: dict[str, Values] = {"offer": _offers}
