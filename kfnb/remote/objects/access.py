"""How to reach an object store: endpoint, credentials, TLS and proxies; and obstore's store for a bucket."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kfnb.errors import Unreadable
from kfnb.extras import require

_ENDPOINT = re.compile(r"https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")
_REGION = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ENVIRONMENT = (
    ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"),
    ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",),
    ("AWS_CONTAINER_CREDENTIALS_FULL_URI",),
)
"""The environment variables for S3 with keys, a web identity (IRSA) and a pod identity."""
_CONNECT, _SHORT, _MOVE = "5s", "60s", "300s"
"""Timeouts: for a connection; for an answer; and for a part of a large file, including its upload."""


@dataclass(frozen=True)
class AccessKeys:
    """Keys of S3; ``secret`` and ``token`` are never shown."""

    access: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)

    def provided(self) -> Mapping[str, Any]:
        """The keys, as obstore expects them."""
        keys = {"access_key_id": self.access, "secret_access_key": self.secret}
        return {**keys, "token": self.token or None, "expires_at": None}


@dataclass(frozen=True)
class StoreAccess:
    """How to reach the stores of a ``service`` (s3, gs or az).

    ``endpoint`` is a URL, empty for the service's own address; the bucket is in the path of requests, or without
    ``path_style`` in the host's name. Credentials are ``keys`` (S3) or a service account's JSON in ``account_key``
    (Google); without them, those of this process's environment. ``account`` is Azure's. Certificates of ``ca_file`` are
    trusted beside the system's; ``verify=False`` turns verification off. Proxies come from the environment. Raises
    ``Unreadable`` for an invalid endpoint or region.
    """

    service: str
    endpoint: str = ""
    region: str = ""
    path_style: bool = True
    keys: AccessKeys | None = None
    account_key: str = field(default="", repr=False)
    account: str = ""
    ca_file: str = ""
    verify: bool = True

    def __post_init__(self) -> None:
        if self.endpoint and not _ENDPOINT.fullmatch(self.endpoint):
            raise Unreadable(
                f"invalid endpoint of an object store: {self.endpoint!r} (use https://HOST:PORT)"
            )
        if self.region and not _REGION.fullmatch(self.region):
            raise Unreadable(f"invalid region of an object store: {self.region!r}")

    @property
    def host(self) -> str:
        """Where requests go, for messages."""
        services = {"s3": "Amazon S3", "gs": "Google Cloud Storage", "az": "Azure Storage"}
        return urlsplit(self.endpoint).netloc or services[self.service]

    @property
    def _is_here(self) -> bool:
        """Whether the endpoint is an address of this machine."""
        host = urlsplit(self.endpoint).hostname or ""
        try:
            return host == "localhost" or ip_address(host).is_loopback
        except ValueError:
            return False

    def for_short_requests(self, bucket: str) -> Any:
        """Obstore's store for a bucket, for short requests."""
        retries = {"max_retries": 3, "retry_timeout": timedelta(seconds=5)}
        return self._store(bucket, {"timeout": _SHORT, "read_timeout": _SHORT}, retries)

    def moving(self, bucket: str) -> Any:
        """Obstore's store for a bucket, for whole objects of any size."""
        retries = {"max_retries": 5, "retry_timeout": timedelta(minutes=15)}
        return self._store(bucket, {"timeout": "7d", "read_timeout": _MOVE}, retries)

    def _store(self, bucket: str, limits: Mapping[str, str], retries: Mapping[str, Any]) -> Any:
        require("obstore", "opening objects")
        from obstore.store import AzureStore, GCSStore, S3Store

        shared: dict[str, Any] = {"client_options": self._client(limits), "retry_config": dict(retries)}
        if self.service == "gs":
            shared |= {"service_account_key": self.account_key} if self.account_key else {}
            return GCSStore(bucket, **shared)
        if self.service == "az":
            shared |= {"account_name": self.account} if self.account else {}
            return AzureStore(bucket, **shared)
        in_host = not self.path_style and not self._is_here
        if self.endpoint:
            scheme, _, host = self.endpoint.partition("://")
            url = f"{scheme}://{bucket}.{host}" if in_host else self.endpoint
            # the second overrides the first, and would be read from the environment
            shared |= {"endpoint": url, "aws_endpoint_url_s3": url}
        if self.region:
            shared["region"] = self.region
        if self.keys is not None:  # a provider: obstore does not show its secrets in a store's repr
            shared |= {"credential_provider": self.keys.provided, "skip_signature": False}
        return S3Store(bucket, virtual_hosted_style_request=in_host, **shared)

    def _client(self, limits: Mapping[str, str]) -> dict[str, Any]:
        options: dict[str, Any] = {"connect_timeout": _CONNECT, **limits}
        address = urlsplit(self.endpoint)
        if address.scheme == "http":
            options["allow_http"] = True
        if not self.verify:
            options["allow_invalid_certificates"] = True
        elif self.ca_file:
            options["root_certificate"] = _certificates(self.ca_file)
        if self._is_here:  # a port-forward: not reachable through a proxy
            options |= {"proxy_url": self.endpoint, "proxy_excludes": address.hostname}
        return options


def has_environment_credentials() -> bool:
    """Whether the environment configures S3: its credentials, or unsigned requests."""
    anonymous = os.environ.get("AWS_SKIP_SIGNATURE", "").lower() in ("1", "true")
    return anonymous or any(all(os.environ.get(name) for name in names) for names in _ENVIRONMENT)


def _certificates(file: str) -> bytes:
    try:
        return Path(file).expanduser().read_bytes()
    except OSError as error:
        raise Unreadable(f"cannot read the CA file {file}: {error.strerror}") from None
