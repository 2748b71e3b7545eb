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
from kfnb.resources.models.moves import AliasMove

MISSING, CHANGED, UNREADABLE = "missing", "changed", "unreadable"
"""What may be wrong with a model folder."""


@dataclass(frozen=True)
class VersionQuery:
    """Which versions are meant; empty fields choose all. ``since`` is in seconds since 1970.

    ``data`` is a reference of a data version and ``data_digest`` the digest of its content, empty if unknown: versions
    that recorded a digest are chosen by it, and all others by the reference. ``namespace`` is that of the run that made
    a version. With ``outline``, signatures, packages and sources may be left out, which lists do not show.
    """

    name: str = ""
    owner: str = ""
    data: str = ""
    data_digest: str = ""
    namespace: str = ""
    alias: str = ""
    tag: str = ""
    since: float | None = None
    archived: bool = False
    outline: bool = False


class ModelRegistry(Protocol):
    """A registry. Every method may raise ``BackendError``; an unknown model or version raises ``UsageError``.

    Registered content is never lost or incomplete, even if a call is interrupted. If two callers write concurrently,
    both succeed, or one gets an error that says what the other did.
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

    def newest(self, model: str) -> VersionSnapshot | None:
        """The version with the highest number that is not archived; None if the model has none."""
        ...

    def by_digest(self, model: str, digest: str) -> VersionSnapshot | None:
        """The version with this content; None if there is none, or if the model does not exist."""
        ...

    def aliases(self, model: str) -> dict[str, int]:
        """The aliases of a model, each with the version that it names."""
        ...

    def register(self, draft: VersionSnapshot, folder: Path) -> VersionSnapshot:
        """Keep the model folder as a version, and return it with its number and address.

        ``draft.version`` is ignored. Content that the model has already is the same version: its number is
        returned, with metrics and tags added to it that it did not have, and its model folder is repaired. The local
        registry keeps the metrics of each version of the data, where newer ones replace those of the same name; a
        cluster's registry keeps the metrics on one version of the data.
        """
        ...

    def move_alias(self, move: AliasMove) -> AliasChange:
        """Let an alias name another version, or none. The change is appended to the history.

        If the alias names another version by now than the caller read (``move.expected``), nothing is changed and
        ``Conflict`` is raised, which says who moved it and when. If it names the version already, the last change is
        returned. Raises ``UsageError`` if the version is archived.
        """
        ...

    def history(self, model: str) -> list[AliasChange]:
        """All changes of the model's aliases, newest first. The history is append-only."""
        ...

    def set_state(self, model: str, version: int, state: ModelState) -> None:
        """Archive a version, or restore it. Raises ``UsageError`` if a version to be archived has an alias."""
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
