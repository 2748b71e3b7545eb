"""The framework layer of a manifest as ``pylock.toml`` (PEP 751), which pip and uv install from: written by uv."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence

from kfnb.diagnostics import redact
from kfnb.entities.manifest import LayerName, Manifest
from kfnb.errors import BackendError, UsageError

_PATIENCE = 300.0
"""Seconds for a lock: the hashes of each package are asked for."""


def pylock(manifest: Manifest, indexes: Sequence[str] = ()) -> str:
    """The lock of the packages, with the hashes that the indexes have for these versions.

    What did not come from an index is left out, and named in a comment. Raises ``UsageError`` without uv, and
    ``BackendError`` for a package that no index has any more.
    """
    requirements = [
        f"{one.name}=={one.version}" for one in manifest.packages if not (one.url or one.editable)
    ]
    if not requirements:
        raise UsageError(f"the packages of {manifest.ref} are not recorded", ref=manifest.ref)
    python = str(manifest[LayerName.TOOLING].facts.get("python") or "")
    options = ["--python-version", python] if python else []
    # by the environment: an address may have a password, and all users see the words of a command
    variables = {**os.environ, **({"UV_INDEX": " ".join(indexes)} if indexes else {})}
    command = [
        *_uv(),
        "pip",
        "compile",
        "-",
        "--format",
        "pylock.toml",
        "--no-deps",
        "--no-header",
        "--quiet",
        *options,
    ]
    try:
        done = subprocess.run(
            command,
            env=variables,
            input="\n".join(requirements),
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BackendError(f"uv took more than {_PATIENCE:g} s to lock {manifest.ref}") from None
    if done.returncode:
        raise BackendError(
            f"{manifest.ref} cannot be locked: {redact(done.stderr.strip())}", ref=manifest.ref
        )
    return "".join([*_comments(manifest), done.stdout])


def _comments(manifest: Manifest) -> Iterator[str]:
    for one in manifest.packages:
        if one.url or one.editable:
            yield f"# not from an index: {one.name} {one.version}, {one.url or 'editable'}\n"


def _uv() -> tuple[str, ...]:
    found = shutil.which("uv")
    if found:
        return (found,)
    if importlib.util.find_spec("uv"):
        return (sys.executable, "-m", "uv")
    raise UsageError("pylock.toml is written by uv, which is not installed:", hint="pip install uv")
