"""Values of a cell that differ between runs: the time, the working folder, random numbers without a seed.

A step that keeps such a value may be cached all the same. Values that are only printed, and durations, do not matter:
so values are followed through the text to where they are kept.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from fnmatch import fnmatchcase
from typing import Any

from kfnb.capture.global_settings import full_name


class ValueSource(Enum):
    """A moment or a path; or a number of seconds, which is a measurement unless it is itself an output."""

    VALUE = "value"
    SECONDS = "seconds"


_SORTS = {
    "datetime.*.now": ValueSource.VALUE,
    "datetime.*.utcnow": ValueSource.VALUE,
    "datetime.*.today": ValueSource.VALUE,
    "pandas.*.now": ValueSource.VALUE,
    "pandas.*.utcnow": ValueSource.VALUE,
    "pandas.*.today": ValueSource.VALUE,
    "os.getcwd": ValueSource.VALUE,
    "posix.getcwd": ValueSource.VALUE,
    "pathlib.*cwd": ValueSource.VALUE,
    "uuid.uuid[14]": ValueSource.VALUE,
    "secrets.token_*": ValueSource.VALUE,
    "os.urandom": ValueSource.VALUE,
    "posix.urandom": ValueSource.VALUE,
    "time.time": ValueSource.SECONDS,
    "time.time_ns": ValueSource.SECONDS,
}
_WITHOUT = {"time.localtime": 0, "time.gmtime": 0, "time.ctime": 0, "time.asctime": 0, "time.strftime": 1}
"""Functions that return the current time if they get at most that number of arguments."""

_DRAWING = {"numpy": "numpy.random.[a-z]*", "random": "random.[a-z]*", "torch": "torch.*rand*"}
"""The functions that draw from a global generator, by its module."""

_SAMPLING = frozenset({"sample", "train_test_split", "shuffle", "resample"})
"""Functions of libraries that draw from numpy's generator, unless they get a state."""

_SILENT = (
    "print", "display", "*.display", "*log.*", "*logger.*", "logging.*", "*warn*", "kf.*", "*.write", "tqdm*",
    "*.set_description*", "*.set_postfix*",
)  # fmt: skip
"""Calls that only print or log."""

_HANDING_ON = (
    "str", "int", "float", "round", "repr", "format", "abs", "divmod", "min", "max", "sum", "len", "tuple", "list",
    "datetime.*", "pandas.*Time*", "time.*", "os.path.*", "posixpath.*", "pathlib.*",
)  # fmt: skip
"""Calls whose result depends only on their arguments."""


def fleeting_calls(tree: ast.AST, namespace: Mapping[str, Any], outputs: Collection[str]) -> Iterator[str]:
    """The calls whose value the code keeps, each as written; ``outputs`` are names that are surely outputs."""
    reader = _ValueReader(namespace, outputs)
    for node in ast.walk(tree):
        for child in ast.iter_child_nodes(node):
            reader.parents[child] = node
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            reader.loads.setdefault(node.id, []).append(node)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    found = [(call, sort) for call in calls if (sort := reader.sort(call)) is not None]
    reader.moments = {name for call, _ in found for name in reader.names_of(call)}
    yield from dict.fromkeys(
        f"{ast.unparse(call.func)}()" for call, sort in found if reader.is_stored(call, sort)
    )


def draws_unseeded(trees: Collection[ast.AST], namespace: Mapping[str, Any], drawn: Collection[str]) -> bool:
    """Whether the code itself draws random numbers from a module's generator in ``drawn``, and seeds none.

    Draws of a library alone do not count: scikit-learn draws where the result does not depend on it.
    """
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    if any("seed" in _last(call).lower() for call in calls):
        return False
    return any(_draws_from(call, namespace) in {*drawn, "new"} for call in calls)


