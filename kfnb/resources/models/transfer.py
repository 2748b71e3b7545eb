"""Versions of a model are copied from one registry to another: push, pull."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from kfnb.errors import UsageError
from kfnb.resources.models.api import registry_of
from kfnb.resources.models.engine import ModelRegistry, VersionQuery
from kfnb.resources.models.measurements import without_measurements
from kfnb.resources.models.model import ModelState, Transfer, VersionSnapshot
from kfnb.resources.models.moves import AliasMove
from kfnb.resources.models.reference import parse, resolve
from kfnb.settings import owner
from kfnb.ui.words import file_size


def push(ref: str, *, notify: Callable[[str], None] = print) -> Transfer:
    """Copy a model from this machine to the cluster: all versions of ``churn``, or the one of ``churn@champion``.

    ``notify`` is called before each version. Raises ``UsageError``, ``BackendError``.
    """
    return _copied(ref, "local", "kubeflow", notify)


def pull(ref: str, *, notify: Callable[[str], None] = print) -> Transfer:
    """Copy a model from the cluster to this machine, as ``push`` does to the cluster."""
    return _copied(ref, "kubeflow", "local", notify)


def _copied(ref: str, source: str, target: str, notify: Callable[[str], None]) -> Transfer:
    reference = parse(ref)
    if reference.backend not in (None, source):
        other = "pull" if source == "local" else "push"
        raise UsageError(f"{ref} is not in the {source} registry:", hint=f"use {other}", ref=ref)
    registry = registry_of(source)
    version = resolve(registry, reference).version if "@" in ref else None
    return transfer(registry, registry_of(target), reference.name, version=version, by=owner(), notify=notify)


def transfer(
    source: ModelRegistry,
    target: ModelRegistry,
    name: str,
    *,
    version: int | None = None,
    by: str,
    notify: Callable[[str], None] = lambda _: None,
) -> Transfer:
    """Register all versions of a model, or one, in another registry, and set the aliases that it does not have.

    A version whose content is there already is the same version, so that an interrupted transfer is completed by
    another one. An alias that exists there is never moved: it may be what is in production. A version that is archived
    there stays archived. ``notify`` is called before each version. Raises ``UsageError`` for an unknown model or
    version, ``BackendError``.
    """
    found = _chosen(source, name, version)
    chosen = [one for one in found if one.digest]
    same = {one.digest: one for one in _there(target, name)}
    numbers = {}
    for one in chosen:
        notify(f"copying {one.ref} ({file_size(one.size)})")
        numbers[one.version] = _sent(source, target, one, same.get(one.digest))
    after = _there(target, name)
    there = {alias: one.version for one in after for alias in one.aliases}
    archived = {one.version for one in after if one.state is ModelState.ARCHIVED}
    desired = {alias: numbers[one.version] for one in chosen for alias in one.aliases}
    missing = {alias: number for alias, number in sorted(desired.items()) if alias not in there}
    allowed = {alias: number for alias, number in missing.items() if number not in archived}
    for alias, number in allowed.items():
        because = f"copied from the {source.name} registry"
        target.move_alias(AliasMove(name, alias, number, expected=None, by=by, because=because))
    return Transfer(
        model=name,
        source=source.name,
        target=target.name,
        versions=numbers,
        aliases=allowed,
        left={
            alias: (there[alias], number)
            for alias, number in sorted(desired.items())
            if alias in there and there[alias] != number
        },
        archived={alias: number for alias, number in missing.items() if number in archived},
        skipped=tuple(one.version for one in found if not one.digest),
    )


def _chosen(source: ModelRegistry, name: str, version: int | None) -> list[VersionSnapshot]:
    if version is not None:
        found = source.version(name, version)
        if not found.digest:
            hint = f"its address is {found.uri}" if found.uri else ""
            message = f"{found.ref} was registered by another client and is not a model folder;"
            raise UsageError(message, hint=hint, ref=found.ref)
        return [found]
    return sorted(source.versions(VersionQuery(name=name, archived=True)), key=lambda one: one.version)


def _there(target: ModelRegistry, name: str) -> list[VersionSnapshot]:
    """The model's versions there; none if it does not exist."""
    try:
        return target.versions(VersionQuery(name=name, archived=True))
    except UsageError as error:
        if error.code != "not-found":
            raise
        return []


def _sent(
    source: ModelRegistry, target: ModelRegistry, version: VersionSnapshot, same: VersionSnapshot | None
) -> int:
    """Register a version there. The ``same`` content there keeps its state and its measurements.

    If that is archived there, nothing of it is changed.
    """
    if same is not None and same.state is ModelState.ARCHIVED:
        return same.version
    draft = replace(version, version=0, uri="", aliases=(), state=ModelState.LIVE)
    if same is not None:
        draft = without_measurements(draft, same)
    number = target.register(draft, source.download(version)).version
    if same is None and version.state is ModelState.ARCHIVED:
        target.set_state(version.name, number, ModelState.ARCHIVED)
    return number
