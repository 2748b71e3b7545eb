"""The plan of an execution, checked before anything runs: notebooks, parameters, kernels and outputs."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kfnb.errors import NotebookError
from kfnb.execute.notebook_file import read_notebook
from kfnb.execute.parameters import check_known, find_declared, typed

OWN_KERNEL = "python3"
"""The name of the kernel that is this Python, even if another is installed under that name."""


@dataclass(frozen=True)
class Job:
    """One notebook to execute. Paths are absolute; ``given`` is the notebook's path as the user wrote it."""

    given: Path
    path: Path
    output: Path
    html: Path | None
    parameters: Mapping[str, Any]
    kernel: str
    language: str
    cells: int


def make_plan(
    paths: Sequence[Path], parameters: Mapping[str, Any], output_dir: Path, *, html: bool
) -> list[Job]:
    """Read the notebooks and decide what to execute. Raises ``NotebookError`` if that is not possible."""
    if not paths:
        raise NotebookError("no notebook given")
    notebooks = {path: read_notebook(path) for path in paths}
    declared = {path: find_declared(notebook.cells) for path, notebook in notebooks.items()}
    check_known(parameters, declared)
    jobs = []
    for path, output in zip(notebooks, _name_outputs(list(paths), output_dir), strict=True):
        kernel, language = _choose_kernel(path, notebooks[path].metadata)
        jobs.append(
            Job(
                given=path,
                path=path.absolute(),
                output=output,
                html=output.with_suffix(".html") if html else None,
                parameters=typed(parameters, declared[path]),
                kernel=kernel,
                language=language,
                cells=_count_cells(notebooks[path].cells),
            )
        )
    return jobs


def make_folders(jobs: Sequence[Job]) -> None:
    """Create the folders of the outputs. Raises ``NotebookError`` on failure."""
    for job in jobs:
        try:
            job.output.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise NotebookError(f"cannot create {job.output.parent}: {error.strerror}") from None


def _count_cells(cells: Sequence[Mapping[str, Any]]) -> int:
    """The number of cells that a kernel will run."""
    return sum(cell["cell_type"] == "code" and bool(cell["source"].strip()) for cell in cells)


def _name_outputs(paths: list[Path], output_dir: Path) -> list[Path]:
    """A file for each notebook: its name; if names are equal, its path below the folder they share."""
    sources = [path.resolve() for path in paths]
    twice = [str(path) for path, count in Counter(sources).items() if count > 1]
    if twice:
        raise NotebookError(f"{twice[0]} is given more than once")
    names = Counter(source.name for source in sources)
    shared = Path(os.path.commonpath([source.parent for source in sources]))
    folder = output_dir.absolute()
    unique = [source.name if names[source.name] == 1 else source.relative_to(shared) for source in sources]
    outputs = [folder / name for name in unique]
    for output in outputs:
        if output.resolve() in sources:
            raise NotebookError(
                f"{output} would be overwritten by the executed notebook; choose another --output-dir"
            )
    return outputs


def _choose_kernel(path: Path, metadata: Mapping[str, Any]) -> tuple[str, str]:
    """The kernel's name and language. A Python kernel that is not installed is replaced by this Python."""
    from jupyter_client.kernelspec import KernelSpecManager

    spec = metadata.get("kernelspec", {})
    language = spec.get("language") or metadata.get("language_info", {}).get("name") or "python"
    name = spec.get("name", OWN_KERNEL)
    if name == OWN_KERNEL or name in KernelSpecManager().find_kernel_specs():
        return name, language
    if language.lower() == "python":
        return OWN_KERNEL, language
    raise NotebookError(f"{path} requires the kernel {name!r} ({language}), which is not installed")
