"""How values and files look, as texts that can be compared between processes. Its text runs in notebooks' kernels."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

PICKLES = {".joblib", ".pkl", ".pickle"}
_PLAIN = {
    "__main__",
    "_loss",
    "builtins",
    "collections",
    "copyreg",
    "datetime",
    "decimal",
    "enum",
    "functools",
}
_PLAIN |= {"numpy", "pandas", "pathlib", "re", "scipy", "sklearn", "string"}
"""Modules whose objects are compared by what they hold."""
_FUNCTIONS = FunctionType | BuiltinFunctionType | MethodType


def look(value: Any) -> str:
    """A digest of a value: of what it holds, not of how it is pickled."""
    return hashlib.sha256(repr(_form(value, [])).encode()).hexdigest()


def _form(value: Any, around: list[Any]) -> Any:  # noqa: PLR0911, PLR0912 - a case for each kind of value
    """What a value consists of, as plain tuples of texts; ``around`` are the values that it is part of."""
    kind = type(value)
    name = f"{kind.__module__}.{kind.__qualname__}"
    if isinstance(value, str | bytes | bool | int | float | complex | None):
        return kind.__name__, repr(value)
    if isinstance(value, type | _FUNCTIONS | ModuleType):
        return name, getattr(value, "__qualname__", value.__name__)
    if any(value is one for one in around):
        return "again", name
    if name.partition(".")[0] not in _PLAIN:  # a figure, a pool: never the same twice
        return name, "unknown"
    around = [*around, value]
    if name == "numpy.ma.MaskedArray":  # what is under its mask may be anything
        return name, value.dtype.str, repr(value.tolist())
    if name == "numpy.ndarray" and value.dtype.names:  # between its fields there may be anything
        return name, [(field, _form(value[field].copy(), around)) for field in value.dtype.names]
    if name == "numpy.ndarray" and value.dtype.kind != "O":
        return name, value.dtype.str, value.shape, hashlib.sha256(value.tobytes()).hexdigest()
    if name in ("pandas.DataFrame", "pandas.Series", "pandas.core.frame.DataFrame"):
        columns = value.items() if "DataFrame" in name else [(value.name, value)]
        told = [
            (repr(label), str(one.dtype), [repr(item) for item in one.tolist()]) for label, one in columns
        ]
        return name, [repr(label) for label in value.index], value.index.names, str(value.index.dtype), told
    if isinstance(value, dict):
        lasting = {key: item for key, item in value.items() if not _is_fleeting(key)}
        return name, [(_form(key, around), _form(item, around)) for key, item in lasting.items()]
    if isinstance(value, set | frozenset):
        return name, sorted(repr(_form(item, around)) for item in value)
    if isinstance(value, list | tuple):
        return name, [_form(item, around) for item in value]
    try:
        parts = value.__reduce_ex__(4)
    except Exception:  # a figure, a connection: nothing that could be compared
        return name, "unknown"
    if isinstance(parts, str):
        return name, parts
    listed = [
        list(part) if place in (3, 4) and part is not None else part for place, part in enumerate(parts)
    ]
    return name, [_form(part, around) for part in listed]


def _is_fleeting(key: Any) -> bool:
    """Whether scikit-learn keeps under ``key`` how long something took, or where it lay in memory."""
    return isinstance(key, str) and key.endswith(("fit_time", "score_time", "refit_time_", "_stop_words_id"))


def look_at_file(path: Path) -> str:
    """A digest of a file's content; of a pickle, of the value in it."""
    if path.suffix == ".joblib":
        import joblib

        return look(joblib.load(path))
    if path.suffix in PICKLES:
        return look(pickle.loads(path.read_bytes()))
    if path.suffix == ".db":
        import sqlite3

        connection = sqlite3.connect(path)
        told = list(connection.iterdump())
        connection.close()
        return look(told)
    if path.suffix == ".zip":
        import zipfile

        with zipfile.ZipFile(path) as archive:
            return look([(name, archive.read(name)) for name in archive.namelist()])
    return hashlib.sha256(path.read_bytes()).hexdigest()


def look_at_folder(folder: Path, known: dict[str, Any]) -> dict[str, str]:
    """The files below a folder; ``known`` keeps how each looked, so that it is read again only if it changed."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not path.is_file() or any(part.startswith(".") for part in Path(name).parts):
            continue
        state = path.stat().st_mtime_ns, path.stat().st_size
        if known.get(name, ("", ""))[0] != state:
            known[name] = state, look_at_file(path)
        found[name] = known[name][1]
    return found


def look_at_names(space: dict[str, Any]) -> dict[str, str]:
    """The values of a notebook's names."""
    names = [
        name
        for name in space
        if not name.startswith("_") and name not in ("In", "Out", "exit", "quit", "open")
    ]
    return {
        name: look(space[name])
        for name in names
        if not isinstance(space[name], ModuleType | _FUNCTIONS | type)
    }


def look_at_outputs(outputs: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The outputs of a pipeline's steps: values as they are, artifacts by how they look, files of ``kf_files`` each."""
    from types import SimpleNamespace

    from kfnb.capture.embedded.values import kfnb_load

    def one(output: Any) -> Any:
        if not isinstance(output, dict) or set(output) != {"uri", "metadata"}:
            return {"value": output}
        path = output["uri"].removeprefix("file://")
        if Path(path).is_dir():
            return {"files": look_at_folder(Path(path), {})}
        artifact = SimpleNamespace(path=path, uri=output["uri"], metadata=output["metadata"])
        return {"looks": look(kfnb_load(artifact, {}))}

    return {task: {name: one(output) for name, output in made.items()} for task, made in outputs.items()}


def outputs_of_run(run: Any) -> dict[str, dict[str, Any]]:
    """The outputs of a run of kfnb, as ``look_at_outputs`` takes them."""

    def told(output: Any) -> Any:
        return {"uri": output.uri, "metadata": dict(output.metadata)} if hasattr(output, "uri") else output

    return {task: {name: told(one) for name, one in made.items()} for task, made in run.outputs.items()}


def values_of(space: dict[str, Any]) -> dict[str, Any]:
    """The values of a notebook's names that are parameters of KFP's where a step has them as outputs."""
    import json

    found = {}
    for name, value in space.items():
        try:
            if not name.startswith("_"):
                found[name] = json.loads(json.dumps(value, allow_nan=False))
        except (TypeError, ValueError):
            continue
    return found
