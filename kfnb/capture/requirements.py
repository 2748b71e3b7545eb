"""The packages that a step installs: those that it imports, pinned to the kernel's versions."""

from __future__ import annotations

from collections.abc import Iterable

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from kfnb.capture.component import Options
from kfnb.capture.dependencies import Dependencies
from kfnb.capture.packages import requirement_for
from kfnb.errors import CaptureError


def requirements(dependencies: Dependencies, options: Options, loaders: Iterable[str] = ()) -> list[str]:
    """The requirements of a step, sorted; ``loaders`` are modules needed to load and save its values.

    A ``--package`` replaces what was found for the same package. Raises ``CaptureError`` for an import that no
    installed package provides.
    """
    declared = {name_of(text): text for text in options.packages}
    found: dict[str, str] = {}
    for module, place in dependencies.needed.items():
        try:
            requirement = requirement_for(module)
        except CaptureError as error:
            if declared:
                continue  # assume that one of the declared packages provides it
            raise CaptureError(f"{place}: {error}") from None
        if requirement is not None:
            found[name_of(requirement)] = requirement
    for module in loaders:
        found |= _loader(module)
    return sorted({**found, **declared}.values(), key=str.lower)


def _loader(module: str) -> dict[str, str]:
    """The requirement for a module whose classes are in a value; the notebook's own classes need none."""
    try:
        requirement = requirement_for(module)
    except CaptureError:
        return {}
    return {name_of(requirement): requirement} if requirement else {}


def name_of(requirement: str) -> str:
    """The normalized name of a requirement's package; a URL or a path itself. Raises ``CaptureError``."""
    try:
        return canonicalize_name(Requirement(requirement).name)
    except InvalidRequirement:
        if "/" in requirement:
            return requirement  # a URL or a path, which pip accepts
        raise CaptureError(f"--package {requirement} is not a package: write name or name==version") from None
