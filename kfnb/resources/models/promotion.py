"""Aliases are promoted and rolled back."""

from __future__ import annotations

from kfnb.errors import UsageError
from kfnb.resources.models.checks import check_alias
from kfnb.resources.models.engine import ModelRegistry
from kfnb.resources.models.model import AliasChange, MoveKind, VersionSnapshot
from kfnb.resources.models.moves import AliasMove, earlier_versions, reason_of_rollback, unknown_alias

CHAMPION = "champion"
"""The alias of the version that is in use, unless another one is named."""


def promote(
    registry: ModelRegistry,
    version: VersionSnapshot,
    alias: str,
    *,
    by: str,
    because: str,
    expected: int | None = None,
) -> AliasChange:
    """Let an alias name a version. The alias must still name ``expected``, by default what it named when it was read.

    If the alias names the version already, nothing is changed, and the last change is returned. Raises ``Conflict`` if
    another user moved the alias since, which says who; ``UsageError`` if the version is archived.
    """
    check_alias(alias)
    if expected is None:
        expected, now = version.model_aliases.get(alias), registry.aliases(version.name).get(alias)
        if expected != now and _last_mover(registry, version.name, alias) == by:
            expected = now
    reason = str(because or "")  # a program may give anything
    return registry.move_alias(
        AliasMove(version.name, alias, version.version, expected=expected, by=by, because=reason)
    )


def _last_mover(registry: ModelRegistry, model: str, alias: str) -> str:
    return next((one.by for one in registry.history(model) if one.alias == alias), "")


def rollback(registry: ModelRegistry, model: str, alias: str, *, by: str, because: str) -> AliasChange:
    """Let an alias name the version that it named before. Raises ``UsageError`` where there was none."""
    known = registry.aliases(model)
    if alias not in known:
        raise unknown_alias(model, alias, known)
    earlier = earlier_versions(registry.history(model), alias)
    if not earlier:
        message = (
            f"nothing to roll back: {model}@{known[alias]} is the first version that {model}@{alias} named"
        )
        raise UsageError(message, ref=f"{model}@{alias}")
    return registry.move_alias(
        AliasMove(
            model,
            alias,
            earlier[-1],
            expected=known[alias],
            by=by,
            because=reason_of_rollback(because),
            kind=MoveKind.ROLLBACK,
        )
    )
