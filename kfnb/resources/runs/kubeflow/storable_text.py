"""Which texts KFP's database can store, and a pipeline of such texts.

KFP's API server talks to MySQL in ``utf8`` (KFP 2.17.0, ``backend/src/apiserver/client/sql.go``), which has no
characters beyond U+FFFF, such as emoji. It creates the Argo Workflow first and stores the run afterwards, so a refused
run still runs, and no user can see or stop it. So what cannot be stored is found before it is sent.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from typing import Any

from kfnb.errors import BackendError

Json = Mapping[str, Any]

_BEYOND = re.compile("[\U00010000-\U0010ffff]")


def storable(spec: Json) -> dict[str, Any]:
    """The pipeline with such characters replaced by equivalent escapes in the Python programs of its steps."""
    deployment = spec.get("deploymentSpec", {})
    executors = {name: _executor(one) for name, one in deployment.get("executors", {}).items()}
    return {**spec, "deploymentSpec": {**deployment, "executors": executors}} if executors else dict(spec)


def check_storable(body: Json) -> None:
    """Raise ``BackendError`` if a request has characters that the server cannot store."""
    for place, text in _texts(body, ()):
        found = _BEYOND.search(text)
        if found:
            code = ord(found[0])
            raise BackendError(
                f"{_named(place)} contains {found[0]} (U+{code:X}), and Kubeflow Pipelines cannot store characters"
                f" above U+FFFF, such as emoji: {_remedy(place, code)}"
            )


def _executor(executor: Json) -> Json:
    container = executor.get("container")
    if not container or not any(_BEYOND.search(word) for word in container.get("command") or ()):
        return executor
    command = [_escaped(word) for word in container["command"]]
    return {**executor, "container": {**container, "command": command}}


def _escaped(program: str) -> str:
    """A Python program with escapes for the characters in strings and comments; unchanged if they alter its meaning."""
    try:
        before = ast.parse(program)
        if not any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in before.body):
            return program  # a program in another language may be valid Python too
        lines = io.StringIO(program).readlines()
        for token in reversed(list(_written(program))):
            _escape(lines, token)
        escaped = "".join(lines)
        same = ast.dump(ast.parse(escaped)) == ast.dump(before)
    except (SyntaxError, ValueError, tokenize.TokenError):
        return program
    return escaped if same else program


def _written(program: str) -> Iterator[tokenize.TokenInfo]:
    """The comments and strings that have such characters; not the strings within an f-string, whose expressions
    do not allow escapes before Python 3.12.
    """
    depth = 0
    for token in tokenize.generate_tokens(io.StringIO(program).readline):
        depth += {"FSTRING_START": 1, "FSTRING_END": -1}.get(tokenize.tok_name[token.type], 0)
        kinds = ("COMMENT", "FSTRING_MIDDLE") if depth else ("COMMENT", "STRING")
        if tokenize.tok_name[token.type] in kinds and _BEYOND.search(token.string):
            yield token


def _escape(lines: list[str], token: tokenize.TokenInfo) -> None:
    """Write a token's characters as escapes, in the lines of its program."""
    (first, begin), (last, end) = token.start, token.end
    for number in range(first, last + 1):
        line = lines[number - 1]
        left, right = begin if number == first else 0, end if number == last else len(line)
        inside = _BEYOND.sub(lambda found: f"\\U{ord(found[0]):08x}", line[left:right])
        lines[number - 1] = line[:left] + inside + line[right:]


def _texts(value: Any, place: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """All texts in a value, names too, each with its path."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield (*place, "a name"), name
            yield from _texts(one, (*place, name))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one, place)


def _named(place: tuple[str, ...]) -> str:
    """The place of a text, for messages."""
    if place[:2] == ("runtime_config", "parameters"):
        return f"argument {place[2]}" if len(place) > 2 else "an argument's name"  # noqa: PLR2004
    if place == ("display_name",):
        return "the run's name"
    if "executors" in place:
        return f"the program of {place[place.index('executors') + 1].removeprefix('exec-')}"
    if "tasks" in place and place.index("tasks") + 1 < len(place):
        return f"task {place[place.index('tasks') + 1]}"
    return f"the pipeline ({'.'.join(place)})"


def _remedy(place: tuple[str, ...], code: int) -> str:
    if "executors" in place:
        return f"write it as \\U{code:08X} in the program, or remove it"
    return "remove it, or pass the address of a file instead"
