"""Completion of services, and of the versions that they serve."""

from __future__ import annotations

from collections.abc import Iterator

from kfnb.commands import completion
from kfnb.commands.completion import Around, Values
from kfnb.commands.expected import Expected
from kfnb.resources.services import api
from kfnb.settings import settings


def _services(_found: Expected, around: Around) -> Iterator[str]:
    yield from around.named("Service")
    question = ("services", settings().backend, settings().home)
    yield from completion.answers(question, lambda: (one.name for one in api.services()))


def _served(_found: Expected, _around: Around) -> Iterator[str]:
    def versions() -> Iterator[str]:
        for one in api.services():
            yield from (target.ref for target in one.desired.targets)

    yield from dict.fromkeys(("default", "canary", "shadow"))
    yield from completion.answers(("served versions", settings().backend, settings().home), versions)


VALUES: dict[str, Values] = {"service": _services, "served version": _served}
