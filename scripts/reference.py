#!/usr/bin/env python3
"""Write what follows from the registry of nouns: docs/reference.md, and the table of commands in README.md.

``python scripts/reference.py`` writes both; a test fails where they are not what it would write.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from kfnb import registry
from kfnb.commands.command import Command, options_of
from kfnb.registry import CommandRow, Noun

ROOT = Path(__file__).parent.parent
REFERENCE, README = ROOT / "docs" / "reference.md", ROOT / "README.md"
_TABLE = re.compile(r"(?<=<!-- commands: make reference -->\n).*(?=<!-- /commands -->)", re.DOTALL)


def reference() -> str:
    """The page: the words and options of every command."""
    lines = ["# Reference", "", "Every command of kfnb, and its options. `make reference` writes this page."]
    for noun, row in registry.commands():
        lines += ["", f"## {_name(row)}", ""]
        command: type[Command] = getattr(noun.module("commands"), row.name)
        lines.append(f"{' '.join(inspect.cleandoc(command.__doc__ or '').split())}{_more(noun, '')}")
        rows = [f"| `{written}` | {help} |" for written, help in _options(command, row)]
        if rows:
            lines += ["", "| | |", "|---|---|", *rows]
    return "\n".join(lines) + "\n"


def _options(command: type[Command], row: CommandRow) -> Iterator[tuple[str, str]]:
    """How each option is written, and what it does; those that only a notebook or only a terminal has say so."""
    for option in options_of(command):
        yield option.written.replace("|", "\\|"), option.help.replace("|", "\\|").replace("][", "]\\[")
    if row.magic and command.binds:
        yield "-o NAME", "in a notebook: also bind the result to this name"
    if row.verb and command.json:
        yield "--json", f"in a terminal: {command.json}"


def table() -> str:
    """The table of the README."""
    rows = ["| In a notebook | In a terminal | |", "|---|---|---|"]
    for noun, row in registry.commands():
        magic = f"`{row.magic}`" if row.magic else ""
        verb = f"`kfnb {row.verb}`" if row.verb else ""
        rows.append(f"| {magic} | {verb} | {row.summary}{_more(noun, 'docs/')} |")
    return "\n".join(rows) + "\n"


def with_table(readme: str) -> str:
    """The README with the table as it is now."""
    return _TABLE.sub(lambda _: table(), readme)


def _name(row: CommandRow) -> str:
    return ", ".join(filter(None, (row.magic, f"kfnb {row.verb}" if row.verb else "")))


def _more(noun: Noun, folder: str) -> str:
    return f" ([more]({folder}{noun.page}))" if noun.page else ""


if __name__ == "__main__":
    REFERENCE.write_text(reference(), encoding="utf-8")
    README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
