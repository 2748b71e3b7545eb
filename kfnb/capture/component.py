"""A component: a cell that ran, and what it read, wrote and changed when it did."""

from __future__ import annotations

import ast
import builtins
import keyword
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from kfnb.capture.cell import Cell
from kfnb.capture.files import NONE, Files
from kfnb.capture.name_usage import Names
from kfnb.capture.notebook import DeclaredParameter
from kfnb.capture.pod import PodSettings
from kfnb.capture.scopes import local_names
from kfnb.capture.syntax import inside_functions, stored_names
from kfnb.capture.training import Training
from kfnb.capture.values import ValueKind
from kfnb.capture.variables import NO_VARIABLES, Variables
from kfnb.entities import ImportedData
from kfnb.errors import CaptureError

_HISTORY = re.compile(r"Out|In|_+|_i+|_\d+|_i\d+|_[oid]h")
_PROGRAM_NAMES = {
    "Any", "Artifact", "ClassificationMetrics", "Dataset", "HTML", "Input", "InputPath", "Markdown", "Metrics",
    "Model", "NamedTuple", "Output", "OutputPath", "compiler", "dsl", "kfp",
    "kubernetes",
}  # fmt: skip


@dataclass(frozen=True)
class DataInput:
    """A name that holds a version of a data set in the cell: ``data`` as a pipeline imports it.

    ``modules`` are those that a step must be able to import to load it.
    """

    name: str
    data: ImportedData
    modules: tuple[str, ...] = ()

    @property
    def kind(self) -> ValueKind:
        """How the value reaches a step."""
        return ValueKind("Dataset", self.modules)


@dataclass(frozen=True)
class Options:
    """The options of a component; ``training`` where several processes execute it, ``seed`` of its random numbers."""

    params: tuple[DeclaredParameter, ...] = ()
    data: tuple[DataInput, ...] = ()
    outputs: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    image: str = ""
    retries: int = 0
    cache: bool = True
    seed: int | None = None
    pod: PodSettings = field(default_factory=PodSettings)
    training: Training | None = None


@dataclass(frozen=True)
class ComponentPart:
    """One of the cells of a component, with its own options, and what it read and wrote when it ran."""

    cell: Cell
    options: Options
    files: Files = NONE
    variables: Variables = NO_VARIABLES


@dataclass(frozen=True)
class ComponentInput:
    """A value that the cell read from an earlier component: what it was, and which run of which cell made it."""

    name: str
    kind: ValueKind
    producer: str
    producer_order: int
    modules: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Component:
    """A captured cell, or several (``parts``) as one.

    ``outputs`` are the kinds of all names that it wrote and that had a value at its end; ``refusals`` says why some of
    them cannot be passed between steps. ``constants`` are the values, as Python source, of the notebook's constants
    when it ran; ``changed`` are the inputs that it changed in place; ``files`` those it read and wrote; ``unpickled``
    are the notebook's names that pickles in those and in its inputs need; ``variables`` are the environment variables
    that it read; ``placed`` are the inputs and outputs that hold absolute paths of the notebook's folder; ``outside``
    are the files elsewhere on this machine that it names, by line.
    """

    name: str
    cell: Cell
    names: Names
    options: Options
    inputs: Mapping[str, ComponentInput] = field(default_factory=dict)
    outputs: Mapping[str, ValueKind] = field(default_factory=dict)
    refusals: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    changed: frozenset[str] = frozenset()
    files: Files = NONE
    unpickled: frozenset[str] = frozenset()
    variables: Variables = NO_VARIABLES
    placed: frozenset[str] = frozenset()
    outside: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    parts: tuple[ComponentPart, ...] = ()

    @property
    def function(self) -> ast.FunctionDef | None:
        """The function that is the whole cell, where the cell is one annotated ``def``."""
        return component_function(self.cell.tree)

    def data(self, name: str) -> DataInput | None:
        """The version of a data set that the component takes under ``name``."""
        return next((one for one in self.options.data if one.name == name), None)

    def param(self, name: str) -> DeclaredParameter | None:
        """The parameter that the component declares under ``name``."""
        return next((param for param in self.options.params if param.name == name), None)

    def seeded(self, seed: int | None) -> Component:
        """The component with ``seed``, unless its options have one."""
        if seed is None or self.options.seed is not None:
            return self
        return replace(self, options=replace(self.options, seed=seed))

    def giving(self, outputs: Collection[str]) -> Component:
        """The component where only ``outputs`` are used.

        A name that it writes under a condition keeps its value where the condition does not hold. So such a name is
        an input too, but only if a later step uses it: a loop's variable under an ``if`` is not.
        """
        conditional = {name: line for name, line in self.names.conditional.items() if name in outputs}
        gone = self.names.conditional.keys() - conditional.keys()
        inputs = {name: one for name, one in self.inputs.items() if name not in gone}
        return replace(self, names=replace(self.names, conditional=conditional), inputs=inputs)


