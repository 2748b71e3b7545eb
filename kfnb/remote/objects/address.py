"""Addresses of objects: only the schemes that kfnb opens."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kfnb.errors import Unreadable

SERVICES = {
    "s3": "s3",
    "minio": "s3",
    "gs": "gs",
    "gcs": "gs",
    "az": "az",
    "azblob": "az",
    "abfs": "az",
    "abfss": "az",
}
"""The kind of store behind each scheme. Local files, the web and chains (``::``) are excluded on purpose."""

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")
_AZURE = re.compile(r"([A-Za-z0-9-]+)@([a-z0-9]{3,24})\.(?:blob|dfs)\.core\.windows\.net")


@dataclass(frozen=True)
class ObjectAddress:
    """An object, or the folder of all whose keys begin with ``key``: in ``bucket`` of a ``service`` (s3, gs or az).

    ``account`` is Azure's storage account if the address names it.
    """

    service: str
    bucket: str
    key: str
    account: str = ""

    @classmethod
    def parse(cls, uri: str) -> ObjectAddress:
        """Read it from a URI, whose query (how KFP reaches the store) is left out. Raises ``Unreadable``."""
        scheme, separator, rest = uri.partition("://")
        service = SERVICES.get(scheme) if separator else None
        if service is None:
            what = f"the scheme {scheme}://" if separator else "an address without a scheme"
            raise Unreadable(
                f"{what} is not allowed for an artifact of a cluster; allowed are {', '.join(SERVICES)} (as in s3://)"
            )
        bucket, _, key = (rest.partition("?")[0] if service == "s3" else rest).partition("/")
        account = ""
        if service == "az" and (named := _AZURE.fullmatch(bucket)):
            bucket, account = named.groups()
        if not _BUCKET.fullmatch(bucket):
            raise Unreadable(f"a {scheme}:// address without a valid bucket name cannot be opened")
        return cls(service, bucket, key, account)

    @property
    def path(self) -> str:
        """The bucket and the key, as a file system has them."""
        return f"{self.bucket}/{self.key}" if self.key else self.bucket
