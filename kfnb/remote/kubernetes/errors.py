"""The errors of Kubernetes, distinguished: hidden is not absent, and an exceeded quota is not a missing permission."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from kfnb.errors import (
    Absent,
    BackendError,
    BackendUnavailable,
    Conflict,
    Hidden,
    Invalid,
    Refused,
    Unauthenticated,
)
from kfnb.text.shorten import shorten

LATER = frozenset({429, 500, 502, 503, 504})
"""The statuses of a server or a gateway that may succeed later."""

_RIGHT = re.compile(
    r'User "(?P<user>[^"]*)" cannot (?P<verb>\S+) (?:resource "(?P<resource>[^"]*)" in API group "(?P<group>[^"]*)"'
    r'(?: in the namespace "(?P<namespace>[^"]*)"| at the cluster scope)?|path "(?P<path>[^"]*)")'
)
_SCHEMA = re.compile(r"failed to create (manager for existing fields|typed (patch )?(object|live object))")


_LONGEST = 1000
_NOBODY = "system:anonymous"
_AGAIN = "Sign in again, or choose another context: %kf_config context=NAME"


class Expired(BackendError):
    """The requested version is too old (410). ``token``: where the current list can continue."""

    def __init__(self, message: str, token: str = "") -> None:
        super().__init__(message)
        self.token = token


def refusal(status: int, body: bytes | str, *, method: str, path: str, host: str) -> BackendError:
    """The error for an answer."""
    answer = _status(body)
    message = shorten(str(answer.get("message", "")), _LONGEST)  # that of a refused patch may have the object
    where = path.partition("?")[0]
    if status == 401:  # noqa: PLR2004 - HTTP's own numbers, here and below
        return Unauthenticated(
            f"Kubernetes at {host} refused your credentials: your token or certificate has expired, or is for another "
            "cluster (401).",
            hint=_AGAIN,
            ref=host,
        )
    if status == 403:  # noqa: PLR2004
        return _forbidden(message, method, where, host)
    if status == 404:  # noqa: PLR2004
        return _absent(answer, message, where)
    if status in (409, 410):
        return _overtaken(status, answer, message)
    if status in LATER and not (status == 500 and _SCHEMA.search(message)):  # noqa: PLR2004 - a bad apply is a 500 too
        return BackendUnavailable(
            f"Kubernetes at {host} is temporarily unavailable ({status}): {message or where}"
        )
    return Invalid(f"Kubernetes: {message or f'the server refused {method} {where}'} ({status})")


def _forbidden(message: str, method: str, path: str, host: str) -> BackendError:
    right = _RIGHT.search(message)
    if right is None and message:
        return Refused(f"Kubernetes: {message} (403)")
    if right is None:
        return Hidden(f"you may not {method} {path} (403)", verb=method.lower(), resource=path)
    if right["user"] == _NOBODY:
        return Unauthenticated(
            f"the request to Kubernetes at {host} had neither a token nor a certificate (403).",
            hint=_AGAIN,
            ref=host,
        )
    resource = right["resource"] or right["path"]
    group = f" ({right['group']})" if right["group"] else ""
    where = f" in namespace {right['namespace']}" if right["namespace"] else ""
    return Hidden(
        f"{right['user']} may not {right['verb']} {resource}{group}{where} (403)",
        user=right["user"],
        verb=right["verb"],
        resource=resource,
        namespace=right["namespace"] or "",
    )


def _overtaken(status: int, answer: Mapping[str, Any], message: str) -> BackendError:
    if status == 409:  # noqa: PLR2004
        return Conflict(f"Kubernetes: {message} (409)", exists=answer.get("reason") == "AlreadyExists")
    return Expired(f"Kubernetes: {message} (410)", str(_within(answer, "metadata").get("continue", "")))


def _absent(answer: Mapping[str, Any], message: str, path: str) -> Absent:
    details = _within(answer, "details")
    if details.get("kind") == "namespaces":
        return Absent(f"Kubernetes: {message} (404)", kind="namespace")
    if details.get("name") or message.endswith('" not found'):
        return Absent(f"Kubernetes: {message} (404)", kind="object")
    return Absent(
        f"Kubernetes does not have {path}: this cluster does not have that kind of resource (404)",
        kind="resource",
    )


def _within(answer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = answer.get(name)
    return found if isinstance(found, dict) else {}


def _status(body: bytes | str) -> Mapping[str, Any]:
    try:
        answer = json.loads(body)
    except (TypeError, ValueError):
        return {}
    return answer if isinstance(answer, dict) else {}
