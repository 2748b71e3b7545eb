#!/usr/bin/env python3
"""Write docs/reference.md from the registry of nouns; a test fails where the page is not what this would write."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

from kfnb import registry
from kfnb.commands.command import Command, options_of
from kfnb.registry import CommandRow, Noun

ROOT = Path(__file__).parent.parent
REFERENCE = ROOT / "docs" / "reference.md"

_START = """# Magics and commands

`--help` after a magic or a command shows its options; `-o NAME` binds what a magic returns. Tab completes every word,
in a terminal after `source <(kfnb completion bash)` (or `zsh`), or `kfnb completion fish | source`. In a program,
[Python](python.md) has the same. `make reference` writes this page.
"""


def reference() -> str:
    """The page: a table of all commands, and the options of each."""
    lines = [_START, *_table()]
    for noun, row in registry.commands():
        lines += ["", f"## {_name(row)}", ""]
        command: type[Command] = getattr(noun.module("commands"), row.name)
        lines.append(f"{' '.join(inspect.cleandoc(command.__doc__ or '').split())}{_more(noun)}")
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


def _table() -> Iterator[str]:
    yield from ("| In a notebook | In a terminal | |", "|---|---|---|")
    for noun, row in registry.commands():
        magic = f"`{row.magic}`" if row.magic else ""
        verb = f"`kfnb {row.verb}`" if row.verb else ""
        yield f"| {magic} | {verb} | {row.summary}{_more(noun)} |"


def _name(row: CommandRow) -> str:
    return ", ".join(filter(None, (row.magic, f"kfnb {row.verb}" if row.verb else "")))


def _more(noun: Noun) -> str:
    return f" ([more]({noun.page}))" if noun.page else ""


if __name__ == "__main__":
    REFERENCE.write_text(reference(), encoding="utf-8")
