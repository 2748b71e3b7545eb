"""Tracing: every name that a component's code needs, followed to its definition.

``trace`` follows the names that a cell reads, and those that the functions it uses read in turn, until each is an
input, a parameter, an import, a piece of source or a constant; or it raises a ``CaptureError`` that names the cell
which defined the name, and what to do.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from kfnb.capture import modules, packages
from kfnb.capture.cell import Cell
from kfnb.capture.cell_magics import TRANSFORM
from kfnb.capture.component import Component, Options, check_globals, component_function, is_builtin
from kfnb.capture.content import examine
from kfnb.capture.definition_kinds import DefinitionKinds
from kfnb.capture.definitions import Definition, DefinitionKind
from kfnb.capture.dependencies import Dependencies, SetupCell
from kfnb.capture.embedded.reports import KF_OUTPUTS
from kfnb.capture.embedded.training import KF_VALUES
from kfnb.capture.imports import Import, import_of, importable, imported_modules, submodules
from kfnb.capture.name_usage import Names
from kfnb.capture.name_use import NameUse, check_kf, live_object, stayed, unknown_name
from kfnb.capture.names import read_names
from kfnb.capture.notebook import ExecutedNotebook
from kfnb.capture.values import is_mutable, is_tree
from kfnb.diagnostics import logger
from kfnb.errors import CaptureError

_logger = logger(__package__)


def dependencies_of(notebook: ExecutedNotebook, component: Component) -> Dependencies:
    """The dependencies of a component: as its cell ran, except for functions that were edited since."""
    return trace(
        notebook,
        component.cell,
        component.names,
        component.options,
        constants=component.constants,
        before=component.cell.order,
        setups=notebook.setups(component.cell.order),
        unpickled=component.unpickled,
    )


def trace(
    notebook: ExecutedNotebook,
    cell: Cell,
    names: Names,
    options: Options,
    *,
    constants: Mapping[str, str] | None = None,
    before: int | None = None,
    setups: Iterable[Cell] = (),
    unpickled: Collection[str] = (),
) -> Dependencies:
    """Find everything that the code of ``cell`` needs.

    ``before`` is the order of the cell as of which names are looked up, ``constants`` the values (as source) that
    constants had then; both as the component was captured, or None for now. ``setups`` are the set-up cells that run
    before it in a step, ``unpickled`` names that only pickles in its files refer to.
    """
    tracer = _Tracer(notebook, cell, options, constants or {}, before)
    tracer.captured = constants is not None
    if component_function(cell.tree) is not None:
        tracer.dependencies.params.update({param.name: param for param in options.params})
    for one in setups:
        tracer.set_up(one)
    for name, line in names.needs.items():
        optional = name in names.maybe or name in names.conditional
        tracer.need(
            name, NameUse(line, cell, "the cell", optional=optional, own=name in names.writes and optional)
        )
    for name in sorted(unpickled):
        if name not in names.writes:
            tracer.need(name, NameUse(1, cell, "a pickle that the step reads", optional=True, own=True))
    tracer.imports_inside(cell.tree, cell)
    tracer.kf_calls(cell.tree)
    found = tracer.dependencies
    found.sources.sort(key=lambda one: (one.cell.order, one.first))
    return found


class _Tracer:
    """Follow names to their definitions, as of ``before``."""

    def __init__(
        self,
        notebook: ExecutedNotebook,
        cell: Cell,
        options: Options,
        constants: Mapping[str, str],
        before: int | None,
    ) -> None:
        self.notebook = notebook
        self.cell = cell
        self.options = options
        self.constants = constants
        self.before = before
        self.captured = False
        self.keys: set[str] = set()  # of the set-up cells that come first
        self.seen: set[str] = set()
        self.kinds = DefinitionKinds(notebook)
        self.dependencies = Dependencies()

    def set_up(self, cell: Cell) -> None:
        """Add a set-up cell, with what it needs."""
        known = set(self.seen)
        names = read_names(cell.tree, self.notebook.star_names)
        for name, line in names.needs.items():
            optional = name in names.maybe or name in names.conditional
            self.need(name, NameUse(line, cell, f"set-up cell {cell}", optional=optional, own=optional))
        if self.dependencies.inputs:
            name, made = next(iter(self.dependencies.inputs.items()))
            raise CaptureError(
                f"set-up cell {cell} reads {name}, which component {made.cell.name} defines: a set-up cell runs before"
                " every step"
            )
        if self.dependencies.transforms:
            name = next(iter(self.dependencies.transforms))
            raise CaptureError(f"set-up cell {cell} reads {name}: a transform is used in a component")
        self.imports_inside(cell.tree, cell)
        self.dependencies.setups.append(SetupCell(cell, frozenset(self.seen - known)))
        self.keys.add(cell.key)

    def need(self, name: str, use: NameUse) -> None:
        """Find the definition of ``name``."""
        if name in self.seen:
            return
        self.seen.add(name)
        self.dependencies.reasons[name] = use.reason
        declared = next((param for param in self.options.params if param.name == name), None)
        if declared is not None:
            self.dependencies.params[name] = declared
            return
        if self._data(name, use):
            return
        definition = self._definition(name, use)
        if definition is None:
            self._undefined(name, use)
            return
        if definition.cell.key in self.keys and definition.sort is not DefinitionKind.DELETED:
            self.dependencies.given.add(name)
            return
        sort = self.kinds.of(definition)
        take = {
            DefinitionKind.IMPORT: self._import,
            DefinitionKind.SOURCE: self._source,
            DefinitionKind.LITERAL: self._constant,
            DefinitionKind.EXPRESSION: self._expression,
            DefinitionKind.PARAMETER: self._parameter,
            DefinitionKind.STEP: self._input,
            DefinitionKind.TRANSFORM: self._transform,
        }.get(sort)
        if sort is DefinitionKind.STEP and use.optional and not self._has_value(name):
            return
        if take is not None:
            self.dependencies.origins[name] = definition.cell
            take(definition)
        elif sort is DefinitionKind.LIVE:
            self._live(name, use, f"by cell {definition.cell}, which is not a component")
        elif not use.optional:
            message = f"{use.place}: {name} was deleted by cell {definition.cell}"
            raise CaptureError(message, code="not-defined", ref=str(use.place))

    def _data(self, name: str, use: NameUse) -> bool:
        """Whether the name is a version of a data set: then it is an input, and what chooses the version is needed."""
        found = next((one.data for one in self.options.data if one.name == name), None)
        if found is None:
            return False
        self.dependencies.inputs[name] = Definition(name, DefinitionKind.STEP, self.cell, 1, 1)
        if found.parameter:
            self.need(found.parameter, replace(use, reason=found.ref))
            if found.parameter not in self.dependencies.params:
                message = f"{found.ref}: {found.parameter} is not a parameter:"
                hint = f"declare it, --param {found.parameter}:int=1"
                raise CaptureError(message, code="not-defined", hint=hint, ref=found.ref)
        return True

    def _definition(self, name: str, use: NameUse) -> Definition | None:
        """The definition of the name before this component's: its own earlier runs do not count."""
        newest = self.notebook.definition(name, self.before)
        if newest is None or newest.cell.key != self.cell.key:
            return newest
        found = self.notebook.definition(name, self.before, but=self.cell.key)
        if found is None and not use.optional:
            message = f"{use.place}: {name} is not defined by any cell before {self.cell.name} itself"
            raise CaptureError(message, code="not-defined", ref=str(use.place))
        if (
            not use.optional
            and newest.sort is DefinitionKind.STEP
            and newest.cell.order not in self.cell.earlier
        ):
            self.dependencies.again[name] = use.place
        return found

    def _has_value(self, name: str) -> bool:
        """Whether a name defined by a step had a value when this component's cell ran."""
        captured = self.notebook.components.get(self.cell.name)
        if captured is not None and captured.cell.order == self.cell.order:
            return name in captured.inputs
        return name in self.notebook.namespace

    # -- the kinds of definitions -----------------------------------------------------------------------------

    def _input(self, definition: Definition) -> None:
        self.dependencies.inputs[definition.name] = definition

    def _transform(self, definition: Definition) -> None:
        captured = self.notebook.transform(definition)
        self.dependencies.transforms[definition.name] = captured
        self.dependencies.needed = {**captured.dependencies.needed, **self.dependencies.needed}

    def _parameter(self, definition: Definition) -> None:
        self.dependencies.params[definition.name] = self.notebook.parameters[definition.name]

    def _expression(self, definition: Definition) -> None:
        """Add a constant that is not a literal: its text is used if it still gives the value of the name."""
        if not self.captured and not self._is_as_defined(definition):
            raise CaptureError(
                f"{definition.cell.place(definition.first)}: {definition.name} has changed since this line defined it:",
                hint="run this cell again, or define it in a component",
                ref=str(definition.cell.place(definition.first)),
            )
        self._source(replace(definition, sort=DefinitionKind.EXPRESSION))

    def _is_as_defined(self, definition: Definition) -> bool:
        """Whether an expression, evaluated again, gives the value of its name."""
        space = dict(self.notebook.namespace)
        name, node = definition.name, definition.node
        if name not in space:
            return False
        try:
            exec(compile(ast.Module([node], []), "<constant>", "exec"), space)  # type: ignore[list-item]  # noqa: S102
        except Exception:  # a value in it has changed
            _logger.debug("The definition of %s cannot be evaluated again.", name, exc_info=True)
            return False
        was, now = examine(self.notebook.namespace[name]), examine(space[name])
        return was.digest is not None and was.digest == now.digest

    def _constant(self, definition: Definition) -> None:
        name = definition.name
        self.dependencies.constants[name] = self.constants.get(name) or self._literal(definition)

    def _literal(self, definition: Definition) -> str:
        """The value of a constant as it is now, as the source of a literal."""
        name, place = definition.name, definition.cell.place(definition.first)
        value = self.notebook.namespace.get(name)
        known = self.dependencies.constants
        twin = next(
            (one for one in known if is_mutable(value) and self.notebook.namespace[one] is value), None
        )
        if twin is not None:
            return twin  # two names for one object
        if not is_tree(value):
            raise CaptureError(
                f"{place}: {name} contains one object twice, which a constant cannot:",
                hint="define it in a component",
                ref=str(place),
            )
        try:
            same = name in self.notebook.namespace and ast.literal_eval(repr(value)) == value
        except (ValueError, SyntaxError):
            same = False
        if not same:
            raise CaptureError(f"{place}: {name} has changed since this line defined it", ref=str(place))
        return repr(value)

    def _source(self, definition: Definition) -> None:
        node = definition.node
        assert node is not None
        check_globals(node, definition.cell)
        self._check_defaults(definition)
        if not any(one.node is node for one in self.dependencies.sources):
            self.dependencies.sources.append(definition)
        self.kf_calls(node)
        self.imports_inside(node, definition.cell)
        names = definition.reads(self.notebook.star_names)
        outer = self.before
        if outer is not None and definition.cell.order >= outer:
            self.before = None  # an edited function counts as of now, and so does what it needs
        for name, line in names.needs.items():
            optional = name in names.maybe or name in names.conditional
            use = NameUse(
                line,
                definition.cell,
                definition.name,
                optional=optional,
                own=name in names.writes and optional,
            )
            self.need(name, use)
        self.before = outer

    def _check_defaults(self, definition: Definition) -> None:
        """Check that what a definition used when it ran (defaults, decorators, a class body) is the same in a step."""
        assert definition.node is not None
        at_once = read_names(ast.Module([definition.node], []), self.notebook.star_names).reads
        for name in at_once:
            then = self.notebook.definition_above(name, definition)
            now = self.notebook.definition(name, self.before)
            if (
                then is None
                or now is None
                or now.sort in (DefinitionKind.SOURCE, DefinitionKind.IMPORT)
                or _is_same(then, now)
            ):
                continue
            raise CaptureError(
                f"{definition.cell.place(definition.first)}: {definition.name} used {name} when it was defined, and"
                f" cell {now.cell} has assigned {name} since:",
                hint="run this cell again",
                ref=str(definition.cell.place(definition.first)),
            )

    def _import(self, definition: Definition) -> None:
        node, name = definition.node, definition.name
        assert isinstance(node, ast.Import | ast.ImportFrom)
        text, module = import_of(name, node, self.notebook.star_names)
        place = str(definition.cell.place(definition.first))
        self.dependencies.imports[name] = Import(name, text, module, place)
        self.module(module, place)
        if not isinstance(node, ast.Import) or text != f"import {module}":
            return
        for other in self.notebook.definitions(name, self.before):  # import a.b and import a.c bind one name
            for inner in submodules(name, other.node):
                self.dependencies.imports.setdefault(
                    f"{name}: {inner}", Import(name, f"import {inner}", inner, place)
                )
                self.dependencies.reasons[f"{name}: {inner}"] = self.dependencies.reasons[name]
                self.module(inner, place)
        self.dependencies.imports = {
            key: one for key, one in self.dependencies.imports.items() if key == name or one.text != text
        }

    # -- names without a definition in a cell -----------------------------------------------------------------

    def _undefined(self, name: str, use: NameUse) -> None:
        if name == "kf":
            check_kf(use)
            return  # ``kf_calls`` finds which of its functions are used
        if name in use.cell.code.modules:  # the translation of a !command uses it
            self.dependencies.imports[name] = Import(name, f"import {name}", name, use.place)
            return
        if name == "get_ipython":
            message = f"{use.place}: get_ipython() cannot be used in a step, which has no IPython"
            raise CaptureError(message, ref=str(use.place))
        declared = [one.param(name) for one in self.notebook.components.values() if one.param(name)]
        if declared and declared[-1] is not None:  # an earlier component's parameter is one of the pipeline
            self.dependencies.params[name] = declared[-1]
        elif is_builtin(name):  # also where IPython has replaced it (open, display)
            self.dependencies.provided.add(name)
        elif taken := [
            (one.name, one.data(name)) for one in self.notebook.components.values() if one.data(name)
        ]:
            maker, data = taken[-1]
            assert data is not None
            raise CaptureError(
                f"{use.place}: {name} is a data set of {maker} only:",
                code="not-defined",
                hint=f"declare it here too, --data {name}={data.data.ref}",
                ref=str(use.place),
            )
        elif name in self.notebook.namespace:
            self._live(name, use, "outside this notebook's cells")
        elif not use.optional:
            known = [*self.notebook.names(), *self.notebook.namespace]
            raise stayed(name, use, self.notebook.components.values()) or unknown_name(
                name, use, known, transform=self.cell.head == TRANSFORM
            )

    def _live(self, name: str, use: NameUse, maker: str) -> None:
        value = self.notebook.namespace.get(name)
        text, module = importable(name, value)
        if text:
            self.dependencies.imports[name] = Import(name, text, module, use.place)
            self.module(module, use.place)
        elif not use.own:
            raise live_object(name, use, maker, value, transform=self.cell.head == TRANSFORM)
        elif name in self.notebook.namespace and name.strip("_"):  # _ is a placeholder
            self.dependencies.notes.append(
                f"{name} is assumed to be defined by the component itself, not {maker}"
            )

    # -- modules ----------------------------------------------------------------------------------------------

    def imports_inside(self, tree: ast.AST, cell: Cell) -> None:
        """Add the modules that the code itself imports."""
        for module, node, tried in imported_modules(tree):
            if not tried or packages.is_installed(module):
                self.module(module, str(cell.place(node.lineno)))

    def module(self, module: str, place: str) -> None:
        """Record that ``module`` must be importable: beside the notebook, or from a package."""
        if module in self.dependencies.needed:
            return
        if not packages.is_local(module, self.notebook.folder):
            if not packages.is_standard(module):
                self.dependencies.needed[module] = place
            return
        files = modules.collect(module, self.notebook.folder)
        new = {name: source for name, source in files.items() if name not in self.dependencies.files}
        self.dependencies.files.update(new)
        for name, source in new.items():
            for inner in modules.imported(source, name):
                self.module(inner, name)

    def kf_calls(self, tree: ast.AST) -> None:
        """What of ``kf`` the code uses: it decides which artifacts the step has.

        Where ``kf`` itself is passed on, any of them may be used.
        """
        named = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "kf"]
        used = [
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "kf"
        ]
        known = {*KF_OUTPUTS, *KF_VALUES}
        self.dependencies.kf |= known if len(named) > len(used) else set(used) & known


def _is_same(one: Definition, two: Definition) -> bool:
    """Whether two definitions are the same statement, in one run of its cell or in two."""
    if one.cell.order == two.cell.order:
        return one.first == two.first
    return one.cell.key == two.cell.key
