"""What the registry's lists say of versions, and which of them a query chooses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from kfnb.resources.models.engine import VersionQuery
from kfnb.resources.models.kubeflow.aliases import Entry, standing
from kfnb.resources.models.kubeflow.properties import decoded
from kfnb.resources.models.model import ModelState, VersionSnapshot

Json = Mapping[str, Any]


def by_model(versions: Iterable[Json]) -> dict[str, list[Json]]:
    """The versions of all models, by the id of their model."""
    found: dict[str, list[Json]] = defaultdict(list)
    for one in versions:
        found[str(one.get("registeredModelId"))].append(one)
    return found


def moves(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """The moves of all models' aliases, by the id of their model."""
    found: dict[str, list[Entry]] = defaultdict(list)
    for one in entries:
        found[one.model_id].append(one)
    return found


def snapshots(model: Json, versions: Mapping[int, Json], entries: Iterable[Entry]) -> list[VersionSnapshot]:
    """A model's versions, by their numbers, with the aliases that the ``entries`` of its log leave them."""
    named = standing(entries)
    return [
        replace(
            decoded(one, str(model["name"]), number),
            aliases=tuple(sorted(alias for alias, to in named.items() if to == number)),
            model_aliases=named,
        )
        for number, one in versions.items()
    ]


def is_meant(version: VersionSnapshot, query: VersionQuery) -> bool:
    """Whether a query chooses a version."""
    return (
        (query.archived or version.state is ModelState.LIVE)
        and query.owner in ("", version.owner)
        and (not query.data or version.is_of(query.data, query.data_digest))
        and query.namespace in ("", version.source.group)
        and (not query.alias or query.alias in version.aliases)
        and (not query.tag or query.tag in version.tags or query.tag in _pairs(version))
        and (query.since is None or version.created >= query.since)
    )


def _pairs(version: VersionSnapshot) -> set[str]:
    return {f"{name}={value}" for name, value in version.tags.items()}
