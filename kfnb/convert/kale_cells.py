"""The cells of a notebook that is annotated for Kale, in order: what becomes of each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from kfnb.convert.draft import DraftCell, headed, identifier
from kfnb.convert.kale_tags import KaleTags, Settings, read_tags
from kfnb.convert.python_cell import as_code, names_of, split_magics
from kfnb.errors import NotebookError

_PRINTED = re.compile(r"print\((\w+)\)")
_KALE = re.compile(r"^\s*(from|import)\s+kale\b", re.MULTILINE)


@dataclass(frozen=True)
class KaleStep:
    """A step: its name in kfnb, the steps that it follows by their names in Kale, its options, and where it begins."""

    name: str
    place: str
    previous: tuple[str, ...]
    settings: Settings


@dataclass(frozen=True)
class StepPart:
    """A cell of a step, by the step's name in Kale."""

    step: str
    text: str
    place: str


@dataclass
class KaleCells:
    """What a notebook has: ``items`` are its cells in order, ``steps`` its steps by their names in Kale."""

    items: list[DraftCell | StepPart] = field(default_factory=list)
    steps: dict[str, KaleStep] = field(default_factory=dict)
    parameters: list[str] = field(default_factory=list)
    metrics: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def parts(self, step: str) -> list[StepPart]:
        """The cells of a step."""
        return [item for item in self.items if isinstance(item, StepPart) and item.step == step]


def read_cells(cells: list[Any]) -> KaleCells:
    """Read the cells of a notebook. Raises ``NotebookError`` with the cell that cannot be converted."""
    reader = _KaleReader()
    for number, cell in enumerate(cells, start=1):
        reader.cell(cell, f"cell {number}")
    return reader.found


class _KaleReader:
    def __init__(self) -> None:
        self.found = KaleCells()
        self.current = KaleTags()
        """What the newest cell with tags was, to which cells without tags belong."""
        self.lost: set[str] = set()
        """Names that only Kale's own functions give."""

    def cell(self, cell: Any, place: str) -> None:
        if cell.cell_type == "markdown":
            self.found.items.append(DraftCell(cell.source, code=False))
        if cell.cell_type != "code":
            return
        tags = read_tags(cell.metadata.get("tags", ()), place)
        self.found.notes += tags.settings.missing
        if tags.role == "skip":
            self.skipped(cell.source, place)
            return
        if tags.role:
            self.current = tags
        if tags.step and tags.step not in self.found.steps:
            self.begin(tags.step, place, tags)
        if cell.source.strip():
            self.kept(cell.source, place)

    def kept(self, text: str, place: str) -> None:
        """A cell that is of the pipeline, as its tags or those before it say."""
        current = self.current
        if not current.role:
            self.skipped(text, place)
        elif current.role == "pipeline-metrics":
            self.metrics(text, place)
        elif current.role == "step":
            self.step_part(text, place, current.step)
        elif current.role == "pipeline-parameters":
            self.found.parameters += names_of(text, place).writes
            self.found.items.append(headed("%%kf_parameters", text))
        else:
            self.set_up(text, place)

    def skipped(self, text: str, place: str) -> None:
        """A cell that is not of the pipeline stays unchanged; one that needs Kale is made a comment."""
        shell = text.lstrip().startswith("%%")
        needs = set() if shell else self.lost & names_of(text, place).reads.keys()
        if _KALE.search(text) or needs:
            self.lost |= set() if shell else names_of(text, place).writes.keys()
            why = f"uses {min(needs)}, which Kale provides" if needs else "imports kale"
            self.found.notes.append(f"{place} {why}: it is a comment now")
            text = "\n".join(f"# {line}".rstrip() for line in text.split("\n"))
        self.found.items.append(DraftCell(text))

    def metrics(self, text: str, place: str) -> None:
        for line in filter(None, map(str.strip, text.split("\n"))):
            found = _PRINTED.fullmatch(line)
            if found:
                self.found.metrics[found[1]] = place
            elif not line.startswith("#"):
                self.found.notes.append(f"{place}: {line} is not print(NAME), and is left out")

    def set_up(self, text: str, place: str) -> None:
        inside = self.apart(text, place)
        if inside.strip():
            names_of(inside, place)
            self.found.items.append(headed("%%kf_setup", inside))

    def step_part(self, text: str, place: str, step: str) -> None:
        inside = self.apart(text, place)
        if inside.strip():
            self.found.items.append(StepPart(step, as_code(inside, place), place))

    def begin(self, step: str, place: str, tags: KaleTags) -> None:
        steps = self.found.steps
        for previous in tags.previous:
            if previous not in steps:
                raise NotebookError(
                    f"{place}: prev:{previous} names no step before {step}:",
                    hint="Kale's steps follow those above them; move that step up, or correct the tag",
                    ref=place,
                )
        name = identifier(step, "step", {one.name for one in steps.values()})
        if name != step:
            self.found.notes.append(
                f"{place}: step {step} is called {name}, as {step} is not a component's name"
            )
        steps[step] = KaleStep(name, place, tags.previous, tags.settings)

    def apart(self, text: str, place: str) -> str:
        """The text without the magics that a step cannot have: these are a cell before it."""
        split = split_magics(text)
        if split.outside:
            first = split.outside.split("\n")[0]
            self.found.notes.append(f"{place}: {first} is in a separate cell, as it cannot be in a step")
            self.found.items.append(DraftCell(split.outside))
        return split.text


def with_metrics(cells: KaleCells) -> Iterator[DraftCell | StepPart]:
    """The items, and the metrics as a further cell of the step that computes them last."""
    computed: dict[str, list[str]] = {}
    for name, place in cells.metrics.items():
        step = _writer(cells, name)
        if step is None:
            cells.notes.append(f"{place}: no step computes {name}, which is left out of the metrics")
        else:
            computed.setdefault(step, []).append(name)
    last = {step: cells.parts(step)[-1] for step in computed if cells.parts(step)}
    for item in cells.items:
        yield item
        for step, names in computed.items():
            if last.get(step) is item:
                values = ", ".join(f"{name}={name}" for name in names)
                yield replace(last[step], text=f"kf.log_metrics({values})")


def _writer(cells: KaleCells, name: str) -> str | None:
    """The last step that writes a name; of a parameter, the last step."""
    written = [
        item.step
        for item in cells.items
        if isinstance(item, StepPart) and name in names_of(item.text, item.place).writes
    ]
    if not written and name in cells.parameters:
        written = list(cells.steps)
    return written[-1] if written else None
