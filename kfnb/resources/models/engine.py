"""What keeps models and versions: the protocol of the local registry and of a cluster's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kfnb.resources.models.model import (
    AliasChange,
    ModelState,
    RegisteredModel,
    VersionSnapshot,
)

MISSING, CHANGED, UNREADABLE = "missing", "changed", "unreadable"
"""What may be wrong with a model folder."""


@dataclass(frozen=True)
class VersionQuery:
    """Which versions are meant; empty fields choose all. ``since`` is in seconds since 1970.

    With ``outline``, signatures, packages and sources may be left out, which lists do not show.
    """

    name: str = ""
    owner: str = ""
    data: str = ""
    alias: str = ""
    tag: str = ""
    since: float | None = None
    archived: bool = False
    outline: bool = False


class ModelRegistry(Protocol):
    """A registry. Every method may raise ``BackendError``; what is unknown raises ``UsageError`` with suggestions.

    Nothing that is registered is lost or half there, however a call ends. Of two who write at once, both succeed, or
    one gets an error that says what the other did.
    """

    name: str
    """``local`` or ``kubeflow``: the backend that a reference names."""

    def models(self, *, archived: bool = False) -> list[RegisteredModel]:
        """All registered models, by name."""
        ...

    def versions(self, query: VersionQuery) -> list[VersionSnapshot]:
        """The versions that a query chooses, newest first."""
        ...

    def version(self, model: str, version: int) -> VersionSnapshot:
        """One version."""
        ...

    def register(self, draft: VersionSnapshot, folder: Path) -> VersionSnapshot:
        """Keep the model folder as a version, and return it with its number and address.

        ``draft.version`` is ignored. Content that the model has already is the same version: its number is
        returned, with metrics and tags added to it that it did not have. The local registry keeps the metrics of each
        version of the data, where newer ones replace those of the same name; a cluster's keeps those on one alone.
        """
        ...

    def move_alias(
        self, model: str, alias: str, to: int | None, *, expected: int | None, by: str, because: str
    ) -> AliasChange:
        """Let an alias name the version ``to``; None removes it. The change is appended to the history.

        ``expected`` is the version that the caller saw it name: if it names another by now, nothing is changed and
        ``Conflict`` is raised, which says who moved it and when.
        """
        ...

    def history(self, model: str) -> list[AliasChange]:
        """All changes of the model's aliases, newest first. Nothing is ever removed from it."""
        ...

    def set_state(self, model: str, version: int, state: ModelState) -> None:
        """Archive a version, or restore it."""
        ...

    def annotate(
        self,
        model: str,
        version: int,
        *,
        description: str | None = None,
        tags: dict[str, str | None] | None = None,
    ) -> None:
        """Change a version's description, and set tags; a tag that is None is removed."""
        ...

    def download(self, version: VersionSnapshot) -> Path:
        """The version's model folder on this machine, read-only and complete; fetched once."""
        ...

    def stamp(self) -> str:
        """A text that is another one once anything has changed; empty where only the lists themselves can tell."""
        ...

    def problem(self, version: VersionSnapshot) -> str:
        """What is wrong with the version's model folder, of which every byte is read; empty if it is whole.

        It is ``missing``, ``changed`` or ``unreadable``. What has no digest, as another client registered it, is whole.
        """
        ...
