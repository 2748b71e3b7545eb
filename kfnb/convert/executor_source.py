"""The Python in a compiled pipeline: the function that each of KFP's lightweight components holds."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kfnb.errors import PipelineError

_HEAD = "from typing import *\n"
"""The last line of what KFP writes before the functions of a component."""
_INSTALLED = re.compile(r"pip install [^&]*")
_KFP = re.compile(r"kfp(-\w+)*([=@<>~ ].*)?|typing-extensions.*")


@dataclass(frozen=True)
class FunctionSource:
    """The function of a component: its ``name``, its ``text`` without decorators, and the functions before it.

    ``packages`` are those that the step installs, besides KFP's own.
    """

    name: str
    text: str
    helpers: str
    image: str
    packages: tuple[str, ...]


def function_of(label: str, executor: Mapping[str, Any]) -> FunctionSource:
    """The function of an executor. Raises ``PipelineError`` for an executor that is none."""
    container = executor.get("container") or {}
    args, command = list(container.get("args") or ()), list(container.get("command") or ())
    if "--function_to_execute" not in args or not command or _HEAD not in command[-1]:
        raise PipelineError(
            f"{label} has no Python source (it is {_kind(executor)}), and cannot be a cell:",
            hint="kfnb decompile takes function components; submit the file unchanged",
            ref=label,
        )
    name = args[args.index("--function_to_execute") + 1]
    source = command[-1].partition(_HEAD)[2]
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise PipelineError(f"{label}: its source is not Python: {error.msg}", ref=label) from None
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
    if not functions:
        raise PipelineError(f"{label}: its source has no function {name}", ref=label)
    function, lines = functions[-1], source.split("\n")
    return FunctionSource(
        name,
        "\n".join(lines[function.lineno - 1 : function.end_lineno]),
        "\n".join(lines[: function.lineno - 1]).strip("\n"),
        str(container.get("image", "")),
        _packages(" ".join(command[:-1])),
    )


def _packages(shell: str) -> tuple[str, ...]:
    """The requirements among the words of KFP's commands."""
    words = [word for part in _INSTALLED.findall(shell) for word in re.findall(r"'([^']+)'", part)]
    return tuple(word for word in words if not word.startswith("-") and not _KFP.fullmatch(word))


def _kind(executor: Mapping[str, Any]) -> str:
    if "container" in executor:
        return f"a container component, {executor['container'].get('image', '')}"
    return f"an {next(iter(executor), 'empty executor')}"
