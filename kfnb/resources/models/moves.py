"""Moves of aliases: the request, when a registry refuses it, and what an alias named before.

The history of an alias is append-only. Each move has a kind. Earlier versions of kfnb recorded none: the reason of a
rollback began with a fixed word then, by which such a move is still read.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from kfnb.errors import Conflict, UsageError, did_you_mean
from kfnb.resources.models.model import AliasChange, ModelState, MoveKind, VersionSnapshot

_ROLLBACK = "rollback"


@dataclass(frozen=True)
class AliasMove:
    """A requested move: ``alias`` of ``model`` is to name ``to``, if it still names ``expected``."""

    model: str
    alias: str
    to: int | None
    expected: int | None
    by: str
    because: str = ""
    kind: MoveKind = MoveKind.PROMOTION

    @property
    def ref(self) -> str:
        """``churn@champion``."""
        return f"{self.model}@{self.alias}"

    def change(self, before: int | None) -> AliasChange:
        """The move as the history keeps it, made now, of an alias that named ``before``."""
        return AliasChange(
            self.model, self.alias, before, self.to, self.by, time.time(), self.because, self.kind
        )


def check_move(move: AliasMove, last: AliasChange | None, known: Iterable[str]) -> None:
    """Check a move against the last one of its alias. ``known`` are the aliases of the model.

    Raises ``Conflict`` if the alias names another version than the caller expects, ``UsageError`` if the alias is to be
    removed and does not exist.
    """
    now = last.to_version if last else None
    if now != move.expected:
        raise Conflict(_conflict(move, last), ref=move.ref)
    if now is None and move.to is None:
        raise unknown_alias(move.model, move.alias, known)


def check_live(version: VersionSnapshot) -> None:
    """Raise ``UsageError`` if a version is archived: no alias names an archived version."""
    if version.state is ModelState.ARCHIVED:
        hint = "restore it first, with archive --undo"
        raise UsageError(f"{version.ref} is archived:", hint=hint, ref=version.ref)


def check_unnamed(version: VersionSnapshot) -> None:
    """Raise ``UsageError`` if an alias names a version, which is to be archived."""
    if version.aliases:
        message = f"{version.ref} is {version.name}@{version.aliases[0]}:"
        raise UsageError(message, hint="move the alias to another version first", ref=version.ref)


def unknown_alias(model: str, alias: str, known: Iterable[str]) -> UsageError:
    """The error for an alias that a model does not have, with a similar one, or all that it has."""
    names = sorted(known)
    hint = did_you_mean(alias, names, f"it has {', '.join(names)}" if names else "it has no aliases")
    return UsageError(f"{model} has no alias {alias}", code="not-found", hint=hint, ref=f"{model}@{alias}")


def reason_of_rollback(because: str) -> str:
    """The reason that the history keeps of a rollback."""
    return f"{_ROLLBACK}: {because}" if because else _ROLLBACK


def kind_of(recorded: str, because: str) -> MoveKind:
    """The kind of a move, as it was ``recorded``; empty where an earlier version of kfnb recorded the reason alone."""
    if recorded:
        return MoveKind.ROLLBACK if recorded == MoveKind.ROLLBACK.value else MoveKind.PROMOTION
    rolled_back = because == _ROLLBACK or because.startswith(f"{_ROLLBACK}: ")
    return MoveKind.ROLLBACK if rolled_back else MoveKind.PROMOTION


def earlier_versions(history: Iterable[AliasChange], alias: str) -> list[int]:
    """The versions that an alias named before, oldest first, without those that were rolled back.

    ``history`` is newest first.
    """
    named: list[int] = []
    for change in reversed([one for one in history if one.alias == alias]):
        back = change.kind is MoveKind.ROLLBACK and named[-2:-1] == [change.to_version]
        if back:
            named.pop()
        elif change.to_version is not None:
            named.append(change.to_version)
    return named[:-1]


def _conflict(move: AliasMove, last: AliasChange | None) -> str:
    expected = f"version {move.expected}" if move.expected is not None else "no version"
    if last is None:
        return f"{move.model} has no alias {move.alias}, which was expected to name {expected}"
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(last.at))
    because = f" because {last.because!r}" if last.because else ""
    done = (
        f"removed {move.ref}" if last.to_version is None else f"moved {move.ref} to version {last.to_version}"
    )
    return f"{last.by} {done} at {when}{because}; it was expected to name {expected}, and nothing was changed"
