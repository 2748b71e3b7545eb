"""How kfnb's objects are displayed: each type's drawing, given to IPython's formatters."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kfnb import model, widgets
from kfnb.backends.run import Run, RunList
from kfnb.backends.schedule import Schedule, ScheduleList
from kfnb.config import Kfnb
from kfnb.errors import KfnbError
from kfnb.magics.contents import Drawing
from kfnb.magics.subjects import Handle, RunsTable, row_of
from kfnb.model.cluster import Status
from kfnb.model.notebook import Notebook, NotebookList, Rehearsal
from kfnb.tuning.study import Study

if TYPE_CHECKING:
    from kfnb.magics.board import Board
    from kfnb.magics.kernel import Kernel


def bundle(thing: Any) -> dict[str, str]:
    """One of kfnb's objects as a mimebundle."""
    if type(thing) in _DRAWINGS:
        return _DRAWINGS[type(thing)](thing)
    row = row_of(thing)
    return row.drawing(row, None)(thing.snapshot())


def bundle_of_runs(runs: RunList, board: Board | None) -> dict[str, str]:
    """Runs as a mimebundle; with a board, the page has the table live."""
    if board is None or not runs:
        return widgets.draw_runs(runs)
    table = RunsTable(f"runs-{secrets.token_hex(4)}", runs)
    board.follow(table)
    return board.drawing(table)(runs)


def show(handle: Handle, kernel: Kernel) -> None:
    """Display what can be followed; where there is a page, the display changes as it does, until it is finished.

    A cell that ends with ``r.wait()`` says in a line how that went where another one shows the run.
    """
    from IPython.display import display

    board = kernel.board
    try:
        if board is not None and kernel.ends_in_an_order and board.is_shown(handle):
            print(row_of(handle).line(handle.snapshot()))
            return
        if board is None:
            display(bundle(handle), raw=True)
            return
        now = handle.snapshot()
    except KfnbError as error:  # IPython would print a traceback
        print(f"{type(error).__name__}: {error}")
        return
    board.follow(handle)  # the page knows it by the time that it gets a place for it
    picture = board.drawing(handle)(now)
    place = kernel.place()
    if place is None:
        place = display(picture, raw=True, display_id=True)
    else:
        place.update(picture, raw=True)
    board.follow(handle, place)
    board.placed(handle, kernel.cell_id)


_DRAWINGS: dict[type, Callable[[Any], dict[str, str]]] = {
    Run: lambda run: Drawing()(run.snapshot()),
    Study: lambda study: widgets.draw_study(study.snapshot(importances=True)),
    Schedule: lambda schedule: widgets.draw_schedules([schedule.told]),
    ScheduleList: lambda found: widgets.draw_schedules([one.told for one in found]),
    model.Comparison: widgets.draw_comparison,
    model.ComponentView: widgets.draw_component,
    Status: widgets.draw_status,
    Notebook: widgets.draw_notebook,
    NotebookList: widgets.draw_notebooks,
    Rehearsal: widgets.draw_rehearsal,
    model.ExperimentList: widgets.draw_experiments,
    model.Graph: widgets.draw_graph,
    model.StudyList: widgets.draw_studies,
    model.StudyPlot: widgets.draw_study_plot,
    model.UploadList: widgets.draw_uploads,
    model.UploadedPipeline: lambda uploaded: widgets.draw_uploads([uploaded]),
    Kfnb: lambda settings: widgets.draw_settings(settings.items()),
}
