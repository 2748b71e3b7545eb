"""A notebook that is annotated for Kale, as a notebook of kfnb: headers in place of tags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kfnb.convert.draft import (
    LOAD,
    DraftCell,
    Flags,
    NotebookDraft,
    component_cell,
    identifier,
    pipeline_cell,
)
from kfnb.convert.kale_cells import KaleCells, StepPart, read_cells, with_metrics
from kfnb.convert.kale_metadata import KaleMetadata, read_metadata
from kfnb.convert.kale_tags import merged
from kfnb.convert.waits import waits_without_data
from kfnb.errors import NotebookError
from kfnb.execute.notebook_file import read_notebook


def convert_kale(path: Path) -> NotebookDraft:
    """Convert a notebook. Raises ``NotebookError`` for what is not annotated for Kale, or cannot be converted."""
    notebook = read_notebook(path)
    cells = read_cells(notebook.cells)
    if not cells.steps:
        raise NotebookError(
            f"{path} has no cell with Kale's tag step:NAME",
            hint="kfnb runs it unchanged: %load_ext kfnb",
            ref=str(path),
        )
    metadata = read_metadata(notebook.metadata.get("kubeflow_notebook", {}), path.stem)
    items = list(with_metrics(cells))
    taken = {one.name for one in cells.steps.values()}
    name = identifier(metadata.pipeline, "pipeline", taken)
    order, after = _order(cells)
    made = [
        DraftCell(
            LOAD.text if not metadata.image else f"{LOAD.text}\n%kf_config base_image={metadata.image}"
        ),
        *_cells(items, cells, metadata.flags),
        pipeline_cell(name, order, after),
        DraftCell(_how_to_run(name, metadata), code=False),
    ]
    return NotebookDraft(tuple(made), (*cells.notes, *metadata.notes))


def _cells(items: list[DraftCell | StepPart], cells: KaleCells, defaults: Flags) -> Iterator[DraftCell]:
    begun: set[str] = set()
    for item in items:
        if isinstance(item, DraftCell):
            yield item
            continue
        step = cells.steps[item.step]
        flags = merged(step.settings.flags, defaults)
        yield component_cell(step.name, flags, item.text, continues=item.step in begun)
        begun.add(item.step)


def _order(cells: KaleCells) -> tuple[list[str], list[tuple[str, str]]]:
    """The steps in order, and which wait for which without taking data from it; notes on data from elsewhere."""
    texts: Mapping[str, list[tuple[str, str]]] = {
        step: [(part.text, part.place) for part in cells.parts(step)] for step in cells.steps
    }
    for step, parts in texts.items():
        if not parts:
            raise NotebookError(
                f"{cells.steps[step].place}: step {step} has no code", ref=cells.steps[step].place
            )
    waits = waits_without_data(texts, {step: one.previous for step, one in cells.steps.items()})
    for later, earlier, name in waits.beside:
        cells.notes.append(
            f"{cells.steps[later].place}: {later} reads {name}, which {earlier} writes, and has no prev:{earlier}: kfnb"
            f" passes it, as a notebook that runs from top to bottom does"
        )
    named: dict[str, Any] = {step: one.name for step, one in cells.steps.items()}
    return list(named.values()), [(named[later], named[earlier]) for later, earlier in waits.without]


def _how_to_run(name: str, metadata: KaleMetadata) -> str:
    experiment = f" --experiment {metadata.experiment}" if metadata.experiment else ""
    lines = [metadata.description, f"`%kf_submit {name}{experiment} -o run` runs the pipeline."]
    lines += [f"`%kf_tune {name} {metadata.tuning}` searches for parameters."] if metadata.tuning else []
    return "\n\n".join(filter(None, lines))
