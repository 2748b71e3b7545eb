"""The source of a step's function: the cell's text, between its dependencies and the code for its outputs."""

from __future__ import annotations

import ast
import builtins
import textwrap
from collections.abc import Collection, Iterable, Mapping, Sequence

from kfnb.capture.body import INDENT, Body, body_of, exact, indented, literal, trimmed
from kfnb.capture.cell import Cell
from kfnb.capture.component import Component
from kfnb.capture.definition_order import in_order
from kfnb.capture.definitions import Definition, definitions_of
from kfnb.capture.dependencies import Dependencies
from kfnb.capture.embedded.data import FRAMES, PATH
from kfnb.capture.embedded.reports import KF_MAKERS, KF_OUTPUTS
from kfnb.capture.embedded.training import KF_VALUES
from kfnb.capture.names import read_names
from kfnb.capture.notebook import ExecutedNotebook
from kfnb.capture.syntax import all_names
from kfnb.capture.training import names_to_keep
from kfnb.capture.values import ValueKind
from kfnb.capture.variables import NO_VARIABLES, Variables
from kfnb.entities import FILES, NAMES
from kfnb.pipeline.files import NO_FILES, StepFiles
from kfnb.pipeline.training_code import TrainingCode
from kfnb.sourcemap import mark, mark_generated
from kfnb.text.variables import COMPUTES_NAMES, defaults_comment, reads_comment


def logs_of(dependencies: Dependencies) -> dict[str, tuple[str, str]]:
    """The functions of ``kf`` that the step uses -> (the output that the function writes to, its KFP type)."""
    return {
        short: (f"kf_{short}", kind)
        for short, kind in (KF_OUTPUTS[use] for use in sorted(dependencies.kf & KF_OUTPUTS.keys()))
    }


