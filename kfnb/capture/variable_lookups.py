"""Environment variables that code reads, found in its text: ``os.environ["STAGE"]``, ``os.getenv``, ``$STAGE``.

Only literal names are found. A copy (``env = dict(os.environ)``) is treated as the environment.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from kfnb.capture.component import Component
from kfnb.capture.dependencies import Dependencies
from kfnb.capture.variables import Variables

_ENVIRONMENTS = frozenset({"os.environ", "os.environb"})
_GETTERS = frozenset({"os.getenv", "os.getenvb"})
_METHODS = frozenset({"get", "pop", "__getitem__"})
_EXPANDED = frozenset({"os.path.expandvars", "posixpath.expandvars"})
_SHELLS = frozenset({"os.system", "os.popen"})
_RUN = frozenset({
    "subprocess.run", "subprocess.call", "subprocess.check_call", "subprocess.check_output", "subprocess.Popen",
    "subprocess.getoutput", "subprocess.getstatusoutput",
})  # fmt: skip
_DOLLAR = re.compile(r"(?<!\\)\$(?:\{(?P<braced>[A-Za-z_]\w*)[^}]*\}|(?P<plain>[A-Za-z_]\w*))")
_QUOTED = re.compile(r"""("(?:\\.|[^"\\])*")|'[^']*'""")
_OF_SHELLS = frozenset({
    "BASHPID", "BASH_VERSION", "EUID", "FUNCNAME", "IFS", "LINENO", "OLDPWD", "OPTARG", "OPTIND", "PIPESTATUS", "PPID",
    "PWD", "RANDOM", "REPLY", "SECONDS", "UID",
})  # fmt: skip
"""Variables that a shell defines itself."""
_BOUND = re.compile(
    r"(?:^|[\s;&|(])(?:(?:export|local|readonly|declare)\s+(?:-\w+\s+)?)?(\w+)\+?="
    r"|\bfor\s+(\w+)\s+in\b|\bread\s+(?:-\w+\s+)*(\w+)"
)
_KNOWN = {
    id(os): "os",
    id(os.environ): "os.environ",
    id(os.getenv): "os.getenv",
    id(os.path): "os.path",
    id(os.path.expandvars): "os.path.expandvars",
}


def variables_of(component: Component, dependencies: Dependencies, namespace: Mapping[str, Any]) -> Variables:
    """The variables that a component's step reads: as observed in its cell, and by the text of its dependencies."""
    seen = component.variables
    trees = [
        component.cell.tree,
        *(source.node for source in dependencies.sources if source.node is not None),
    ]
    names = set().union(*(lookups(tree, namespace) for tree in trees)) - seen.own
    names |= set().union(*map(at_import, dependencies.files.values()))
    computed = not seen.names <= names or any(_VariableReader(tree, namespace).computes() for tree in trees)
    names |= seen.names
    for one in reversed(dependencies.setups):  # a cell that runs first may have set what a later one reads
        names -= set(_set_before(one.cell.tree, _VariableReader(one.cell.tree, namespace)))
        names |= lookups(one.cell.tree, namespace)
    return replace(seen, names=frozenset(names), computed=computed)


def seen_whole(component: Component, dependencies: Dependencies, namespace: Mapping[str, Any]) -> Variables:
    """The variables that a component's cell read; all, where its use of a copy of the environment shows no names."""
    seen = component.variables
    trees = [
        component.cell.tree,
        *(source.node for source in dependencies.sources if source.node is not None),
    ]
    used = seen.copied and any(_Copies(tree, namespace).used for tree in trees)
    return replace(seen, all=seen.all or used)


def lookups(tree: ast.AST, namespace: Mapping[str, Any]) -> set[str]:
    """The variables that the code reads; ``namespace`` holds the values of its names.

    A variable that the top level of the code has set before does not count.
    """
    reader = _VariableReader(tree, namespace)
    found = list(reader.found())
    own = _set_before(tree, reader)
    return {name for name, line in found if line <= own.get(name, line)}


def at_import(source: str) -> set[str]:
    """The variables that a module reads when it is imported. Reads of its functions are observed when they run."""
    body = [
        node
        for node in ast.parse(source).body
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    ]
    return lookups(ast.Module(body, []), {})


def _set_before(tree: ast.AST, reader: _VariableReader) -> dict[str, int]:
    """The variables that the top level of the code sets, each with the line of the first time."""
    found: dict[str, int] = {}
    for node in tree.body if isinstance(tree, ast.Module) else ():
        for target in node.targets if isinstance(node, ast.Assign) else ():
            if name := reader.item(target):
                found.setdefault(name, node.lineno)
    return found


