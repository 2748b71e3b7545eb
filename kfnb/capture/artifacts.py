"""The value of a run's artifact, as the step that wrote it had it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

from kfnb.capture.embedded.models import kfnb_read_model, kfnb_read_skops
from kfnb.capture.embedded.states import kfnb_carried
from kfnb.capture.embedded.transform_files import kfnb_open_transform
from kfnb.capture.embedded.values import kfnb_load
from kfnb.entities import Artifact
from kfnb.errors import BackendError, UsageError

_FACTS, _TRANSFORM = "kfnb_model.json", "transform.json"


def load_artifact(artifact: Artifact, *, pickle: bool = False, trust: Sequence[str] = ()) -> Any:
    """The value of an artifact: a table, an array, a model, lists and dicts.

    A pickle executes code when it is loaded, and is read only with ``pickle``. ``trust`` names types in a model that
    are not known to be safe. Raises ``UsageError``, ``BackendError``.
    """
    form = artifact.metadata.get("format") or artifact.uri.rpartition(".")[2].lower()
    if form == "cloudpickle" and not pickle:
        raise UsageError(
            f"{artifact.name} is a pickle, which executes code when it is loaded:",
            hint="load(pickle=True) loads it if you trust the run that wrote it",
            ref=artifact.uri,
        )
    with ExitStack() as opened:
        path = _here(artifact, opened)
        try:
            if path.is_dir():
                return _of_folder(path, artifact, pickle=pickle, trust=trust)
            if form == "skops":
                return kfnb_read_skops(str(path), trust)
            there = SimpleNamespace(path=str(path), metadata=artifact.metadata, uri=artifact.uri)
            return kfnb_load(there, _classes())
        except OSError as error:
            raise BackendError(f"{artifact.name} cannot be read: {error}", ref=artifact.uri) from None
        except (TypeError, ValueError, ImportError) as error:
            raise UsageError(f"{artifact.name} cannot be loaded: {error}", ref=artifact.uri) from None


def _of_folder(path: Path, artifact: Artifact, *, pickle: bool, trust: Sequence[str]) -> Any:
    if (path / _TRANSFORM).exists():
        return _transform(path, artifact, pickle=pickle)
    folders = [path] if (path / _FACTS).exists() else sorted(one.parent for one in path.glob(f"*/{_FACTS}"))
    if len(folders) != 1:
        what = f"has {len(folders)} models" if folders else "is a folder of files"
        hint = "download(path) copies it"
        raise UsageError(f"{artifact.name} {what}:", hint=hint, ref=artifact.uri)
    return kfnb_read_model(str(folders[0]), pickle=pickle, trust=trust)


def _transform(path: Path, artifact: Artifact, *, pickle: bool) -> Any:
    """A transform, whose code runs when it is used; a state with a pickle is read only with ``pickle``."""

    def read(form: str, part: str) -> Any:
        if form == "pickle" and not pickle:
            raise UsageError(
                f"the state of {artifact.name} has a pickle, which executes code when it is loaded:",
                hint="load(pickle=True) loads it if you trust the run that wrote it",
                ref=artifact.uri,
            )
        return kfnb_carried(form, part)

    facts = json.loads((path / _TRANSFORM).read_text(encoding="utf-8"))
    return kfnb_open_transform(str(path), facts, read)


def _here(artifact: Artifact, opened: ExitStack) -> Path:
    """The artifact as a file or folder of this machine, which is there while ``opened`` is open."""
    if artifact.store is None and "://" not in artifact.uri.removeprefix("file://"):
        return Path(artifact.uri.removeprefix("file://"))
    folder = Path(opened.enter_context(TemporaryDirectory(prefix="kfnb-artifact-")))
    return artifact.download(folder / (Path(artifact.uri).name or "artifact"))


def _classes() -> dict[str, Any]:
    """The notebook's classes, which a pickle refers to by name."""
    return {name: one for name, one in vars(sys.modules["__main__"]).items() if isinstance(one, type)}
