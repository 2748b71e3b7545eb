"""Versions of models as what is served."""

from __future__ import annotations

from kfnb.errors import UsageError
from kfnb.resources.models.handle import ModelVersion
from kfnb.resources.models.model import ModelState
from kfnb.resources.services.model import OnBadInput, Target
from kfnb.resources.services.moves import check_percent

_WAYS = ("reject", "impute", "log")


def target_of(version: ModelVersion, ref: object, *, on_bad_input: str, unchecked: bool) -> Target:
    """A version that is to be served, asked for as ``ref``. Raises ``UsageError``."""
    found = version.snapshot()
    if found.state is ModelState.ARCHIVED:
        hint = "restore it first, with archive --undo"
        raise UsageError(f"{found.ref} is archived:", hint=hint, ref=found.ref)
    which = ref.partition("@")[2] if isinstance(ref, str) else ""
    return Target(
        0,
        found.name,
        found.version,
        found.digest,
        registry=version.backend,
        uri=found.uri,
        format=found.format,
        alias=which if which in found.aliases else "",
        on_bad_input=_checked(on_bad_input),
        unchecked=unchecked,
    )


def canary_of(text: str) -> tuple[str, int]:
    """A canary as it is written, ``churn@7:1``: its reference and its percent. Raises ``UsageError``."""
    ref, colon, percent = text.rpartition(":")
    if not colon or not ref or not percent.isdecimal():
        hint = "such as churn@7:1 for 1 of 100 requests"
        raise UsageError(f"{text}: write a canary as NAME@VERSION:PERCENT", hint=hint, ref=text)
    return ref, check_percent(int(percent))


def _checked(way: str) -> OnBadInput:
    for one in _WAYS:
        if one == way:
            return one  # type: ignore[return-value]
    raise UsageError(
        f"{way}: what is done on bad input is {', '.join(_WAYS)}", code="invalid-argument", ref=way
    )