class StepWriter:
    """Write the source of a step's function."""

    def __init__(
        self,
        notebook: ExecutedNotebook | None,
        component: Component,
        dependencies: Dependencies,
        inputs: Mapping[str, ValueKind],
        outputs: Mapping[str, ValueKind],
        arguments: Mapping[str, str],
        files: StepFiles = NO_FILES,
        variables: Variables = NO_VARIABLES,
    ) -> None:
        self.component = component
        self.kept = names_to_keep(component) if NAMES in outputs else None
        self.files = files
        self.variables = variables
        self.cell = component.cell
        self.dependencies = dependencies
        self.inputs = inputs
        self.outputs = outputs
        self.arguments = arguments
        self.star_names = notebook.star_names if notebook else (lambda _module: ())
        self.logs = logs_of(dependencies)
        used = dependencies.kf & KF_OUTPUTS.keys()
        self.uses = sorted(used | ({"log_metrics"} if "report" in used else set()))
        self.plain = [KF_VALUES[use] for use in sorted(dependencies.kf & KF_VALUES.keys())]
        written = {FILES, NAMES, *(name for name, _ in self.logs.values())}
        self.artifacts = [name for name, kind in outputs.items() if not kind.parameter]
        self.saved = [name for name in self.artifacts if name not in written]
        self.results = [name for name, kind in outputs.items() if kind.parameter]
        self.loaded = [name for name, kind in inputs.items() if not kind.parameter]
        self.restored = {name: kind.restore for name, kind in inputs.items() if kind.restore}
        trees = [
            component.cell.tree,
            *(source.node for source in dependencies.sources if source.node is not None),
        ]
        self.by_step = "report" in dependencies.kf or _logs_by_step(trees)
        self.training = TrainingCode.of(component, dependencies, trees)
        self.local = {*arguments.values(), *self.artifacts, *files.arguments}
        self.restored |= {name: "float" for name, one in dependencies.params.items() if one.type == "float"}

    def helpers(self) -> tuple[str, ...]:
        """The embedded functions that the source calls."""
        used = {
            "kfnb_load": any(self._loader(name) == "kfnb_load" for name in self.loaded),
            "kfnb_load_transform": any(self._loader(name) == "kfnb_load_transform" for name in self.loaded),
            "kfnb_Transform": bool(self.dependencies.transforms),
            "kfnb_keep_transform": self._keeps_transform(),
            "kfnb_data": any(self._loader(name) == "kfnb_data" for name in self.loaded),
            "kfnb_save": bool(self.saved),
            "kfnb_value": bool(self.results),
            "kfnb_floats": any("kfnb_floats" in one for one in self.restored.values()),
            "kfnb_modules": bool(self.dependencies.files),
            "kfnb_files_in": bool(self.files),
            "kfnb_files_out": bool(self.files),
            "kfnb_start": any(self.files.starting()),
            "kfnb_temporary": self.files.temporary,
            "kfnb_moved": bool(self.files.placed),
            "kfnb_attempts": bool(self.component.options.retries),
            "kfnb_seed": self.component.options.seed is not None,
            "kfnb_main": self._is_main(),
            "kfnb_kf": bool(self.logs or self.plain),
            "kfnb_keep": self.kept is not None,
            "kfnb_curves": "log_metrics" in self.uses and self.by_step,
        }
        writers = {self.outputs[name].writer for name in self.saved} - {""}
        makers = {KF_MAKERS[use] for use in self.uses}
        more = {one.partition("(")[0] for one in self.plain} | set(self.training.helpers(self.uses))
        return (*(name for name, needed in used.items() if needed), *sorted(writers | makers | more))

    def _is_main(self) -> bool:
        """Whether the step must be ``__main__``, as the notebook is: it has functions or classes."""
        trees = [self.cell.tree, *(one.cell.tree for one in self.dependencies.setups)]
        inside = {type(node) for tree in trees for node in ast.walk(tree)}
        own = inside & {ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda}
        if self.component.function is not None:
            own.clear()  # the component's function itself
        named = self.component.unpickled or "__name__" in self.dependencies.provided
        return bool(own or self.dependencies.sources or named)

    def function(self) -> str:
        """The whole function."""
        body = body_of(self.cell.code.text, self.star_names, self._used(), self.local)
        dependency_lines, late = self._dependency_lines()
        parts = [
            *self._globals(),
            *self._beginning(self.artifacts, dependency_lines),
            *dependency_lines,
            *self._transforms(),
            *self._loading(),
            *late,
            *(INDENT + line for line in self.files.starting()),
            *self._cell(body),
            *self._epilogue(),
        ]
        return self._signature() + "\n" + "\n".join(parts) + "\n"

    def wrapped(self, function: ast.FunctionDef) -> str:
        """The function of a function component, with its dependencies at its top."""
        early, late = self._dependency_lines()
        arguments = [argument.arg for argument in function.args.args]
        written = [name for name in arguments if name in self.component.outputs]
        dependency_lines = [*early, *late]
        beginning = self._beginning(written, dependency_lines)
        needs = "\n".join([*beginning, *dependency_lines, *self._transforms()])
        first = function.body[0]
        if ast.get_docstring(function) is not None and len(function.body) > 1:
            first = function.body[1]  # the docstring stays first: KFP takes the description from it
        lines = exact(self.cell.code.text).split("\n")
        start = lines[first.lineno - 1]
        by = start[: len(start) - len(start.lstrip())]
        if not by or ";" in "".join(lines[function.body[0].lineno - 1 : first.lineno]):  # def f(): return 1
            header, body = ast.unparse(function).split(":\n", 1)
            return "\n".join([f"{header}:", needs, INDENT + mark(self.cell.place(first.lineno)), body, ""])
        header = "\n".join(lines[function.lineno - 1 : first.lineno - 1])
        body = "\n".join(lines[first.lineno - 1 : function.end_lineno])
        needs = indented(textwrap.dedent(needs), by) if needs and by != INDENT else needs
        return "\n".join(
            [header, *([needs] if needs else []), by + mark(self.cell.place(first.lineno)), body, ""]
        )

    # -- the signature ----------------------------------------------------------------------------------------

    def _signature(self) -> str:
        required, optional = [], []
        for name, kind in self.inputs.items():
            annotation = kind.type if kind.parameter else f"Input[{kind.type}]"
            required.append(f"{self.arguments[name]}: {annotation}")
        for param in self.dependencies.params.values():
            if param.default is None:
                required.append(f"{self.arguments[param.name]}: {param.type}")
            else:
                optional.append(f"{self.arguments[param.name]}: {param.type} = {param.default!r}")
        required += [f"{name}: Output[{self.outputs[name].type}]" for name in self.artifacts]
        optional += [f"{name}: Input[Artifact] = None" for name in self.files.arguments]
        lines = "".join(f"{INDENT}{argument},\n" for argument in [*required, *optional])
        return f"def {self.component.name}(\n{lines}){self._returns()}:" if lines else self._bare()

    def _bare(self) -> str:
        return f"def {self.component.name}(){self._returns()}:"

    def _returns(self) -> str:
        fields = ", ".join(f'("{name}", {self.outputs[name].annotation})' for name in self.results)
        return f' -> NamedTuple("Outputs", [{fields}])' if fields else ""

    # -- the parts of the body --------------------------------------------------------------------------------

    def _globals(self, by: str = INDENT) -> list[str]:
        """The names that are global in the step as in the notebook: all except the function's arguments.

        So classes and functions can be pickled by name.
        """
        dependencies = self.dependencies
        names = {*self._own(), *dependencies.constants, *(one.name for one in dependencies.imports.values())}
        names |= {*dependencies.transforms}
        trees = [ast.Module([source.node], []) for source in dependencies.sources if source.node is not None]
        for tree in (*trees, *(one.cell.tree for one in dependencies.setups)):
            names |= set(read_names(tree, self.star_names).writes)
        names -= self.local
        if not names:
            return []
        wide = textwrap.wrap(", ".join(sorted(names)), 100, break_long_words=False)
        return [
            by + mark_generated("global, as in the notebook"),
            *(f"{by}global {one.rstrip(',')}" for one in wide),
        ]

    def _beginning(self, written: list[str], dependency_lines: list[str]) -> list[str]:
        """The first statements of a step; its arguments ``written`` are artifacts, or paths, that it writes.

        ``dependency_lines`` are the lines that follow, up to the cell and its inputs.
        """
        lines = ["kfnb_unpack()"] if self.helpers() else []
        if self.component.options.retries:
            lines.append(f"kfnb_attempts({self.component.options.retries}, [{', '.join(written)}])")
        lines += self.training.launching(written)
        if self.artifacts:  # before a constant may replace an argument of its name
            lines.append("kfnb_out = {" + ", ".join(f'"{name}": {name}' for name in self.artifacts) + "}")
        lines += self.files.entering()
        lines += self.training.joining()
        if (
            self.component.options.seed is not None
        ):  # after what forks, as each process seeds its own generators
            lines.append(f"kfnb_seed({self.component.options.seed})")
        if self._is_main():  # last, as a worker process runs what follows
            lines.append(f'kfnb_main("{self.component.name}", {_count(dependency_lines)})')
        if lines:
            lines.insert(0, mark_generated("its own code"))
        if self.variables.computed and self.arguments:
            lines.insert(0, COMPUTES_NAMES)
        comments = (reads_comment(self.variables.names), defaults_comment(self.variables.defaulted))
        lines[:0] = [*self.training.comment(), *filter(None, comments)]
        return [INDENT + line for line in lines]

    def _dependency_lines(self) -> tuple[list[str], list[str]]:
        """The dependencies from the notebook: those before the inputs, and the functions and classes that need inputs.

        Each set-up cell follows its own dependencies, and precedes those of the cell itself.
        """
        lines = self._modules()
        early, late = self._sources()
        done: set[str] = set()
        for one in self.dependencies.setups:
            lines += [*self._prologue(one.needs - done), *self._texts(early, one.needs - done)]
            lines += self._set_up(one.cell)
            done |= one.needs
        rest = {*self.dependencies.reasons, *self.dependencies.imports, *self.dependencies.provided} - done
        lines += [*self._prologue(rest), *self._shadowed(), *self._texts(early, rest)]
        return lines, [line for source in late for line in self._source(source)]

    def _texts(self, sources: Iterable[Definition], names: Collection[str]) -> list[str]:
        return [line for source in sources if source.name in names for line in self._source(source)]

    def _modules(self) -> list[str]:
        """The notebook's own modules."""
        if not self.dependencies.files:
            return []
        files = "".join(
            f"{INDENT * 2}{name!r}: {source!r},\n" for name, source in self.dependencies.files.items()
        )
        return [
            INDENT + mark_generated("modules of the notebook's own"),
            f"{INDENT}kfnb_modules({{\n{files}{INDENT}}}{', kfnb_before' if self.files else ''})",
        ]

    def _set_up(self, cell: Cell) -> list[str]:
        """The text of a set-up cell."""
        body = body_of(cell.code.text, self.star_names, self._used(), self.local)
        first, text = trimmed(body.text)
        return [INDENT + mark(cell.place(first)), indented(text)]

    def _prologue(self, names: Collection[str]) -> list[str]:
        """Those of ``names`` that are imports and constants."""
        dependencies = self.dependencies
        lines = sorted({one.text for key, one in dependencies.imports.items() if {key, one.name} & {*names}})
        lines += ["display = print"] if "display" in dependencies.provided & {*names} else []
        for name, value in dependencies.constants.items():
            lines += [f"{name} = {value}", *self.files.moving_in([name])] if name in names else []
        if not lines:
            return []
        return [
            INDENT + mark_generated("what the cell takes from the notebook"),
            *(INDENT + line for line in lines),
        ]

    def _shadowed(self) -> list[str]:
        """Built-ins that the cell replaces: they would be local names without a value."""
        rebound = {*self.component.names.writes, *self.component.names.deletes}
        names = sorted(name for name in rebound & self.dependencies.provided if hasattr(builtins, name))
        if not names:
            return []
        return [
            INDENT + mark_generated("built-ins"),
            *(f"{INDENT}from builtins import {name}" for name in names),
        ]

    def _sources(self) -> tuple[list[Definition], list[Definition]]:
        """Functions and classes of the notebook: those before the inputs, and those that need them to be defined."""
        early: list[Definition] = []
        late: list[Definition] = []
        waiting = {*self.inputs, *self.arguments, *self.dependencies.transforms}
        for source, at_once in in_order(self.dependencies.sources, self.star_names):
            if waiting & at_once:
                waiting.add(source.name)
            (late if source.name in waiting else early).append(source)
        return early, late

    def _source(self, source: Definition) -> list[str]:
        body = body_of(source.text, self.star_names, self._used(), self.local)
        moved = [INDENT + line for line in self.files.moving_in([source.name])]
        return [INDENT + mark(source.cell.place(source.first)), indented(body.text), *moved]

    def _classes(self, *, own: bool) -> str:
        """The notebook's classes and functions in a step, as the source of a dict; with ``own``, its own too."""
        names = {source.name for source in self.dependencies.sources if _is_pickled_by_name(source)}
        if own:
            names |= {d.name for d in definitions_of(self.cell, self.star_names) if _is_pickled_by_name(d)}
            names -= set(self.component.names.deletes)
        return "{" + ", ".join(f'"{name}": {name}' for name in sorted(names)) + "}"

    def _loading(self) -> list[str]:
        lines = [f"{name} = {other}" for name, other in self.arguments.items() if name != other]
        for name in self.loaded:
            load = self._loader(name)
            classes = "" if load == "kfnb_load_transform" else f", {self._classes(own=False)}"
            lines.append(f"{name} = {load}({name}{classes})")
        lines += ["import numpy"] if any(one.startswith("numpy.") for one in self.restored.values()) else []
        lines += [f"{name} = {one}({name})" for name, one in self.restored.items()]
        lines += self.files.moving_in(self.inputs)
        if self.logs or self.plain:
            made = [self._making(use) for use in self.uses if use != "report"]
            made += [f"{use}={KF_VALUES[use]}" for use in sorted(self.dependencies.kf & KF_VALUES.keys())]
            lines.append(f"kf = kfnb_kf({', '.join(made)})")
        lines += ["kf.report = kfnb_report(kf.log_metrics)"] if "report" in self.uses else []
        return [INDENT + mark_generated("inputs"), *(INDENT + line for line in lines)] if lines else []

    def _loader(self, name: str) -> str:
        """The function that loads an input: of a version of a data set, it may be more than one table or array."""
        data = self.component.data(name)
        if data is not None and data.data.format.startswith((PATH, FRAMES)):
            return "kfnb_data"
        return "kfnb_load_transform" if self.inputs[name].writer == "kfnb_write_transform" else "kfnb_load"

    def _keeps_transform(self) -> bool:
        """Whether ``kf.save`` may be given a transform."""
        taken = {kind.writer for kind in self.inputs.values()}
        return "save" in self.uses and bool(self.dependencies.transforms or "kfnb_write_transform" in taken)

    def _transforms(self) -> list[str]:
        """The transforms that this step has unfitted."""
        lines = []
        for one in self.dependencies.transforms.values():
            made = f'{one.name} = kfnb_Transform("{one.name}", {literal(one.code)}'
            made += f", {one.dependencies.files!r}, {one.packages!r})"
            lines += [INDENT + mark_generated(f"the transform {one.name}"), INDENT + made]
        return lines

    def _making(self, use: str) -> str:
        """The call that creates a function of ``kf``."""
        output = f'kfnb_out["{self.logs[KF_OUTPUTS[use][0]][0]}"]'
        more = f", kfnb_curves({output})" if use == "log_metrics" and self.by_step else ""
        more = ", kfnb_keep_transform" if use == "save" and self._keeps_transform() else more
        return f"{use}={self.training.wrapped(use, f'{KF_MAKERS[use]}({output}{more})')}"

    def _own(self) -> set[str]:
        """The names that the cell binds or unbinds."""
        return {*self.component.names.writes, *self.component.names.deletes}

    def _cell(self, body: Body) -> list[str]:
        first, text = trimmed(body.text)
        place = mark(self.cell.place(first))
        if not body.awaits:
            return [INDENT + place, indented(text)]
        own = sorted(self._own() & self.local)
        return [
            f"{INDENT}import asyncio",
            f"{INDENT}async def kfnb_cell():",
            *([f"{INDENT * 2}nonlocal {', '.join(own)}"] if own else []),
            *self._globals(INDENT * 2),
            INDENT * 2 + place,
            indented(text, INDENT * 2),
            INDENT + mark_generated("the cell awaits"),
            f"{INDENT}asyncio.run(kfnb_cell())",
        ]

    def _epilogue(self) -> list[str]:
        classes = self._classes(own=True)
        lines = self.training.leaving(self.uses)
        lines += [*self.files.leaving(), *(self._saving(name, classes) for name in self.saved)]
        if self.kept is not None:
            names = "{**globals(), **locals()}"
            lines.append(f'kfnb_keep({self.kept!r}, {names}, kfnb_out["{NAMES}"], {classes})')
        lines += self.training.ending(self.results)
        if self.results:
            values = ", ".join(
                f'kfnb_value({self.files.moved_out(name)}, {self.outputs[name].type}, "{name}")'
                for name in self.results
            )
            lines.append(f"return ({values},)")
        return [INDENT + mark_generated("outputs"), *(INDENT + line for line in lines)] if lines else []

    def _saving(self, name: str, classes: str) -> str:
        writer, value = self.outputs[name].writer, self.files.moved_out(name)
        return f'kfnb_save({value}, kfnb_out["{name}"], {classes}{", " + writer if writer else ""})'

    def _used(self) -> set[str]:
        """All names that may be needed from an ``import *``."""
        nodes: list[ast.AST] = [
            source.node for source in self.dependencies.sources if source.node is not None
        ]
        nodes += [one.cell.tree for one in self.dependencies.setups]
        return set().union(all_names(self.cell.tree), self.outputs, *(all_names(node) for node in nodes))


def _is_pickled_by_name(definition: Definition) -> bool:
    """Whether plain pickle stores the defined object by name: a class, or a function defined by ``def``."""
    node = definition.node
    return definition.makes_type or (isinstance(node, ast.FunctionDef) and not node.decorator_list)


def _count(lines: Sequence[str]) -> int:
    """The number of statements in the indented lines."""
    return len(ast.parse("\n".join(["if True:", *lines, f"{INDENT}pass"])).body[0].body) - 1  # type: ignore[attr-defined]


def _logs_by_step(trees: Iterable[ast.AST]) -> bool:
    """Whether code may log with a step: it passes ``step``, unpacks arguments, or passes ``kf`` on."""
    nodes = [node for tree in trees for node in ast.walk(tree)]
    named = [node for node in nodes if isinstance(node, ast.Name) and node.id == "kf"]
    plain = [
        node
        for node in nodes
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "kf"
        and not {"step", None} & {keyword.arg for keyword in node.keywords}
    ]
    return len(named) > len(plain)
