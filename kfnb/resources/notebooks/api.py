"""Notebooks on the cluster: listed, started, stopped, created and deleted."""

from __future__ import annotations

import time
from collections.abc import Iterator

from kfnb import target
from kfnb.aliases import accepts
from kfnb.errors import Absent, BackendError, UsageError
from kfnb.resources.notebooks.creation import NotebookCreation, Notify
from kfnb.resources.notebooks.engine import NotebookEngine
from kfnb.resources.notebooks.model import DryRun, Notebook, NotebookList, NotebookState
from kfnb.resources.notebooks.server_kind import ServerKind
from kfnb.resources.notebooks.spec import NotebookRequest

WAITS = 600.0
"""Seconds for which a notebook is waited for by default: an image may be large."""


def notebooks() -> NotebookList:
    """The notebooks of the namespace, of both kinds. What you may not see is hidden, and nothing is raised for it."""
    return engine().list()


def notebook(name: str, *, version: str = "") -> Notebook:
    """One notebook; ``version`` is v1 or v2 where a notebook and a workspace have one name."""
    here = engine()
    return here.read(*here.find(name, version))


def stop(name: str, *, version: str = "") -> Notebook:
    """End its pod; its volumes stay. One that is stopped already stays so."""
    here, kind, found = _found(name, version)
    return found if found.state is NotebookState.STOPPED else here.stop(kind, name)


def start(name: str, *, version: str = "") -> Notebook:
    """Give it a pod again. A notebook that runs already keeps running."""
    here, kind, found = _found(name, version)
    if found.state is NotebookState.DELETING:
        raise BackendError(f"{found.word} {name} is being deleted: it cannot be started")
    return found if found.state is NotebookState.RUNNING else here.start(kind, name)


@accepts(asked="request", tell="notify")
def create(
    request: NotebookRequest,
    *,
    version: str = "",
    configurations: tuple[str, ...] = (),
    notify: Notify = print,
) -> Notebook:
    """Make a new one, and first the volume of its home where ``request.size`` says so.

    ``configurations`` are the PodDefaults that it gets. ``notify`` prints what a user may not expect. Raises
    ``UsageError`` for what would never start, ``Conflict`` where there is one of that name.
    """
    return NotebookCreation(engine(), request, version, configurations).create(notify)


@accepts(asked="request")
def dry_run(request: NotebookRequest, *, version: str = "", configurations: tuple[str, ...] = ()) -> DryRun:
    """What ``create`` would make, and whether the server accepts it; nothing is created."""
    return NotebookCreation(engine(), request, version, configurations).dry_run()


def delete(name: str, *, version: str = "", with_volume: bool = False) -> Notebook:
    """Delete one; its volumes stay, but with ``with_volume`` that of its home, which no other may have.

    Returns it as it was.
    """
    here, kind, found = _found(name, version)
    if with_volume:
        _check_alone(here, found)
    here.delete(kind, name)
    if with_volume and found.home:
        try:
            here.kubernetes.delete(f"/api/v1/namespaces/{here.namespace}/persistentvolumeclaims/{found.home}")
        except Absent:
            pass
        except BackendError as error:
            raise BackendError(
                f"{found.word} {name} is deleted, but its volume {found.home} is not: {error}"
            ) from None
    return found


def awaited(name: str, *, version: str = "", timeout: float = WAITS) -> Iterator[Notebook]:
    """How a notebook that starts is, about every two seconds, until it runs.

    Raises ``BackendError`` where it is not there, is stopped, or has not started within ``timeout`` seconds.
    """
    here = engine()
    kind, _ = here.find(name, version)
    until = time.monotonic() + timeout
    for found in here.following(kind, name):
        yield found
        if time.monotonic() > until and found.state is not NotebookState.RUNNING:
            why = found.why or "no reason is known"
            raise BackendError(f"{kind.word} {name} has not started within {timeout:g} s: {why}")


def engine() -> NotebookEngine:
    """The notebooks of the namespace that the settings or the surroundings name."""
    from kfnb.remote import environment

    return NotebookEngine(target.require_kubernetes(), target.namespace(), environment.read().prefix)


def _found(name: str, version: str) -> tuple[NotebookEngine, ServerKind, Notebook]:
    here = engine()
    kind, item = here.find(name, version)
    return here, kind, here.read(kind, item)


def _check_alone(here: NotebookEngine, found: Notebook) -> None:
    """Refuse to delete a volume that others have, as far as they can be seen."""
    if not found.home:
        raise UsageError(
            f"{found.word} {found.name} has no volume for its home: omit --with-volume; nothing was deleted"
        )
    others = [
        one.name
        for one in here.list()
        if (one.kind, one.name) != (found.kind, found.name)
        and found.home in (mount.claim for mount in one.mounts)
    ]
    if others:
        raise UsageError(
            f"volume {found.home} is also in {', '.join(others)}: omit --with-volume; nothing was deleted"
        )
