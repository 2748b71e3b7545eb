"""The commands of data sets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kfnb.commands.bound_names import resolved
from kfnb.commands.command import Command, flag, option, word
from kfnb.commands.confirmation import removal_confirmed
from kfnb.commands.session import Session
from kfnb.errors import UsageError, did_you_mean
from kfnb.resources.datasets import api
from kfnb.resources.datasets.handle import DatasetList, DatasetVersion
from kfnb.resources.datasets.model import KINDS
from kfnb.resources.datasets.values import library_of
from kfnb.ui.words import file_size, short

if TYPE_CHECKING:
    from kfnb.resources.datasets.model import DatasetDiff, Verification

_VERSION = "a version, as NAME@2, or NAME for the newest"
_EXPRESSION, _PATH = re.compile(r"[(\[{]"), re.compile(r"[/\\.~]")
_ASSIGNED = "assign the expression to a name, and add that"


def version_of(session: Session, text: str) -> DatasetVersion:
    """The version for a word: a name that is bound to one, or a reference. Raises ``UsageError``, ``BackendError``."""
    return api.dataset(resolved(session.names, text, DatasetVersion))


@dataclass(frozen=True, kw_only=True)
class ListData(Command):
    """List the data sets, each with its newest version; or all versions of one."""

    binds = True
    json = "print the data sets as JSON"

    name: str = word(
        "all versions of this data set; by default the newest of each", values="data set", default=""
    )

    def run(self, session: Session) -> DatasetList:
        """List them."""
        return api.datasets(self.name)


@dataclass(frozen=True, kw_only=True)
class AddData(Command):
    """Add a version of a data set. Content that a version has already is that version."""

    binds = True
    json = "print the version as JSON"

    name: str = word("the data set's name", values="data set")
    value: str = word(
        "a name of the notebook, a path of a file or folder, or an address (s3://...)", values="data"
    )
    description: str = option(default="", help="a short description of the version")

    def run(self, session: Session) -> DatasetVersion:
        """Add it."""
        thing = self._thing(session)
        cell = f"[{session.cells.number}]" if session.names else ""
        version, new = api.add(self.name, thing, what=self.value, cell=cell, description=self.description)
        if not new:
            session.notify(self._already(version, thing))
        return version

    def _already(self, version: DatasetVersion, thing: Any) -> str:
        """The message for content that a version has, which may have been added as something else."""
        record = version.snapshot()
        another = isinstance(thing, str | Path) != (record.kind in ("file", "folder")) or (
            bool(library_of(thing)) and library_of(thing) != record.library
        )
        by = f" of {record.library}" if record.library else ""
        kept = f", as {KINDS[record.kind]}{by}" if another else ""
        ends = ", and load() returns that" if another else ""
        changes = self.description not in ("", version.description)
        lost = "; its description is not changed" if changes else ""
        return f"{version.ref} has this content already{kept}: no version was added{ends}{lost}"

    def _thing(self, session: Session) -> Any:
        held = session.names.get(self.value, self.value)
        if not isinstance(held, str) or "://" in held or Path(held).expanduser().exists():
            return held
        if self.value in session.names:
            message = f"{self.value} is the text {short(held)!r}, which is not the path of a file or folder"
            raise UsageError(message, code="file-not-found", ref=self.value)
        expression = _EXPRESSION.search(held) or held.partition(".")[0] in session.names
        if session.names and (expression or not _PATH.search(held)):
            hint = _ASSIGNED if expression else did_you_mean(held, session.names)
            message = f"{held} is neither a name of the notebook nor a path"
            raise UsageError(message, code="not-defined", hint=hint, ref=held)
        return held


@dataclass(frozen=True, kw_only=True)
class ShowData(Command):
    """Show a version of a data set: its columns, its files, and where it is from."""

    binds = True
    json = "print the version as JSON"

    version: str = word(_VERSION, values="data version")

    def run(self, session: Session) -> DatasetVersion:
        """Show it."""
        return version_of(session, self.version)


@dataclass(frozen=True, kw_only=True)
class DiffData(Command):
    """Show what differs between two versions: columns, distributions, and rows if a key is given."""

    binds = True
    json = "print the differences as JSON"

    before: str = word(_VERSION, values="data version")
    after: str = word("a later version", values="data version")
    key: str = option(
        default="", metavar="COLUMN", help="compare rows that have the same value in this column"
    )

    def run(self, session: Session) -> DatasetDiff:
        """Compare them."""
        before, after = version_of(session, self.before), version_of(session, self.after)
        return before.diff(after, key=self.key)


@dataclass(frozen=True, kw_only=True)
class GetData(Command):
    """Write the files of a version to a path."""

    version: str = word(_VERSION, values="data version")
    path: str = word("the file or folder to write")

    def run(self, session: Session) -> None:
        """Write them."""
        version = version_of(session, self.version)
        path = version.download(self.path)
        session.notify(f"wrote {version.ref} ({file_size(version.size)}) to {path}")


@dataclass(frozen=True, kw_only=True)
class InferSchema(Command):
    """Write the schema of a version or a table, which people edit and kf.check compares tables with."""

    data: str = word(f"{_VERSION}; or a name of the notebook", values="data version")
    path: str = word("the file to write (default: NAME.schema.yaml)", default="")

    def run(self, session: Session) -> None:
        """Write it."""
        held = session.names.get(self.data)
        table = held if library_of(held) else version_of(session, self.data)
        path = self.path or (f"{self.data}.schema.yaml" if library_of(held) else None)
        file = api.infer_schema(table, path, what=self.data)
        session.notify(f"wrote {file}: edit it, and check tables by kf.check(table, {str(file)!r})")


@dataclass(frozen=True, kw_only=True)
class CheckData(Command):
    """Read every byte of versions, and report what was changed or is missing. The exit code is 1 then."""

    json = "print what was found as JSON"

    versions: tuple[str, ...] = word(
        f"{_VERSION} (default: all)", many="*", metavar="VERSION", values="data version"
    )

    def run(self, session: Session) -> Verification:
        """Verify them."""
        found = api.verify(*(version_of(session, one) for one in self.versions))
        if found.damages:
            session.fail()
        return found


@dataclass(frozen=True, kw_only=True)
class PruneData(Command):
    """Remove content that no version refers to, and files of versions that were not used for a month. Asks first."""

    yes: bool = flag("--yes", "-y", help="do not ask")

    def run(self, session: Session) -> None:
        """Remove it after a confirmation."""
        unused = api.unused()
        if not unused:
            session.notify("nothing to remove")
            return
        if not self.yes and not removal_confirmed(session, unused.title):
            session.notify("nothing was removed")
            return
        session.notify(f"removed {file_size(api.prune(unused))}")
