"""A step: a component as one function of KFP's SDK, with the inputs and outputs that a pipeline gives it."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from kfnb.capture import requirements as packages
from kfnb.capture.body import INDENT, Body, all_names, body_of, indented
from kfnb.capture.component import Component
from kfnb.capture.definitions import Definition
from kfnb.capture.embedded import KF_OUTPUTS
from kfnb.capture.names import read_names
from kfnb.capture.notebook import Notebook, Parameter
from kfnb.capture.travel import Travel, trace
from kfnb.capture.values import Kind
from kfnb.errors import CaptureError
from kfnb.place import mark, mark_generated


@dataclass(frozen=True)
class Step:
    """One step of one pipeline, ready to be written as a program.

    ``inputs`` and ``outputs`` are by the names of the notebook; ``arguments`` gives the name of the function's
    argument for each input (another one where the step also writes that name as an artifact). ``text`` is the
    function's source without its decorator, ``helpers`` are the embedded functions that it calls.
    """

    component: Component
    travel: Travel
    inputs: Mapping[str, Kind]
    outputs: Mapping[str, Kind]
    params: Mapping[str, Parameter]
    arguments: Mapping[str, str]
    requirements: tuple[str, ...]
    helpers: tuple[str, ...]
    text: str

    @property
    def name(self) -> str:
        """The component's name, and the function's."""
        return self.component.name


def make_step(notebook: Notebook, component: Component, wanted: Collection[str]) -> Step:
    """The step of a component of which a pipeline wants the outputs ``wanted`` (beside those of ``--output``)."""
    travel = trace(
        notebook,
        component.cell,
        component.names,
        component.options,
        constants=component.constants,
        before=component.cell.order,
    )
    if component.function is not None:
        return _function_step(component, travel)
    outputs = _outputs(component, wanted)
    outputs |= {f"kf_{short}": Kind(kind) for short, kind in dict.fromkeys(KF_OUTPUTS[use] for use in travel.kf)}
    inputs = {name: one.kind for name, one in component.inputs.items() if name in travel.inputs}
    arguments = {name: _argument(name, inputs[name], outputs) for name in inputs}
    arguments |= {name: name for name in travel.params}
    loaders = [module for kind in (*inputs.values(), *outputs.values()) for module in kind.modules]
    loaders += [module for one in component.inputs.values() for module in one.modules]
    writer = _Writer(notebook, component, travel, inputs, outputs, arguments)
    return Step(
        component,
        travel,
        inputs,
        outputs,
        travel.params,
        arguments,
        tuple(packages.requirements(travel, component.options, loaders)),
        writer.helpers(),
        writer.function(),
    )


def _outputs(component: Component, wanted: Collection[str]) -> dict[str, Kind]:
    outputs = {}
    for name in dict.fromkeys([*component.options.outputs, *wanted]):
        if name in component.refusals:
            raise CaptureError(f"{name}, which cell {component.cell} makes: {component.refusals[name]}")
        if name not in component.outputs:
            raise CaptureError(f"cell {component.cell} had not assigned {name} when it ran, so its type is not known")
        outputs[name] = component.outputs[name]
    return outputs


def _argument(name: str, kind: Kind, outputs: Mapping[str, Kind]) -> str:
    """KFP passes output artifacts as arguments too: an input of the same name needs another one."""
    if name in outputs and not outputs[name].parameter:
        return f"{name}_in"
    return name


def _function_step(component: Component, travel: Travel) -> Step:
    function = component.function
    assert function is not None
    inputs = {name: one.kind for name, one in component.inputs.items()}
    params = {param.name: param for param in component.options.params}
    writer = _Writer(None, component, travel, {}, {}, {})
    return Step(
        component,
        travel,
        inputs,
        component.outputs,
        params,
        {name: name for name in [*inputs, *params]},
        tuple(packages.requirements(travel, component.options)),
        ("kfnb_modules",) if travel.files else (),
        writer.wrapped(function),
    )


class _Writer:
    """Writes the source of a step's function."""

    def __init__(
        self,
        notebook: Notebook | None,
        component: Component,
        travel: Travel,
        inputs: Mapping[str, Kind],
        outputs: Mapping[str, Kind],
        arguments: Mapping[str, str],
    ) -> None:
        self.component = component
        self.cell = component.cell
        self.travel = travel
        self.inputs = inputs
        self.outputs = outputs
        self.arguments = arguments
        self.star_names = notebook.star_names if notebook else (lambda _module: ())
        self.artifacts = [name for name, kind in outputs.items() if not kind.parameter]
        self.results = [name for name, kind in outputs.items() if kind.parameter]
        self.loaded = [name for name, kind in inputs.items() if not kind.parameter]

    def helpers(self) -> tuple[str, ...]:
        """The embedded functions that the source calls, in the order they must be defined."""
        saved = [name for name in self.artifacts if not name.startswith("kf_")]
        used = {
            "kfnb_formats": bool(self.loaded or saved),
            "kfnb_load": bool(self.loaded),
            "kfnb_save": bool(saved),
            "kfnb_value": bool(self.results),
            "kfnb_modules": bool(self.travel.files),
            "kfnb_kf": bool(self.travel.kf),
        }
        return tuple(name for name, needed in used.items() if needed)

    def function(self) -> str:
        """The whole function."""
        body = body_of(self.cell.code.text, self.star_names, self._used())
        early, late = self._sources()
        parts = [
            *self._prologue(),
            *early,
            *self._loading(),
            *late,
            *self._declarations(body),
            *self._cell(body),
            *self._epilogue(),
        ]
        return self._signature() + "\n" + "\n".join(parts) + "\n"

    def wrapped(self, function: ast.FunctionDef) -> str:
        """A function component's own function, with what it needs put at its top."""
        early, late = self._sources()
        before = [*self._prologue(), *early, *late]
        first = function.body[0]
        if ast.get_docstring(function) is not None and len(function.body) > 1:
            first = function.body[1]  # the docstring stays first: KFP makes the description of it
        header = self.cell.lines(function.lineno, first.lineno - 1)
        if first.lineno == function.lineno:  # def f(): return 1
            header, lines = ast.unparse(function).split(":\n", 1)[0] + ":", ast.unparse(function).split(":\n", 1)[1]
        else:
            lines = self.cell.lines(first.lineno, function.end_lineno or first.lineno)
        place = INDENT + mark(self.cell.place(first.lineno))
        return "\n".join([header, *before, place, lines, ""])

    # -- the signature ----------------------------------------------------------------------------------------

    def _signature(self) -> str:
        required, optional = [], []
        for name, kind in self.inputs.items():
            annotation = kind.type if kind.parameter else f"Input[{kind.type}]"
            required.append(f"{self.arguments[name]}: {annotation}")
        for param in self.travel.params.values():
            if param.default is None:
                required.append(f"{param.name}: {param.type}")
            else:
                optional.append(f"{param.name}: {param.type} = {param.default!r}")
        required += [f"{name}: Output[{self.outputs[name].type}]" for name in self.artifacts]
        lines = "".join(f"{INDENT}{argument},\n" for argument in [*required, *optional])
        return f"def {self.component.name}(\n{lines}){self._returns()}:" if lines else self._bare()

    def _bare(self) -> str:
        return f"def {self.component.name}(){self._returns()}:"

    def _returns(self) -> str:
        fields = ", ".join(f'("{name}", {self.outputs[name].type})' for name in self.results)
        return f' -> NamedTuple("Outputs", [{fields}])' if fields else ""

    # -- the parts of the body --------------------------------------------------------------------------------

    def _prologue(self) -> list[str]:
        travel, lines = self.travel, []
        if travel.files:
            files = "".join(f"{INDENT * 2}{name!r}: {source!r},\n" for name, source in travel.files.items())
            lines += [f"kfnb_modules({{\n{files}{INDENT}}})"]
        lines += sorted({one.text for one in travel.imports.values()})
        lines += ['__name__ = "__main__"'] if "__name__" in travel.provided else []
        lines += ["display = print"] if "display" in travel.provided else []
        lines += [f"{name} = {value}" for name, value in travel.constants.items()]
        if not lines:
            return []
        return [INDENT + mark_generated("what the cell takes from the notebook"), *(INDENT + line for line in lines)]

    def _sources(self) -> tuple[list[str], list[str]]:
        """Functions and classes of the notebook: those before the inputs, and those that need them to be defined."""
        early: list[str] = []
        late: list[str] = []
        for source in self.travel.sources:
            assert source.node is not None
            at_once = read_names(ast.Module([source.node], []), self.star_names).reads
            (late if set(at_once) & set(self.inputs) else early).extend(self._source(source))
        return early, late

    def _source(self, source: Definition) -> list[str]:
        body = body_of(source.text, self.star_names, self._used())
        declared = [f"{INDENT}{name}: Any" for name in sorted(body.declared - self._bound())]
        return [*declared, INDENT + mark(source.cell.place(source.first)), indented(body.text)]

    def _loading(self) -> list[str]:
        classes = [s.name for s in self.travel.sources if isinstance(s.node, ast.ClassDef)]
        known = ", {" + ", ".join(f'"{name}": {name}' for name in classes) + "}" if classes else ""
        lines = []
        if self.artifacts:
            lines.append("kfnb_out = {" + ", ".join(f'"{name}": {name}' for name in self.artifacts) + "}")
        lines += [f"{name} = kfnb_load({self.arguments[name]}{known})" for name in self.loaded]
        if self.travel.kf:
            short = sorted({KF_OUTPUTS[use][0] for use in self.travel.kf})
            lines.append("kf = kfnb_kf(" + ", ".join(f'{name}=kfnb_out["kf_{name}"]' for name in short) + ")")
        return [INDENT + mark_generated("inputs"), *(INDENT + line for line in lines)] if lines else []

    def _declarations(self, body: Body) -> list[str]:
        """Names that only functions of the cell assign (through ``global``) must belong to the step's function."""
        names = set(body.declared) - self._bound()
        if body.awaits:
            names |= set(self.component.names.writes) - set(self.inputs) - set(self.travel.params)
        return [f"{INDENT}{name}: Any" for name in sorted(names)]

    def _cell(self, body: Body) -> list[str]:
        first, text = _trimmed(body.text)
        place = mark(self.cell.place(first))
        if not body.awaits:
            return [INDENT + place, indented(text)]
        own = sorted({*self.component.names.writes, *body.declared})
        outer = [f"{INDENT * 2}nonlocal {', '.join(own)}"] if own else []
        return [
            f"{INDENT}import asyncio",
            f"{INDENT}async def kfnb_cell():",
            *outer,
            INDENT * 2 + place,
            indented(text, INDENT * 2),
            INDENT + mark_generated("the cell awaits"),
            f"{INDENT}asyncio.run(kfnb_cell())",
        ]

    def _epilogue(self) -> list[str]:
        lines = [f'kfnb_save({name}, kfnb_out["{name}"])' for name in self.artifacts if not name.startswith("kf_")]
        if self.results:
            values = ", ".join(f'kfnb_value({name}, {self.outputs[name].type}, "{name}")' for name in self.results)
            lines.append(f"return ({values},)")
        return [INDENT + mark_generated("outputs"), *(INDENT + line for line in lines)] if lines else []

    # -- names ------------------------------------------------------------------------------------------------

    def _used(self) -> set[str]:
        nodes = [source.node for source in self.travel.sources if source.node is not None]
        return set().union(all_names(self.cell.tree), self.outputs, *(all_names(node) for node in nodes))

    def _bound(self) -> set[str]:
        """Names that the step's function binds by itself."""
        return {
            *self.component.names.writes,
            *self.inputs,
            *self.travel.params,
            *self.travel.constants,
            *self.travel.imports,
            *(source.name for source in self.travel.sources),
        } - self._only_global()

    def _only_global(self) -> set[str]:
        """Names written only inside functions: no statement of the cell's own level binds them."""
        own = {
            node.id
            for statement in self.cell.tree.body
            if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            for node in ast.walk(statement)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        given = {*self.inputs, *self.travel.params, *self.travel.constants, *self.travel.imports}
        written = {n for n in self.component.names.writes if n not in own and n not in given}
        defined = {
            getattr(s, "name", "") for s in self.cell.tree.body
        } | {source.name for source in self.travel.sources}
        imported = {
            alias.asname or alias.name.split(".")[0]
            for s in ast.walk(self.cell.tree)
            if isinstance(s, ast.Import | ast.ImportFrom)
            for alias in s.names
        }
        return written - defined - imported


def _trimmed(text: str) -> tuple[int, str]:
    """The text without empty lines around it, and the number of its first line."""
    lines = text.split("\n")
    first = next(index for index, line in enumerate(lines) if line.strip())
    return first + 1, "\n".join(lines[first:]).rstrip()