def _draws_from(call: ast.Call, namespace: Mapping[str, Any]) -> str:
    """The module whose generator a call draws from: ``new`` for a new one; empty for none, and for one with a seed."""
    full, last = full_name(call.func, namespace), _last(call)
    if last == "default_rng":
        return "" if call.args or call.keywords else "new"
    if isinstance(getattr(namespace.get(ast.unparse(call.func)), "__self__", None), random.Random):
        return "random"  # from random import choice
    module = next((module for module, pattern in _DRAWING.items() if fnmatchcase(full, pattern)), "")
    if not module and last in _SAMPLING and not any(one.arg == "random_state" for one in call.keywords):
        return "numpy"
    return module


def _last(call: ast.Call) -> str:
    """The last part of the name of the called function."""
    return ast.unparse(call.func).rpartition(".")[2]


@dataclass
class _ValueReader:
    """Follow values through one piece of code. ``moments`` are names that a value of the clock was assigned to."""

    namespace: Mapping[str, Any]
    outputs: Collection[str]
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)
    loads: dict[str, list[ast.Name]] = field(default_factory=dict)
    moments: set[str] = field(default_factory=set)
    followed: set[tuple[str, ValueSource]] = field(default_factory=set)

    def sort(self, node: ast.AST) -> ValueSource | None:
        """The kind of a call's value that would differ later; None for any other node."""
        if not isinstance(node, ast.Call):
            return None
        name = full_name(node.func, self.namespace)
        if name in _WITHOUT and len(node.args) + len(node.keywords) <= _WITHOUT[name]:
            return ValueSource.VALUE
        return next((sort for pattern, sort in _SORTS.items() if fnmatchcase(name, pattern)), None)

    def names_of(self, node: ast.AST) -> list[str]:
        """The names that an assignment of this very value binds."""
        parent = self.parents.get(node)
        targets = parent.targets if isinstance(parent, ast.Assign) else []
        return [target.id for target in targets if isinstance(target, ast.Name)]

    def is_stored(self, node: ast.AST, sort: ValueSource) -> bool:
        """Whether the value of ``node`` is kept."""
        parent = self.parents.get(node)
        if isinstance(parent, ast.Call) and node is not parent.func:
            return self._argument_is_stored(parent, sort)
        if isinstance(parent, ast.keyword):
            call = self.parents[parent]
            return isinstance(call, ast.Call) and self._argument_is_stored(call, sort)
        if isinstance(parent, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr):
            targets = parent.targets if isinstance(parent, ast.Assign) else [parent.target]
            return any(self._is_stored_in(target, sort) for target in targets)
        if isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Sub):
            other = parent.right if node is parent.left else parent.left
            measured = self.sort(other) or (isinstance(other, ast.Name) and other.id in self.moments)
            return self.is_stored(parent, ValueSource.SECONDS if measured else sort)
        if isinstance(parent, ast.Return):
            return sort is ValueSource.VALUE
        return isinstance(parent, ast.expr) and self.is_stored(parent, sort)

    def _argument_is_stored(self, call: ast.Call, sort: ValueSource) -> bool:
        written, known = ast.unparse(call.func), full_name(call.func, self.namespace)
        if any(fnmatchcase(written, pattern) for pattern in _SILENT):
            return False
        if any(fnmatchcase(known, pattern) or fnmatchcase(written, pattern) for pattern in _HANDING_ON):
            return self.is_stored(call, sort)
        return sort is ValueSource.VALUE

    def _is_stored_in(self, target: ast.expr, sort: ValueSource) -> bool:
        if not isinstance(target, ast.Name):
            return sort is ValueSource.VALUE and not isinstance(target, ast.Tuple | ast.List)
        if target.id in self.outputs:
            return True
        if (target.id, sort) in self.followed:
            return False
        self.followed.add((target.id, sort))
        loads = self.loads.get(target.id, [])
        if not loads:
            return sort is ValueSource.VALUE  # a later cell may use it
        return any(self.is_stored(load, sort) for load in loads)
