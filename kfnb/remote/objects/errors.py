"""Errors of object stores, as kfnb's exceptions: missing, forbidden and unreachable are distinguished."""

from __future__ import annotations

import re
from html import unescape

from kfnb.errors import Code, Unreadable
from kfnb.text.shorten import shorten

_STATUS = re.compile(r"non-2xx status code: (\d{3}) ?([^:\n]*)")
_MESSAGE = re.compile(r"<Message>(.*?)</Message>|\"message\": ?\"([^\"]*)\"", re.DOTALL)
_CODE = re.compile(r"<Code>(.*?)</Code>")
_CAUSE = re.compile(r"(?:message|error): \"([^\"]*)\"")
_NOT_FOUND, _FORBIDDEN = 404, (401, 403)
_REDACTED = "REDACTED"
"""Replaces the address in obstore's errors if it contains a token: obstore requests temporary credentials there."""
_CERTIFICATES = {
    "CaUsedAsEndEntity": "its certificate is a CA certificate, which a server may not use: sign one for it",
    "UnknownIssuer": "its certificate is signed by an unknown CA: set %kf_config ca_file=FILE",
    "NotValidForName": "its certificate is for another host name",
    "Expired": "its certificate has expired",
}
_LONGEST = 300


class ObjectMissing(Unreadable, FileNotFoundError):
    """The object or the bucket does not exist."""


class ObjectForbidden(Unreadable):
    """These credentials lack the permission; whether the object exists is unknown."""

    code: Code = "forbidden"


class StoreUnreachable(Unreadable):
    """The store does not answer."""


def translated(error: Exception, verb: str, path: str, host: str) -> Exception:
    """The exception for an exception of obstore's, raised on ``verb`` (reading, writing, listing) ``path``."""
    if isinstance(error, FileNotFoundError):
        return ObjectMissing(f"no such object: {path}")
    message, _, debug = str(error).partition("\n\nDebug source:")
    where = f"the object store at {host}"
    if _REDACTED in message:
        return Unreadable(f"cannot obtain credentials for {where}: {_words(message) or _reason(debug)}")
    status = _STATUS.search(message)
    if status:
        return _refused(int(status[1]), _words(message) or status[2].strip(), verb, path, where)
    if "HTTP error" in message:
        return StoreUnreachable(f"{where} does not answer: {_reason(debug)}")
    return Unreadable(f"{verb} {path} failed: {_one_line(message)}")


def _refused(status: int, words: str, verb: str, path: str, where: str) -> Unreadable:
    if status == _NOT_FOUND:
        return ObjectMissing(f"no such object: {path}")
    if status in _FORBIDDEN:
        return ObjectForbidden(f"{where} does not allow {verb} {path}: {words}")
    return Unreadable(f"{where} answered {status} to {verb} {path}: {words}")


def _words(text: str) -> str:
    """The store's own message, from XML or JSON."""
    found = _MESSAGE.search(text)
    if found:
        return _one_line(unescape(found[1] or found[2] or ""))
    code = _CODE.search(text)
    return _one_line(code[1]) if code else ""


def _reason(debug: str) -> str:
    """Why there was no answer, from the innermost error that obstore describes."""
    for name, words in _CERTIFICATES.items():
        if name in debug:
            return words
    found = _CAUSE.findall(debug)
    if found:
        return _one_line(found[-1])
    return "timed out" if "TimedOut" in debug else "the connection failed"


def _one_line(text: str) -> str:
    return shorten(" ".join(text.split()), _LONGEST)
