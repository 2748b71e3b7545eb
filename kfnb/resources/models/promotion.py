"""Aliases are promoted and rolled back: what their history says of the version before."""

from __future__ import annotations

from collections.abc import Iterable

from kfnb.errors import UsageError, did_you_mean
from kfnb.resources.models.checks import check_alias
from kfnb.resources.models.engine import ModelRegistry, VersionQuery
from kfnb.resources.models.model import AliasChange, ModelState, VersionSnapshot

CHAMPION = "champion"
"""The alias of the version that is in use, unless another one is named."""

_ROLLBACK = "rollback"


def promote(
    registry: ModelRegistry, version: VersionSnapshot, alias: str, *, by: str, because: str
) -> AliasChange:
    """Let an alias name a version. Raises ``Conflict`` if another user moves it at the same time."""
    check_alias(alias)
    if version.state is ModelState.ARCHIVED:
        message = f"{version.ref} is archived:"
        raise UsageError(message, hint="restore it first, with archive --undo", ref=version.ref)
    now = aliases(registry, version.name).get(alias)
    reason = str(because or "")  # a program may give anything
    return registry.move_alias(version.name, alias, version.version, expected=now, by=by, because=reason)


def rollback(registry: ModelRegistry, model: str, alias: str, *, by: str, because: str) -> AliasChange:
    """Let an alias name the version that it named before. Raises ``UsageError`` where there was none."""
    history = registry.history(model)
    known = aliases(registry, model)
    if alias not in known:
        message = f"{model} has no alias {alias}"
        raise UsageError(message, code="not-found", hint=did_you_mean(alias, known), ref=f"{model}@{alias}")
    earlier = earlier_versions(history, alias)
    if not earlier:
        message = (
            f"nothing to roll back: {model}@{known[alias]} is the first version that {model}@{alias} named"
        )
        raise UsageError(message, ref=f"{model}@{alias}")
    to = registry.version(model, earlier[-1])
    if to.state is ModelState.ARCHIVED:
        raise UsageError(f"{to.ref} is archived:", hint="restore it first, with archive --undo", ref=to.ref)
    reason = f"{_ROLLBACK}: {because}" if because else _ROLLBACK
    return registry.move_alias(model, alias, to.version, expected=known[alias], by=by, because=reason)


def earlier_versions(history: Iterable[AliasChange], alias: str) -> list[int]:
    """The versions that an alias named before, oldest first; what was rolled back is left out.

    ``history`` is newest first.
    """
    named: list[int] = []
    for change in reversed([one for one in history if one.alias == alias]):
        back = change.because == _ROLLBACK or change.because.startswith(f"{_ROLLBACK}: ")
        if back and len(named) > 1:
            named.pop()
        elif change.to_version is not None:
            named.append(change.to_version)
    return named[:-1]


def aliases(registry: ModelRegistry, model: str) -> dict[str, int]:
    """The aliases of a model, each with the version that it names."""
    versions = registry.versions(VersionQuery(name=model, archived=True, outline=True))
    return {alias: one.version for one in versions for alias in one.aliases}
