"""The open socket of a service, which its driver holds."""

from __future__ import annotations

import errno
import socket
from ipaddress import ip_address

from kfnb.errors import BackendError

_BACKLOG = 1024


def listening(host: str, port: int, last: int = 0) -> socket.socket:
    """A socket that listens at an address. ``port`` 0 is the ``last`` one if that is free, else any.

    Raises ``BackendError``.
    """
    if not port and last:
        try:
            return _bound(host, last)
        except OSError:
            pass
    try:
        return _bound(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            hint = "stop what listens there, or choose another port; 0 takes a free one"
            raise BackendError(f"port {port} of {host} is taken:", hint=hint, ref=str(port)) from None
        reason = error.strerror or error
        raise BackendError(f"cannot listen at port {port} of {host}: {reason}", ref=str(port)) from None


def url_of(listener: socket.socket) -> str:
    """The address of a socket for people. One that listens everywhere is reached at this machine's own address."""
    host, port = listener.getsockname()[:2]
    if ip_address(host).is_unspecified:
        host = "::1" if ":" in host else "127.0.0.1"
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _bound(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(_BACKLOG)
    except OSError:
        made.close()
        raise
    return made
