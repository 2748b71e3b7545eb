"""The nouns of kfnb: a row of plain strings for each, from which all else is found. A row imports nothing.

From the rows come magics, verbs of the command ``kfnb``, their help and completion, displays, and the public names.
A new noun is a folder ``kfnb/resources/<noun>/`` and a row in one of the files ``*_rows.py``.
"""

from __future__ import annotations

from collections.abc import Iterator

from kfnb.registry.noun import CommandRow, Noun
from kfnb.registry.rows import NOUNS

__all__ = [
    "NOUNS",
    "CommandRow",
    "Noun",
    "commands",
    "exports",
    "magic_verbs",
    "magics",
    "noun_of_display",
    "noun_of_module",
    "noun_of_value",
    "public_modules",
    "verbs",
]


def commands() -> Iterator[tuple[Noun, CommandRow]]:
    """Every command, with its noun."""
    return ((noun, row) for noun in NOUNS for row in noun.rows)


def magics() -> dict[str, dict[str, tuple[Noun, CommandRow]]]:
    """By the name of each magic, its command for each form: ``line`` and ``cell``; without those of its verbs."""
    found: dict[str, dict[str, tuple[Noun, CommandRow]]] = {}
    for noun, row in commands():
        if row.magic and " " not in row.magic:
            form = "cell" if row.magic.startswith("%%") else "line"
            found.setdefault(row.magic.lstrip("%"), {})[form] = noun, row
    return found


def magic_verbs(name: str) -> dict[str, tuple[Noun, CommandRow]]:
    """The verbs of a line magic (``add`` of ``%kf_data add``), each with its command."""
    return {
        row.magic.partition(" ")[2]: (noun, row)
        for noun, row in commands()
        if row.magic.startswith(f"%{name} ")
    }


def verbs() -> dict[str, tuple[Noun, CommandRow]]:
    """By its words (``runs``, ``runs show``), the command of each verb."""
    return {row.verb: (noun, row) for noun, row in commands() if row.verb}


def exports() -> dict[str, str]:
    """By each public name, the module that has it."""
    return {name: noun.place(module) for noun in NOUNS for name, module in noun.exports.items()}


def public_modules() -> dict[str, str]:
    """By the name of each public module, its whole name."""
    return {name: f"kfnb.{name}" for noun in NOUNS for name in noun.modules}


def noun_of_value(kind: str) -> Noun:
    """The noun that completes words of a kind."""
    return next(noun for noun in NOUNS if kind in noun.values)


def noun_of_display(name: str) -> Noun | None:
    """The noun that draws objects of the class of that whole name; None where none does."""
    return next((noun for noun in NOUNS if name in noun.displays), None)


def noun_of_module(name: str) -> Noun | None:
    """The noun whose folder has the module of that whole name; None where none has."""
    return next((noun for noun in NOUNS if name.startswith(noun.place(""))), None)
