"""How runs, and tables of them, are followed in a page, and what the page may ask of a run."""

from __future__ import annotations

from collections.abc import Mapping

from kfnb import entities
from kfnb.live.board import Board
from kfnb.live.followables import PACE, Followable, state_of
from kfnb.live.handlers import Answer, detail, reply
from kfnb.live.messages import (
    DetailRequest,
    FetchRequest,
    LabelsRequest,
    LogRequest,
    PieceMessage,
    RetryRequest,
    SaveRequest,
)
from kfnb.resources.runs import api, wire
from kfnb.resources.runs.artifact_text import Drawing, previews_of, texts_of
from kfnb.resources.runs.command_line import command
from kfnb.resources.runs.downloads import CannotDownload, Downloads
from kfnb.resources.runs.handle import Run, RunList
from kfnb.resources.runs.priced import priced_runs
from kfnb.resources.runs.view.failure import error_text
from kfnb.resources.runs.view.run import draw_run
from kfnb.resources.runs.view.task import draw_task
from kfnb.resources.runs.wire import RunsWire, RunWire

# -- what the page asks of a run ------------------------------------------------------------------------------------


def _detail_of_task(board: Board, request: DetailRequest) -> None:
    def content() -> tuple[str, str] | None:
        run: entities.RunSnapshot = board.find(request.type, request.id).snapshot()
        task = next((task for task in run.tasks if task.id == request.part), None)
        if task is None:
            return None
        html = draw_task(task, texts_of(task), previews_of(task), titled=False)["text/html"]
        return html, error_text(task)

    detail(board, request, content)


def _fetch(board: Board, request: FetchRequest) -> None:
    run = board.find(request.type, request.id).snapshot()
    artifact = request.type, request.id, request.part, request.artifact
    try:
        piece = board.service(Downloads).next(run, request.part, request.artifact, first=request.first)
    except CannotDownload as error:
        board.send(PieceMessage(*artifact, name="", size=0, first=0, error=str(error)))
    else:
        message = PieceMessage(*artifact, name=piece.name, size=piece.size, first=request.first, error="")
        board.send(message, piece.data)


def _labels(board: Board, request: LabelsRequest) -> None:
    board.send(wire.labels(request.type, board.find(request.type, request.id).snapshot()))


def _log_of_task(board: Board, request: LogRequest) -> None:
    run: Run = board.find(request.type, request.id)
    board.log(request, lambda: run.follow_log(request.part))


def _save_of_task(board: Board, request: SaveRequest) -> None:
    run: Run = board.find(request.type, request.id)
    board.save(request, f"{request.part.replace('/', '-')}.log", run.excerpt(request.part))


def _retry(board: Board, request: RetryRequest) -> None:
    board.follow(board.find(request.type, request.id).retry())
    board.seen(request.type, request.id)
    reply(board, request, "Trying again what did not succeed.", ok=True)


_ANSWERS: Mapping[str, Answer] = {
    "detail": _detail_of_task,
    "fetch": _fetch,
    "labels": _labels,
    "log": _log_of_task,
    "save": _save_of_task,
    "retry": _retry,
}

# -- a run ------------------------------------------------------------------------------------------------------------


class RunSubject:
    """A run."""

    type = "run"

    def __init__(self, run: Run) -> None:
        self.id = run.id
        self._observer = run.observe()
        self.pace = self._observer.pace

    @property
    def shown(self) -> entities.RunSnapshot:
        """The run."""
        return self._observer.run

    @property
    def over(self) -> bool:
        """Whether the run is finished."""
        return self._observer.over

    def refresh(self) -> bool:
        """Poll once more; return whether anything is new."""
        return bool(self._observer.refresh())


def _line_of_run(run: entities.RunSnapshot) -> str:
    state = state_of(run)
    return f"run {run.id} of {run.pipeline}: {state}. A cell above shows it; %kf_run {run.id} draws it here"


RUN = Followable(
    "run",
    Run,
    name=lambda run: run.id,
    find=api.run,
    draw=draw_run,
    subject=lambda _, run: RunSubject(run),
    wire=lambda _: RunWire(command),
    drawing=lambda _, home: Drawing(home),
    answers=_ANSWERS,
    line=_line_of_run,
)

# -- a table of runs --------------------------------------------------------------------------------------------------


class RunsTable:
    """A table of runs that is displayed: as they were asked for, and asked for anew when the page asks."""

    type = "runs"
    pace = PACE
    over = True

    def __init__(self, id: str, runs: RunList) -> None:
        self.id = id
        self.shown = runs
        self._loaded = False

    def refresh(self) -> bool:
        """Ask for the runs anew, but for the first time."""
        if self._loaded:
            self.shown = self.shown.refresh()
        self._loaded = True
        return True


RUNS = Followable(
    "runs",
    RunsTable,
    name=lambda table: table.id,
    draw=priced_runs,
    subject=lambda _, table: table,
    wire=lambda _: RunsWire(),
)

FOLLOWABLES = (RUN, RUNS)
