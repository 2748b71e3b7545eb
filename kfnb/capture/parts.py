"""Components of several cells: each cell is a part, and a cell that runs again replaces its part."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from kfnb.capture.cell import Cell
from kfnb.capture.component import Component, ComponentPart, Options
from kfnb.capture.shell_syntax import CellCode
from kfnb.errors import CaptureError
from kfnb.sourcemap import CellLine, mark


@dataclass(frozen=True)
class JoinedCell(Cell):
    """The cells ``parts`` as one: their texts, each under a mark with its origin."""

    parts: tuple[Cell, ...] = ()

    def __str__(self) -> str:
        return f"{self.name} [{', '.join(str(part.number) for part in self.parts)}]"

    def place(self, line: int) -> CellLine:
        """A line of the joined text, as a line of the cell that it came from."""
        for part, start in reversed(self._starts):
            if line > start:
                return part.place(line - start)
        return self.parts[0].place(line)

    @property
    def earlier(self) -> frozenset[int]:
        """The orders of the parts before the newest."""
        place = next(index for index, part in enumerate(self.parts) if part.order == self.order)
        return frozenset(part.order for part in self.parts[:place])

    @cached_property
    def _starts(self) -> list[tuple[Cell, int]]:
        """Each part with the number of lines before it."""
        starts, lines = [], 0
        for part in self.parts:
            starts.append((part, lines))
            lines += part.code.text.count("\n") + 2  # the next part's mark is a line too
        return starts

    @cached_property
    def code(self) -> CellCode:
        """The Python of all parts."""
        first, *rest = [part.code.text for part in self.parts]
        texts = [
            first,
            *(f"{mark(part.place(1))}\n{text}" for part, text in zip(self.parts[1:], rest, strict=True)),
        ]
        refused = {
            start + line: magic for part, start in self._starts for line, magic in part.code.refused.items()
        }
        return CellCode(
            "\n".join(texts), refused, frozenset().union(*(part.code.modules for part in self.parts))
        )


def with_parts(
    known: Component | None, cell: Cell, options: Options, *, continues: bool
) -> tuple[ComponentPart, ...]:
    """The parts of a component once ``cell`` has run; ``known`` is the component so far.

    Raises ``CaptureError`` if there is nothing that ``cell`` can continue, or it declares a parameter again.
    """
    part = ComponentPart(cell, options)
    if not continues:
        rest = known.parts[1:] if known is not None else ()
        return (part, *(one for one in rest if one.cell.identity != cell.identity))
    if known is None:
        raise CaptureError(
            f"cell {cell}: there is no component {cell.name} to continue:",
            code="unknown-component",
            hint=f"run %%kf_component {cell.name} first",
            ref=f"cell {cell}",
        )
    if known.function is not None:
        raise CaptureError(
            f"cell {cell}: {cell.name} is a single function, which another cell cannot continue"
        )
    parts = list(known.parts)
    place = next((i for i, one in enumerate(parts) if i and one.cell.identity == cell.identity), len(parts))
    earlier = {param.name for one in parts[:place] for param in one.options.params}
    for param in options.params:
        if param.name in earlier:
            raise CaptureError(
                f"cell {cell}: {param.name} is already a parameter of {cell.name}: remove --param {param.name} here"
            )
    parts[place : place + 1] = [part]
    return tuple(parts)


def joined(parts: tuple[ComponentPart, ...], cell: Cell) -> tuple[Cell, Options]:
    """The parts as one cell, whose newest is ``cell``, and their options as one."""
    if len(parts) == 1:
        return cell, parts[0].options
    cells = tuple(part.cell for part in parts)
    whole = JoinedCell(
        cells[0].raw,
        cell.number,
        cell.order,
        cell.key,
        cell.name,
        frozenset().union(*(one.variables for one in cells)),
        cells[0].identity,
        cells,
    )
    others = [part.options for part in parts]
    params = {param.name: param for one in others for param in one.params}
    return whole, replace(
        others[0],
        params=tuple(params.values()),
        outputs=tuple(dict.fromkeys(name for one in others for name in one.outputs)),
        packages=tuple(dict.fromkeys(name for one in others for name in one.packages)),
    )
