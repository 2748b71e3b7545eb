"""Who may see the pages: who knows the token, at an address of this machine."""

from __future__ import annotations

import hmac
import secrets
from urllib.parse import urlsplit

from tornado.web import HTTPError, RequestHandler


class PageAccess:
    """The token of a server, and the names by which it is reached. A page of another origin reaches nothing.

    The token comes once in the address, and is a cookie then that no script and no other site can use.
    """

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(32)
        self._hosts: tuple[str, ...] = ()
        self._cookie = ""

    def listen(self, port: int) -> None:
        """The port that the server has got."""
        self._hosts = (f"127.0.0.1:{port}", f"localhost:{port}")
        self._cookie = f"kfnb-ui-{port}"

    def check(self, handler: RequestHandler) -> None:
        """Refuse a request without the token, or by another name of this machine. Raises ``HTTPError``."""
        if handler.request.host not in self._hosts:  # a name that a foreign DNS server made ours
            raise HTTPError(421, reason="Unknown host name")
        if not self._is_token(handler.get_cookie(self._cookie, "")):
            raise HTTPError(403, reason="Open the address that kfnb ui has printed")

    def admit(self, handler: RequestHandler) -> bool:
        """Whether the request brings the token in its address; it is a cookie from now on."""
        if handler.request.host not in self._hosts or not self._is_token(handler.get_argument("token", "")):
            return False
        handler.set_cookie(self._cookie, self.token, httponly=True, samesite="Strict", path="/")
        return True

    def is_own_origin(self, origin: str) -> bool:
        """Whether a page of that origin is one of this server's."""
        parts = urlsplit(origin)
        return parts.scheme == "http" and parts.netloc in self._hosts

    def _is_token(self, given: str | None) -> bool:
        return hmac.compare_digest((given or "").encode(), self.token.encode())
