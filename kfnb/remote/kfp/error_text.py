"""The message of a KFP server's error, as one sentence.

KFP wraps a message in the messages of every function that it passed (``Failed to ...: InternalServerError: ...``),
sometimes with the plain message in ``details``, sometimes followed by a Go stack trace; the recordings show them all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from kfnb.text.shorten import shorten

_KIND = re.compile(
    r"\b(?:Invalid input error|Internal error|[A-Z]\w*Error|PermissionDenied|Unauthenticated): "
)
_ATTRIBUTES = re.compile(r"ResourceAttributes\{(.*?)\}")
_HIDDEN = "Internal Server Error"
_VERBS = {"GET": "read", "POST": "create", "DELETE": "delete", "PATCH": "change", "PUT": "change"}
_ACTIONS = re.compile(r":(\w+)$")
_LONGEST = 500


def sentence(body: bytes) -> str:
    """The message in the body of an error; empty if there is none."""
    try:
        answer = json.loads(body)
    except ValueError:
        return _plain(body)
    if not isinstance(answer, dict):
        return ""
    message = str(answer.get("message") or answer.get("error_message") or answer.get("error") or "")
    for detail in answer.get("details") or ():
        inner = detail.get("message", "") if isinstance(detail, Mapping) else ""
        if inner and inner != _HIDDEN:
            message = _KIND.sub("", str(inner), count=1) if _KIND.match(str(inner)) else str(inner)
            return _first_line(message)
    return _first_line(_KIND.split(message)[-1]) or _first_line(message)


def forbidden(body: bytes, method: str, path: str, namespace: str) -> str:
    """What a user may not do: which verb on which resource in which namespace, as far as the server names them."""
    message = sentence(body)
    found = _ATTRIBUTES.search(body.decode("utf-8", "replace"))
    attributes: dict[str, Any] = (
        dict(part.partition(":")[::2] for part in found[1].split(",")) if found else {}
    )
    if attributes.get("Verb"):
        resource = "/".join(filter(None, (attributes.get("Resource"), attributes.get("Subresource"))))
        where = attributes.get("Namespace") or namespace
        words = f"{attributes['Verb']} {resource} ({attributes.get('Group') or 'core'})"
        return f"you may not {words}{f' in namespace {where}' if where else ''}"
    action = _ACTIONS.search(path)
    resource = path.strip("/").partition("/")[0].partition(":")[0]
    where = f" in namespace {namespace}" if namespace else ""
    words = f"you may not {action[1] if action else _VERBS.get(method, method)} {resource}{where}"
    return f"{words}: {message}" if message else words


def _first_line(text: str) -> str:
    line = text.strip().partition("\n")[0].strip()
    return shorten(line, _LONGEST)


def _plain(body: bytes) -> str:
    text = body[:2000].decode("utf-8", "replace").strip()
    return "" if text.startswith("<") else _first_line(text)
