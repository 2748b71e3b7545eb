"""Wiring: a pipeline's body, in which steps are called without their inputs, with every input filled in by name.

The body is KFP's DSL. A step's input that the call does not give comes from a name of the body itself (a loop's
item), else from the latest earlier step that writes that name, else it is a parameter of the pipeline. What steps of
a ``with`` block write is available only inside the block, as in KFP.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from kfnb.capture.cell import Cell
from kfnb.capture.component import Component
from kfnb.capture.dependencies import Dependencies
from kfnb.capture.embedded.reports import KF_OUTPUTS
from kfnb.capture.notebook import DeclaredParameter
from kfnb.capture.syntax import stored_names
from kfnb.entities import FILES, ImportedData
from kfnb.errors import PipelineError
from kfnb.pipeline.file_edges import WrittenFiles
from kfnb.pipeline.task_settings import option_statements


@dataclass(frozen=True)
class Producer:
    """The task that writes a name, in the variable ``task`` of the body."""

    component: Component
    task: str


@dataclass
class Wired:
    """A body with its inputs filled in.

    ``used_outputs`` are the outputs that each component must have, ``params`` the pipeline's parameters, ``results``
    the producers of ``--output`` names among top-level tasks. ``tasks`` maps each variable to its component, in order.
    ``earlier`` is the maximum number of tasks whose files each component gets, ``beside`` the files of the notebook's
    folder; ``data`` are the versions of data sets by the variables of their importers.
    """

    body: list[ast.stmt] = field(default_factory=list)
    used_outputs: dict[str, list[str]] = field(default_factory=dict)
    params: dict[str, DeclaredParameter] = field(default_factory=dict)
    tasks: dict[str, Component] = field(default_factory=dict)
    results: dict[str, Producer] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    earlier: dict[str, int] = field(default_factory=dict)
    beside: dict[str, set[str]] = field(default_factory=dict)
    data: dict[str, ImportedData] = field(default_factory=dict)


def wire(
    cell: Cell,
    components: Mapping[str, Component],
    dependencies: Mapping[str, Dependencies],
    params: Mapping[str, DeclaredParameter],
    constants: Mapping[str, str],
) -> Wired:
    """Fill in the inputs of the steps that the body of ``cell`` calls.

    ``components`` are all of the notebook, ``dependencies`` those of the components that the body calls; ``params`` are
    the pipeline's own declared parameters, ``constants`` the notebook's names that its body reads. Raises
    ``PipelineError`` with the line.
    """
    wiring = _Wiring(cell, components, dependencies, params, constants)
    wiring.result.body = wiring.block(copy.deepcopy(cell.tree.body))
    if not wiring.result.tasks:
        raise PipelineError(
            f"pipeline {cell.name} calls no component; components: {', '.join(components) or 'none yet'}"
        )
    wiring.find_used_outputs(wiring.result.body)
    return wiring.result


_CEL: dict[str, str | int | None] = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
"""Characters that are escaped in a text of CEL."""


class _Wiring:
    def __init__(
        self,
        cell: Cell,
        components: Mapping[str, Component],
        dependencies: Mapping[str, Dependencies],
        params: Mapping[str, DeclaredParameter],
        constants: Mapping[str, str],
    ) -> None:
        self.cell = cell
        self.constants = constants
        self.components = components
        self.dependencies = dependencies
        self.result = Wired(params=dict(params))
        self.declared = set(params)
        self.made: dict[str, Producer] = {}
        self.local: set[str] = set()
        self.closed: dict[str, Producer] = {}  # written in a block that has ended
        self.files = WrittenFiles(components)
        self.channels: set[str] = set()  # names of the body that refer to values of the run
        self.depth = 0

    def escape(self, node: ast.Compare) -> None:
        """Escape texts in conditions for CEL: KFP only puts quotes around them."""
        operands = [node.left, *node.comparators]
        if any(map(self.is_of_the_run, operands)):
            node.left, *node.comparators = [self.escaped(one) for one in operands]

    def escaped(self, node: ast.expr) -> ast.expr:
        text = ast.unparse(node)
        if isinstance(node, ast.Name) and node.id not in self.local:
            text = self.constants.get(node.id, text)
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            return node
        if not isinstance(value, str) or not set(value) & {*_CEL}:
            return node
        return ast.copy_location(ast.Constant(value.translate(str.maketrans(_CEL))), node)

    # -- statements -------------------------------------------------------------------------------------------

    def block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        return [new for statement in body for new in self.statement(statement)]

    def inner(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """The statements of a ``with`` or a loop: their producers are not available after it."""
        made, local, files = dict(self.made), set(self.local), self.files.copy()
        self.depth += 1
        wired = self.block(body)
        self.depth -= 1
        self.files.leave(files)
        self.closed |= {name: one for name, one in self.made.items() if made.get(name) != one}
        self.made, self.local = made, local
        return wired

    def statement(self, node: ast.stmt) -> Iterator[ast.stmt]:
        self.check_logic(node)
        if isinstance(node, ast.Expr) and (name := self.component_called(node.value)):
            yield from self.task(node.value, self.variable(name))  # type: ignore[arg-type]
        elif isinstance(node, ast.Assign) and self.component_called(node.value) and _one_name(node.targets):
            yield from self.task(node.value, _one_name(node.targets))  # type: ignore[arg-type]
        elif isinstance(node, ast.With | ast.For | ast.If | ast.While):
            yield from self.compound(node)
        else:
            yield from self.hoisted(node)
            self.local |= {
                n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
            }
            yield node

    def compound(self, node: ast.With | ast.For | ast.If | ast.While) -> Iterator[ast.stmt]:
        body, node.body = node.body, []
        otherwise: list[ast.stmt] = []
        if not isinstance(node, ast.With):
            otherwise, node.orelse = node.orelse, []
        yield from self.hoisted(node)
        outer = set(self.local)
        self.local |= {
            n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        }
        node.body = self.inner(body)
        if not isinstance(node, ast.With):
            node.orelse = self.inner(otherwise)
        self.local = outer
        yield node

    def hoisted(self, node: ast.stmt) -> Iterator[ast.stmt]:
        """Move calls of steps inside a statement to statements before it."""
        hoister = _Hoister(self)
        hoister.visit(node)
        yield from hoister.before

    def check_logic(self, node: ast.stmt) -> None:
        """Refuse Python conditions on values that are known only in the run: Python would evaluate them too early."""
        parts: list[ast.AST] = [node]
        while parts:
            part = parts.pop()
            if isinstance(part, ast.Compare):
                self.escape(part)
            decides = _decided_by(part)
            if any(self.is_of_the_run(one) for one in decides):
                raise self.error(
                    node,
                    f"`{ast.unparse(decides[0])}` is known only when the pipeline runs, but Python evaluates it now:"
                    " use dsl.If, one comparison each",
                )
            if isinstance(part, ast.Assign | ast.AugAssign | ast.AnnAssign) and part.value is not None:
                self.channels |= stored_names(part) if self.is_of_the_run(part.value) else set()
            if isinstance(part, ast.With):
                self.channels |= {
                    name
                    for item in part.items
                    if item.optional_vars
                    for name in stored_names(item.optional_vars)
                }
            inner = isinstance(part, ast.With | ast.For | ast.If | ast.While)
            parts += [
                child
                for child in ast.iter_child_nodes(part)
                if not (inner and isinstance(child, ast.stmt))  # a block's statements are visited separately
            ]

    def is_of_the_run(self, node: ast.AST) -> bool:
        """Whether an expression contains a task's output, a loop's item or a parameter."""
        known = {*self.result.tasks, *self.channels, *self.result.params}
        return any(
            (isinstance(part, ast.Name) and part.id in known) or bool(self.component_called(part))
            for part in ast.walk(node)
        )

    # -- a task -----------------------------------------------------------------------------------------------

    def component_called(self, node: ast.AST | None) -> str:
        """The name of the component that a node calls; empty for anything else."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in self.components:
            return "" if node.func.id in self.local else node.func.id
        return ""

    def variable(self, name: str) -> str:
        taken = {*self.result.tasks, *self.components, *self.local, *self.result.params}
        candidates = [f"{name}_task", *(f"{name}_task_{number}" for number in range(2, 1000))]
        return next(one for one in candidates if one not in taken)

    def task(self, call: ast.Call, variable: str) -> Iterator[ast.stmt]:
        assert isinstance(call.func, ast.Name)
        component = self.components[call.func.id]
        before: list[ast.stmt] = []
        for keyword in call.keywords:
            hoister = _Hoister(self)
            keyword.value = hoister.visit(keyword.value)
            before += hoister.before
        yield from before
        self.check_call(call, component)
        given = {keyword.arg for keyword in call.keywords}
        for name in self.inputs(component):
            if name not in given:
                call.keywords.append(ast.keyword(name, self.found(name, component, call)))
        self.give_files(call, component)
        self.files.write(component, variable)
        self.result.tasks[variable] = component
        self.made |= {name: Producer(component, variable) for name in component.outputs}
        if not self.depth:
            own = {name: Producer(component, variable) for name in component.options.outputs}
            self.result.results |= own
        yield ast.copy_location(ast.Assign([ast.Name(variable, ast.Store())], call, lineno=call.lineno), call)
        yield from option_statements(variable, component)

    def give_files(self, call: ast.Call, component: Component) -> None:
        """Pass a task the files of earlier tasks that it reads."""
        try:
            tasks, beside = self.files.read(component, self.dependencies[component.name].files)
        except PipelineError as error:
            raise self.error(call, str(error)) from None
        call.keywords += [
            ast.keyword(f"{FILES}_{number}", _output(task, FILES))
            for number, task in enumerate(tasks, start=1)
        ]
        known = self.result.earlier.get(component.name, 0)
        self.result.earlier[component.name] = max(known, len(tasks))
        self.result.beside.setdefault(component.name, set()).update(beside)

    def inputs(self, component: Component) -> list[str]:
        dependencies = self.dependencies[component.name]
        if component.function is not None:
            return [*component.inputs, *(param.name for param in component.options.params)]
        return [*dependencies.inputs, *dependencies.params]

    def check_call(self, call: ast.Call, component: Component) -> None:
        if call.args:
            raise self.error(call, f"pass inputs of {component.name} by name: {component.name}(name=value)")
        known = self.inputs(component)
        for keyword in call.keywords:
            if keyword.arg is not None and keyword.arg not in known:
                close = get_close_matches(keyword.arg, known, 1)
                hint = f"did you mean {close[0]}?" if close else f"inputs: {', '.join(known) or 'none'}"
                raise self.error(call, f"{component.name} has no input {keyword.arg}; {hint}")

    def found(self, name: str, component: Component, call: ast.Call) -> ast.expr:
        """The value of a step's input that its call does not give."""
        if name in self.local:
            return ast.Name(name, ast.Load())
        if (data := component.data(name)) is not None:
            return self.imported(data.data)
        made = self.made.get(name)
        param = self.parameter(name, component)
        if param is not None and (made is None or component.param(name)):
            self.add_parameter(param)
            return ast.Name(name, ast.Load())
        if made is not None:
            self.check_kind(name, component, made, call)
            self.note_difference(name, component, made)
            return _output(made.task, name)
        raise self.error(call, self.missing(name, component))

    def imported(self, data: ImportedData) -> ast.expr:
        """The output of the importer of a version of a data set, of which there is one for all steps that take it."""
        known = self.result.data
        variable = next((one for one, other in known.items() if other == data), f"kf_data_{len(known) + 1}")
        known[variable] = data
        return ast.Attribute(ast.Name(variable, ast.Load()), "output", ast.Load())

    def parameter(self, name: str, component: Component) -> DeclaredParameter | None:
        if name in self.declared:
            return self.result.params[name]
        return self.dependencies[component.name].params.get(name) or self.result.params.get(name)

    def add_parameter(self, param: DeclaredParameter) -> None:
        known = self.result.params.get(param.name)
        if known is None:
            self.result.params[param.name] = param
        elif known.type != param.type or (
            param.default not in (None, known.default) and known.default is not None
        ):
            raise PipelineError(
                f"pipeline {self.cell.name}: {param.name} is {known.type}={known.default!r} in {known.place} and"
                f" {param.type}={param.default!r} in {param.place}: declare a parameter in one way only"
            )

    def check_kind(self, name: str, component: Component, made: Producer, call: ast.Call) -> None:
        expected = component.inputs.get(name)
        is_kind = made.component.outputs[name].type
        if expected is not None and expected.kind.type != is_kind and component.function is None:
            raise self.error(
                call,
                f"{component.name} read {name} as {expected.kind.type} when its cell ran, but {made.component.name} now"
                f" writes {is_kind}: run cell {component.cell} again",
            )

    def note_difference(self, name: str, component: Component, made: Producer) -> None:
        """Note where the step gets another value than its cell read in the notebook."""
        read, maker = component.inputs.get(name), made.component
        if read is None or not read.producer:
            return  # a function component: its cell read nothing
        if read.producer != maker.name:
            self.result.notes.append(
                f"{component.name} read {name} from {read.producer} in this notebook, and gets it from {maker.name} in"
                " this pipeline"
            )
        elif maker.cell.order > read.producer_order:
            self.result.notes.append(
                f"{component.name} ran with {name} from an earlier run of {maker.name}, which ran again since: its"
                " results in this notebook are older than those of the pipeline"
            )

    def missing(self, name: str, component: Component) -> str:
        later = self.closed.get(name)
        if later is not None:
            return (
                f"{component.name} reads {name}, which {later.component.name} writes inside a block: outside of it, use"
                " dsl.OneOf or dsl.Collected"
            )
        makers = [
            one.name for one in self.components.values() if name in one.outputs and one is not component
        ]
        called = [maker for maker in makers if maker in called_components(self.cell.tree, self.components)]
        if called:
            needs = self.inputs(self.components[called[0]])
            mutual = [n for n in needs if n in component.outputs and n not in self.made]
            if mutual:
                return f"{component.name} and {called[0]} form a cycle ({name}, {mutual[0]})"
            return f"{component.name} reads {name}, which {called[0]} writes later: put {called[0]} before it"
        if makers:
            maker = makers[-1]
            return (
                f"{component.name} reads {name}, which {maker} writes: add {maker} to the pipeline, before it"
            )
        return f"{component.name} reads {name}, which no component writes"

    def error(self, node: ast.expr | ast.stmt, message: str) -> PipelineError:
        # kfnb writes the calls of a chain: there is no line of the user's to name
        where = str(self.cell.place(node.lineno)) if self.cell.number else f"pipeline {self.cell.name}"
        return PipelineError(f"{where}: {message}")

    # -- outputs ----------------------------------------------------------------------------------------------

    def find_used_outputs(self, body: Sequence[ast.stmt]) -> None:
        """Collect the outputs that the body takes from tasks, and check that they exist."""
        for node in (node for statement in body for node in ast.walk(statement)):
            taken = _taken(node)
            if taken is None or taken[0] not in self.result.tasks:
                continue
            component = self.result.tasks[taken[0]]
            logged = taken[1] in _LOGGED
            if taken[1] not in component.outputs and not logged:
                close = get_close_matches(taken[1], component.outputs, 1)
                hint = (
                    f"did you mean {close[0]}?"
                    if close
                    else f"outputs: {', '.join(component.outputs) or 'none'}"
                )
                raise self.error(node, f"{component.name} has no output {taken[1]}; {hint}")  # type: ignore[arg-type]
            used = self.result.used_outputs.setdefault(component.name, [])
            if taken[1] not in used and not logged:
                used.append(taken[1])


