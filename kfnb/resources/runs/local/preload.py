"""Imports, once in the supervisor, what the steps will import: forked steps then start with it.

It is done before the first step is forked, not earlier: a cached run does not need it.
"""

from __future__ import annotations

import ast
import gc
import importlib
import importlib.util
import signal
import sys
import sysconfig
from collections.abc import Iterable, Iterator

from kfnb.diagnostics import logger

_logger = logger(__package__)

_LEFT_TO_STEPS = frozenset({"jax", "tensorflow", "grpc", "ray", "pyspark", "kfp"})
"""Libraries that start threads when they are imported, and fail after a fork."""


_WHERE_USED = {"pyarrow": ("pyarrow.parquet", "pyarrow.dataset"), "skops": ("skops.io",)}
"""Modules that are only imported when a value is read or written, by the package that a step requires: tables are
stored as Parquet, which costs 20 ms each time, estimators with skops, which costs half a second."""


def preload(programs: Iterable[tuple[str, str]], packages: Iterable[str] = ()) -> None:
    """Import KFP's executor, and the installed modules that the programs import: (source, function to run) each.

    ``packages`` are the names of the packages that they require.

    It may take long, and blocks the event loop. The run has no other process yet, so a signal to stop may simply end
    this one.
    """
    handler = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    imported = [name for source, function in programs for name in _imported(source, function)]
    import_all([*imported, *(name for package in packages for name in _WHERE_USED.get(package, ()))])
    gc.collect()
    gc.freeze()  # existing objects stay shared with the children, untouched by their garbage collectors
    signal.signal(signal.SIGTERM, handler)


def import_all(names: Iterable[str]) -> None:
    """Import KFP's executor and the installed modules ``names``; the step reports a failing import."""
    importlib.import_module("kfp.dsl.executor")
    for name in dict.fromkeys(names):
        if _is_installed(name.partition(".")[0]):
            try:
                importlib.import_module(name)
            except Exception:
                _logger.debug("Module %s is not preloaded.", name, exc_info=True)


def _imported(source: str, function: str) -> Iterator[str]:
    """The modules that a program always imports: at its top, and in the body of ``function``.

    Other functions may never be called: helpers import libraries that few steps need.
    """
    try:
        waiting: list[ast.AST] = [ast.parse(source)]
    except SyntaxError:
        return
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or node.name == function:
            waiting.extend(ast.iter_child_nodes(node))


def _is_installed(package: str) -> bool:
    """Whether it is a library that can be forked, and not a local module."""
    if package in _LEFT_TO_STEPS:
        return False
    if package in sys.stdlib_module_names:
        return True
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return False
    folders = (sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))
    return spec is not None and bool(spec.origin) and str(spec.origin).startswith(folders)
