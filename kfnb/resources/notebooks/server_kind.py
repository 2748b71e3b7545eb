"""What a kind of notebook is to Kubernetes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from kfnb.remote.kubernetes.fields import Item
from kfnb.resources.notebooks.model import Notebook
from kfnb.resources.notebooks.spec import NotebookRequest


class ServerKind(ABC):
    """A kind of notebook: where its objects are, how they are read, and which fields start and stop them."""

    version: ClassVar[str]
    """What ``--kind`` calls it."""
    name: ClassVar[str]
    """Kubernetes' name of it."""
    api: ClassVar[str]

    @property
    def word(self) -> str:
        """The lower-case word for this kind."""
        return self.name.lower()

    def path(self, namespace: str, name: str = "") -> str:
        """Where one is, or all of a namespace."""
        return f"/apis/{self.api}/namespaces/{namespace}/{self.word}s" + (f"/{name}" if name else "")

    @abstractmethod
    def read(self, item: Item) -> Notebook:
        """An object as a notebook. Fields may be missing: a Notebook without a ``spec`` is accepted."""

    @abstractmethod
    def stopping(self, now: str) -> Mapping[str, Any]:
        """The JSON merge patch that stops one; ``now`` in UTC, as Kubernetes writes it."""

    @abstractmethod
    def starting(self) -> Mapping[str, Any]:
        """The JSON merge patch that starts one."""

    @abstractmethod
    def body(self, requested: NotebookRequest, namespace: str, creator: str) -> Mapping[str, Any]:
        """A new one. Raises ``UsageError`` for words that mean nothing to this kind."""

    @abstractmethod
    def concerned(self, item: Item) -> Sequence[str]:
        """The names of the objects whose events explain why it does not start."""
