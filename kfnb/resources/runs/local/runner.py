"""Runs one step in its own process: after a fork, or as a program in another environment's Python.

Therefore it only imports the standard library and, inside functions, kfp's executor; and it writes failures as plain
data to a file, which the supervisor turns into an error.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import logging
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

MODULE = "ephemeral_component"
_DEEPEST = 40
"""Frames kept at both ends of a traceback: an endless recursion has thousands."""
_LONGEST = 2000
"""Characters kept at both ends of a message: some contain all the data that they are about."""


def run(job: dict[str, Any]) -> int:
    """Execute ``job``; return the exit status. A failure is described in the file ``job["failure"]``."""
    status = guarded(lambda: _perform(job), job["failure"])
    if os.environ.get("KFNB_RANK", "0") == "0":  # of the processes of a training, one is enough
        record(job["record"])
    return status


def record(places: Mapping[str, str]) -> None:
    """Record what the step ran on; a step is not failed by that."""
    try:
        try:
            importlib.import_module("kfnb")
        except ImportError:  # another environment has no kfnb: its modules for steps need nothing else
            for name in ("kfnb", "kfnb.capture"):
                package = ModuleType(name)
                package.__path__ = [str(Path(places["code"], *name.split(".")[1:]))]
                sys.modules[name] = package
        layers = importlib.import_module("kfnb.capture.embedded.layers")
        layers.kfnb_record(places["packages"], places["environments"], places["file"])
    except Exception:  # noqa: S110 - the disk is full, or the step has changed Python's own library; nothing here logs
        pass


def guarded(action: Callable[[], None], failure: str) -> int:
    """Do ``action``; return the exit status. A failure is described in the file ``failure``."""
    try:
        action()
    except BaseException as error:
        early = "KFNB_RANK" in os.environ and "KFNB_CELL_OVER" not in os.environ
        if isinstance(error, SystemExit) and error.code in (None, 0) and not early:
            return 0
        # each process of a training has its own file
        file = Path(os.environ.get("KFNB_FAILURE", failure))
        file.write_text(json.dumps(describe(error, set())), encoding="utf-8")
        if not isinstance(error, SystemExit):
            return 1
        return 0 if error.code is None else error.code if isinstance(error.code, int) else 1
    return 0


def _perform(job: dict[str, Any]) -> None:
    from kfp.dsl.executor import Executor  # here, not by compat: another environment has KFP, but no kfnb

    # the engine retries steps itself, each attempt in its own folder
    os.environ.update(job["training"])
    os.environ.update(job["env"], KFNB_RETRIES="outside", KFNB_FOLDER=job["notebook"], KFNB_WORK=job["work"])
    sys.argv[:] = [job["source"]]
    sys.modules["__main__"] = ModuleType("__main__")
    logging.basicConfig(
        stream=sys.stdout,
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        force=True,
    )
    module = _load(job["source"])
    executor = Executor(
        executor_input=job["executor_input"], function_to_execute=getattr(module, job["function"])
    )
    for name in job["empty"]:
        executor.input_artifacts[name] = []  # kfp takes an empty list for an input that was not given
    executor.execute()


def _load(source: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(MODULE, source)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[MODULE] = module
    sys.path.insert(0, str(Path(source).parent))
    sys.dont_write_bytecode = True
    spec.loader.exec_module(module)
    return module


def describe(error: BaseException, seen: set[int]) -> dict[str, Any]:
    """An exception and its causes as JSON data."""
    seen.add(id(error))
    kind = type(error)
    known = kind.__module__ in ("builtins", MODULE, "__main__")
    return {
        "type": kind.__qualname__ if known else f"{kind.__module__}.{kind.__qualname__}",
        "message": _both_ends(_message(error)),
        "notes": [_both_ends(str(note)) for note in getattr(error, "__notes__", ())],
        "frames": [[f.filename, f.lineno, f.name, f.line] for f in _frames(error)],
        "cause": _behind(error.__cause__, seen),
        "context": None if error.__suppress_context__ else _behind(error.__context__, seen),
        "group": [describe(inner, seen) for inner in _grouped(error)],
        "syntax": [error.filename, error.lineno, error.text] if isinstance(error, SyntaxError) else None,
    }


def _grouped(error: BaseException) -> list[BaseException]:
    """The exceptions of an exception group; other exceptions may have an attribute of that name."""
    held = getattr(error, "exceptions", ())
    return [inner for inner in held if isinstance(inner, BaseException)] if isinstance(held, tuple) else []


def _behind(error: BaseException | None, seen: set[int]) -> dict[str, Any] | None:
    return None if error is None or id(error) in seen else describe(error, seen)


def _frames(error: BaseException) -> list[traceback.FrameSummary]:
    frames = list(traceback.extract_tb(error.__traceback__))
    return frames if len(frames) <= 2 * _DEEPEST else frames[:_DEEPEST] + frames[-_DEEPEST:]


def _both_ends(text: str) -> str:
    """A text of limited length: both ends of a long text."""
    left_out = len(text) - 2 * _LONGEST
    return (
        text if left_out <= 0 else f"{text[:_LONGEST]} ... ({left_out:,} characters) ... {text[-_LONGEST:]}"
    )


def _message(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return str(error.msg)
    if isinstance(error, KeyError) and len(error.args) == 1:
        return repr(error.args[0])
    try:
        return str(error)
    except Exception as broken:  # the exception's own __str__
        return f"(its message cannot be shown: {type(broken).__name__})"


def _main() -> int:
    return run(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))


if __name__ == "__main__":
    sys.path.pop(0)  # nothing is imported from the folder of this file
    sys.exit(_main())
