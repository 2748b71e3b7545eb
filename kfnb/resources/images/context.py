"""The folder that an image is built from: the Dockerfile, and what it copies."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path

from kfnb.errors import UsageError
from kfnb.resources.images.dockerfile import MARK, dockerfile
from kfnb.resources.images.recipe import Recipe

_FOLDERS = ("packages", "s6")
_SCRIPTS = ("cont-init.d/01-copy-tmp-home", "services.d/jupyterlab/run")


def write(recipe: Recipe, folder: Path) -> Sequence[Path]:
    """Write the folder, and return the files in it. Raises ``UsageError`` where it would replace others' files."""
    strange = _of_others(folder)
    if strange is not None:
        raise UsageError(
            f"{strange} is there, and kfnb image did not write it: choose another folder, --to FOLDER"
        )
    try:
        return list(_written(recipe, folder))
    except OSError as error:
        raise UsageError(f"--to {folder}: {error}") from None


def _of_others(folder: Path) -> Path | None:
    """What is in the place of what is written, in a folder whose Dockerfile is not ours."""
    dockerfile = folder / "Dockerfile"
    try:
        if dockerfile.read_text(encoding="utf-8", errors="replace").startswith(MARK):
            return None
    except OSError:  # there is none that can be read
        pass
    return next((one for one in (dockerfile, *(folder / name for name in _FOLDERS)) if one.exists()), None)


def _written(recipe: Recipe, folder: Path) -> Iterator[Path]:
    for old in _FOLDERS:  # what a former recipe had
        shutil.rmtree(folder / old, ignore_errors=True)
    yield _write(folder / "Dockerfile", dockerfile(recipe))
    packages = folder / "packages"
    yield _write(packages / "requirements.txt", "\n".join(recipe.lines) + "\n")
    if recipe.requirements:
        yield _write(packages / "more.txt", recipe.requirements)
    if recipe.wheel:
        yield Path(shutil.copy(recipe.wheel, packages))
    if not recipe.base:  # Kubeflow's own images have these scripts
        for name in _SCRIPTS:
            script = _write(folder / "s6" / name, _script(name))
            script.chmod(0o755)
            yield script


def _write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def _script(name: str) -> str:
    return (
        resources.files("kfnb.resources.images")
        .joinpath("s6")
        .joinpath(*name.split("/"))
        .read_text(encoding="utf-8")
    )
