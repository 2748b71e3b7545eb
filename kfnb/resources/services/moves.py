"""Moves: from the desired state of a service to the next one. Engines reach it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from kfnb.errors import Conflict, UsageError
from kfnb.resources.services.model import WHOLE, DesiredState, ServiceMove, Target

MOST_EARLIER = 20
"""Defaults before that are kept for rollback."""

ON_CLUSTER = ("image", "runtime", "cpu", "memory", "storage")
"""What of a target is for a cluster alone."""
_FIXED = ("model", "version", "digest", "on_bad_input", "pickle", "trust", "log", *ON_CLUSTER)
"""What is the same for all of a revision's life."""

Action = Literal["serve", "canary", "shadow", "promote", "rollback", "settings"]


@dataclass(frozen=True)
class Mover:
    """Who changes a service, and why. A version whose revision has ``failed`` is tried again as a new revision."""

    by: str
    because: str = ""
    failed: frozenset[int] = frozenset()

    def first(self, targets: Sequence[Target], *, sticky: str = "") -> DesiredState:
        """The desired state of a new service. ``targets`` are numbered here."""
        numbered = tuple(replace(one, revision=number) for number, one in enumerate(targets, start=1))
        nothing = DesiredState(0, (), ServiceMove(0, "serve", self.by, 0.0))
        after = replace(nothing, targets=numbered, last_revision=len(numbered), sticky=sticky)
        return self._made(nothing, after, "serve")

    def serve(self, now: DesiredState, target: Target) -> DesiredState:
        """Let a version be the default, which ends a canary; ``now`` itself if it is already."""
        if _same(now.default, target) and now.default.revision not in self.failed:
            return now
        after, chosen = self._numbered(now, target)
        return self._made(now, _with(after, _default(chosen), *_shadows(now, but=chosen)), "serve")

    def canary(self, now: DesiredState, target: Target, percent: int) -> DesiredState:
        """Give a version ``percent`` of the requests. Raises ``UsageError``."""
        check_percent(percent)
        if target.digest == now.default.digest:
            message = f"{target.ref} is the default already, which gets all other requests"
            raise UsageError(message, ref=target.ref)
        after, chosen = self._numbered(now, target)
        default = replace(now.default, percent=WHOLE - percent)
        canary = replace(chosen, role="canary", percent=percent)
        return self._made(now, _with(after, default, canary, *_shadows(now, but=chosen)), "canary")

    def shadow(self, now: DesiredState, target: Target) -> DesiredState:
        """Give a version copies of all requests. Raises ``UsageError``."""
        answering = [one for one in now.targets if one.role != "shadow"]
        for one in answering:
            if one.digest == target.digest:
                message = f"{target.ref} is the {one.role}, and answers requests already"
                raise UsageError(message, ref=target.ref)
        after, chosen = self._numbered(now, target)
        return self._made(now, _with(after, *answering, replace(chosen, role="shadow", percent=0)), "shadow")

    def promote(self, now: DesiredState) -> DesiredState:
        """Let the canary be the default. Raises ``UsageError`` if there is none."""
        canary = now.of("canary")
        if canary is None:
            hint = "give a version a share first: canary('NAME@VERSION', 1)"
            raise UsageError("there is no canary to promote", hint=hint)
        return self._made(now, _with(now, _default(canary), *_shadows(now)), "promote")

    def rollback(self, now: DesiredState) -> DesiredState:
        """End the canary; without one, let the default before be the default again. Raises ``UsageError``."""
        if now.of("canary") is not None:
            return self._made(now, _with(now, _default(now.default), *_shadows(now)), "rollback")
        if not now.earlier:
            message = f"{now.default.ref} is the first version that was the default, and there is no canary"
            raise UsageError(message, ref=now.default.ref)
        back = replace(now.earlier[-1], unchecked=True)  # it has answered requests before
        after, chosen = self._numbered(now, back)
        made = self._made(now, _with(after, _default(chosen), *_shadows(now, but=chosen)), "rollback")
        return replace(made, earlier=now.earlier[:-1])

    def settings(self, now: DesiredState, *, sticky: str) -> DesiredState:
        """Let the value of a header decide between default and canary; empty for an exact split."""
        return self._made(now, replace(now, sticky=sticky), "settings")

    def _numbered(self, now: DesiredState, target: Target) -> tuple[DesiredState, Target]:
        """The target as the revision that serves it already, else as a new one."""
        for one in now.targets:
            if _same(one, target) and one.revision not in self.failed:
                return now, replace(one, alias=target.alias)
        number = now.last_revision + 1
        return replace(now, last_revision=number), replace(target, revision=number)

    def _made(self, now: DesiredState, after: DesiredState, action: Action) -> DesiredState:
        """The next generation; ``now`` itself if nothing changes."""
        if after == now:
            return now
        number = now.generation + 1
        move = ServiceMove(number, action, self.by, time.time(), self.because, now.shares, after.shares)
        replaced = [one for one in now.targets if one.role == "default" and not _same(one, after.default)]
        earlier = (*now.earlier, *replaced)[-MOST_EARLIER:]
        return replace(after, generation=number, move=move, earlier=earlier)


def check_percent(percent: int) -> int:
    """The share of a canary. Raises ``UsageError``."""
    if type(percent) is not int or not 0 < percent < WHOLE:
        hint = "promote() gives the canary all requests, and rollback() none"
        raise UsageError(f"{percent!r} %: a canary gets a whole number of percent from 1 to 99", hint=hint)
    return percent


def other_models(now: DesiredState) -> tuple[str, ...]:
    """A note for each canary and shadow that is not a version of the default's model: perhaps a slip of the hand."""
    model = now.default.model
    others = [one for one in now.targets if one.model != model]
    return tuple(
        f"the {one.role} {one.ref} is not a version of {model}, the default's model" for one in others
    )


def conflict(name: str, theirs: ServiceMove) -> Conflict:
    """The error for a change to a service that another user has changed since it was read."""
    at = time.strftime("%H:%M:%S", time.localtime(theirs.at))
    shares = ", ".join(f"{ref} {percent} %" for ref, percent in theirs.after.items())
    message = f"{theirs.by} changed service {name} at {at} ({theirs.action}: {shares}), after it was read"
    return Conflict(message, hint="show it, and try again", ref=name)


def _same(one: Target, other: Target) -> bool:
    """Whether one revision does for both."""
    return all(getattr(one, name) == getattr(other, name) for name in _FIXED)


def _with(now: DesiredState, *targets: Target) -> DesiredState:
    return replace(now, targets=targets)


def _default(target: Target) -> Target:
    return replace(target, role="default", percent=WHOLE)


def _shadows(now: DesiredState, *, but: Target | None = None) -> list[Target]:
    """The shadow, unless it is the revision that gets another role."""
    number = None if but is None else but.revision
    return [one for one in now.targets if one.role == "shadow" and one.revision != number]


def served_target(name: str, desired: DesiredState, version: str) -> Target:
    """The target of a role, a number or a reference of service ``name``. Raises ``UsageError``."""
    for one in desired.targets:
        if str(version) in (one.role, str(one.version), one.ref):
            return one
    known = ", ".join(f"{one.role} ({one.ref})" for one in desired.targets)
    raise UsageError(f"service {name} serves no version {version}; it serves {known}", ref=str(version))
