"""The commands of lineage and of the catalog."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from kfnb.commands.command import Command, flag, option, word
from kfnb.commands.parser import Parser
from kfnb.commands.session import Session
from kfnb.errors import UsageError
from kfnb.resources.lineage import api
from kfnb.resources.lineage.model import Lineage
from kfnb.resources.lineage.reference import Reference, reference_to_handle


@dataclass(frozen=True, kw_only=True)
class ShowLineage(Command):
    """Show what a thing was made of and what it was used for, across runs: by the content of artifacts."""

    binds = True
    json = "print the graph as JSON"

    ref: str = word(
        "a run, RUN/TASK, RUN/TASK/OUTPUT, a version of a model or data set (churn@3), a digest, a file, or a name",
        values="reference",
    )
    up: bool = flag(help="only what it was made of")
    down: bool = flag(help="only what it was used for")
    depth: int | None = option(type=int, metavar="N", help="at most N tasks away (default: all)")

    def check(self, parser: Parser) -> None:
        """Refuse a negative depth."""
        if self.depth is not None and self.depth < 0:
            parser.error(f"--depth {self.depth}: the number of tasks must be 0 or more")

    def run(self, session: Session) -> Lineage:
        """Show it."""
        both = self.up == self.down
        return api.lineage(self._ref(session), up=both or self.up, down=both or self.down, depth=self.depth)

    def _ref(self, session: Session) -> Reference | str:
        """What the word names; a name of the notebook may stand for a run in ``RUN/TASK``."""
        name, slash, part = self.ref.partition("/")
        named = reference_to_handle(session.names.get(name))
        if named is None or (slash and named.kind):
            return self.ref
        return replace(named, name=f"{named.name}{slash}{part}")


@dataclass(frozen=True, kw_only=True)
class CatalogVerbs(Command):
    """Manage the catalog: the index that lineage is read from."""

    def run(self, session: Session) -> None:
        """A verb is required."""
        raise UsageError(f"{session.prog}: a verb is required", hint="the verbs are export and rebuild")


@dataclass(frozen=True, kw_only=True)
class RebuildCatalog(Command):
    """Build the index of lineage again from the home's runs and the versions of data sets and models."""

    def run(self, session: Session) -> None:
        """Build it again."""
        count = api.rebuild_catalog()
        session.out(f"{count} {'record' if count == 1 else 'records'} in {api.index().file}")


@dataclass(frozen=True, kw_only=True)
class ExportCatalog(Command):
    """Write the lineage of all runs, a line of JSON for each event, for tools that read OpenLineage."""

    openlineage: str = option(metavar="FILE", help="the file to write")

    def check(self, parser: Parser) -> None:
        """A file is required."""
        if not self.openlineage:
            parser.error("--openlineage FILE is required: the file to write")

    def run(self, session: Session) -> None:
        """Write it."""
        count = api.export_openlineage(Path(self.openlineage))
        session.notify(f"{count} events in {self.openlineage}")