def component_function(tree: ast.Module) -> ast.FunctionDef | None:
    """The only statement of a cell, where that is a ``def`` whose parameters and result are all annotated."""
    if len(tree.body) != 1 or not isinstance(tree.body[0], ast.FunctionDef):
        return None
    function = tree.body[0]
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    annotated = all(argument.annotation is not None for argument in arguments)
    return function if annotated and (arguments or function.returns is not None) else None


def check_name(name: str, what: str) -> None:
    """Check the name of a component or a pipeline: a Python identifier that KFP can turn into a task's name."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) or keyword.iskeyword(name):
        raise CaptureError(
            f"{name!r} is not a valid name for a {what}:",
            code="invalid-name",
            hint="use letters, digits and _, and begin with a letter",
            ref=name,
        )
    if hasattr(builtins, name) or name in _PROGRAM_NAMES or name.startswith("kfnb_"):
        raise CaptureError(
            f"{name!r} is reserved in a pipeline's program:",
            code="invalid-name",
            hint=f"give the {what} another name",
            ref=name,
        )


def check_sources(cell: Cell) -> None:
    """Check that the cell's text can be a step, before any name is looked up. Raises ``CaptureError``."""
    if not cell.tree.body:
        raise CaptureError(f"cell {cell} has no code: a component needs code", ref=f"cell {cell}")
    for line, magic in cell.code.refused.items():
        raise CaptureError(
            f"{cell.place(line)}: {magic} cannot be used in a component:",
            hint="move it to a separate cell",
            ref=str(cell.place(line)),
        )
    own = _assigned(cell.tree)
    for node in ast.walk(cell.tree):
        if isinstance(node, ast.Name) and _HISTORY.fullmatch(node.id) and node.id not in own:
            raise CaptureError(
                f"{cell.place(node.lineno)}: {node.id} is the notebook's history, which a step does not have:",
                hint="assign the value to a name",
                ref=str(cell.place(node.lineno)),
            )
    check_globals(cell.tree, cell)


def check_globals(tree: ast.AST, cell: Cell) -> None:
    """Check that no function between hides a global: ``global x`` becomes ``nonlocal x`` in a step."""
    for node, around in inside_functions(tree):
        if not isinstance(node, ast.Global):
            continue
        between = [one for one in around[:-1] if not isinstance(one, ast.ClassDef)]
        hiding = {name for one in between for name in local_names(one)}  # type: ignore[arg-type]
        for name in node.names:
            if name in hiding:
                raise CaptureError(
                    f"{cell.place(node.lineno)}: global {name} inside a function with a local {name} is not supported:",
                    hint="rename one",
                    ref=str(cell.place(node.lineno)),
                )


def _assigned(tree: ast.Module) -> set[str]:
    return stored_names(tree) | {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}


def is_builtin(name: str) -> bool:
    """Whether Python, or the prologue of a step, provides ``name``."""
    return hasattr(builtins, name) or name in PROVIDED


PROVIDED = {"__name__", "display", "get_ipython"}
"""Names of a notebook that a step has a replacement for (``get_ipython`` is refused separately)."""
