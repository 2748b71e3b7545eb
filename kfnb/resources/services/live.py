"""How a service is followed in a page: by its static HTML."""

from __future__ import annotations

from kfnb.live.followables import Followable
from kfnb.resources.services import api
from kfnb.resources.services.handle import Service
from kfnb.resources.services.model import ServiceSnapshot
from kfnb.resources.services.view.service import draw_service
from kfnb.resources.services.view.states import service_style


def _id(service: Service) -> str:
    return f"{service.backend}/{service.name}"


def _find(id: str) -> Service:
    backend, _, name = id.partition("/")
    return api.service(name, backend=backend)


def _line(now: ServiceSnapshot) -> str:
    state = service_style(now.state).word
    return f"service {now.name}: {state}. A cell above shows it; %kf_services show {now.name} draws it here"


FOLLOWABLES = (Followable("service", Service, name=_id, find=_find, draw=draw_service, line=_line),)
