"""What a row of the registry has: the commands of a noun, its public names and its displays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
from typing import NamedTuple


class CommandRow(NamedTuple):
    """A command: the class ``name`` in the noun's ``commands``, and how it is called.

    ``magic`` begins with ``%``, or with ``%%`` for the form that takes a cell; a line magic may have a verb
    after it (``%kf_data add``). ``verb`` is one word, or two (``data add``). Either may be empty; where both have two
    words, their last ones are alike. ``summary`` is the line of ``kfnb --help``.
    """

    name: str
    magic: str
    verb: str = ""
    summary: str = ""


@dataclass(frozen=True)
class Noun:
    """What users see of a noun.

    ``exports`` are public names of ``kfnb``, each with the module that has it: one of the noun's own folder, or a
    whole name that begins with ``kfnb.``. ``modules`` are public modules of ``kfnb``. ``displays`` are the classes,
    ``module.Class``, that the noun's ``display`` draws; ``live`` those of them that are followed in the page,
    ``tables`` those that the page can sort and refresh. ``values`` are the kinds of words that its ``completion``
    completes. ``page`` is its page of ``docs/``. ``section`` are its pages of ``kfnb ui``: the title, the public
    function that lists all, and the one that finds one by its name, if there is one.
    """

    name: str
    commands: tuple[tuple[str, ...], ...] = ()
    exports: Mapping[str, str] = field(default_factory=dict)
    modules: tuple[str, ...] = ()
    displays: tuple[str, ...] = ()
    live: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    page: str = ""
    section: tuple[str, ...] = ()
    package: str = ""

    def module(self, role: str) -> ModuleType:
        """The noun's file of that role: ``commands``, ``display``, ``completion``, ... It is imported now."""
        return import_module(self.place(role))

    def place(self, module: str) -> str:
        """The whole name of a module of the noun's folder; a name that begins with ``kfnb.`` is whole."""
        return (
            module
            if module.startswith("kfnb.")
            else f"{self.package or f'kfnb.resources.{self.name}'}.{module}"
        )

    @property
    def rows(self) -> Iterator[CommandRow]:
        """Its commands."""
        return (CommandRow(*row) for row in self.commands)
