"""The server of ``kfnb ui``, at 127.0.0.1. It shows what the settings say: this machine's home, or a cluster."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from tornado.httpserver import HTTPServer
from tornado.web import Application, HTTPError, RequestHandler, StaticFileHandler

from kfnb.diagnostics import logger
from kfnb.errors import KfnbError, UsageError
from kfnb.settings import settings
from kfnb.target import backend_name
from kfnb.web import section as web
from kfnb.web.access import PageAccess
from kfnb.web.page import page, problem
from kfnb.web.socket import PageSocket

_STATIC = Path(__file__).parent / "static"
_LIVE = Path(__file__).parent.parent / "live" / "static"
_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",  # views have their styles in their elements
    "img-src 'self' data:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "frame-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
)
_HEADERS = {
    "Content-Security-Policy": "; ".join(_POLICY),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_logger = logger(__package__)


def serve(port: int, opened: Callable[[str], None]) -> None:
    """Serve the pages until the process is interrupted; ``opened`` gets their address, with its token.

    ``port`` 0 takes a free one. Raises ``UsageError`` where the port is taken.
    """
    asyncio.run(_serve(port, opened))


async def _serve(port: int, opened: Callable[[str], None]) -> None:
    access, mark = PageAccess(), secrets.token_hex(16)
    try:
        listening = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise UsageError(
            f"cannot listen at port {port}: {error.strerror}", hint="choose another --port"
        ) from None
    listening.setblocking(False)  # noqa: FBT003 - its only form
    address = "{}:{}".format(*listening.getsockname())
    access.listen(listening.getsockname()[1])
    given = {"access": access, "mark": mark}
    application = Application(
        [
            (r"/static/(live\.js)", _Asset, {"path": str(_LIVE)}),
            (r"/static/(ui\.js|ui\.css)", _Asset, {"path": str(_STATIC)}),
            (r"/socket", PageSocket, given),
            (r"/(?:([\w-]+)(?:/([^/]+))?)?", _Page, given),
        ],
        websocket_ping_interval=20,
    )
    server = HTTPServer(application)
    server.add_socket(listening)
    opened(f"http://{address}/?token={access.token}")
    await asyncio.Event().wait()


class _Asset(StaticFileHandler):
    """Scripts and styles, which have no secrets."""

    def set_extra_headers(self, path: str) -> None:
        del path
        for name, value in _HEADERS.items():
            self.set_header(name, value)


class _Page(RequestHandler):
    def initialize(self, access: PageAccess, mark: str) -> None:
        self._access, self._mark = access, mark

    def set_default_headers(self) -> None:
        for name, value in _HEADERS.items():
            self.set_header(name, value)

    def prepare(self) -> None:
        if self.request.method == "GET" and self._access.admit(self):
            self.redirect(self.request.path)  # the token is not in the history of the browser
            return
        self._access.check(self)

    async def get(self, path: str | None, reference: str | None) -> None:
        """A page. What it shows is asked for in a thread, as a cluster may be slow to answer."""
        loop = asyncio.get_running_loop()
        self.write(await loop.run_in_executor(None, self._drawn, path, reference and unquote(reference)))

    def _drawn(self, path: str | None, reference: str | None) -> str:
        sections = web.sections()
        where = f"{settings().home} · {backend_name(None)}"
        if path is None:
            path = sections[0].path
        try:
            current = web.section_of(path)
        except KfnbError as error:
            self.set_status(404)
            return page("not found", problem(str(error)), sections, where=where)
        try:
            if reference is None:
                listed = current.list()
                references = [web.reference_of(one) for one in web.things(listed)]
                return page(
                    current.title,
                    web.html_of(listed),
                    sections,
                    current=current,
                    references=references,
                    where=where,
                )
            found = current.find(reference)
            live = web.live_html_of(found, self._mark)
            content, mark = (live, self._mark) if live is not None else (web.html_of(found), "")
            return page(reference, content, sections, current=current, mark=mark, where=where)
        except KfnbError as error:
            self.set_status(404 if error.code.endswith("not-found") else 502)
            return page(current.title, problem(str(error)), sections, current=current, where=where)

    def write_error(self, status_code: int, **given: Any) -> None:  # noqa: ARG002 - tornado's
        """In words, without a traceback: it is in kfnb's log."""
        kind, error, _ = given.get("exc_info", (None, None, None))
        if kind is not None and not issubclass(kind, HTTPError):
            _logger.warning("The page %s failed.", self.request.path, exc_info=given["exc_info"])
        text = self._reason if isinstance(error, HTTPError) else f"internal error in kfnb: {error}"
        self.finish(page("error", problem(text), ()))
