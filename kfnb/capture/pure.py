"""Pure expressions, which may be evaluated again: their value depends only on constants.

``Path("data")``, ``re.compile(...)``, ``Ridge(alpha=ALPHA)``: a step includes the text of such a constant. What reads
files, the clock or the machine, draws random numbers or changes anything is not pure.
"""

from __future__ import annotations

import ast
import builtins
import dataclasses
from collections.abc import Callable
from enum import Enum
from fnmatch import fnmatchcase
from types import ModuleType
from typing import Any

_PARTS = (
    ast.Tuple, ast.List, ast.Set, ast.Dict, ast.UnaryOp, ast.BinOp, ast.operator, ast.unaryop, ast.expr_context,
    ast.JoinedStr, ast.FormattedValue, ast.Subscript, ast.Slice, ast.Compare, ast.cmpop, ast.BoolOp, ast.boolop,
    ast.IfExp, ast.Starred, ast.keyword, ast.Lambda, ast.arguments, ast.arg, ast.ListComp, ast.SetComp, ast.DictComp,
    ast.comprehension, ast.GeneratorExp,
)  # fmt: skip
"""Syntax that is pure if everything in it is."""

_BUILTINS = frozenset({
    "abs", "all", "any", "bin", "bool", "bytes", "chr", "complex", "dict", "divmod", "enumerate", "filter", "float",
    "format", "frozenset", "hex", "int", "isinstance", "len", "list", "map", "max", "min", "oct", "ord", "pow", "range",
    "repr", "reversed", "round", "set", "slice", "sorted", "str", "sum", "tuple", "type", "zip",
})  # fmt: skip

_METHODS = frozenset({
    *(name for kind in (str, bytes, int, float, frozenset) for name in dir(kind) if not name.startswith("_")),
    "items", "keys", "values", "get", "copy",
    "joinpath", "with_name", "with_stem", "with_suffix", "relative_to", "as_posix",
    "date", "time", "isoformat", "strftime", "total_seconds", "timestamp",
    "astype", "reshape", "tolist", "to_numpy", "normalize",
})  # fmt: skip
"""Methods that only return a value."""

_PURE = (
    "math.*", "cmath.*", "operator.*", "_operator.*", "statistics.*", "textwrap.*", "pathlib.*", "decimal.*",
    "fractions.*", "collections.*", "zoneinfo.*", "ipaddress.*", "datetime.*", "re.compile", "re.escape", "re.[A-Z]*",
    "string.*", "json.loads", "json.dumps", "uuid.UUID", "types.SimpleNamespace", "types.MappingProxyType",
    "logging.getLogger", "logging.[A-Z]*", "os.path.join", "os.sep", "posixpath.join", "posixpath.basename",
    "posixpath.dirname", "posixpath.splitext", "posixpath.normpath", "numpy.*", "pandas.*", "sklearn.*.make_*",
    "torch.device", "torch.*.is_available", "torch.float*", "torch.bfloat16", "torch.int*", "torch.bool",
    "torch.long",
)  # fmt: skip
"""Functions, classes and constants of modules that are pure, as patterns of their full names."""

_IMPURE = (
    "pathlib.*.cwd", "pathlib.*.home", "datetime.*.now", "datetime.*.today", "datetime.*.utcnow",
    "numpy.random.*", "numpy.load*", "numpy.save*", "numpy.genfromtxt", "numpy.fromfile", "numpy.memmap",
    "numpy.set*", "numpy.seterr*", "numpy.show*", "numpy.put*", "numpy.copyto", "numpy.fill*",
    "pandas.read_*", "pandas.Excel*", "pandas.HDFStore", "pandas.options*", "pandas.*_option", "pandas.io.*",
    "pandas.*.now", "pandas.*.today",
)  # fmt: skip
"""Those of ``_PURE`` that are not."""

_SEEDED = ("numpy.random.default_rng", "numpy.random.RandomState", "numpy.random.SeedSequence")
"""Generators of random numbers: pure if they have a seed."""


