"""How a service is followed in a page, and what the page may ask of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kfnb.errors import Conflict
from kfnb.live.board import Board
from kfnb.live.followables import Followable
from kfnb.live.handlers import Answer, reply
from kfnb.live.messages import PromoteRequest, RollbackRequest
from kfnb.resources.services import api
from kfnb.resources.services.handle import Service
from kfnb.resources.services.model import ServiceSnapshot
from kfnb.resources.services.view.service import draw_service
from kfnb.resources.services.view.states import service_style
from kfnb.resources.services.watched import WatchedService
from kfnb.resources.services.wire import ServiceWire

# -- what the page asks of a service ----------------------------------------------------------------------------------


def _promote(board: Board, request: PromoteRequest) -> None:
    service = _as_shown(board, request)
    _moved(board, request, service, service.promote)


def _rollback(board: Board, request: RollbackRequest) -> None:
    service = _as_shown(board, request)
    _moved(board, request, service, service.rollback)


def _as_shown(board: Board, request: PromoteRequest | RollbackRequest) -> Service:
    """The service, if it is what the page showed. Raises ``Conflict``."""
    service: Service = board.find(request.type, request.id)
    if service.snapshot().desired.generation != request.generation:
        message = f"service {service.name} was changed meanwhile"
        raise Conflict(message, hint="look at it, and try again", ref=service.name)
    return service


def _moved(
    board: Board,
    request: PromoteRequest | RollbackRequest,
    service: Service,
    move: Callable[..., Service],
) -> None:
    """Make a move, show it, and send what is to be known of it."""
    notes: list[str] = []
    move(notify=notes.append)
    board.follow(service)
    board.seen(request.type, request.id)
    reply(board, request, "; ".join([f"Sending all requests to {service.versions[0]}", *notes]), ok=True)


_ANSWERS: Mapping[str, Answer] = {"promote": _promote, "rollback": _rollback}

# -- a service --------------------------------------------------------------------------------------------------------


def _id(service: Service) -> str:
    return f"{service.backend}/{service.name}"


def _find(id: str) -> Service:
    backend, _, name = id.partition("/")
    return api.service(name, backend=backend)


def _line(now: ServiceSnapshot) -> str:
    state = service_style(now.state).word
    return f"service {now.name}: {state}. A cell above shows it; %kf_services show {now.name} draws it here"


FOLLOWABLES = (
    Followable(
        "service",
        Service,
        name=_id,
        find=_find,
        draw=draw_service,
        subject=WatchedService,
        wire=lambda _: ServiceWire(),
        answers=_ANSWERS,
        line=_line,
    ),
)
