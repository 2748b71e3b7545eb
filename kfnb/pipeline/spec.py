"""A compiled pipeline: KFP's PipelineSpec as plain data, its parameters, and the check of arguments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kfnb.capture.notebook import DeclaredParameter
from kfnb.errors import ArgumentError, Code, PipelineError, did_you_mean
from kfnb.text.literals import read_literal

_TYPES = {
    "NUMBER_INTEGER": "int",
    "NUMBER_DOUBLE": "float",
    "STRING": "str",
    "BOOLEAN": "bool",
    "LIST": "list",
    "STRUCT": "dict",
}


@dataclass(frozen=True)
class Compiled:
    """``spec`` is the PipelineSpec and ``platform`` the platform-specific part (None where there is none), both as
    KFP's JSON; ``program`` is the SDK program that they came from, empty for a file. ``unseeded`` are notes on random
    numbers that the seed of its steps does not reach.
    """

    spec: Mapping[str, Any]
    platform: Mapping[str, Any] | None = None
    program: str = ""
    notes: tuple[str, ...] = ()
    unseeded: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The pipeline's name."""
        return str(self.spec["pipelineInfo"]["name"])


def read_spec(path: str | Path) -> Compiled:
    """Read a compiled pipeline from a YAML or JSON file. Raises ``PipelineError``."""
    import yaml

    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        code: Code = "file-not-found" if isinstance(error, FileNotFoundError) else "invalid-pipeline"
        raise PipelineError(f"{path}: {error.strerror or error}", code=code, ref=str(path)) from None
    except UnicodeDecodeError:
        raise PipelineError(f"{path} is not a compiled pipeline: it is not text", ref=str(path)) from None
    try:
        documents = list(yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        message = f"{path}{where} is not valid YAML: {getattr(error, 'problem', None) or error}"
        raise PipelineError(message, ref=f"{path}{where}") from None
    return _checked(documents, str(path))


def _checked(documents: list[Any], path: str) -> Compiled:
    spec = documents[0] if documents else None
    if isinstance(spec, dict) and "pipelineSpec" in spec and "root" not in spec:
        spec = spec["pipelineSpec"]  # a job, as KFP 1.8 wrote it
    if not isinstance(spec, dict) or not {"pipelineInfo", "root"} <= set(spec):
        if isinstance(spec, dict) and spec.get("kind") == "Workflow":
            message = f"{path} was compiled for KFP 1 (an Argo Workflow):"
            raise PipelineError(message, hint="compile it with KFP 2", ref=path)
        raise PipelineError(f"{path} is not a compiled pipeline: pipelineInfo or root is missing", ref=path)
    platform = documents[1] if len(documents) > 1 and isinstance(documents[1], dict) else None
    return Compiled(spec, platform)


def parameter_type(definition: Mapping[str, Any]) -> str:
    """The Python type of a parameter that a spec declares; empty for an unknown type."""
    return _TYPES.get(str(definition.get("parameterType", "")), "")


def outline(name: str, params: Iterable[DeclaredParameter]) -> dict[str, Any]:
    """The part of a pipeline's spec that declares its parameters, before it is compiled."""
    kinds = {kind: word for word, kind in _TYPES.items()}
    declared = {
        param.name: {"parameterType": kinds.get(param.type, "")}
        | ({} if param.default is None else {"defaultValue": param.default})
        for param in params
    }
    return {"pipelineInfo": {"name": name}, "root": {"inputDefinitions": {"parameters": declared}}}


def check_arguments(spec: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Convert arguments to the types of the pipeline's parameters. Raises ``ArgumentError`` if any is invalid.

    A text is parsed according to the parameter's type (``"0.5"`` for a float, JSON or Python for a list).
    """
    definitions = spec["root"].get("inputDefinitions", {})
    params: dict[str, Any] = definitions.get("parameters", {})
    artifacts: dict[str, Any] = definitions.get("artifacts", {})
    known = [*params, *artifacts]
    for name in arguments:
        if name not in known:
            hint = did_you_mean(name, known) or f"it takes {', '.join(known) or 'none'}"
            message = f"{spec['pipelineInfo']['name']} has no parameter {name}"
            raise ArgumentError(message, code="unknown-argument", hint=hint, ref=name)
    for name, definition in {**params, **artifacts}.items():
        if name not in arguments and "defaultValue" not in definition and not definition.get("isOptional"):
            kind = parameter_type(definition) or "path"
            message = f"{spec['pipelineInfo']['name']} needs {name} ({kind}):"
            raise ArgumentError(message, code="missing-argument", hint=f"give --{name} VALUE", ref=name)
    return {
        name: _typed(value, name, params[name]) if name in params else _location(value, name)
        for name, value in arguments.items()
    }


def _typed(value: Any, name: str, definition: Mapping[str, Any]) -> Any:
    kind = parameter_type(definition)
    if isinstance(value, str) and kind != "str":
        value = read_literal(value)
    elif kind == "str" and not isinstance(value, str):
        raise ArgumentError(f"{name} must be str, not {value!r}", ref=name)
    if hasattr(value, "item") and type(value).__module__ == "numpy":
        value = value.item()
    if kind == "float" and type(value) is int:
        return float(value)
    if kind == "int" and type(value) is float and value.is_integer():
        return int(value)
    if kind and type(value).__name__ != kind:
        raise ArgumentError(f"{name} must be {kind}, not {value!r}", ref=name)
    return value


def _location(value: Any, name: str) -> str:
    if isinstance(value, str | Path):
        return str(value)
    uri = getattr(value, "uri", None)
    if isinstance(uri, str):
        return uri
    raise ArgumentError(f"{name} is an artifact:", hint=f"give a path or a URI, not {value!r}", ref=name)
