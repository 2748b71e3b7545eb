"""What a step installs: the ``pip install`` commands in the script that KFP's compiler writes before its program."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

WITH_VALUE = frozenset({"--index-url", "-i", "--extra-index-url", "--trusted-host", "--find-links", "-f"})
"""Options of pip that take a value."""

KFP = re.compile(r"kfp(?![\w.-])")
"""Matches the start of a requirement of KFP itself."""

OF_OLD_PYTHON = 'python_version<"3.9"'
"""The end of a requirement that KFP writes into every step; kfnb supports no Python that old."""


def installs(script: str) -> Iterator[Iterator[str]]:
    """The arguments of each ``pip install`` in a shell script."""
    for line in script.splitlines():
        words = shlex.split(line) if "pip install" in line else []
        while "install" in words:
            rest = words[words.index("install") + 1 :]
            end = rest.index("&&") if "&&" in rest else len(rest)
            yield iter(rest[:end])
            words = rest[end:]


def packages(script: str) -> list[str]:
    """The packages that a step installs, as written; without KFP, which every step has.

    Empty if the script cannot be parsed.
    """
    try:
        return list(dict.fromkeys(_packages(script)))
    except ValueError:  # an unclosed quotation
        return []


def _packages(script: str) -> Iterator[str]:
    for words in installs(script):
        for word in words:
            if word in WITH_VALUE:
                next(words, None)
            elif not (word.startswith("-") or word.endswith(OF_OLD_PYTHON) or KFP.match(word)):
                yield word