class _VariableReader:
    """Analyse one piece of code. ``names`` are those that it gives to modules, functions, and the environment."""

    def __init__(self, tree: ast.AST, namespace: Mapping[str, Any]) -> None:
        self.tree = tree
        self.namespace = namespace
        self.names = {"os": "os"}
        for node in ast.walk(tree):
            self._bind(node)

    def _bind(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            self.names |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            self.names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Assign) and self.is_environment(node.value):
            self.names |= {one.id: "os.environ" for one in node.targets if isinstance(one, ast.Name)}

    def full(self, node: ast.AST) -> str:
        """The full name that an expression refers to, as ``os.environ``; empty for anything else."""
        if isinstance(node, ast.Attribute):
            owner = self.full(node.value)
            return f"{owner}.{node.attr}" if owner else ""
        if not isinstance(node, ast.Name):
            return ""
        return self.names.get(node.id) or _KNOWN.get(id(self.namespace.get(node.id)), node.id)

    def is_environment(self, node: ast.AST) -> bool:
        """Whether an expression is the environment, or a copy of it, possibly with additions."""
        if isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            return any(key is None and self.is_environment(value) for key, value in pairs)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return self.is_environment(node.left) or self.is_environment(node.right)
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute) and node.func.attr == "copy" and not node.args:
                return self.is_environment(node.func.value)
            return self.full(node.func) == "dict" and any(map(self.is_environment, node.args))
        return self.full(node) in _ENVIRONMENTS

    def item(self, node: ast.AST) -> str:
        """The variable that ``os.environ["NAME"]`` is; empty for anything else."""
        if isinstance(node, ast.Subscript) and self.is_environment(node.value):
            return _written(node.slice)
        return ""

    def found(self) -> Iterator[tuple[str, int]]:
        """The variables that are read, each with its line."""
        for node in ast.walk(self.tree):
            names: list[str] = []
            if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
                names = [self.item(node)]
            elif isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn):
                names = [_written(node.left)] if self.is_environment(node.comparators[0]) else []
            elif isinstance(node, ast.Call):
                names = list(self._called(node))
            yield from ((name, node.lineno) for name in names if name)  # type: ignore[attr-defined]

    def computes(self) -> bool:
        """Whether variables are looked up by computed names."""
        return any(self._is_computed(node) for node in ast.walk(self.tree))

    def _is_computed(self, node: ast.AST) -> bool:
        if isinstance(node, ast.Subscript):
            return self.is_environment(node.value) and not _written(node.slice)
        if not isinstance(node, ast.Call) or not node.args or _written(node.args[0]):
            return False
        function = node.func
        method = isinstance(function, ast.Attribute) and function.attr in _METHODS
        return self.full(function) in _GETTERS or (method and self.is_environment(function.value))  # type: ignore[attr-defined]

    def _called(self, call: ast.Call) -> Iterator[str]:
        function = self.full(call.func)
        first = call.args[0] if call.args else None
        if first is None:
            return
        method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if function in _GETTERS:
            yield _written(first)
        elif method in _METHODS and isinstance(call.func, ast.Attribute):
            yield _written(first) if self.is_environment(call.func.value) else ""
        elif function in _EXPANDED:
            yield from _in_dollars(_texts(first))
        elif function in _SHELLS or (function in _RUN and _is_shell(call)):
            script = next((one.value for one in call.keywords if one.arg == "input"), first)
            text = _QUOTED.sub(r"\1", _texts(script))
            own = {name for found in _BOUND.findall(text) for name in found if name} | _OF_SHELLS
            yield from (name for name in _in_dollars(text) if name not in own)


class _Copies:
    """What one piece of code does with copies of the environment; ``used``: more than passing them to other programs
    and reading variables by literal names.
    """

    def __init__(self, tree: ast.AST, namespace: Mapping[str, Any]) -> None:
        self._reader = _VariableReader(tree, namespace)
        self._parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
        self.used = any(map(self._is_used, ast.walk(tree)))

    def _is_used(self, node: ast.AST) -> bool:
        if not isinstance(node, ast.expr) or not self._reader.is_environment(node):
            return False
        parent = self._parents.get(node)
        if isinstance(parent, ast.keyword):
            return parent.arg != "env"
        if isinstance(parent, ast.Call):
            return node in parent.args and self._is_handed_on(parent)
        if isinstance(parent, ast.Attribute | ast.Subscript):
            # reads of the environment itself are observed
            return not isinstance(node, ast.Attribute) and self._takes_unknown(parent)
        known = (ast.Assign, ast.Expr, ast.Compare, ast.Delete, ast.Dict, ast.BinOp, ast.AugAssign)
        return isinstance(getattr(node, "ctx", None), ast.Load | None) and not isinstance(parent, known)

    def _is_handed_on(self, call: ast.Call) -> bool:
        """Whether a call may do more with the copy that is its argument than copy it or write it back."""
        put_back = isinstance(call.func, ast.Attribute) and self._reader.is_environment(call.func.value)
        return not (self._reader.is_environment(call) or put_back or self._reader.full(call.func) == "len")

    def _takes_unknown(self, part: ast.Attribute | ast.Subscript) -> bool:
        """Whether more is read from a copy than variables by literal names."""
        if isinstance(part, ast.Subscript):
            return isinstance(part.ctx, ast.Load) and not _written(part.slice)
        call = self._parents.get(part)
        taken = call.args[:1] if isinstance(call, ast.Call) and call.func is part else []
        return part.attr in ("items", "keys", "values") or (
            part.attr in _METHODS and not all(map(_written, taken))
        )


def _written(node: ast.AST) -> str:
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str | bytes):
        return ""
    return os.fsdecode(node.value)


def _texts(node: ast.AST) -> str:
    """The literal text in an expression."""
    parts = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
    return "".join(part for part in parts if isinstance(part, str))


def _in_dollars(text: str) -> Iterator[str]:
    for found in _DOLLAR.finditer(text):
        yield found["braced"] or found["plain"]


def _is_shell(call: ast.Call) -> bool:
    """Whether a call of ``subprocess`` runs a text in a shell: with ``shell=True``, or as a shell's input."""
    if any(one.arg == "shell" and getattr(one.value, "value", None) for one in call.keywords):
        return True
    words = call.args[0].elts if isinstance(call.args[0], ast.List) else []
    fed = any(one.arg == "input" for one in call.keywords)
    if isinstance(call.func, ast.Attribute) and call.func.attr in ("getoutput", "getstatusoutput"):
        return True
    return fed and bool(words) and _written(words[0]) in ("bash", "sh")
