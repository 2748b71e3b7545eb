"""Pack a model into a model folder: a value of the kernel, an artifact of a run, a file or a folder."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kfnb.capture.embedded.models import kfnb_model_format, kfnb_write_model
from kfnb.capture.embedded.transform_files import kfnb_keep_transform
from kfnb.diagnostics import logger
from kfnb.entities import Artifact
from kfnb.errors import UsageError
from kfnb.extras import require
from kfnb.resources.models.model import Signature
from kfnb.resources.models.portability import remark_on
from kfnb.resources.models.signature import signature_of

_logger = logger(__package__)

FACTS = "kfnb_model.json"
"""The file of a model folder that says how the model is loaded."""

_BY_ENDING = {
    ".skops": "skops",
    ".ubj": "xgboost",
    ".txt": "lightgbm",
    ".safetensors": "torch",
    ".keras": "keras",
    ".onnx": "onnx",
}
"""The formats of files that are registered as they are."""
_BEGINNINGS = {
    "skops": rb"PK\x03\x04",
    "xgboost": rb"\{",
    "lightgbm": rb"tree\r?\n",
    "torch": rb".{8}\{",
    "keras": rb"PK\x03\x04",
    "onnx": rb"\x08[\x01-\x7f][\x12\x1a\x22\x28\x32\x3a\x42]",
}
"""What files of a format begin with. ONNX's begin with the version of the format, and the number of the next field."""
_LONGEST = 16
PICKLES = (".pkl", ".pickle", ".joblib", ".cloudpickle")
"""The endings of files that execute code when they are loaded."""


@dataclass(frozen=True)
class Packing:
    """Options for packing a model: an ``example`` of its input, or of its transform's, and what the user allows.

    ``remarks`` gets what the user should know of the model's transform and example.
    """

    example: Any = None
    transform: Any = None
    pickle: bool = False
    trust: Sequence[str] = ()
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class ModelFacts:
    """What a model folder says of its model."""

    format: str
    file: str
    signature: Signature = field(default_factory=Signature)
    packages: Mapping[str, str] | None = None
    python: str = ""
    transform: str = ""


@contextmanager
def packed(model: Any, how: Packing) -> Iterator[Path]:
    """The model folder of a value, an artifact or a path, while it is used. Raises ``UsageError``."""
    if how.transform is not None and isinstance(model, Artifact | str | Path):
        hint = "load the model, and register what is loaded"
        raise UsageError("a transform is registered with a value:", hint=hint, ref=str(model))
    with TemporaryDirectory(prefix="kfnb-model-") as temporary:
        if isinstance(model, Artifact):
            model = _of_artifact(model, Path(temporary), how)
        if isinstance(model, str | Path):
            yield _of_path(Path(model).expanduser(), Path(temporary), how)
        else:
            yield _of_value(model, Path(temporary), how)


def facts_of(folder: Path) -> ModelFacts:
    """What a model folder says of its model. Raises ``UsageError`` if it is not one."""
    try:
        stored = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        return ModelFacts(
            str(stored["format"]),
            str(stored["file"]),
            signature_of(stored),
            {str(name): str(version) for name, version in stored.get("packages", {}).items()},
            str(stored.get("python", "")),
            _transform(stored.get("transform")),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{folder} is not a model folder: {FACTS} cannot be read ({error})", ref=str(folder)
        ) from None


def _transform(stored: Any) -> str:
    """The digests of a transform's code and of its state, as one text; empty without one."""
    return "-".join(filter(None, (stored["code"], stored["state"]))) if stored else ""


def _of_value(model: Any, temporary: Path, how: Packing) -> Path:
    if model is None or isinstance(model, int | float | bool | bytes):
        raise UsageError(f"{model!r} is not a model")
    form = kfnb_model_format(model)
    if form == "skops":
        require("skops", "a scikit-learn model")
    if form == "torch":
        require("safetensors", "a torch model")
    folder = temporary / "model"
    try:
        facts = kfnb_write_model(
            model,
            str(folder),
            how.example,
            transform=how.transform,
            keep=kfnb_keep_transform,
            pickle=how.pickle,
            trust=how.trust,
        )
    except TypeError as error:
        raise UsageError(f"the model cannot be saved: {error}", ref=type(model).__name__) from None
    except (
        Exception
    ) as error:  # whatever its library raises of a model that is not fitted, or cannot be pickled
        _logger.debug("The library of a %s cannot save it.", type(model).__name__, exc_info=True)
        message = f"the model cannot be saved: {error or type(error).__name__}"
        raise UsageError(message, ref=type(model).__name__) from error
    how.remarks.extend(facts["remarks"])
    how.remarks.extend(filter(None, [remark_on(folder, str(facts["format"]))]))
    return folder


def _of_path(path: Path, temporary: Path, how: Packing) -> Path:
    if not path.exists():
        raise UsageError(f"{path}: no such file or folder", code="file-not-found", ref=str(path))
    if path.is_dir():
        facts = facts_of(path)
        refuse_pickle(path, pickled=facts.format == "pickle", how=how)
        return path
    refuse_pickle(path, pickled=path.suffix in PICKLES, how=how)
    form = "pickle" if path.suffix in PICKLES else _BY_ENDING.get(path.suffix, "")
    if not form:
        hint = f"known are {', '.join(_BY_ENDING)}"
        message = f"{path}: unknown file extension {path.suffix or '(none)'}"
        raise UsageError(message, hint=hint, ref=str(path))
    check_beginning(path, form)
    folder = temporary / "model"
    folder.mkdir()
    file = f"model{path.suffix}"
    shutil.copyfile(path, folder / file)
    facts_file = {"format": form, "file": file, "inputs": [], "outputs": [], "packages": {}, "python": ""}
    (folder / FACTS).write_text(json.dumps(facts_file, indent=1, sort_keys=True), encoding="utf-8")
    return folder


def check_beginning(path: Path, form: str) -> None:
    """Raise ``UsageError`` if a file does not begin as those of its format do."""
    with path.open("rb") as file:
        begins = file.read(_LONGEST)
    beginning = _BEGINNINGS.get(form)
    if beginning is not None and not re.match(beginning, begins, re.DOTALL):
        raise UsageError(f"{path} is not a file of the format {form}", ref=str(path))


def refuse_pickle(path: Path, *, pickled: bool, how: Packing) -> None:
    """Raise ``UsageError`` for a pickle that the user did not allow."""
    if pickled and not how.pickle:
        message = f"{path} is a pickle, which executes code when it is loaded:"
        raise UsageError(message, hint="pass pickle=True (--pickle) if you trust it", ref=str(path))


def _of_artifact(artifact: Artifact, temporary: Path, how: Packing) -> Any:
    """The value of an artifact, or the path of the model folder that it is."""
    filesystem, path = artifact.filesystem()
    if not filesystem.isdir(path):
        return artifact.load(pickle=how.pickle, trust=how.trust)
    folder = artifact.download(temporary / "artifact")
    found = [folder] if (folder / FACTS).exists() else sorted(one.parent for one in folder.glob(f"*/{FACTS}"))
    if len(found) != 1:
        what = ", ".join(one.name for one in found) if found else "no model folder"
        raise UsageError(
            f"artifact {artifact.name} has {what}:", hint="download it and register one", ref=artifact.uri
        )
    return found[0]
