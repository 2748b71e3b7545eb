"""Why a step's packages could not be installed: the error of pip or uv, and what can be done about it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

ANOTHER_IMAGE = "set base_image to an image that has it"
"""What else can be done if a step runs in a container."""

_LONGEST = 300
_PIP = re.compile(
    r"ERROR: (?P<error>(?:No matching distribution found for|Could not find a version that satisfies|"
    r"Could not install packages|Cannot install|Invalid requirement:|Could not build wheels for|"
    r"Failed to build installable wheels|Failed building wheel for|Could not open requirements file|"
    r"Could not detect requirement name|HTTP error \d+ while getting|THESE PACKAGES DO NOT MATCH THE HASHES|"
    r"Package '[^']*' requires a different Python|\S+ is not a supported wheel on this platform).*)"
    r"|\S*python\S*: (?P<pip>No module named (?:pip|ensurepip))$"
    r"|\s*[\u00d7x] (?P<detail>(?:Encountered error while|Failed to build|Getting requirements to build|"
    r"Building wheel for|Preparing metadata|pip subprocess to install|Dependency resolution exceeded).*)"
)
_AFTER = re.compile(r"\s|$|ERROR:|WARNING:|error:|[Hh]int:|note:|\[notice\]|[╰│\u00d7]|\S*[a-z]sh: ")
"""The start of what pip and a shell write below the line with the reason."""
_UV = re.compile(r"error: (?P<error>.+)|\s*\u00d7 (?P<boxed>.+)")
_CAUSE = re.compile(r"\s+(?:cause|Caused by): |\s*[╰├]─▶ ")
_VAGUE = re.compile(r"No solution found|Request failed after")
"""The start of an error of uv whose cause has more details."""
_CONCLUSION = ", we can conclude that"
_ABSENT = re.compile(
    r"No matching distribution|Could not find a version|there is no version of|not found in the package registry"
)
_UNREACHED = re.compile(
    r"connection broken by|Failed to establish a new connection|Temporary failure in name resolution|"
    r"Max retries exceeded|Read timed out|error sending request|dns error|Failed to fetch"
)


def sentence(error: str, lines: Sequence[str], otherwise: str) -> str:
    """The error of a step whose installer ended with ``error``, the last of ``lines``.

    ``otherwise`` is what can be done other than choosing another index.
    """
    words = " ".join(error.split()).rstrip(".")[:_LONGEST]
    return f"cannot install its packages: {words}{_hint(error, lines, otherwise)}"


def _hint(error: str, lines: Sequence[str], otherwise: str) -> str:
    if any(_UNREACHED.search(line) for line in lines):
        return f"; the package index did not answer: set index_urls to one that does, or {otherwise}"
    if _ABSENT.search(error):
        return f"; check its name and version, or set index_urls to an index that has it, or {otherwise}"
    return f"; {otherwise}" if error.startswith("No module named") else ""


def pip_error(lines: Sequence[str]) -> str:
    """Why pip failed, if ``lines`` end with such an error; else empty."""
    for line in reversed(lines):
        found = _PIP.match(line)
        if found is not None:
            return str(next(filter(None, found.groups())))
        if not _AFTER.match(line):
            break
    return ""


def uv_error(lines: Sequence[str]) -> str:
    """Why uv failed: its last error, or the first cause of an error without details."""
    place = next((at for at in reversed(range(len(lines))) if _UV.match(lines[at])), None)
    if place is None:
        return ""
    below = lines[place + 1 :]
    error = _joined(_UV.sub(r"\1\2", lines[place]), below)
    if _VAGUE.match(error) and below and _CAUSE.match(below[0]):
        error = _joined(_CAUSE.sub("", below[0]), below[1:])
    return error.removeprefix("Because ").partition(_CONCLUSION)[0]


def _joined(line: str, below: Sequence[str]) -> str:
    """A line joined with its continuation lines."""
    more = takewhile(lambda one: one.startswith(" ") and not _CAUSE.match(one), below)
    return " ".join(" ".join((line, *more)).split())
