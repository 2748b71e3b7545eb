"""What the kernel answers to what its page asks (``js/README.md``). Each is a function of the board and the message."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kfnb import model
from kfnb.diagnostics import logger
from kfnb.errors import KfnbError
from kfnb.live.downloads import CannotDownload
from kfnb.resources.runs import wire
from kfnb.resources.runs.artifact_text import previews_of, texts_of
from kfnb.resources.runs.view.failure import error_text
from kfnb.resources.runs.view.task import draw_task
from kfnb.resources.runs.wire import Message
from kfnb.resources.studies.view.trial import draw_trial
from kfnb.resources.studies.wire import find_trial

if TYPE_CHECKING:
    from kfnb.live.board import Board

_logger = logger(__package__)

Answer = Callable[["Board", Message], None]


def answer(board: Board, message: Message) -> None:
    """Do what the page asks. Never raises: what goes wrong is said in the page."""
    try:
        ANSWERS[message["do"]](board, message)
    except KfnbError as error:
        _say(board, message, str(error), ok=False)
    except Exception as error:
        _logger.warning("The page's request %r failed.", message.get("do"), exc_info=True)
        _say(board, message, f"kfnb met an error of its own ({type(error).__name__}: {error})", ok=False)


def _say(board: Board, message: Message, text: str, *, ok: bool) -> None:
    board.tell({"kind": "said", "id": str(message.get("id", "")), "text": text, "ok": ok})


def _watch(board: Board, message: Message) -> None:
    board.follow(board.find(message["id"]))
    board.seen(message["id"])


def _seen(board: Board, message: Message) -> None:
    board.seen(message["id"])


def _leave(board: Board, message: Message) -> None:
    board.leave(message["id"])


def _detail(board: Board, message: Message) -> None:
    newest = board.asked(message["id"], message["task"])
    now = board.find(message["id"]).snapshot()
    told = _task(now, message["task"]) if isinstance(now, model.Run) else _trial(now, message["task"])
    if told and newest():  # what was asked for later is newer, and may have been told before
        board.tell({"kind": "detail", "id": message["id"], "task": message["task"], **told})


def _task(run: model.Run, id: str) -> Message:
    task = next((task for task in run.tasks if task.id == id), None)
    if task is None:
        return {}
    html = draw_task(task, texts_of(task), previews_of(task), titled=False)["text/html"]
    return {"html": html, "error": error_text(task)}


def _trial(study: model.Study, number: str) -> Message:
    trial = find_trial(study.trials, int(number))
    return {} if trial is None else {"html": draw_trial(study, trial)["text/html"], "error": ""}


def _fetch(board: Board, message: Message) -> None:
    part = {"kind": "piece", **{name: message[name] for name in ("id", "task", "artifact")}}
    run = board.run(message["id"]).snapshot()
    try:
        facts, data = board.downloads.next(run, message["task"], message["artifact"], first=message["first"])
    except CannotDownload as error:
        board.tell({**part, "name": "", "size": 0, "first": 0, "error": str(error)})
    else:
        board.tell({**part, **facts, "error": ""}, data)


def _labels(board: Board, message: Message) -> None:
    board.tell(wire.labels(board.run(message["id"]).snapshot()))


def _log(board: Board, message: Message) -> None:
    board.log(board.find(message["id"]), message["task"], on=bool(message["on"]))


def _save(board: Board, message: Message) -> None:
    board.save(board.find(message["id"]), message["task"])


def _stop(board: Board, message: Message) -> None:
    board.find(message["id"]).stop()
    _say(board, message, "Stopping.", ok=True)


def _retry(board: Board, message: Message) -> None:
    board.follow(board.run(message["id"]).retry())
    board.seen(message["id"])
    _say(board, message, "Trying again what did not succeed.", ok=True)


def _runs(board: Board, message: Message) -> None:
    board.refresh(message["view"])


ANSWERS: dict[str, Answer] = {
    "watch": _watch,
    "seen": _seen,
    "leave": _leave,
    "detail": _detail,
    "fetch": _fetch,
    "labels": _labels,
    "log": _log,
    "save": _save,
    "stop": _stop,
    "retry": _retry,
    "runs": _runs,
}
