"""How kfnb's objects are displayed: each type's drawing, given to IPython's formatters."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kfnb import model
from kfnb.errors import KfnbError
from kfnb.live.artifact_text import Drawing
from kfnb.live.followables import Handle, Shown
from kfnb.model.cluster import Status
from kfnb.model.notebook import Notebook, NotebookList, Rehearsal
from kfnb.resources.cluster.view.status import draw_status
from kfnb.resources.components.view.component import draw_component
from kfnb.resources.components.view.graph import draw_graph
from kfnb.resources.experiments.view import draw_experiments
from kfnb.resources.notebooks.view import draw_notebook, draw_notebooks, draw_rehearsal
from kfnb.resources.runs.handle import Run, RunList
from kfnb.resources.runs.view.comparison import draw_comparison
from kfnb.resources.runs.view.runs import draw_runs
from kfnb.resources.schedules.handle import Schedule, ScheduleList
from kfnb.resources.schedules.view import draw_schedules
from kfnb.resources.settings.view import draw_settings
from kfnb.resources.studies.handle import Study
from kfnb.resources.studies.view.studies import draw_studies
from kfnb.resources.studies.view.study import draw_study, draw_study_plot
from kfnb.resources.uploads.view import draw_uploads
from kfnb.settings import Kfnb
from kfnb.ui.states import look
from kfnb.ui.words import duration

if TYPE_CHECKING:
    from kfnb.ipython.kernel import Kernel
    from kfnb.live.board import Board


def bundle(thing: Any) -> dict[str, str]:
    """One of kfnb's objects as a mimebundle."""
    return _DRAWINGS[type(thing)](thing)


def bundle_of_runs(runs: RunList, board: Board | None) -> dict[str, str]:
    """Runs as a mimebundle; with a board, the page has the table live."""
    home = board.table(runs) if board and runs else None
    return draw_runs(runs, home=home)


def show(handle: Handle, kernel: Kernel) -> None:
    """Display a run or a study; where there is a page, the display changes as it does, until it is finished.

    A cell that ends with ``r.wait()`` says in a line how that went where another one shows the run.
    """
    from IPython.display import display

    board = kernel.board
    try:
        if board is not None and kernel.ends_in_an_order and board.is_shown(handle):
            print(line(handle.snapshot()))
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


def line(shown: Shown) -> str:
    """A run or a study that a cell above shows, in a line."""
    state = look(shown.state).word
    if shown.started is not None and shown.finished is not None:
        state += f" after {duration(shown.finished - shown.started)}"
    if isinstance(shown, model.Run):
        return f"run {shown.id} of {shown.pipeline}: {state}. A cell above shows it; %kf_run {shown.id} draws it here"
    return f"study {shown.name}: {state}. A cell above shows it; %kf_study {shown.name} draws it here"


_DRAWINGS: dict[type, Callable[[Any], dict[str, str]]] = {
    Run: lambda run: Drawing()(run.snapshot()),
    Study: lambda study: draw_study(study.snapshot(importances=True)),
    Schedule: lambda schedule: draw_schedules([schedule.told]),
    ScheduleList: lambda found: draw_schedules([one.told for one in found]),
    model.Comparison: draw_comparison,
    model.ComponentView: draw_component,
    Status: draw_status,
    Notebook: draw_notebook,
    NotebookList: draw_notebooks,
    Rehearsal: draw_rehearsal,
    model.ExperimentList: draw_experiments,
    model.Graph: draw_graph,
    model.StudyList: draw_studies,
    model.StudyPlot: draw_study_plot,
    model.UploadList: draw_uploads,
    model.UploadedPipeline: lambda uploaded: draw_uploads([uploaded]),
    Kfnb: lambda settings: draw_settings(settings.items()),
}
