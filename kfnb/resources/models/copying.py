"""Models are copied between this machine's registry and the cluster's."""

from __future__ import annotations

from collections.abc import Callable

from kfnb.errors import UsageError
from kfnb.resources.models.api import registry_of
from kfnb.resources.models.location import owner
from kfnb.resources.models.reference import parse, resolve
from kfnb.resources.models.transfer import Transfer, transfer


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
    copied_by = owner()
    return transfer(
        registry, registry_of(target), reference.name, version=version, by=copied_by, notify=notify
    )
