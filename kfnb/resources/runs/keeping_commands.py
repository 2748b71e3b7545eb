"""The commands of what is kept of runs: archive, delete, prune."""

from __future__ import annotations

from dataclasses import dataclass

from kfnb.commands.command import Command, flag, option, word
from kfnb.commands.session import Session
from kfnb.errors import UsageError
from kfnb.resources.runs import api
from kfnb.resources.runs.handle import Run
from kfnb.resources.runs.named_runs import ONE_OF_SEVERAL, handles_of


@dataclass(frozen=True, kw_only=True)
class ArchiveRuns(Command):
    """Archive runs: %kf_runs shows them only with --archived."""

    runs: tuple[str, ...] = word(f"{ONE_OF_SEVERAL}; one or more", many="+", metavar="RUN", values="run")
    undo: bool = flag(help="restore them")

    def run(self, session: Session) -> None:
        """Archive or restore them."""
        for run in handles_of(session, self.runs):
            if self.undo:
                run.unarchive()
            else:
                run.archive()
            session.notify(f"run {run.id} is {'restored' if self.undo else 'archived'}")


@dataclass(frozen=True, kw_only=True)
class DeleteRuns(Command):
    """Delete finished runs permanently, with their files. Asks first."""

    runs: tuple[str, ...] = word(f"{ONE_OF_SEVERAL}; one or more", many="+", metavar="RUN", values="run")
    yes: bool = flag("--yes", "-y", help="do not ask")

    def run(self, session: Session) -> None:
        """Delete them after a confirmation."""
        chosen = handles_of(session, self.runs)
        for run in chosen:  # before anything is deleted
            state = run.state
            if not state.finished:
                hint = "stop it first, or wait for it; nothing was deleted"
                raise UsageError(f"run {run.id} is {state}:", code="still-running", hint=hint, ref=run.id)
        if not self.yes and not _agreed(session, chosen):
            session.notify("nothing was deleted")
            return
        for run in chosen:
            run.delete()
            session.notify(f"deleted run {run.id}")


def _agreed(session: Session, chosen: list[Run]) -> bool:
    named = ", ".join(f"{run.id} ({run.name})" for run in chosen)
    if session.prompt is None:
        hint = "no one can confirm it here; give --yes to delete without confirmation"
        raise UsageError(f"{named}:", code="confirmation-required", hint=hint)
    count = "this run" if len(chosen) == 1 else f"these {len(chosen)} runs"
    return session.prompt(f"Delete {count} permanently: {named}? [y/N] ").strip().lower() in ("y", "yes")


@dataclass(frozen=True, kw_only=True)
class PruneRuns(Command):
    """Delete all finished local runs but the newest, with all of their files."""

    keep: int = option(type=int, default=20, help="number of newest runs to keep (default 20)")

    def run(self, session: Session) -> None:
        """Delete them."""
        removed = api.prune(keep=self.keep)
        for id in removed:
            session.out(id)
        if not removed:
            session.notify("nothing to remove")