class _Hoister(ast.NodeTransformer):
    """Move each call of a step out of an expression into a separate statement before it."""

    def __init__(self, wiring: _Wiring) -> None:
        self.wiring = wiring
        self.before: list[ast.stmt] = []

    def visit_Call(self, node: ast.Call) -> ast.AST:
        name = self.wiring.component_called(node)
        if not name:
            return self.generic_visit(node)
        variable = self.wiring.variable(name)
        self.before += self.wiring.task(node, variable)
        return ast.Name(variable, ast.Load())

    def visit_ListComp(self, node: ast.expr) -> ast.AST:
        for inner in ast.walk(node):
            if name := self.wiring.component_called(inner):
                raise self.wiring.error(
                    node, f"call {name} in a separate statement: use dsl.ParallelFor for a loop of steps"
                )
        return node

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_Lambda = visit_ListComp


_LOGGED = {FILES, *(f"kf_{short}" for short, _ in KF_OUTPUTS.values())}
"""The outputs that a step has for the files that it writes and for what it logs through ``kf``."""


def _decided_by(node: ast.AST) -> list[ast.expr]:
    """The expressions whose truth value Python evaluates at ``node``."""
    if isinstance(node, ast.If | ast.While | ast.IfExp | ast.Assert):
        return [node.test]
    if isinstance(node, ast.BoolOp):
        return [node]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return [node]
    if isinstance(node, ast.Compare) and len(node.ops) > 1:
        return [node]
    return []


