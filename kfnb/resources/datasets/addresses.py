"""How the address of an object store is reached: by its query, the environment and the settings."""

from __future__ import annotations

import os
from urllib.parse import parse_qs

from kfnb.errors import Unreadable, UsageError
from kfnb.remote.objects import ObjectAddress, ObjectStore, StoreAccess
from kfnb.settings import settings

_ENDPOINTS = ("AWS_S3_ENDPOINT", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")


def object_store(uri: str) -> tuple[ObjectAddress, str, ObjectStore]:
    """The address of an object store, its query, and the store, reached by that and the environment.

    Raises ``UsageError`` for an address that is not valid.
    """
    _, _, query = uri.partition("?")
    options = {name: values[-1] for name, values in parse_qs(query).items()}
    try:
        parsed = ObjectAddress.parse(uri)
        endpoint = options.get("endpoint", "") or _environment_endpoint(parsed.service)
        access = StoreAccess(
            parsed.service,
            endpoint=endpoint,
            region=options.get("region", ""),
            path_style=options.get("s3ForcePathStyle", "").lower() != "false",
            account=parsed.account,
            ca_file=settings().ca_file,
            verify=settings().verify,
        )
    except Unreadable as error:
        raise UsageError(f"{uri}: {error}", ref=uri) from None
    return parsed, query, ObjectStore(access)


def _environment_endpoint(service: str) -> str:
    if service != "s3":
        return ""
    return next(filter(None, (os.environ.get(name) for name in _ENDPOINTS)), "")
