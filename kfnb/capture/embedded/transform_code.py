"""How the code of a transform runs: in a separate namespace, with its own modules, at the notebook's places."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def kfnb_takes_state(function: Callable[..., Any]) -> bool:
    """Whether ``transform`` takes the state too."""
    import inspect

    return len(inspect.signature(function).parameters) > 1


def kfnb_run_module(name: str, code: str, files: Mapping[str, str]) -> dict[str, Any]:
    """Run the code of a transform; its names. Its own modules are imported from ``files``, and by nothing else."""
    import builtins
    import types

    module = types.ModuleType(f"kfnb_transform_{name}")
    if files:
        vars(module)["__builtins__"] = {**vars(builtins), "__import__": kfnb_importer(name, files)}
    kfnb_run_text(module, code, f"<transform {name}>")
    return vars(module)


def kfnb_run_text(module: Any, code: str, file: str) -> None:
    """Run the text of a module; its tracebacks have the notebook's cells and lines where marks tell them.

    ``# cell prepare, line 2`` says that the next lines are those of that cell, from line 2.
    """
    import ast
    import linecache
    import re
    import sys

    lines = code.split("\n")  # as Python counts them: a form feed in a text ends no line
    marks = [(0, file, 1)]  # the number of lines before, the cell, and the line there
    for number, line in enumerate(lines, 1):
        mark = re.match(r"# cell (.+), line (\d+)$", line)
        if mark:
            marks.append((number, f"<cell {mark[1]}>", int(mark[2])))
    texts: dict[str, list[str]] = {}
    for (start, cell, first), (end, _, _) in zip(marks, [*marks[1:], (len(lines) + 1, "", 0)]):  # noqa: B905
        there, own = texts.setdefault(cell, []), lines[start : max(end - 1, start)]
        there += ["\n"] * (first - 1 + len(own) - len(there))
        there[first - 1 : first - 1 + len(own)] = [f"{line}\n" for line in own]
    for cell, text in texts.items():
        linecache.cache[cell] = (sum(map(len, text)), None, text, cell)
    before = sys.modules.get(module.__name__)
    sys.modules[module.__name__] = module  # dataclasses look there; later its classes are pickled by value
    try:
        for node in ast.parse(code, file).body:
            start, cell, first = max(mark for mark in marks if mark[0] < node.lineno)
            ast.increment_lineno(node, first - start - 1)
            exec(compile(ast.Module([node], []), cell, "exec"), vars(module))  # noqa: S102 - asked for
    finally:
        del sys.modules[module.__name__]
        if before is not None:
            sys.modules[module.__name__] = before


def kfnb_importer(name: str, files: Mapping[str, str]) -> Callable[..., Any]:
    """``__import__`` for the code of a transform: the modules in ``files`` are its own, and no one else sees them."""
    import builtins
    import types

    loaded: dict[str, Any] = {}

    def load(path: str) -> Any:
        if path in loaded:
            return loaded[path]
        parent, _, last = path.rpartition(".")
        if parent:
            load(parent)
        place = path.replace(".", "/")
        file = next((one for one in (f"{place}.py", f"{place}/__init__.py") if one in files), "")
        if not file and not any(one.startswith(f"{place}/") for one in files):
            raise ModuleNotFoundError(f"No module named {path!r}", name=path)
        module = loaded[path] = types.ModuleType(f"kfnb_transform_{name}.{path}")
        vars(module)["__package__"] = parent if file == f"{place}.py" else path
        vars(module)["__builtins__"] = {**vars(builtins), "__import__": find}
        try:
            kfnb_run_text(module, files.get(file, ""), f"<{file}>")
        except BaseException:
            del loaded[path]
            raise
        if parent:
            setattr(loaded[parent], last, module)
        return module

    def find(path: str, space: Any = None, local: Any = None, names: Any = (), level: int = 0) -> Any:
        whole = path
        if level:
            around = (space or {}).get("__package__", "").split(".")
            whole = ".".join([*around[: len(around) - level + 1], *([path] if path else [])])
        root = whole.partition(".")[0]
        if root not in {one.split("/")[0].removesuffix(".py") for one in files}:
            return builtins.__import__(path, space, local, names, level)
        found = load(whole)
        for one in names or ():
            inner = f"{whole}.{one}".replace(".", "/")
            if not hasattr(found, one) and (f"{inner}.py" in files or f"{inner}/__init__.py" in files):
                load(f"{whole}.{one}")
        return found if names else loaded[root]

    return find
