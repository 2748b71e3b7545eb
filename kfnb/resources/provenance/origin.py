"""What a run, or this kernel, has of the notebook: its code, its cells, its client, the state of its repository."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from kfnb.capture.notebook_file import NotebookFile
from kfnb.diagnostics import logger
from kfnb.entities import imported_data
from kfnb.entities.manifest import Layer, LayerName
from kfnb.entities.manifest_json import layers_data
from kfnb.errors import KfnbError
from kfnb.pipeline.workspace import workspace
from kfnb.resources.components.api import spec_of
from kfnb.resources.provenance.secrets import without_secrets
from kfnb.resources.runs.pipeline_code import code_of, digest_of_spec, without_installs
from kfnb.resources.runs.step_seeds import seed_of
from kfnb.settings import owner, settings

_logger = logger(__package__)

_GIT_PATIENCE = 2.0
"""Seconds that git may take: its state is left out where a repository is too large to be looked at."""
_MOST_FILES = 100


def origin_of(spec: Mapping[str, Any], pipeline: str, unseeded: Sequence[str] = ()) -> dict[str, Any]:
    """What the manifest of a run has of the notebook that starts it, as JSON: its layers and the stage.

    ``spec`` is the PipelineSpec, with the placeholders of its data versions; ``unseeded`` are notes on random numbers
    that its seed does not reach.
    """
    model = Layer(
        LayerName.MODEL,
        {
            "pipeline": pipeline,
            "spec": digest_of_spec(without_installs(spec)),
            "seed": seed_of(spec),
            "unseeded": list(unseeded),
            "code": code_of(spec),
            "data": {one.ref: one.digest for _, one in imported_data(spec)},
        },
    )
    return {"stage": settings().stage, "layers": layers_data((without_secrets(model), *notebook_layers()))}


def kernel_model() -> Layer:
    """The pipelines of this notebook as they are now; one that cannot be built has no code."""
    facts: dict[str, Any] = {"code": {}, "data": {}}
    for name in workspace().pipelines:
        try:
            spec = spec_of(name).spec
        except KfnbError:
            _logger.debug("The pipeline %s cannot be built.", name, exc_info=True)
            continue
        facts["code"] |= code_of(spec)
        facts["data"] |= {one.ref: one.digest for _, one in imported_data(spec)}
    return without_secrets(Layer(LayerName.MODEL, facts))


def notebook_layers() -> tuple[Layer, Layer]:
    """The notebook and its client, and the tools that make a run of it."""
    ux, tooling = Layer(LayerName.UX, _notebook()), Layer(LayerName.TOOLING, _tools())
    return without_secrets(ux), without_secrets(tooling)


def _notebook() -> dict[str, Any]:
    notebook = workspace().notebook
    file = NotebookFile.find(notebook.namespace)
    facts: dict[str, Any] = {"notebook": None, "notebook_digest": None}
    if file is not None:
        facts = {"notebook": file.path.name, "notebook_digest": sha256(file.path.read_bytes()).hexdigest()}
    cells = sorted((one.cell.order, name, one.cell.number) for name, one in notebook.components.items())
    return {
        **facts,
        "cells": [[name, number] for _, name, number in cells],
        "client": _client(notebook.namespace, linear=notebook.linear),
        "jupyterlab": _version("jupyterlab"),
        "ipykernel": _version("ipykernel"),
        "ipython": _version("ipython"),
        "user": owner(),
    }


def _client(namespace: Mapping[str, Any], *, linear: bool) -> str | None:
    if namespace.get("__vsc_ipynb_file__"):
        return "VS Code"
    if linear:
        return "papermill"
    return "Jupyter" if os.environ.get("JPY_SESSION_NAME") else None


def _tools() -> dict[str, Any]:
    names = {name: _version(name) for name in ("kfp", "pip", "uv")}
    return {"kfnb": resolve_name("kfnb:__version__"), **names, **_repository(workspace().notebook.folder)}


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _repository(folder: Path) -> dict[str, Any]:
    """The commit that the notebook's folder is at, and the files that differ from it; None outside a repository."""
    nothing: dict[str, Any] = {"commit": None, "changed": [], "repository": None}
    if not any((one / ".git").exists() for one in (folder, *folder.parents)):
        return nothing
    lines = list(_git(folder, "status", "--porcelain=v2", "--branch"))
    oid = next((line.rpartition(" ")[2] for line in lines if line.startswith("# branch.oid ")), None)
    changed = sorted(_path(line) for line in lines if line[:2] in ("1 ", "2 ", "u ", "? "))
    more = [f"and {len(changed) - _MOST_FILES} more"] if len(changed) > _MOST_FILES else []
    url = "".join(_git(folder, "config", "--get", "remote.origin.url"))
    return {
        **nothing,
        "commit": oid,
        "changed": [*changed[:_MOST_FILES], *more],
        "repository": re.sub(r"(?<=//)[^/]*@|[?#].*", "", url) or None,
    }


def _path(line: str) -> str:
    """The path in a line of git's status; of a file that was renamed, the new one."""
    parts = {"1": 8, "2": 9, "u": 10, "?": 1}[line[0]]
    return line.split(" ", parts)[-1].partition("\t")[0]


def _git(folder: Path, *words: str) -> Iterator[str]:
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(
            ["git", *words],  # noqa: S607 - the user's own git
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_GIT_PATIENCE,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):  # git is not installed, or takes too long
        return iter(())
    return iter(done.stdout.splitlines() if not done.returncode else ())
