"""What the kernel answers to what its page asks (``kfnb/live/messages.py``), a function each.

``OF_ALL`` are the requests that any subject answers; the row of a type names those that the type adds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from kfnb.diagnostics import logger
from kfnb.errors import KfnbError, NotFound
from kfnb.live.messages import (
    DetailMessage,
    DetailRequest,
    PageRequest,
    ReplyMessage,
    SeenRequest,
    StopRequest,
    WatchRequest,
)

if TYPE_CHECKING:
    from kfnb.live.board import Board

_logger = logger(__package__)

Answer = Callable[["Board", Any], None]


def answer(board: Board, request: PageRequest) -> None:
    """Do what the page asks. Never raises: the page shows what goes wrong."""
    try:
        _answer_to(board, request)(board, request)
    except KfnbError as error:
        reply(board, request, str(error), ok=False)
    except Exception as error:
        _logger.warning("The page's request %r failed.", request.do, exc_info=True)
        reply(board, request, f"internal error in kfnb ({type(error).__name__}: {error})", ok=False)


def _answer_to(board: Board, request: PageRequest) -> Answer:
    answers = {**OF_ALL, **board.row(request.type).answers}
    if request.do not in answers:
        raise NotFound(f"{request.do} is not offered for a {request.type}")
    return answers[request.do]


def reply(board: Board, request: PageRequest, text: str, *, ok: bool) -> None:
    """Send the page the result of its request; ``ok`` unless it is an error."""
    board.send(ReplyMessage(request.type, request.id, text, ok))


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
    reply(board, request, "Stopping.", ok=True)


OF_ALL: Mapping[str, Answer] = {"watch": _watch, "seen": _seen, "leave": _leave, "stop": _stop}


def detail(board: Board, request: DetailRequest, made: Callable[[], tuple[str, str] | None]) -> None:
    """Send the HTML and the error that ``made`` returns, unless they were requested again meanwhile."""
    with board.newest(request) as is_newest:
        found = made()
        if found and is_newest():  # a later request is newer, and may have been answered before
            board.send(DetailMessage(request.type, request.id, request.part, *found))
