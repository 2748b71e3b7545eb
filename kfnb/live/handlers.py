"""What the kernel answers to what its page asks (``kfnb/live/messages.py``), a function each.

``OF_ALL`` are the requests that any subject answers; the row of a type names those that the type adds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from kfnb import model
from kfnb.diagnostics import logger
from kfnb.errors import KfnbError, NotFound
from kfnb.live.downloads import CannotDownload
from kfnb.live.messages import (
    DetailMessage,
    DetailRequest,
    FetchRequest,
    LabelsRequest,
    LogRequest,
    PageRequest,
    PieceMessage,
    ReplyMessage,
    RetryRequest,
    SaveRequest,
    SeenRequest,
    StopRequest,
    WatchRequest,
)
from kfnb.resources.runs import wire
from kfnb.resources.runs.artifact_text import previews_of, texts_of
from kfnb.resources.runs.backend import LogLine
from kfnb.resources.runs.logs import settled
from kfnb.resources.runs.view.failure import error_text
from kfnb.resources.runs.view.task import draw_task
from kfnb.resources.studies.view.trial import draw_trial
from kfnb.resources.studies.wire import find_trial

if TYPE_CHECKING:
    from kfnb.live.board import Board
    from kfnb.resources.runs.handle import Run
    from kfnb.resources.studies.handle import Study

_logger = logger(__package__)

Answer = Callable[["Board", Any], None]


def answer(board: Board, request: PageRequest) -> None:
    """Do what the page asks. Never raises: the page shows what goes wrong."""
    try:
        _answer_to(board, request)(board, request)
    except KfnbError as error:
        _reply(board, request, str(error), ok=False)
    except Exception as error:
        _logger.warning("The page's request %r failed.", request.do, exc_info=True)
        _reply(board, request, f"internal error in kfnb ({type(error).__name__}: {error})", ok=False)


def _answer_to(board: Board, request: PageRequest) -> Answer:
    answers = {**OF_ALL, **board.row(request.type).answers}
    if request.do not in answers:
        raise NotFound(f"{request.do} is not offered for a {request.type}")
    return answers[request.do]


def _reply(board: Board, request: PageRequest, text: str, *, ok: bool) -> None:
    board.tell(ReplyMessage(request.type, request.id, text, ok))


# -- of any subject ---------------------------------------------------------------------------------------------------


def _watch(board: Board, request: WatchRequest) -> None:
    board.follow(board.find(request.type, request.id))
    board.seen(request.type, request.id)


def _seen(board: Board, request: SeenRequest) -> None:
    board.seen(request.type, request.id)


def _leave(board: Board, request: SeenRequest) -> None:
    board.leave(request.type, request.id)


def _stop(board: Board, request: StopRequest) -> None:
    board.find(request.type, request.id).stop()
    _reply(board, request, "Stopping.", ok=True)


OF_ALL: Mapping[str, Answer] = {"watch": _watch, "seen": _seen, "leave": _leave, "stop": _stop}

# -- of runs ----------------------------------------------------------------------------------------------------------


def _detail_of_task(board: Board, request: DetailRequest) -> None:
    def told() -> tuple[str, str] | None:
        run: model.Run = board.find(request.type, request.id).snapshot()
        task = next((task for task in run.tasks if task.id == request.part), None)
        if task is None:
            return None
        html = draw_task(task, texts_of(task), previews_of(task), titled=False)["text/html"]
        return html, error_text(task)

    _detail(board, request, told)


def _detail(board: Board, request: DetailRequest, made: Callable[[], tuple[str, str] | None]) -> None:
    """Tell the HTML and the error that ``made`` gives, unless they were asked for again meanwhile."""
    with board.newest(request) as is_newest:
        told = made()
        if told and is_newest():  # what was asked for later is newer, and may have been told before
            board.tell(DetailMessage(request.type, request.id, request.part, *told))


def _fetch(board: Board, request: FetchRequest) -> None:
    run = board.find(request.type, request.id).snapshot()
    artifact = request.type, request.id, request.part, request.artifact
    try:
        piece = board.downloads.next(run, request.part, request.artifact, first=request.first)
    except CannotDownload as error:
        board.tell(PieceMessage(*artifact, name="", size=0, first=0, error=str(error)))
    else:
        told = PieceMessage(*artifact, name=piece.name, size=piece.size, first=request.first, error="")
        board.tell(told, piece.data)


def _labels(board: Board, request: LabelsRequest) -> None:
    board.tell(wire.labels(request.type, board.find(request.type, request.id).snapshot()))


def _log_of_task(board: Board, request: LogRequest) -> None:
    run: Run = board.find(request.type, request.id)
    board.log(request, lambda: run.follow_log(request.part))


def _save_of_task(board: Board, request: SaveRequest) -> None:
    run: Run = board.find(request.type, request.id)
    board.save(request, f"{request.part.replace('/', '-')}.log", run.excerpt(request.part))


def _retry(board: Board, request: RetryRequest) -> None:
    board.follow(board.find(request.type, request.id).retry())
    board.seen(request.type, request.id)
    _reply(board, request, "Trying again what did not succeed.", ok=True)


OF_RUN: Mapping[str, Answer] = {
    "detail": _detail_of_task,
    "fetch": _fetch,
    "labels": _labels,
    "log": _log_of_task,
    "save": _save_of_task,
    "retry": _retry,
}

# -- of studies -------------------------------------------------------------------------------------------------------


def _detail_of_trial(board: Board, request: DetailRequest) -> None:
    def told() -> tuple[str, str] | None:
        study: model.Study = board.find(request.type, request.id).snapshot()
        trial = find_trial(study.trials, int(request.part))
        return None if trial is None else (draw_trial(study, trial)["text/html"], "")

    _detail(board, request, told)


def _log_of_trial(board: Board, request: LogRequest) -> None:
    study: Study = board.find(request.type, request.id)
    board.log(request, lambda: _lines(study, request.part))


def _save_of_trial(board: Board, request: SaveRequest) -> None:
    study: Study = board.find(request.type, request.id)
    board.save(request, f"{study.name}-{request.part}.log", _lines(study, request.part))


def _lines(study: Study, trial: str) -> Iterator[LogLine | None]:
    return settled(LogLine("", text) for text in study.log_lines(int(trial)))


OF_STUDY: Mapping[str, Answer] = {
    "detail": _detail_of_trial,
    "log": _log_of_trial,
    "save": _save_of_trial,
}
