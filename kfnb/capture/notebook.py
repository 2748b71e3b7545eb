"""The notebook as it ran: its executed cells, the definitions of names, its components and its parameters.

One ``ExecutedNotebook`` belongs to one kernel. Every executed cell is recorded in it, and it finds the definition of a
name. It does not depend on IPython: the values of names are those of the kernel's namespace.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from kfnb.capture import shell_syntax
from kfnb.capture.cell import Cell
from kfnb.capture.cell_magics import COMPONENTS, SET_UP
from kfnb.capture.definitions import Definition, DefinitionKind, assigned_literal, definitions_of, value_sort
from kfnb.capture.files import NONE, Files
from kfnb.capture.global_settings import Change, changes_of
from kfnb.capture.packages import is_local
from kfnb.capture.values import kind_of
from kfnb.diagnostics import logger
from kfnb.errors import CaptureError

if TYPE_CHECKING:
    from kfnb.capture.captured_transform import CapturedTransform
    from kfnb.capture.component import Component

_logger = logger(__package__)

_BY_CELL = (DefinitionKind.SOURCE, DefinitionKind.IMPORT, DefinitionKind.TRANSFORM)
"""Definitions that are as the newest run of their cell has them."""

INJECTED = "# Parameters"
"""The first line of the cell that papermill injects with the values of parameters."""


@dataclass(frozen=True)
class DeclaredParameter:
    """A parameter of a step or of a pipeline; ``default`` is None when a value is required.

    ``place`` is where it was declared, for messages.
    """

    name: str
    type: str
    default: Any = None
    place: str = ""


class ExecutedNotebook:
    """What one kernel has executed.

    ``namespace`` holds the values of the names; ``folder`` is the notebook's, with the modules beside it; ``tagged``
    and ``set_up`` are the sources of cells that are tagged as parameters, and as set-up. ``linear`` means that cells
    are not edited and run again (papermill, nbclient): then every cell is a new one.
    """

    def __init__(
        self,
        namespace: MutableMapping[str, Any],
        folder: Path,
        *,
        tagged: Iterable[str] = (),
        set_up: Iterable[str] = (),
        linear: bool = False,
    ) -> None:
        self.namespace = namespace
        self.folder = folder
        self.linear = linear
        self.components: dict[str, Component] = {}
        self._transforms: dict[int, CapturedTransform] = {}  # by the order of the cell's run
        self.mistaken: dict[str, str] = {}  # parameters that got a value of a wrong type
        self.changing: list[Change] = []  # what plain cells have changed for the whole kernel
        self.reported_in: dict[Change, str] = {}  # the component whose notes have a general change
        self.failed: set[str] = set()  # components whose cell has failed, or was refused, since it last ran
        self.left: dict[tuple[str, str], tuple[int, bytes]] = {}
        """The state of a name's value after the component with a cell's key wrote it: the run's order, a digest."""
        self.parameters: dict[str, DeclaredParameter] = {}
        self.injected: dict[str, Any] = {}
        self._tagged = {source.strip() for source in tagged}
        self._set_up = {source.strip() for source in set_up}
        self._setups: dict[str, list[Cell]] = {}  # the runs of each set-up cell
        self.files: dict[str, Files] = {}  # the files of each set-up cell, by its key
        self._definitions: dict[str, list[Definition]] = {}
        self._order = 0

    # -- what ran ---------------------------------------------------------------------------------------------

    def cell(self, raw: str, number: int, cell_id: str | None, name: str = "") -> Cell:
        """Create the cell that runs next; ``record`` it when it has run."""
        self._order += 1
        known = frozenset(word for word in shell_syntax.words_of(raw) if word in self.namespace)
        return Cell(raw, number, self._order, self._key(raw, cell_id, name), name, known, cell_id or raw)

    def _key(self, raw: str, cell_id: str | None, name: str) -> str:
        """The key by which executions of one cell are recognized: its id, where the client sends one.

        A terminal sends none: there, defining a function again counts as an edit of its cell.
        """
        if name:
            return f"component {name}"
        if cell_id is not None:
            return cell_id
        if not self.linear and raw.lstrip().startswith(("def ", "class ", "async def ", "@")):
            try:
                node = ast.parse(raw).body[0]
            except SyntaxError:
                return str(self._order)
            return f"definition of {getattr(node, 'name', self._order)}"
        return str(self._order)

    def record(self, cell: Cell, changed: Iterable[str] = (), *, failed: bool = False) -> None:
        """Record what an executed cell defined; ``changed`` are names whose objects it changed.

        Steps do not include the run of a set-up cell that ``failed``: they have its last successful run, if any.
        """
        try:
            found = list(definitions_of(cell, self.star_names))
        except CaptureError:
            return  # not Python (a cell magic of another package): what it defined is unknown
        is_set_up = cell.head == SET_UP or (not cell.head and self.is_tagged_set_up(cell.raw))
        if is_set_up and not failed:
            self._setups.setdefault(cell.key, []).append(cell)
        elif not is_set_up and cell.key in self._setups:
            del self._setups[cell.key]  # no longer a set-up cell
        injected = not cell.head and cell.raw.lstrip().startswith(INJECTED)
        tagged = injected or cell.raw.strip() in self._tagged
        self.changing = [change for change in self.changing if change.cell.key != cell.key]
        if not cell.head and not is_set_up:
            self.changing += changes_of(cell, self.namespace)
        for definition in found:
            if (definition.sort is DefinitionKind.DELETED) == (definition.name in self.namespace):
                continue  # a statement that did not run, or was undone
            parameter = tagged or definition.sort is DefinitionKind.PARAMETER
            self._add(self._parameter(definition, injected=injected) if parameter else definition)
        sort = DefinitionKind.STEP if cell.head in COMPONENTS else DefinitionKind.LIVE
        for name in changed:
            self._add(Definition(name, sort, cell, 1, 1))

    def _add(self, definition: Definition) -> None:
        known = self._definitions.setdefault(definition.name, [])
        if definition.only_changes and known and known[-1].sort is DefinitionKind.IMPORT:
            return  # os.environ["A"] = "1" does not redefine os
        known.append(definition)

    def add_transform(self, captured: CapturedTransform) -> None:
        """Record a transform that its cell has defined."""
        cell = captured.cell
        self._transforms[cell.order] = captured
        last = cell.raw.count("\n") + 1
        self._add(Definition(captured.name, DefinitionKind.TRANSFORM, cell, 1, last))

    def transform(self, definition: Definition) -> CapturedTransform:
        """The transform of a definition of that kind."""
        return self._transforms[definition.cell.order]

    def transform_of(self, name: str) -> CapturedTransform | None:
        """The newest transform of that name."""
        known = [one for one in self._transforms.values() if one.name == name]
        return known[-1] if known else None

    def _parameter(self, definition: Definition, *, injected: bool) -> Definition:
        """Record a definition in a cell of parameters as a pipeline parameter, if its value can be one."""
        name = definition.name
        if (
            definition.sort not in (DefinitionKind.LITERAL, DefinitionKind.PARAMETER, DefinitionKind.LIVE)
            or name not in self.namespace
        ):
            return definition
        value = self.namespace[name]
        if not definition.cell.head:  # the value in the cell: papermill's own cell may have run since
            value = assigned_literal(definition.node, value)
        kind = kind_of(value)
        if not kind.parameter:
            return replace(definition, sort=value_sort(definition.node, name))
        if injected:
            self.injected[name] = value
            self._check_type(name, kind.type)
        self.parameters[name] = DeclaredParameter(name, kind.type, value, f"cell {definition.cell}")
        return Definition(
            name,
            DefinitionKind.PARAMETER,
            definition.cell,
            definition.first,
            definition.last,
            definition.node,
        )

    def _check_type(self, name: str, kind: str) -> None:
        """Record that a value given to papermill has another type than the declared parameter."""
        known = self.parameters.get(name)
        if known is not None and known.type != kind and (known.type, kind) != ("float", "int"):
            self.mistaken[name] = (
                f"{name} is {known.type} in {known.place}, and was given as {self.injected[name]!r}"
                f"{': papermill passes a text unchanged with -r ' + name if known.type == 'str' else ''}"
            )

    def has_code(self, space: Mapping[str, Any]) -> bool:
        """Whether code with these globals belongs to the notebook: to its cells, or to a module beside it."""
        module = str(space.get("__name__", ""))
        return space is self.namespace or (bool(module) and is_local(module, self.folder))

    def is_tagged_set_up(self, raw: str) -> bool:
        """Whether a cell's text is that of a tagged set-up cell."""
        return raw.strip() in self._set_up

    def has_run_as_set_up(self, cell: Cell) -> bool:
        """Whether the steps include this set-up cell, as it is now or as it ran before."""
        return cell.key in self._setups

    def files_of_setups(self, before: int) -> Files:
        """The files of the set-up cells that had run before the cell with order ``before``."""
        return reduce(Files.then, (self.files.get(cell.key, NONE) for cell in self.setups(before)), NONE)

    def setups(self, before: int) -> list[Cell]:
        """The set-up cells that had run before the cell with order ``before``, each in its last run, in their order."""
        known = [runs for runs in self._setups.values() if runs[0].order < before]
        return [runs[-1] for runs in sorted(known, key=lambda runs: runs[0].order)]

    # -- definitions ------------------------------------------------------------------------------------------

    def definition(self, name: str, before: int | None = None, *, but: str = "") -> Definition | None:
        """The definition of ``name`` as of the cell with order ``before`` (exclusive; None: as of now).

        Where the cell that defined a function, class, transform or import has run again since, the newest run counts.
        The cell with the key ``but`` does not count.
        """
        known = self.definitions(name)
        found = next((d for d in reversed(self.definitions(name, before)) if d.cell.key != but), None)
        if found is None or found.sort not in _BY_CELL:
            return found
        again = [d for d in known if d.cell.key == found.cell.key and d.sort is found.sort]
        return again[-1] if again else found

    def definitions(self, name: str, before: int | None = None) -> list[Definition]:
        """All known definitions of ``name``, in order, as of the cell with order ``before``."""
        return [d for d in self._definitions.get(name, ()) if before is None or d.cell.order < before]

    def definition_above(self, name: str, user: Definition) -> Definition | None:
        """The definition of ``name`` when the statement of ``user`` ran."""
        at = (user.cell.order, user.first)
        known = [d for d in self.definitions(name) if (d.cell.order, d.first) < at]
        return known[-1] if known else None

    def names(self) -> Mapping[str, list[Definition]]:
        """All known definitions."""
        return self._definitions

    def star_names(self, module: str) -> list[str]:
        """The names that ``from module import *`` binds, from the module as imported here."""
        try:
            loaded: ModuleType = importlib.import_module(module)
        except Exception:  # a module may raise anything; the cell that imports it shows the error
            _logger.debug("Module %s cannot be imported.", module, exc_info=True)
            return []
        names = getattr(loaded, "__all__", None)
        return (
            list(names) if names is not None else [name for name in vars(loaded) if not name.startswith("_")]
        )
