"""Completion of monitors, and of the steps that follow an alarm."""

from __future__ import annotations

from collections.abc import Iterator

from kfnb.commands import completion
from kfnb.commands.completion import Around, Values
from kfnb.commands.expected import Expected
from kfnb.resources.monitors import api
from kfnb.resources.monitors.actions.steps import STEPS
from kfnb.settings import settings


def _monitors(_found: Expected, around: Around) -> Iterator[str]:
    yield from around.named("Monitor")
    question = ("monitors", settings().backend, settings().home)
    yield from completion.answers(question, lambda: (one.name for one in api.monitors()))


VALUES: dict[str, Values] = {"monitor": _monitors, "monitor step": lambda _found, _around: list(STEPS)}
