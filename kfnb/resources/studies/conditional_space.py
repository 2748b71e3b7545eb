"""Spaces in which some parameters exist under a condition: a Python function that asks for one after the other.

    def space(trial):
        kind = trial.choice("kind", ["svm", "forest"])
        if kind == "svm":
            trial.log("C", 1e-3, 1e3)

The function's source travels to the process that searches, with the constants and imports that it needs.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import random
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches
from types import FunctionType
from typing import Any, TypeAlias

from kfnb.capture.imports import importable
from kfnb.capture.packages import is_standard, requirement_for
from kfnb.diagnostics import logger
from kfnb.errors import CaptureError, UsageError
from kfnb.resources.studies import space
from kfnb.resources.studies.model import Dimension, Value

_logger = logger(__package__)

_SAMPLES = 256
"""How often the function is called, with values at random, to learn which parameters it may ask for."""


Real: TypeAlias = float
Whole: TypeAlias = int


class SpaceTrial:
    """What the function gets: each call asks for one parameter, and returns its value in this trial."""

    def __init__(self, suggest: Callable[[Dimension], Value]) -> None:
        self._suggest = suggest
        self.params: dict[str, Value] = {}

    def float(self, name: str, low: Real, high: Real, *, step: Real = 0.0, log: bool = False) -> Any:
        """A float from ``low`` to ``high``."""
        return self._suggested(space.real(name, low, high, step=step, log=log))

    def log(self, name: str, low: Real, high: Real) -> Any:
        """A float on a logarithmic scale."""
        return self._suggested(space.real(name, low, high, log=True))

    def int(self, name: str, low: Whole, high: Whole, *, step: Whole = 1, log: bool = False) -> Any:
        """An int from ``low`` to ``high``."""
        return self._suggested(space.whole(name, low, high, step=step, log=log))

    def choice(self, name: str, choices: Sequence[Value]) -> Any:
        """One of ``choices``."""
        return self._suggested(space.choice(name, choices))

    def __getattr__(self, name: str) -> Any:
        close = get_close_matches(name.removeprefix("suggest_"), space.FORMS, 1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(space.FORMS)}"
        raise AttributeError(f"trial has no {name}; {hint}")

    def _suggested(self, dimension: Dimension) -> Value:
        if dimension.name not in self.params:
            self.params[dimension.name] = self._suggest(dimension)
        return self.params[dimension.name]


def read_function(text: str) -> Callable[[SpaceTrial], Any]:
    """The function that a text defines, as ``write_function`` wrote it."""
    namespace: dict[str, Any] = {"__name__": "kfnb_space"}
    exec(compile(text, "<the space>", "exec", dont_inherit=True), namespace)  # noqa: S102 - it is the user's own
    function: Callable[[SpaceTrial], Any] = namespace[text.rpartition("# kfnb: the space is ")[2].strip()]
    return function


def dimensions_of(text: str) -> tuple[Dimension, ...]:
    """The parameters that the function may ask for, each with its condition. Raises ``UsageError``."""
    function, chance = read_function(text), random.Random(0)  # noqa: S311 - not about secrets
    found: dict[str, Dimension] = {}
    words = _conditions(text)

    def suggest(dimension: Dimension) -> Value:
        dimension = replace(dimension, condition=words.get(dimension.name, ""))
        found[dimension.name] = _joined(found.get(dimension.name, dimension), dimension)
        return space.drawn(dimension, chance)

    for _ in range(_SAMPLES):
        try:
            function(SpaceTrial(suggest))
        except UsageError:
            raise
        except Exception as error:
            _logger.debug("The function of a space failed.", exc_info=True)
            raise UsageError(f"the space's function fails: {type(error).__name__}: {error}") from None
    if not found:
        raise UsageError('the space\'s function asks for nothing: call trial.float("lr", 0.1, 1) in it')
    return tuple(found.values())


def _joined(known: Dimension, other: Dimension) -> Dimension:
    """What has the values of both: a parameter's bounds may differ from trial to trial, and nothing else of it."""
    if _sort(known) != _sort(other):
        raise UsageError(
            f"{known.name} is {_sort(known)} in one trial and {_sort(other)} in another: use two names"
        )
    step = known.step if known.step == other.step else float(known.kind == "int")
    return replace(known, low=min(known.low, other.low), high=max(known.high, other.high), step=step)


def _sort(dimension: Dimension) -> str:
    """What of a parameter is the same in all trials, in words."""
    if dimension.kind == "choice":
        return f"one of {', '.join(map(repr, dimension.choices))}"
    return f"{dimension.kind} on a logarithmic scale" if dimension.log else dimension.kind


def write_function(function: Callable[..., Any]) -> str:
    """The source of the function with all that it needs. Raises ``UsageError`` for what cannot be embedded."""
    if not isinstance(function, FunctionType):
        raise UsageError(f"a space must be a string, a dict or a function, not {function!r}")
    parts: dict[str, str] = {}
    _collect(function, parts)
    return "\n\n".join([*parts.values(), f"# kfnb: the space is {function.__name__}\n"])


def _collect(function: FunctionType, parts: dict[str, str]) -> None:
    try:
        source = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        raise UsageError(f"the source of {function.__name__} is not available: define it in a cell") from None
    if function.__name__ == "<lambda>":
        raise UsageError("write the space's function with def: the source of a lambda is not available")
    known = inspect.getclosurevars(function)
    for name in sorted(known.unbound - set(dir(builtins)) - _attributes(source)):
        raise UsageError(f"{function.__name__} reads {name}, which no cell defines")
    parts.setdefault(function.__name__, "")  # so that one that calls itself ends
    for name, value in {**known.globals, **known.nonlocals}.items():
        if name not in parts:
            parts[name] = _needed(name, value, function.__name__, parts)
    del parts[function.__name__]
    parts[function.__name__] = source


def _needed(name: str, value: Any, reader: str, parts: dict[str, str]) -> str:
    """The source of what a function reads from around it."""
    text, module = importable(name, value)
    if text and _is_of_a_package(module):
        return text
    if isinstance(value, FunctionType):
        _collect(value, parts)
        return parts[name]
    try:
        if ast.literal_eval(repr(value)) == value:
            return f"{name} = {value!r}"
    except (ValueError, SyntaxError):
        pass
    raise UsageError(
        f"{reader} reads {name} ({type(value).__name__}), which cannot travel with it:"
        " use literals, imports and functions of the notebook"
    )


def _is_of_a_package(module: str) -> bool:
    """Whether the process that searches can import a module: one beside the notebook, it cannot."""
    try:
        return is_standard(module) or requirement_for(module) is not None
    except CaptureError:
        return False


def _attributes(source: str) -> set[str]:
    """The attributes that a source names: ``inspect`` takes them for names that are not bound."""
    return {node.attr for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)}


def _conditions(text: str) -> dict[str, str]:
    """For each parameter that is asked for by a name in quotes, under which conditions that stands."""
    return dict(_walk(ast.parse(text), ()))


def _walk(node: ast.AST, around: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
        first = node.args[0]
        if node.func.attr in space.FORMS and isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield first.value, " and ".join(around)
    if isinstance(node, ast.If):
        test = ast.unparse(node.test)
        for part in (node.test, *node.body):
            yield from _walk(part, around if part is node.test else (*around, test))
        for part in node.orelse:
            yield from _walk(part, (*around, f"not ({test})"))
        return
    for child in ast.iter_child_nodes(node):
        yield from _walk(child, around)