def _output(task: str, name: str) -> ast.expr:
    return ast.Subscript(
        ast.Attribute(ast.Name(task, ast.Load()), "outputs", ast.Load()), ast.Constant(name), ast.Load()
    )


def _taken(node: ast.AST) -> tuple[str, str] | None:
    """(task, name) of ``task.outputs["name"]``."""
    if not (isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute)):
        return None
    owner = node.value
    if (
        owner.attr != "outputs"
        or not isinstance(owner.value, ast.Name)
        or not isinstance(node.slice, ast.Constant)
    ):
        return None
    return owner.value.id, str(node.slice.value)


def _one_name(targets: Sequence[ast.expr]) -> str:
    return targets[0].id if len(targets) == 1 and isinstance(targets[0], ast.Name) else ""


def called_components(tree: ast.AST, components: Mapping[str, Component]) -> list[str]:
    """The components that a body mentions, in the order of its text."""
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id in components]
    nodes.sort(key=lambda node: (node.lineno, node.col_offset))
    return list(dict.fromkeys(node.id for node in nodes))


def given_by_name(tree: ast.AST, called: Sequence[str]) -> dict[str, set[str]]:
    """The inputs that a body itself passes to each of the components that it calls."""
    given: dict[str, set[str]] = {name: set() for name in called}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in given:
            given[node.func.id] |= {keyword.arg for keyword in node.keywords if keyword.arg is not None}
    return given
