"""Completion of models, their versions and aliases."""

from __future__ import annotations

from collections.abc import Iterator

from kfnb.commands import completion
from kfnb.commands.completion import Around, Values
from kfnb.commands.expected import Expected
from kfnb.resources.models import api
from kfnb.settings import settings


def _question(kind: str) -> tuple[str, ...]:
    return kind, settings().registry, settings().home


def _models(_found: Expected, _around: Around) -> Iterator[str]:
    yield from completion.answers(_question("models"), lambda: (one.name for one in api.registered()))


def _versions(found: Expected, around: Around) -> Iterator[str]:
    yield from around.named("ModelVersion")

    def refs() -> Iterator[str]:
        for one in api.registered():
            yield one.name
            yield from (f"{one.name}@{alias}" for alias in one.aliases)
            yield from (f"{one.name}@{number}" for number in range(one.versions, 0, -1))

    del found
    yield from completion.answers(_question("model versions"), refs)


def _aliases(_found: Expected, _around: Around) -> Iterator[str]:
    known = completion.answers(
        _question("aliases"), lambda: (alias for one in api.registered() for alias in one.aliases)
    )
    yield from dict.fromkeys(["champion", "candidate", *known])


def _metrics(_found: Expected, _around: Around) -> Iterator[str]:
    yield from completion.answers(_question("metrics"), lambda: api.models().metrics)


VALUES: dict[str, Values] = {
    "model": _models,
    "model version": _versions,
    "alias": _aliases,
    "metric": _metrics,
}
