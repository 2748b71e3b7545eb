"""What ``%kf_notebook`` and ``kfnb notebook`` do: the words that were read become calls."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace

from kfnb import options
from kfnb.errors import UsageError
from kfnb.model.notebook import Notebook, NotebookList, NotebookState, Rehearsal
from kfnb.resources.notebooks import api

Tell = Callable[[str], None]
Ask = Callable[[str], str]

_RUNNING, _STOPPED = NotebookState.RUNNING, NotebookState.STOPPED


def notebook_line(
    found: Namespace, tell: Tell, ask: Ask | None
) -> NotebookList | Notebook | Rehearsal | None:
    """A notebook is started, stopped, created or deleted, or all are listed.

    ``tell`` is told what happens; ``ask`` asks whoever is there, None where nobody is.
    """
    if found.verb == "list":
        return api.notebooks()
    seconds = options.waiting_time(found, api.WAITS)  # refused, where it is, before anything is done
    if found.verb == "create":
        return _create(found, seconds, tell)
    version = found.kind or ""
    before = api.notebook(found.name, version=version)
    if found.verb == "start":
        return _start(found, before, version, seconds, tell)
    if found.verb == "stop":
        return _stop(found, before, version, tell)
    return _delete(found, before, version, tell, ask)


def _create(found: Namespace, seconds: float, tell: Tell) -> Notebook | Rehearsal:
    asked, version = options.asked_notebook(found), found.kind or ""
    configurations = tuple(found.configuration)
    if found.dry_run:
        return api.rehearse(asked, version=version, configurations=configurations)
    made = api.create(asked, version=version, configurations=configurations, tell=tell)
    kind = "v2" if made.kind == "Workspace" else "v1"
    return _awaited(found.name, kind, seconds, tell) if found.wait else made


def _start(found: Namespace, before: Notebook, version: str, seconds: float, tell: Tell) -> Notebook:
    if before.state is _RUNNING:
        tell(f"{before.word} {before.name} is running already")
        return before
    started = api.start(found.name, version=version)
    return _awaited(found.name, version, seconds, tell) if found.wait else started


def _stop(found: Namespace, before: Notebook, version: str, tell: Tell) -> Notebook:
    if before.state is _STOPPED:
        tell(f"{before.word} {before.name} was stopped already")
        return before
    _check_here(found, before)
    return api.stop(found.name, version=version)


def _delete(found: Namespace, before: Notebook, version: str, tell: Tell, ask: Ask | None) -> Notebook | None:
    """Delete it once somebody has said yes, or said so before; None where somebody said no."""
    _check_here(found, before)
    stays = _what_stays(before, with_volume=found.with_volume)
    if not found.yes and ask is None:
        raise UsageError(f"{before.name}: give --yes to delete it for good, since nobody is here to be asked")
    if not found.yes and not _agreed(ask, f"Delete {before.word} {before.name} for good? {stays}."):
        tell("nothing was deleted")
        return None
    deleted = api.delete(found.name, version=version, with_volume=found.with_volume)
    tell(f"deleted {before.word} {before.name}; {stays[0].lower()}{stays[1:]}")
    return replace(deleted, state=NotebookState.DELETING, why="")


def _check_here(found: Namespace, before: Notebook) -> None:
    """Refuse to end the notebook in which this is typed, unless that is said."""
    if before.here and not found.yes:
        raise UsageError(
            f"{before.name} is the very {before.word} that you are in: this kernel and all others in it end "
            f"with it. %kf_notebook {found.verb} {before.name} --yes does it"
        )


def _what_stays(notebook: Notebook, *, with_volume: bool) -> str:
    claims = list(dict.fromkeys(mount.claim for mount in notebook.mounts))
    gone = notebook.home if with_volume else ""
    kept = ", ".join(claim for claim in claims if claim != gone)
    lost = f"its volume {gone} goes with it, and all that is in it" if gone else ""
    if not claims:
        return "It has no volume: nothing of it stays"
    stays = f"{'the others stay' if gone else 'its volumes stay'}: {kept}" if kept else ""
    told = "; ".join(part for part in (lost, stays) if part)
    return told[0].upper() + told[1:]


def _agreed(ask: Ask | None, question: str) -> bool:
    return ask is not None and ask(f"{question} [y/N] ").strip().lower() in ("y", "yes")


def _awaited(name: str, version: str, seconds: float, tell: Tell) -> Notebook:
    """The notebook once it runs, saying why it does not yet; as it is, where it is waited for no longer."""
    told, last = "", None
    try:
        for last in api.awaited(name, version=version, timeout=seconds):
            why = last.why or ("" if last.state is _RUNNING else "waiting for its pod")
            if why and why != told:
                tell(f"{last.word} {last.name} is {last.state}: {why}")
                told = why
    except KeyboardInterrupt:
        if last is None:
            raise
        tell(f"no longer waited for: {last.word} {last.name} goes on starting")
    assert last is not None
    return last
