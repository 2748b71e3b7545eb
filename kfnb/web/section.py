"""What the pages are of: the nouns whose row in the registry names a section."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from kfnb import registry
from kfnb.commands.display import bundle
from kfnb.errors import NotFound
from kfnb.live.followables import row_of
from kfnb.ui.mount_point import Home


@dataclass(frozen=True)
class PageSection:
    """A noun's pages: the list of all, and a page for each.

    ``path`` is its word in addresses. ``all`` and ``one`` are public functions of kfnb; without ``one``, a thing is
    looked for in the list.
    """

    path: str
    title: str
    all: str
    one: str = ""

    def list(self) -> Any:
        """All of them, as the public function gives them. Raises ``KfnbError``."""
        return _public(self.all)()

    def find(self, reference: str) -> Any:
        """One of them. Raises ``KfnbError``."""
        if self.one:
            return _public(self.one)(reference)
        found = [thing for thing in things(self.list()) if reference_of(thing) == reference]
        if not found:
            raise NotFound(f"unknown {self.path.rstrip('s')} {reference}")
        return found[0]


def sections() -> tuple[PageSection, ...]:
    """All sections, in the order of the registry."""
    return tuple(PageSection(noun.name, *noun.section) for noun in registry.NOUNS if noun.section)


def section_of(path: str) -> PageSection:
    """The section at an address. Raises ``NotFound``."""
    found = [section for section in sections() if section.path == path]
    if not found:
        raise NotFound(f"unknown page /{path}")
    return found[0]


def things(listed: Any) -> tuple[Any, ...]:
    """What a list holds; nothing where it is one thing, as the state of a cluster."""
    return tuple(listed) if isinstance(listed, Iterable) else ()


def reference_of(thing: Any) -> str:
    """The text that names a thing: the id of a run, ``churn@3``, or its name."""
    if hasattr(thing, "version"):
        return f"{thing.name}@{thing.version}"
    return str(getattr(thing, "id", thing.name))


def html_of(thing: Any) -> str:
    """A thing as static HTML. Raises ``KfnbError``."""
    return bundle(thing)["text/html"]


def live_html_of(thing: Any, mark: str) -> str | None:
    """A thing as static HTML with the mark by which the page keeps it up to date; None for what is not followed."""
    try:
        row = row_of(thing)
    except TypeError:
        return None
    home = Home(mark, row.type, row.name(thing))
    return row.drawing(row, home)(thing.snapshot())["text/html"]


def _public(name: str) -> Any:
    """A public function of kfnb."""
    return getattr(import_module(registry.exports()[name]), name)
