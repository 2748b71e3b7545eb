"""The environment of a run, as it is made again: its packages in the versions that were installed, and its Python."""

from __future__ import annotations

import inspect
import json
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kfnb.capture.embedded.packages import kfnb_installed_packages
from kfnb.entities.manifest import InstalledPackage, LayerName, Manifest

_OWN = frozenset({"kfnb", "kfp", "pip", "setuptools", "wheel", "uv"})
"""Packages that an environment gets by itself, or that do not compute: steps run the installed KFP."""
_PATIENCE = 60


@dataclass(frozen=True)
class Lock:
    """What an environment is made of. ``packages`` are pinned; ``unavailable`` are those that no index has.

    ``python`` is the path of the recorded Python, empty if that is the one that runs here; ``notes`` name what is not
    as it was recorded.
    """

    packages: tuple[str, ...] = ()
    unavailable: tuple[InstalledPackage, ...] = ()
    python: str = ""
    notes: tuple[str, ...] = ()


def lock_of(manifest: Manifest) -> Lock:
    """The lock of a manifest; without packages if those are not recorded."""
    found = [one for one in _packages(manifest) if one.name not in _OWN]
    if not found:
        note = "its packages are not recorded: each step gets the packages that it asks for"
        return Lock(notes=(note,))
    python, notes = _python(str(manifest[LayerName.TOOLING].facts.get("python") or ""))
    return Lock(
        tuple(f"{one.name}=={one.version}" for one in found if not one.url),
        tuple(one for one in found if one.url),
        python,
        notes,
    )


def _packages(manifest: Manifest) -> tuple[InstalledPackage, ...]:
    """The packages of all tasks' environments; of one that differs between them, as the most tasks had it."""
    known: dict[str, InstalledPackage] = {}
    for task in (one.tasks[0] for one in manifest.environments if one.tasks):
        known = {**{one.name: one for one in manifest.of_task(task).packages}, **known}
    return tuple(known.values()) or manifest.packages


def _python(version: str) -> tuple[str, tuple[str, ...]]:
    """The path of a Python of a version, empty for the one that runs here; and a note if there is none."""
    here = platform.python_version()
    if version in ("", here):
        return "", ()
    series = ".".join(version.split(".")[:2])
    for name in (f"python{series}", "python3"):
        found = shutil.which(name)
        if found and _version_of(found) == version:
            return found, ()
    return "", (f"it ran on Python {version}, which is not installed here: it runs again on Python {here}",)


def _version_of(python: str) -> str:
    program = "import platform; print(platform.python_version())"
    try:
        done = subprocess.run(
            [python, "-c", program], capture_output=True, text=True, check=False, timeout=_PATIENCE
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def other_builds(manifest: Manifest, python: Path) -> Iterator[str]:
    """The recorded packages that the environment of ``python`` has in the same version, but with other files."""
    installed = _installed(python)
    for one in _packages(manifest):
        there = installed.get(one.name)
        if (
            one.digest
            and isinstance(there, Mapping)
            and there.get("version") == one.version
            and there.get("digest", one.digest) != one.digest
        ):
            yield f"{one.name} {one.version}"


def _installed(python: Path) -> Mapping[str, Any]:
    """The packages of an environment, by its own Python."""
    if str(python) == sys.executable:
        return kfnb_installed_packages()
    head = "from __future__ import annotations\nfrom typing import Any\nimport json\n"
    program = (
        f"{head}{inspect.getsource(kfnb_installed_packages)}\nprint(json.dumps(kfnb_installed_packages()))"
    )
    done = subprocess.run(
        [str(python), "-I", "-c", program], capture_output=True, text=True, check=False, timeout=_PATIENCE
    )
    found: Mapping[str, Any] = json.loads(done.stdout) if not done.returncode else {}
    return found
