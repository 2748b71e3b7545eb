"""Completion of studies, and of the settings of algorithms."""

from __future__ import annotations

from collections.abc import Iterator

from kfnb.commands import completion
from kfnb.commands.completion import Around, Values
from kfnb.commands.expected import Expected
from kfnb.resources.studies import api
from kfnb.resources.studies.algorithms import ALGORITHMS, EARLY_STOPPING
from kfnb.settings import settings


def _studies(_found: Expected, around: Around) -> Iterator[str]:
    yield from around.named("Study")
    yield from completion.answers(
        ("studies", settings().backend), lambda: (study.name for study in api.studies())
    )


def _algorithm_settings(found: Expected, _around: Around) -> Iterator[str]:
    algorithm = found.given.get("algorithm", ("tpe",))[-1]
    early = found.given.get("early_stopping", ("",))[-1]
    yield from (f"{name}=" for name in (*ALGORITHMS.get(algorithm, ()), *EARLY_STOPPING.get(early, ())))


VALUES: dict[str, Values] = {"algorithm setting": _algorithm_settings, "study": _studies}
