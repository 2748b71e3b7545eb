"""What is said in a terminal: on stderr, and with the terminal's own words where advice names a magic."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

from kfnb.commands.parser import Parser
from kfnb.errors import UsageError, did_you_mean

_SETTINGS = re.compile(r"%kf_config((?: \w+=[^\s,;)]+)+| \w+)")
_MAGIC = re.compile(r"(?<!%)%kf_(\w+)")
_VERBS = {
    "run": "runs show",
    "study": "studies show",
    **{
        verb: verb
        for verb in (
            "submit", "compile", "runs", "compare", "logs", "stop", "retry", "archive", "delete", "status",
            "notebook", "experiments", "upload", "tune", "studies", "schedule",
        )
    },
}  # fmt: skip
"""The verb of each magic that has one; what only a notebook can do keeps its magic's name."""


def tell(text: str) -> None:
    """Say something that is not the result; what acts on a terminal instead of being read is left out."""
    from kfnb.ui.words import clean

    print(clean(in_terminal(text)), file=sys.stderr)


def in_terminal(text: str) -> str:
    """Advice as a terminal takes it: ``KFNB_CONTEXT=X`` for ``%kf_config context=X``, ``kfnb X`` for ``%kf_X``."""
    return _MAGIC.sub(_verb, _SETTINGS.sub(_variables, text))


def _variables(found: re.Match[str]) -> str:
    settings = (word.partition("=") for word in found[1].split())
    return " ".join(f"KFNB_{name.upper()}{equals}{value}" for name, equals, value in settings)


def _verb(found: re.Match[str]) -> str:
    return f"kfnb {_VERBS[found[1]]}" if found[1] in _VERBS else found[0]


def sub_verb(parser: Parser, words: Sequence[str], verbs: Sequence[str]) -> str:
    """The first of ``words``, where it is one of ``verbs``; empty where there is an option, or nothing.

    Raises ``UsageError`` for any other word.
    """
    parser.verbs = tuple(verbs)
    verb = words[0] if words and not words[0].startswith("-") else ""
    if verb and verb not in verbs:
        raise UsageError(f"{parser.prog}: unknown verb {verb}{did_you_mean(verb, verbs)}")
    return verb
