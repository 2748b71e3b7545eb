"""Shell commands, magics and help in a cell, translated to Python for a step, which has no IPython.

``!cmd`` and ``x = !cmd`` become ``subprocess``; ``%time`` and similar magics leave the code that they time; display and
set-up magics leave nothing; ``%%bash`` becomes ``subprocess`` too, ``%%writefile`` writes its file. Any other magic is
not supported and is recorded in ``CellCode.refused``, by line.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from kfnb import compat
from kfnb.capture.syntax import all_names, stored_names

SILENT = frozenset({
    "alias", "autoreload", "conda", "config", "history", "load_ext", "mamba", "matplotlib", "pdef", "pdoc", "pfile",
    "pinfo", "pinfo2", "pip", "precision", "psearch", "psource", "quickref", "reload_ext", "timeit", "unload_ext",
    "uv", "who", "who_ls", "whos", "xmode",
})  # fmt: skip
"""Line magics that only concern the notebook: a step omits them."""

TIMERS = frozenset({"time", "prun", "memit", "mprun", "lprun"})
"""Line magics that run their argument as code."""

CELL_TIMERS = frozenset({"%%time", "%%capture", "%%prun"})


_CONVERSIONS = {"r": "repr", "s": "str", "a": "ascii"}


@dataclass(frozen=True)
class CellCode:
    """A cell's Python. ``refused`` maps a line to the unsupported magic on it; ``modules`` are modules that the
    translation itself uses.
    """

    text: str
    refused: dict[int, str] = field(default_factory=dict)
    modules: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Edit:
    """Replace the source of ``node`` by ``text``."""

    node: ast.expr | ast.stmt
    text: str


def translate(raw: str, variables: frozenset[str] = frozenset()) -> CellCode:
    """Translate a cell to Python, line for line where IPython's syntax allows.

    ``variables`` are the words in it that have a value in Python, besides those that the cell itself assigns.
    """
    text = _to_python(raw)
    if "get_ipython()" not in text:
        return CellCode(text)
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return CellCode(text)  # parsing the tree reports the error
    known = (
        variables | stored_names(tree) | {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    )
    refused: dict[int, str] = {}
    edits = [edit for edit in (_translated(call, known, refused) for call in _ipython_calls(tree)) if edit]
    used = ("subprocess", "pathlib")
    modules = frozenset(module for module in used if any(f"{module}." in edit.text for edit in edits))
    return CellCode(apply_edits(text, edits), refused, modules)


def _to_python(raw: str) -> str:
    lines = raw.split("\n")
    first = 0
    while first < len(lines) and (not lines[first].strip() or lines[first].split()[0] in CELL_TIMERS):
        first += 1
    # IPython drops leading empty lines; the line numbers must not change
    text = _transformer().transform_cell("\n".join(lines[first:]))
    return "\n" * first + str(text).rstrip("\n")


@cache
def _transformer() -> Any:
    return compat.line_preserving_transformer()


def _ipython_calls(tree: ast.Module) -> Iterator[ast.Call]:
    """The calls with which IPython's transformer replaced its syntax, outermost first."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        owner = node.func.value
        if (
            isinstance(owner, ast.Call)
            and isinstance(owner.func, ast.Name)
            and owner.func.id == "get_ipython"
        ):
            yield node


def _translated(call: ast.Call, known: frozenset[str], refused: dict[int, str]) -> Edit | None:
    words = [arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
    method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    run = f"subprocess.run({shell_text(words[0], known)}, shell=True, check=False" if words else ""
    if words and method == "system":
        return Edit(call, f"{run})")
    if words and method == "getoutput":
        streams = "text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT"
        return Edit(call, f"{run}, {streams}).stdout.splitlines()")
    if words and method == "run_line_magic":
        name, argument = words[0], "".join(words[1:])
        if name in SILENT:
            return Edit(call, "None")
        if name in TIMERS:
            return Edit(call, argument or "None")
    if method == "run_cell_magic" and len(words) == len(("name", "line", "body")):
        text = _cell_magic(words[0], words[1], words[2], known)
        if text:
            return Edit(call, text)
    refused[call.lineno] = {
        "run_line_magic": f"%{words[0]}" if words else "a magic",
        "run_cell_magic": f"%%{words[0]}" if words else "a magic",
    }.get(method, f"get_ipython().{method}()")
    return None


def _cell_magic(name: str, line: str, body: str, known: frozenset[str]) -> str:
    """A cell magic as a Python expression; empty for a magic that is not supported."""
    words = line.split()
    if name in ("bash", "sh") and words[:1] in ([], ["-s"]):
        command = [shell_text(word, known) for word in (name, *words)]
        return f"subprocess.run([{', '.join(command)}], input={body!r}, text=True, check=True)"
    append = bool({"-a", "--append"} & set(words[:-1]))
    if name == "writefile" and len(words) == 1 + append:
        file = f"pathlib.Path({shell_text(words[-1], known)})"
        if append:
            return f'{file}.open("a", encoding="utf-8").write({body!r})'
        return f'{file}.write_text({body!r}, encoding="utf-8")'
    return ""


def words_of(raw: str) -> set[str]:
    """The words in the commands of a cell: the command gets the values of those that are Python variables."""
    return set(re.findall(r"[^\W\d]\w*", raw)) if "!" in raw or "%%" in raw else set()


def shell_text(command: str, known: frozenset[str]) -> str:
    """A shell command as the source of a Python string, ``{expression}`` and ``$name`` filled in as IPython does.

    IPython passes a command unchanged to the shell where anything in it does not evaluate (``awk '{print $1}'``).
    """
    from IPython.utils.text import DollarFormatter

    pieces: list[str] = []
    try:
        for literal, expression, spec, conversion in DollarFormatter().parse(command):
            pieces += [repr(literal)] if literal else []
            if expression is not None:
                value = f"{expression}:{spec}" if spec else expression
                if not all_names(ast.parse(value.strip(), mode="eval")) <= known | set(dir(builtins)):
                    return repr(command)
                pieces.append(f"{_CONVERSIONS[conversion or 's']}({value})")
    except (ValueError, SyntaxError):
        return repr(command)
    return " + ".join(pieces) if pieces else "''"


def apply_edits(text: str, edits: list[Edit]) -> str:
    """The source with some nodes replaced; lines keep their numbers as long as replacements are of one line."""
    lines = text.split("\n")
    for edit in sorted(edits, key=lambda one: (one.node.lineno, one.node.col_offset), reverse=True):
        node = edit.node
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        # ast counts columns in UTF-8 bytes
        before = lines[first].encode()[: node.col_offset].decode()
        after = lines[last].encode()[node.end_col_offset :].decode()
        spare = [""] * (last - first - edit.text.count("\n"))
        lines[first : last + 1] = [*(before + edit.text + after).split("\n"), *spare]
    return "\n".join(lines)
