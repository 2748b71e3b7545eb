"""Versions of models as what is served."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kfnb.commands.words import quantity
from kfnb.entities.log_policy import KEEP_ALL, LogPolicy
from kfnb.errors import KfnbError, UsageError
from kfnb.resources.models.api import model
from kfnb.resources.models.handle import ModelVersion
from kfnb.resources.models.model import ModelState
from kfnb.resources.services.model import OnBadInput, Target
from kfnb.resources.services.moves import ON_CLUSTER, check_percent

_WAYS = ("reject", "impute", "log")
_STORAGE = re.compile(
    r"pvc://[a-z0-9][a-z0-9.-]*(/[\w-][\w.-]*)*|oci://[\w.-]+(:\d+)?(/[\w.-]+)*(:[\w.-]+)?(@sha256:[0-9a-f]{64})?"
)


@dataclass(frozen=True)
class ServingTerms:
    """How versions are served, and what their user allows: see ``Target``."""

    on_bad_input: str = "reject"
    unchecked: bool = False
    pickle: bool = False
    trust: Sequence[str] = ()
    image: str = ""
    runtime: str = ""
    cpu: str = ""
    memory: str = ""
    storage: str = ""
    log: LogPolicy = KEEP_ALL


def terms_like(like: Target, unchecked: bool, pickle: bool, trust: Sequence[str]) -> ServingTerms:
    """The terms of a further version: those of the default, and what the user allows of this one."""
    on_cluster = {
        name: getattr(like, name) for name in ON_CLUSTER if name != "storage"
    }  # which holds a version
    return ServingTerms(like.on_bad_input, unchecked, pickle, trust, log=like.log, **on_cluster)


def target_of(ref: str | ModelVersion, terms: ServingTerms) -> Target:
    """A version that is to be served. Raises ``UsageError``."""
    quantity(terms.cpu, "--cpu", "m", "2 or 500m")
    quantity(terms.memory, "--memory", "[EPTGMK]i?", "4G or 512Mi")
    if terms.storage and not _STORAGE.fullmatch(terms.storage):
        raise UsageError(
            f"--storage {terms.storage}: write pvc://CLAIM/FOLDER or oci://IMAGE", ref=terms.storage
        )
    version = version_of(ref)
    found = version.snapshot()
    if found.format == "pickle" and not terms.pickle:
        message = f"{found.ref} is a pickle, which executes code when it is loaded:"
        raise UsageError(message, hint="pass pickle=True (--pickle) if you trust it", ref=found.ref)
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
        on_bad_input=_checked(terms.on_bad_input),
        unchecked=terms.unchecked,
        pickle=terms.pickle,
        trust=tuple(terms.trust),
        image=terms.image,
        runtime=terms.runtime,
        cpu=terms.cpu,
        memory=terms.memory,
        storage=terms.storage,
        log=terms.log,
    )


def version_of(ref: object) -> ModelVersion:
    """The version that is meant. Raises ``UsageError``."""
    if isinstance(ref, str | ModelVersion):
        return model(ref)
    message = f"a value of type {type(ref).__name__} is not a version of a model:"
    hint = "kfnb.register(model, NAME) makes one"
    raise UsageError(message, code="invalid-argument", hint=hint, ref=type(ref).__name__)


def canary_of(text: str) -> tuple[str, int]:
    """A canary as users write it, ``churn@7:1``: its reference and its percent. Raises ``UsageError``."""
    ref, colon, percent = text.rpartition(":")
    if not colon or not ref or not percent.isdecimal():
        hint = "such as churn@7:1 for 1 of 100 requests"
        raise UsageError(f"{text}: write a canary as NAME@VERSION:PERCENT", hint=hint, ref=text)
    return ref, check_percent(int(percent))


def aliases_of(target: Target) -> tuple[str, ...]:
    """The aliases that name a version in its registry; none where that is unknown."""
    try:
        return model(f"{target.registry}:{target.ref}").aliases
    except KfnbError:
        return ()


def alias_of(target: Target, alias: bool | str) -> str:
    """The alias of a version that is meant: a name, or with True the one that it is served by, else its only one.

    Raises ``UsageError``.
    """
    if isinstance(alias, str):
        return alias
    known = aliases_of(target)
    if target.alias in known:
        return target.alias
    if len(known) != 1:
        hint = f"name one of {', '.join(known)}" if known else "name the one that is to be set"
        raise UsageError(
            f"{target.ref} has {'several aliases' if known else 'no alias'}:", hint=hint, ref=target.ref
        )
    return known[0]


def _checked(way: str) -> OnBadInput:
    for one in _WAYS:
        if one == way:
            return one  # type: ignore[return-value]
    raise UsageError(
        f"{way}: what is done on bad input is {', '.join(_WAYS)}", code="invalid-argument", ref=way
    )
