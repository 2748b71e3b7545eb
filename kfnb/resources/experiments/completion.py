"""Completion of experiments."""

from __future__ import annotations

from collections.abc import Iterable

from kfnb.commands import completion
from kfnb.commands.completion import Around, Values
from kfnb.commands.expected import Expected
from kfnb.resources.experiments import api
from kfnb.settings import settings


def _experiments(_found: Expected, _around: Around) -> Iterable[str]:
    return completion.answers(
        ("experiments", settings().backend), lambda: (one.name for one in api.experiments())
    )


VALUES: dict[str, Values] = {"experiment": _experiments}
