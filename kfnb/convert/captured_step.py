"""A step that kfnb wrote, taken apart into the cells that it came from."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from kfnb.capture.body import indented, outdented
from kfnb.capture.component import component_function
from kfnb.convert.executor_source import FunctionSource
from kfnb.errors import PipelineError
from kfnb.sourcemap import MarkedSection, sections

_LABEL = re.compile(r"(?:(?P<name>\w+) )?\[(?P<number>\d+)\]")
_MODULES, _TAKEN, _INPUTS = "modules of the notebook's own", "what the cell takes from the notebook", "inputs"


@dataclass(frozen=True, order=True)
class CellText:
    """Lines of a cell: its ``number`` in the notebook, the line that they begin at, and the component it is of."""

    number: int
    line: int
    text: str
    component: str = ""


@dataclass(frozen=True)
class CapturedStep:
    """A function in which kfnb put the cells of a component."""

    source: FunctionSource

    @cached_property
    def sections(self) -> list[MarkedSection]:
        """The marked parts of the function."""
        return sections(outdented(self.source.text))

    @property
    def is_captured(self) -> bool:
        """Whether kfnb wrote the function, and so has its cells."""
        return any(one.component == self.source.name for one in self.cells)

    @property
    def is_function(self) -> bool:
        """Whether its cell holds the function itself, as KFP has it, not code that kfnb put into one."""
        if component_function(ast.parse(self.source.text)) is None:
            return False
        titles = {one.title for one in self.sections}
        return not titles & {_INPUTS, "outputs", "global, as in the notebook"}

    @cached_property
    def cells(self) -> list[CellText]:
        """The lines of cells in it."""
        found = []
        for one in self.sections:
            label = _LABEL.fullmatch(one.place.cell) if one.place else None
            if one.place and label:
                found.append(CellText(int(label["number"]), one.place.line, one.text, label["name"] or ""))
        return found

    def parts(self) -> list[str]:
        """The texts of the component's own cells."""
        own = [one.text for one in self.cells if one.component == self.source.name]
        if not self.is_function:
            return [text.strip("\n") for text in own]
        head = self.source.text.split("\n# cell ")[0].partition("\n    # ")[0]
        return [f"{head}\n{indented(own[0])}"]

    @property
    def number(self) -> int:
        """The number of its first cell."""
        return min(one.number for one in self.cells if one.component == self.source.name)

    def taken(self) -> Iterator[str]:
        """The imports and the constants that it takes from the notebook, a statement each."""
        for one in self.sections:
            if one.title == _TAKEN:
                statements = map(ast.unparse, ast.parse(one.text).body)
                yield from (text for text in statements if "kfnb_" not in text and text != "display = print")

    def modules(self) -> dict[str, str]:
        """The modules beside the notebook: their files and texts."""
        texts = [one.text for one in self.sections if one.title == _MODULES]
        calls = [node for text in texts for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
        found: dict[str, str] = {}
        for call in calls:
            found |= ast.literal_eval(call.args[0])
        return found

    def names(self) -> dict[str, str]:
        """The notebook's names of the function's arguments, where they differ."""
        texts = [one.text for one in self.sections if one.title == _INPUTS]
        nodes = [node for text in texts for node in ast.parse(text).body]
        return {
            node.value.id: node.targets[0].id
            for node in nodes
            if isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Name)
            and isinstance(node.targets[0], ast.Name)
        }

    def defaults(self) -> dict[str, str]:
        """The defaults of its arguments, as they are written."""
        arguments = ast.parse(self.source.text).body[0].args  # type: ignore[attr-defined]
        named = [one.arg for one in arguments.args][-len(arguments.defaults) or len(arguments.args) :]
        return {name: ast.unparse(one) for name, one in zip(named, arguments.defaults, strict=True)}

    @property
    def retries(self) -> str:
        """How often it retries its own program; empty for never."""
        found = re.search(r"^ +kfnb_attempts\((\d+)", self.source.text, re.MULTILINE)
        return found[1] if found else ""

    def check(self) -> None:
        """Refuse what has no way back. Raises ``PipelineError``."""
        name = self.source.name
        for one in self.sections:
            if one.title.startswith(("the transform ", "the cell awaits")):
                raise PipelineError(f"{name} has {one.title}, which cannot be decompiled", ref=name)
        for file in self.modules():
            if "/" in file:
                raise PipelineError(
                    f"{name} has the module {file}, in a folder, which cannot be decompiled", ref=name
                )
