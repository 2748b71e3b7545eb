"""Credentials: a token, a token's file that Kubernetes rewrites, cookies. None of them is ever shown."""

from __future__ import annotations

from pathlib import Path

from kfnb.diagnostics import hide
from kfnb.errors import BackendUnavailable


class Credentials:
    """A ``token``, or the ``file`` that holds one, and the ``cookies`` of an auth proxy; each may be missing.

    A token's file is read again when it has changed: Kubernetes rotates projected tokens.
    """

    def __init__(self, token: str = "", file: Path | None = None, cookies: str = "") -> None:
        self._token, self._cookies = token.strip(), cookies.strip()
        self._file, self._read = file, (0, 0)
        hide(self._token)

    def __repr__(self) -> str:
        return f"Credentials({self.kind})"

    __str__ = __repr__

    def __getstate__(self) -> dict[str, object]:
        raise TypeError("credentials are not stored")

    @property
    def kind(self) -> str:
        """What kind of credentials they are, for messages."""
        parts = [f"the token in {self._file}" if self._file else "a token" if self._token else ""]
        parts.append("cookies" if self._cookies else "")
        return " and ".join(filter(None, parts)) or "no token and no cookies"

    @property
    def rotated(self) -> bool:
        """Whether the credentials can change by themselves: a token's file is rewritten."""
        return self._file is not None

    def headers(self) -> dict[str, str]:
        """The headers with the credentials. Raises ``BackendUnavailable`` if the token's file cannot be read."""
        self._follow()
        found = {"authorization": f"Bearer {self._token}"} if self._token else {}
        return found | ({"cookie": self._cookies} if self._cookies else {})

    def renewed(self) -> bool:
        """Read the token's file again, even if its times are unchanged; return whether the token changed."""
        before, self._read = hash(self._token), (0, 0)  # no token in a local: tracebacks may show them
        self._follow()
        return hash(self._token) != before

    def _follow(self) -> None:
        if self._file is None:
            return
        try:
            status = self._file.stat()
            version = (status.st_mtime_ns, status.st_ino)
            if version != self._read:
                self._token = self._file.read_text(encoding="utf-8").strip()
                hide(self._token)
                self._read = version
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is not text"
            raise BackendUnavailable(f"cannot read the token from {self._file}: {reason}") from None
