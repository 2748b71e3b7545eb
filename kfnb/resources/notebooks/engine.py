"""The notebooks of a namespace: found, started, stopped, created and deleted."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar

from kfnb.errors import Absent, BackendError, Conflict, Hidden, UsageError
from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.remote.kubernetes.fields import Item
from kfnb.resources.cluster.probe import part
from kfnb.resources.notebooks.diagnosis import explained_notebook
from kfnb.resources.notebooks.model import Notebook, NotebookList, NotebookState
from kfnb.resources.notebooks.notebook_v1 import NOTEBOOK
from kfnb.resources.notebooks.server_kind import ServerKind
from kfnb.resources.notebooks.workspace_options import offers
from kfnb.resources.notebooks.workspace_v2 import WORKSPACE
from kfnb.text.timestamps import rfc3339

T = TypeVar("T")
KINDS: tuple[ServerKind, ...] = (NOTEBOOK, WORKSPACE)

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
"""What may be a part of a path."""
_AT_ONCE = 8
_TURNS = 3
"""Attempts at a change that conflicts with another writer."""
_POLL_EVERY = 2.0
_EXPLAINED = 50
"""Notebooks whose events are read, at two requests each."""


class NotebookEngine:
    """Notebooks of both kinds in a namespace, as one user of the cluster has them.

    ``prefix`` is this notebook's own path (``NB_PREFIX``), empty outside of one. Raises ``BackendError``.
    """

    def __init__(self, kubernetes: Kubernetes, namespace: str, prefix: str = "") -> None:
        self.kubernetes, self.namespace = kubernetes, namespace
        self._own = _own(prefix)

    def list(self) -> NotebookList:
        """All of them. What may not be seen is hidden, and nothing is raised for it."""
        with ThreadPoolExecutor(len(KINDS), thread_name_prefix="kfnb-notebooks") as threads:
            notebooks, workspaces = threads.map(lambda kind: part(lambda: (self._all(kind), 0)), KINDS)
        if not workspaces.value:
            return NotebookList(self.namespace, notebooks, workspaces)
        offered = part(lambda: (offers(self.kubernetes), 0))
        known = offered.value or {}
        shown = (
            known[one.options[0]].shown(one) if one.options[0] in known else one for one in workspaces.value
        )
        return NotebookList(
            self.namespace, notebooks, replace(workspaces, value=tuple(shown)), offered.reason
        )

    def find(self, name: str, version: str = "") -> tuple[ServerKind, Item]:
        """The notebook of a name, and its kind. Raises ``Absent``, ``Hidden``; ``UsageError`` where two have it."""
        found: list[tuple[ServerKind, Item]] = []
        troubles: list[BackendError] = []
        for kind in self.kinds(version) if _NAME.fullmatch(name) else ():
            try:
                found.append((kind, self.kubernetes.get(kind.path(self.namespace, name))))
            except (Absent, Hidden) as error:
                troubles.append(error)
        if len(found) > 1:
            raise UsageError(f"{name} is both a notebook and a workspace: pass --kind v1 or --kind v2")
        if found:
            return found[0]
        hidden = next((error for error in troubles if isinstance(error, Hidden)), None)
        raise hidden or Absent(f"unknown notebook {name} in namespace {self.namespace}")

    def kinds(self, version: str = "") -> Sequence[ServerKind]:
        """The kinds that a version means: without one, both."""
        return [kind for kind in KINDS if version in ("", kind.version)]

    def has(self, kind: ServerKind) -> bool:
        """Whether the cluster knows a kind."""
        try:
            self.kubernetes.get(kind.path(self.namespace), {"limit": 1})
        except Absent:
            return False
        except Hidden:  # it may exist
            return True
        return True

    def read(self, kind: ServerKind, item: Item) -> Notebook:
        """An object as a notebook, and why it does not run yet."""
        return explained_notebook(self.kubernetes, self._plain(kind, item), kind.concerned(item))

    def current(self, kind: ServerKind, name: str) -> Notebook:
        """A notebook as it is now."""
        return self.read(kind, self.kubernetes.get(kind.path(self.namespace, name)))

    def stop(self, kind: ServerKind, name: str) -> Notebook:
        """Its pod ends, its volumes stay."""
        return self._changed(kind, name, kind.stopping(rfc3339(time.time())))

    def start(self, kind: ServerKind, name: str) -> Notebook:
        """It gets a pod again."""
        return self._changed(kind, name, kind.starting())

    def delete(self, kind: ServerKind, name: str) -> None:
        """It and its pod are deleted, and its volumes stay."""
        self.kubernetes.delete(kind.path(self.namespace, name))

    def following(self, kind: ServerKind, name: str) -> Iterator[Notebook]:
        """How it is, again and again, until it runs. Raises ``BackendError`` where it never will."""
        while True:
            found = self.current(kind, name)
            yield found
            if found.state is NotebookState.RUNNING:
                return
            if found.state not in (NotebookState.STARTING, NotebookState.FAILING):
                raise BackendError(f"{kind.word} {name} is {found.state}: another user changed it")
            time.sleep(_POLL_EVERY)

    def _all(self, kind: ServerKind) -> tuple[Notebook, ...]:
        items = list(self.kubernetes.list(kind.path(self.namespace)))
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="kfnb-why") as threads:
            first = tuple(threads.map(lambda item: self.read(kind, item), items[:_EXPLAINED]))
        return first + tuple(self._plain(kind, item) for item in items[_EXPLAINED:])

    def _plain(self, kind: ServerKind, item: Item) -> Notebook:
        found = kind.read(item)
        return replace(found, here=self._own == (kind.version, self.namespace, found.name))

    def _changed(self, kind: ServerKind, name: str, change: Mapping[str, Any]) -> Notebook:
        path = kind.path(self.namespace, name)
        return self._plain(kind, again(lambda: self.kubernetes.patch(path, change)))


def again(change: Callable[[], T]) -> T:
    """A change that may be made as often as one likes, again where another's came between."""
    for _ in range(_TURNS - 1):
        try:
            return change()
        except Conflict as error:
            if error.exists:
                raise
            time.sleep(0.2)
    return change()


def _own(prefix: str) -> tuple[str, str, str]:
    """The version, namespace and name in a notebook's path; empty ones outside of a notebook."""
    match prefix.strip("/").split("/"):
        case ["notebook", namespace, name, *_]:
            return "v1", namespace, name
        case ["workspace", "connect", namespace, name, *_]:
            return "v2", namespace, name
    return "", "", ""
