"""The cells of a notebook of kfnb's, of the steps of its compiled pipeline."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from kfnb.convert.captured_step import CapturedStep
from kfnb.convert.draft import DraftCell, Flags, component_cell, headed


def cells_of(steps: Sequence[CapturedStep], flags: Mapping[str, Flags]) -> Iterator[DraftCell]:
    """The cells, in the order of the notebook. ``flags`` are the options of each component."""
    for file, text in {file: text for step in steps for file, text in step.modules().items()}.items():
        yield DraftCell(f"%%writefile {file}\n{text}")
    first = {step.number: step for step in steps}
    plain: dict[int, dict[int, str]] = {}
    for cell in {cell for step in steps for cell in step.cells if not cell.component}:
        plain.setdefault(cell.number, {})[cell.line] = cell.text
    others = _own_cells(steps)
    known: dict[str, str] = {}
    for number in sorted({*plain, *others}):
        if number in plain:
            yield from _before(first, number, known)
            yield _plain(plain[number])
            continue
        step, text = others[number]
        begins = number == step.number
        if begins:
            yield from _taken([step], known)
        yield component_cell(step.source.name, flags[step.source.name], text, continues=not begins)


def _own_cells(steps: Sequence[CapturedStep]) -> dict[int, tuple[CapturedStep, str]]:
    """The cells of components, by their numbers."""
    found = {}
    for step in steps:
        own = [cell for cell in step.cells if cell.component == step.source.name]
        for cell, text in zip(own, step.parts(), strict=True):
            found[cell.number] = (step, text)
    return found


def _before(first: Mapping[int, CapturedStep], number: int, known: dict[str, str]) -> Iterator[DraftCell]:
    """What the steps that have a plain cell take from the notebook: it may be what the cell needs."""
    later = [step for begin, step in sorted(first.items()) if begin > number]
    using = [
        step for step in later if any(cell.number == number and not cell.component for cell in step.cells)
    ]
    yield from _taken(using[:1], known)


def _taken(steps: Sequence[CapturedStep], known: dict[str, str]) -> Iterator[DraftCell]:
    """The imports and constants of steps that the notebook does not have yet."""
    lines = []
    for text in (text for step in steps for text in step.taken()):
        node = ast.parse(text).body[0]
        key = ast.unparse(node.targets[0]) if isinstance(node, ast.Assign) else text
        if known.get(key) != text:
            known[key] = text
            lines.append(text)
    if lines:
        yield DraftCell("\n".join(lines))


def _plain(parts: Mapping[int, str]) -> DraftCell:
    """A plain cell: one definition or more, or the code of a set-up cell."""
    texts = [text for _, text in sorted(parts.items())]
    body = ast.parse(texts[0]).body
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign)
    if len(texts) == 1 and 1 not in parts and not (len(body) == 1 and isinstance(body[0], definitions)):
        return headed("%%kf_setup", texts[0])
    return DraftCell("\n\n".join(texts))
