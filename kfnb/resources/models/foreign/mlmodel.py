"""``MLmodel``, the file of an MLflow model folder that describes the model, and its signature in kfnb's words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kfnb.errors import UsageError
from kfnb.resources.models.model import ColumnType, Signature

MLMODEL = "MLmodel"

_TYPES = {
    "boolean": "bool",
    "integer": "int32",
    "long": "int64",
    "float": "float32",
    "double": "float64",
    "string": "str",
    "binary": "bytes",
    "datetime": "datetime64[ns]",
}
"""MLflow's types of columns, each with the type that a DataFrame has for it."""
_WORDS = {
    **{kind: word for word, kind in _TYPES.items()},
    **dict.fromkeys(("int8", "int16", "uint8", "uint16"), "integer"),
    **dict.fromkeys(("object", "string", "category"), "string"),
    **{f"datetime64[{unit}]": "datetime" for unit in ("s", "ms", "us")},
    "uint32": "long",
}


@dataclass(frozen=True)
class MlflowModel:
    """What an MLflow model folder says of its model.

    ``flavors`` are the options of each way to load it, by name. ``example`` says where rows of its input are.
    """

    folder: Path
    flavors: Mapping[str, Mapping[str, Any]]
    signature: Signature = field(default_factory=Signature)
    example: Mapping[str, Any] = field(default_factory=dict)

    @property
    def python(self) -> str:
        """The version of Python that it was saved with, as ``3.12``; empty if unknown."""
        version = str(self.flavors.get("python_function", {}).get("python_version") or "")
        return ".".join(version.split(".")[:2])

    def file(self, name: Any) -> Path:
        """A file that ``MLmodel`` names. Raises ``UsageError`` if it is missing or not within the folder."""
        path = self.folder / str(name)
        if not path.resolve().is_relative_to(self.folder.resolve()) or not path.is_file():
            raise UsageError(
                f"{self.folder}: {MLMODEL} names {name}, which is not a file of it", ref=str(path)
            )
        return path


def read_mlmodel(folder: Path) -> MlflowModel:
    """What an MLflow model folder says of its model. Raises ``UsageError`` if it is not one."""
    import yaml

    try:
        stored = yaml.safe_load((folder / MLMODEL).read_text(encoding="utf-8"))
        flavors = {str(name): _mapping(one) for name, one in stored["flavors"].items()}
        signature = _signature(_mapping(stored.get("signature")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
        why = " ".join(str(error).split())
        message = f"{folder} is not an MLflow model folder: {MLMODEL} cannot be read ({why})"
        raise UsageError(message, ref=str(folder)) from None
    return MlflowModel(folder, flavors, signature, _mapping(stored.get("saved_input_example_info")))


def signature_words(signature: Signature) -> dict[str, str | None] | None:
    """A signature as ``MLmodel`` has it; None where MLflow has no words for one of its inputs."""
    inputs, outputs = _words(signature.inputs), _words(signature.outputs)
    return {"inputs": inputs, "outputs": outputs, "params": None} if inputs else None


def _mapping(stored: Any) -> Mapping[str, Any]:
    return stored if isinstance(stored, dict) else {}


def _signature(stored: Mapping[str, Any]) -> Signature:
    return Signature(_columns(stored.get("inputs")), _columns(stored.get("outputs")))


def _columns(stored: Any) -> tuple[ColumnType, ...]:
    """Columns, which ``MLmodel`` has as a JSON text. Lists and objects within a column have no type here."""
    listed = json.loads(stored) if isinstance(stored, str) else []
    return tuple(_column(one) for one in listed)


def _column(stored: Mapping[str, Any]) -> ColumnType:
    name = str(stored.get("name") or "")
    if stored.get("type") != "tensor":
        return ColumnType(name, _TYPES.get(str(stored.get("type")), ""))
    tensor = stored["tensor-spec"]
    return ColumnType(name, str(tensor["dtype"]), tuple(int(size) for size in tensor["shape"]))


def _words(columns: Iterable[ColumnType]) -> str | None:
    found: list[dict[str, Any]] = []
    for one in columns:
        if one.shape and one.type:
            tensor = {"dtype": one.type, "shape": list(one.shape)}
            found.append(
                {"type": "tensor", "tensor-spec": tensor, **({"name": one.name} if one.name else {})}
            )
        elif one.type in _WORDS:
            found.append({"type": _WORDS[one.type], "name": one.name, "required": True})
        else:
            return None
    return json.dumps(found) if found else None
