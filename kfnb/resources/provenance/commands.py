"""The commands of provenance."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kfnb.commands.command import Command, option, word
from kfnb.commands.parser import Parser
from kfnb.commands.session import Session
from kfnb.entities.manifest import Manifest
from kfnb.errors import UsageError
from kfnb.jobs import private
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

    format: str | None = option(
        choices=list(api.FORMATS),
        help="print it in another tool's format instead: CycloneDX, RO-Crate, SLSA, pylock.toml",
    )
    file: str | None = option(metavar="FILE", values="file", help="write what --format makes to a file")

    def check(self, parser: Parser) -> None:
        """A file needs a format."""
        if self.file and not self.format:
            parser.error("--file needs --format")

    def run(self, session: Session) -> Manifest | None:
        """Show it, or export it."""
        found = api.manifest(session.names.get(self.ref, self.ref) if self.ref.isidentifier() else self.ref)
        if self.format is None:
            return found
        text = api.export(found, self.format)
        if self.file is None:
            session.out(text)
            return None
        try:
            private.write(Path(self.file), text)
        except OSError as error:
            raise UsageError(f"cannot write {self.file}: {error.strerror or error}", ref=self.file) from None
        session.notify(f"{self.format} of {found.ref} in {self.file}")
        return None
