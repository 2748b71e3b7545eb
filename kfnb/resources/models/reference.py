"""References to versions of models: ``churn``, ``churn@3``, ``churn@latest``, ``churn@champion``, ``local:churn@3``."""

from __future__ import annotations

from dataclasses import dataclass

from kfnb.errors import UsageError
from kfnb.resources.models.checks import LATEST, check_alias, check_name
from kfnb.resources.models.engine import ModelRegistry
from kfnb.resources.models.model import VersionSnapshot
from kfnb.resources.models.moves import unknown_alias
from kfnb.target import split_reference


@dataclass(frozen=True)
class ModelReference:
    """A model by name, and which version: a number, an alias, or the newest where both are missing."""

    name: str
    version: int | None = None
    alias: str = ""
    backend: str | None = None

    def __str__(self) -> str:
        which = self.alias or ("" if self.version is None else str(self.version))
        return f"{self.name}@{which}" if which else self.name


def parse(text: str) -> ModelReference:
    """Read a reference. Raises ``UsageError``."""
    if not isinstance(text, str):
        message = f"{text!r} is not a model"
        raise UsageError(message, code="invalid-argument", hint="give a reference such as 'churn@3'")
    backend, rest = split_reference(text.strip())
    name, at, which = rest.partition("@")
    check_name(name)
    if not at or which == LATEST:
        return ModelReference(name, backend=backend)
    if not which.lstrip("-").isdigit():
        return ModelReference(name, alias=check_alias(which), backend=backend)
    if not which.isascii() or int(which) < 1:
        raise UsageError(f"{text}: versions are numbers from 1", code="invalid-argument", ref=text)
    return ModelReference(name, version=int(which), backend=backend)


def resolve(registry: ModelRegistry, reference: ModelReference) -> VersionSnapshot:
    """The version that a reference names. Raises ``UsageError``."""
    if reference.version is not None:
        return registry.version(reference.name, reference.version)
    if reference.alias:
        known = registry.aliases(reference.name)
        if reference.alias not in known:
            raise unknown_alias(reference.name, reference.alias, known)
        return registry.version(reference.name, known[reference.alias])
    newest = registry.newest(reference.name)
    if newest is None:
        message = f"all versions of {reference.name} are archived"
        hint = f"name one by its number, such as {reference.name}@1"
        raise UsageError(message, code="not-found", hint=hint, ref=reference.name)
    return newest
