"""The tools that keep versions, by the addresses of what they keep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from kfnb.errors import Absent, BackendError
from kfnb.resources.datasets.foreign.delta import Delta
from kfnb.resources.datasets.foreign.dvc import Dvc
from kfnb.resources.datasets.foreign.iceberg import Iceberg
from kfnb.resources.datasets.model import FileEntry


class VersioningTool(Protocol):
    """A tool that keeps versions. ``keeps_tables`` is whether they are tables, which are loaded as frames."""

    keeps_tables: bool

    def keeps(self, uri: str) -> bool:
        """Whether an address is one of this tool's."""

    def entry(self, uri: str) -> FileEntry:
        """The version at an address, by default the newest. Raises ``UsageError``."""

    def check(self, entry: FileEntry) -> None:
        """Raise ``Absent`` if the tool does not have that version, with all of its files."""

    def stream(self, entry: FileEntry) -> Iterator[bytes]:
        """Its bytes; a table is written as Parquet. Raises ``Absent``."""


_TOOLS: tuple[VersioningTool, ...] = (Delta(), Iceberg(), Dvc())


def is_foreign(uri: str) -> bool:
    """Whether another tool keeps the versions of what is at an address."""
    return any(tool.keeps(uri) for tool in _TOOLS)


def is_table(uri: str) -> bool:
    """Whether what another tool keeps at an address is a table."""
    return _tool(uri).keeps_tables


def entry_of(uri: str) -> FileEntry:
    """The table at ``delta://PATH@12``, the file that ``PATH.dvc`` tracks, and so on. Raises ``UsageError``."""
    return _tool(uri).entry(uri)


def state(entry: FileEntry) -> str:
    """Empty if the tool still has that version, with all of its files; else ``missing``."""
    try:
        _tool(entry.uri).check(entry)
    except Absent:
        return "missing"
    return ""


def stream(entry: FileEntry) -> Iterator[bytes]:
    """Its bytes; a table is written as Parquet. Raises ``Absent`` if the tool has that version no more."""
    return _tool(entry.uri).stream(entry)


def cannot_be_published(entry: FileEntry) -> BackendError:
    """The error for pods, which do not have the tool."""
    return BackendError(
        f"{entry.uri} is read by a tool that pods do not have:",
        hint="add the data itself: kfnb.add_data(name, version.load())",
        ref=entry.uri,
    )


def _tool(uri: str) -> VersioningTool:
    return next(tool for tool in _TOOLS if tool.keeps(uri))
