"""The commands that look after a registry: every byte is verified, and what nothing refers to is removed."""

from __future__ import annotations

from dataclasses import dataclass

from kfnb.commands.bound_names import resolved
from kfnb.commands.command import Command, flag, option, word
from kfnb.commands.confirmation import removal_confirmed
from kfnb.commands.session import Session
from kfnb.resources.models import unused_models
from kfnb.resources.models.handle import ModelVersion
from kfnb.resources.models.model import ModelVerification
from kfnb.resources.models.verification import verify
from kfnb.target import BACKENDS
from kfnb.ui.words import file_size


@dataclass(frozen=True, kw_only=True)
class CheckModels(Command):
    """Read every byte of versions and of the data behind them; what is damaged is named, and the exit code is 1."""

    json = "print what was found as JSON"

    versions: tuple[str, ...] = word(
        "a model with all its versions, or a version, as NAME@3 (default: all)",
        many="*",
        metavar="VERSION",
        values="model version",
    )
    backend: str | None = option(values=BACKENDS, help="the registry: local (the default) or kubeflow")

    def run(self, session: Session) -> ModelVerification:
        """Verify them."""
        found = verify(*(_reference(session, one) for one in self.versions), backend=self.backend)
        if found.damages:
            session.fail()
        return found


@dataclass(frozen=True, kw_only=True)
class PruneModels(Command):
    """Remove model folders that no version refers to, such as that of a killed registration. Asks first."""

    yes: bool = flag("--yes", "-y", help="do not ask")

    def run(self, session: Session) -> None:
        """Remove them after a confirmation."""
        unused = unused_models.unused()
        if not (unused.folders or unused.drafts):
            session.notify("nothing to remove")
            return
        if not self.yes and not removal_confirmed(session, unused.title):
            session.notify("nothing was removed")
            return
        session.notify(f"removed {file_size(unused_models.prune(unused))}")


def _reference(session: Session, text: str) -> str:
    """The reference for a word: that of the version that the name is bound to, or the word."""
    held = resolved(session.names, text, ModelVersion)
    return held if isinstance(held, str) else f"{held.backend}:{held.ref}"