class _Unknown:
    """A value that is unknown without evaluating more."""


_UNKNOWN = _Unknown()


def is_pure(expression: ast.AST, lookup: Callable[[str], Any]) -> bool:
    """Whether an expression is pure where all its names are constants, imports, functions or classes.

    ``lookup`` returns the object of a name, or raises ``KeyError``.
    """
    if isinstance(expression, ast.Constant | ast.Name):
        return True
    if isinstance(expression, ast.Attribute):
        called = _resolve(expression, lookup)
        base = _resolve(expression.value, lookup)
        if isinstance(base, ModuleType | type):
            return _is_known(_full_name(expression, lookup)) or _is_member(base, called)
        return not expression.attr.startswith("_") and is_pure(expression.value, lookup)
    if isinstance(expression, ast.Call):
        inside = [*expression.args, *expression.keywords]
        return _calls_pure(expression, lookup) and all(is_pure(part, lookup) for part in inside)
    return isinstance(expression, _PARTS) and all(
        is_pure(part, lookup) for part in ast.iter_child_nodes(expression)
    )


def _calls_pure(call: ast.Call, lookup: Callable[[str], Any]) -> bool:
    called = _resolve(call.func, lookup)
    if called is _UNKNOWN:  # a method of a value
        of_value = isinstance(call.func, ast.Attribute) and call.func.attr in _METHODS
        return of_value and is_pure(call.func.value, lookup)  # type: ignore[attr-defined]
    name = _full_name(call.func, lookup)
    if name in _SEEDED:
        return bool(call.args or call.keywords)
    word = getattr(called, "__name__", "")
    if getattr(builtins, word, None) is called:
        return word in _BUILTINS
    return _is_known(name) or (isinstance(called, type) and _holds_values(called))


def _is_known(name: str) -> bool:
    if name in _SEEDED:
        return False  # its code may be called
    return any(fnmatchcase(name, one) for one in _PURE) and not any(fnmatchcase(name, one) for one in _IMPURE)


def _is_member(owner: Any, value: Any) -> bool:
    """Whether a class has the value as a constant."""
    return isinstance(owner, type) and isinstance(value, Enum | int | float | str | tuple | frozenset)


def _holds_values(kind: type) -> bool:
    """Whether an instance of the class only stores its arguments."""
    known = {(base.__module__.partition(".")[0], base.__name__) for base in kind.__mro__}
    return (
        dataclasses.is_dataclass(kind)
        or issubclass(kind, Enum)
        or (issubclass(kind, tuple) and hasattr(kind, "_fields"))
        or bool(known & {("sklearn", "BaseEstimator"), ("pydantic", "BaseModel")})
    )


def _resolve(node: ast.expr, lookup: Callable[[str], Any]) -> Any:
    """The function, class, module or module's constant that a name or ``module.name`` refers to."""
    if isinstance(node, ast.Name):
        try:
            found = lookup(node.id)
        except KeyError:
            return getattr(builtins, node.id, _UNKNOWN)
        return found if callable(found) or isinstance(found, ModuleType) else _UNKNOWN
    if isinstance(node, ast.Attribute):
        base = _resolve(node.value, lookup)
        if isinstance(base, ModuleType | type):
            return getattr(base, node.attr, _UNKNOWN)
    return _UNKNOWN


def _full_name(node: ast.expr, lookup: Callable[[str], Any]) -> str:
    """The full name, with its module, of the object that a name or ``module.name`` refers to."""
    if isinstance(node, ast.Attribute):
        base = _resolve(node.value, lookup)
        if isinstance(base, ModuleType):
            return f"{base.__name__}.{node.attr}"
        return f"{getattr(base, '__module__', '')}.{getattr(base, '__qualname__', '')}.{node.attr}"
    found = _resolve(node, lookup)
    return f"{getattr(found, '__module__', '')}.{getattr(found, '__qualname__', '')}"
