"""Requests to an S3 store, signed: AWS Signature Version 4.

After "Create a signed AWS API request" of the AWS reference.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

EMPTY = hashlib.sha256(b"").hexdigest()
"""The digest of a request without a body."""


@dataclass(frozen=True)
class Keys:
    """Who asks; ``secret`` and ``token`` are never shown."""

    access: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)


def encoded(query: Mapping[str, str]) -> str:
    """A query as it is signed and sent."""
    return "&".join(
        f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in sorted(query.items())
    )


def signed(
    keys: Keys,
    region: str,
    method: str,
    host: str,
    path: str,
    query: str,
    now: datetime,
    body: str = EMPTY,
) -> dict[str, str]:
    """The headers of a request for ``path`` (quoted) with ``query`` (as ``encoded`` has it), at ``now`` (UTC).

    ``body`` is the SHA-256 digest of what is sent, which the store checks.
    """
    stamp, scope = now.strftime("%Y%m%dT%H%M%SZ"), f"{now:%Y%m%d}/{region}/s3/aws4_request"
    headers = {"host": host, "x-amz-content-sha256": body, "x-amz-date": stamp}
    if keys.token:
        headers["x-amz-security-token"] = keys.token
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = f"{method}\n{path}\n{query}\n{lines}\n{names}\n{body}"
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(request.encode()).hexdigest()])
    key = f"AWS4{keys.secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={keys.access}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return headers
