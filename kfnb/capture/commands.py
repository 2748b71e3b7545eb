"""Shell commands, magics and help in a cell: what becomes of them in a step, where there is no IPython.

``!cmd`` and ``x = !cmd`` become ``subprocess``; ``%time`` and its like leave the code that they time; display and
set-up magics leave nothing; any other magic cannot travel and is kept in ``Code.refused``, by line.
"""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

SILENT = frozenset(
    "alias autoreload config conda history load_ext mamba matplotlib pdef pdoc pfile pinfo pinfo2 pip precision psearch"
    " psource quickref reload_ext timeit unload_ext uv who who_ls whos xmode".split()
)
"""Line magics that concern the notebook alone: a step loses nothing without them."""

TIMERS = frozenset({"time", "prun", "memit", "mprun", "lprun"})
"""Line magics that run the code they are given."""

CELL_TIMERS = frozenset({"%%time", "%%capture", "%%prun"})


@dataclass(frozen=True)
class Code:
    """A cell's Python. ``refused`` maps a line to the magic on it that cannot travel; ``modules`` are modules that
    the translation itself uses.
    """

    text: str
    refused: dict[int, str] = field(default_factory=dict)
    modules: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Edit:
    """Replace the source of ``node`` by ``text``."""

    node: ast.expr | ast.stmt
    text: str


def translate(raw: str) -> Code:
    """The Python of a cell, line for line where IPython's own syntax allows."""
    text = _to_python(raw)
    if "get_ipython()" not in text:
        return Code(text)
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return Code(text)  # said where the tree is wanted
    refused: dict[int, str] = {}
    edits = [edit for edit in (_translated(call, refused) for call in _ipython_calls(tree)) if edit]
    modules = frozenset({"subprocess"} if any("subprocess." in edit.text for edit in edits) else ())
    return Code(apply_edits(text, edits), refused, modules)


def _to_python(raw: str) -> str:
    from IPython.core.inputtransformer2 import TransformerManager

    lines = raw.split("\n")
    first = 0
    while first < len(lines) and (not lines[first].strip() or lines[first].split()[0] in CELL_TIMERS):
        first += 1
    # IPython drops leading empty lines; the line numbers must stay
    text = TransformerManager().transform_cell("\n".join(lines[first:]))
    return "\n" * first + text.rstrip("\n")


def _ipython_calls(tree: ast.Module) -> Iterator[ast.Call]:
    """The calls that IPython's transformer put in the place of its syntax, outermost first."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        owner = node.func.value
        if isinstance(owner, ast.Call) and isinstance(owner.func, ast.Name) and owner.func.id == "get_ipython":
            yield node


def _translated(call: ast.Call, refused: dict[int, str]) -> Edit | None:
    words = [arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
    method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    make: Callable[[], str | None] | None = {
        "system": lambda: f"subprocess.run({shell_text(words[0])}, shell=True, check=False)",
        "getoutput": lambda: (
            f"subprocess.run({shell_text(words[0])}, shell=True, check=False, text=True,"
            " stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout.splitlines()"
        ),
        "run_line_magic": lambda: _line_magic(words[0], words[1]),
    }.get(method)
    text = make() if make and words else None
    if text is None:
        refused[call.lineno] = f"%{words[0]}" if method == "run_line_magic" else f"%%{words[0] if words else method}"
        return None
    return Edit(call, text)


def _line_magic(name: str, argument: str) -> str | None:
    if name in SILENT:
        return "None"
    if name in TIMERS:
        return argument or "None"
    return None


def shell_text(command: str) -> str:
    """A shell command as the source of a Python string, ``{expression}`` and ``$name`` filled in as IPython does.

    A ``$name`` that is no Python identifier, and ``$$name``, are left to the shell.
    """
    try:
        parts = list(string.Formatter().parse(command))
    except ValueError:
        return repr(command)  # IPython leaves a command that does not parse as it is
    if not any(name is not None for _, name, _, _ in parts) and "$" not in command:
        return repr(command)
    pieces = []
    for literal, name, spec, conversion in parts:
        pieces.append(_dollars(literal))
        if name is not None:
            pieces.append("{" + name + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "") + "}")
    return "f" + _quoted("".join(pieces))


def _dollars(text: str) -> str:
    """A literal part of a command for an f-string, ``$name`` as a field that falls back on the shell's own."""
    text = text.replace("{", "{{").replace("}", "}}")
    # upper-case names are the shell's by habit ($HOME, $PATH): IPython too leaves unknown names to the shell
    return re.sub(
        r"(\$\$|\$(?P<name>[^\W\dA-Z]\w*))", lambda m: "{" + m["name"] + "}" if m["name"] else "$", text
    )


def _quoted(text: str) -> str:
    body = text.replace("\\", "\\\\").replace("\n", "\\n")
    return f"'''{body}'''" if "'" in body and '"' in body else f"'{body}'" if "'" not in body else f'"{body}"'


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
