"""The commands of provenance."""

from __future__ import annotations

from dataclasses import dataclass

from kfnb.commands.command import Command, word
from kfnb.commands.session import Session
from kfnb.entities.manifest import Manifest
from kfnb.resources.provenance import api


@dataclass(frozen=True, kw_only=True)
class ShowManifest(Command):
    """Show what a run, a model or this kernel was made with, and where: ten layers, from the model to the hardware."""

    binds = True
    json = "print the manifest as JSON"

    ref: str = word(
        "a run, a version of a model (churn@3), a model, a service, a study, a stage, or here (default: here)",
        many="?",
        default="here",
        values="subject",
    )

    def run(self, session: Session) -> Manifest:
        """Show it."""
        return api.manifest(session.names.get(self.ref, self.ref) if self.ref.isidentifier() else self.ref)
