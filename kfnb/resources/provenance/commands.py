"""The commands of provenance."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kfnb.commands.command import Command, flag, option, word
from kfnb.commands.parser import Parser
from kfnb.commands.session import Session
from kfnb.entities.manifest import Manifest
from kfnb.errors import UsageError
from kfnb.jobs import private
from kfnb.resources.provenance import api
from kfnb.resources.provenance.diff import ManifestDiff
from kfnb.resources.provenance.verdict import Agreement
from kfnb.target import BACKENDS


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
        found = api.manifest(_subject(session, self.ref))
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


@dataclass(frozen=True, kw_only=True)
class ShowDifferences(Command):
    """Show what differs between two things, layer by layer, how much it matters for results, and why.

    Of two runs that have succeeded, also how far their results agree.
    """

    binds = True
    json = "print the differences as JSON"

    before: str = word(
        "a run, a version of a model (churn@3), a model, a service, a study, a stage, or here",
        values="subject",
    )
    after: str = word("what is judged against it (default: here)", many="?", default="here", values="subject")

    def run(self, session: Session) -> ManifestDiff:
        """Compare them."""
        return api.diff(_subject(session, self.before), _subject(session, self.after))


@dataclass(frozen=True, kw_only=True)
class RerunRun(Command):
    """Run what made a thing again, from what was recorded, and show how far the results agree."""

    binds = True
    json = "print the verdict and the differences as JSON"

    ref: str = word("a run, or a version of a model, a service or a study that a run made", values="subject")
    backend: str | None = option(
        values=BACKENDS, help="where to run: local or kubeflow (default: where it ran)"
    )
    here: bool = flag(
        help="give each step what it asks for, from this environment if it has that, and not what was recorded"
    )

    def run(self, session: Session) -> ManifestDiff:
        """Run it again to its end, and compare."""
        original = api.made_by(_subject(session, self.ref))
        session.announce(f"Preparing to run {original.id} again ...")
        run = api.rerun(original, backend=self.backend, here=self.here, notify=session.notify)
        session.started(run)
        session.notify(f"run {run.id} runs {original.id} again")
        run.wait()
        found = api.diff(original, run)
        if found.verdict is not None and found.verdict.agreement is Agreement.DIFFERENT:
            session.fail()
        return found


def _subject(session: Session, word: str) -> Any:
    """What a word names: what the notebook has bound to it, else the word itself."""
    return session.names.get(word, word) if word.isidentifier() else word
