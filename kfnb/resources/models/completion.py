"""Completion of models, their versions and aliases, here and on a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kfnb.commands import completion
from kfnb.commands.completion import Around, Values
from kfnb.commands.expected import Expected
from kfnb.resources.models import api
from kfnb.settings import settings
from kfnb.target import names_a_cluster

CLUSTER = "kubeflow:"


def _question(kind: str, prefix: str = "") -> tuple[Any, ...]:
    chosen = settings()
    here, there = (chosen.registry, chosen.home), (chosen.model_registry, chosen.host, chosen.context)
    return kind, prefix, there if prefix == CLUSTER else here


def _models(found: Expected, _around: Around) -> Iterator[str]:
    backend, prefix = _backend(found.begun)

    def names() -> Iterator[str]:
        return (prefix + one.name for one in api.registered(backend))

    yield from completion.answers(_question("models", prefix), names)
    yield from [] if prefix else cluster_prefix()


def _versions(found: Expected, around: Around) -> Iterator[str]:
    yield from around.named("ModelVersion")
    yield from versions(found.begun)


def versions(begun: str) -> Iterator[str]:
    """References to versions that begin so: of this machine, or after ``kubeflow:`` of the cluster."""
    backend, prefix = _backend(begun)

    def refs() -> Iterator[str]:
        for one in api.registered(backend):
            name = prefix + one.name
            yield name
            yield from (f"{name}@{alias}" for alias in one.aliases)
            yield from (f"{name}@{number}" for number in range(one.versions, 0, -1))

    yield from completion.answers(_question("model versions", prefix), refs)
    yield from [] if prefix else cluster_prefix()


def _backend(begun: str) -> tuple[str, str]:
    """Whose models are meant by the beginning of a reference, and the prefix that says so."""
    if begun.startswith(CLUSTER):
        return "kubeflow", CLUSTER
    return "local", "local:" if begun.startswith("local:") else ""


def cluster_prefix() -> Iterator[str]:
    """What begins references to models of the cluster, where one is known."""
    if settings().model_registry or names_a_cluster():
        yield CLUSTER


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
