"""Moves: from what is wanted of a service to what is wanted next. Engines bring it about."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from kfnb.errors import Conflict, UsageError
from kfnb.resources.services.model import WHOLE, DesiredState, Role, ServiceMove, Target

MOST_EARLIER = 20
"""Defaults before that are kept for rollback."""

Action = Literal["serve", "canary", "shadow", "promote", "rollback", "settings"]


@dataclass(frozen=True)
class Mover:
    """Who changes a service, and why."""

    by: str
    because: str = ""

    def first(self, targets: Sequence[Target], *, sticky: str = "") -> DesiredState:
        """What is wanted of a service that is new. ``targets`` are numbered here."""
        numbered = tuple(replace(one, revision=number) for number, one in enumerate(targets, start=1))
        begun = DesiredState(
            0, (), self._move("serve", 1, (), ()), last_revision=len(numbered), sticky=sticky
        )
        return self._next(begun, "serve", numbered)

    def serve(self, now: DesiredState, target: Target) -> DesiredState:
        """Let a version be the default, which ends a canary; ``now`` itself if it is already."""
        if _same(now.default, target):
            return now
        after, chosen = _numbered(now, target)
        others = [one for one in now.targets if one.role == "shadow" and one.revision != chosen.revision]
        return self._next(after, "serve", (_default(chosen), *others))

    def canary(self, now: DesiredState, target: Target, percent: int) -> DesiredState:
        """Give a version ``percent`` of the requests. Raises ``UsageError``."""
        check_percent(percent)
        if target.digest == now.default.digest:
            raise UsageError(
                f"{target.ref} is the default already, which gets all other requests", ref=target.ref
            )
        after, chosen = _numbered(now, target)
        others = [one for one in now.targets if one.role == "shadow" and one.revision != chosen.revision]
        default = replace(now.default, percent=WHOLE - percent)
        return self._next(
            after, "canary", (default, replace(chosen, role="canary", percent=percent), *others)
        )

    def shadow(self, now: DesiredState, target: Target) -> DesiredState:
        """Give a version copies of all requests. Raises ``UsageError``."""
        for one in now.targets:
            if one.role != "shadow" and one.digest == target.digest:
                raise UsageError(
                    f"{target.ref} is the {one.role}, and answers requests already", ref=target.ref
                )
        after, chosen = _numbered(now, target)
        others = [one for one in now.targets if one.role != "shadow"]
        return self._next(after, "shadow", (*others, replace(chosen, role="shadow", percent=0)))

    def promote(self, now: DesiredState) -> DesiredState:
        """Let the canary be the default. Raises ``UsageError`` if there is none."""
        canary = now.of("canary")
        if canary is None:
            hint = "give a version a share first: canary('NAME@VERSION', 1)"
            raise UsageError("there is no canary to promote", hint=hint)
        others = [one for one in now.targets if one.role == "shadow"]
        return self._next(now, "promote", (_default(canary), *others))

    def rollback(self, now: DesiredState) -> DesiredState:
        """End the canary; without one, let the default before be the default again. Raises ``UsageError``."""
        kept = tuple(one for one in now.targets if one.role == "shadow")
        if now.of("canary") is not None:
            return self._next(now, "rollback", (_default(now.default), *kept))
        if not now.earlier:
            raise UsageError(
                f"{now.default.ref} is the first version that was the default, and there is no canary"
            )
        back = now.earlier[-1]
        after, chosen = _numbered(now, replace(back, unchecked=True))  # it has answered requests before
        kept = tuple(one for one in kept if one.revision != chosen.revision)
        return replace(self._next(after, "rollback", (_default(chosen), *kept)), earlier=now.earlier[:-1])

    def settings(self, now: DesiredState, *, sticky: str) -> DesiredState:
        """Let the value of a header decide between default and canary; empty for an exact split."""
        return replace(self._next(now, "settings", now.targets), sticky=sticky)

    def _next(self, now: DesiredState, action: Action, targets: tuple[Target, ...]) -> DesiredState:
        after = replace(now, generation=now.generation + 1, targets=targets)
        move = self._move(action, after.generation, now.targets, targets)
        replaced = [one for one in now.targets if one.role == "default" and not _same(one, after.default)]
        return replace(after, move=move, earlier=(*now.earlier, *replaced)[-MOST_EARLIER:])

    def _move(
        self, action: Action, generation: int, before: Sequence[Target], after: Sequence[Target]
    ) -> ServiceMove:
        return ServiceMove(
            generation, action, self.by, time.time(), self.because, _shares(before), _shares(after)
        )


def check_percent(percent: int) -> int:
    """The share of a canary. Raises ``UsageError``."""
    if type(percent) is not int or not 0 < percent < WHOLE:
        hint = "promote() gives the canary all requests, and rollback() none"
        raise UsageError(f"{percent!r} %: a canary gets a whole number of percent from 1 to 99", hint=hint)
    return percent


def conflict(name: str, theirs: ServiceMove) -> Conflict:
    """The error of who wanted to change a service after somebody else did."""
    at = time.strftime("%H:%M:%S", time.localtime(theirs.at))
    shares = ", ".join(f"{ref} {percent} %" for ref, percent in theirs.after.items())
    message = f"{theirs.by} changed service {name} at {at} ({theirs.action}: {shares}), after it was read"
    return Conflict(message, hint="look at it, and try again", ref=name)


def _numbered(now: DesiredState, target: Target) -> tuple[DesiredState, Target]:
    """The target as the revision that serves it already, else as a new one."""
    for one in now.targets:
        if _same(one, target):
            return now, replace(one, alias=target.alias)
    number = now.last_revision + 1
    return replace(now, last_revision=number), replace(target, revision=number)


def _same(one: Target, other: Target) -> bool:
    """Whether one revision does for both."""
    return (one.ref, one.digest, one.on_bad_input) == (other.ref, other.digest, other.on_bad_input)


def _default(target: Target) -> Target:
    role: Role = "default"
    return replace(target, role=role, percent=WHOLE)


def _shares(targets: Sequence[Target]) -> dict[str, int]:
    return {one.ref: one.percent for one in targets}
