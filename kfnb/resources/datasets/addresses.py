"""How the address of an object store is reached: by its query, the environment and the settings.

Requests are signed with the user's credentials. So of an address that a record of a shared store has, the endpoint is
not believed: it must be that of the environment or of the setting ``data_store``.
"""

from __future__ import annotations

import os
import re
from urllib.parse import parse_qs

from kfnb.errors import BackendError, Unreadable, UsageError
from kfnb.remote.objects import ObjectAddress, ObjectStore, StoreAccess
from kfnb.settings import settings

_AUTHORITY = re.compile(r"[a-z0-9]+://[^/?]*")
_ENDPOINTS = ("AWS_S3_ENDPOINT", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")


def object_store(uri: str) -> tuple[ObjectAddress, str, ObjectStore]:
    """The address of an object store, its query, and the store, reached by that and the environment.

    Raises ``UsageError`` for an address that is not valid.
    """
    query = query_of(uri)
    options = _options(query)
    try:
        parsed = ObjectAddress.parse(uri)
        if parsed.service != "s3" and _options(uri.partition("?")[2]).keys() & {"endpoint", "region"}:
            raise UsageError(f"{uri}: only an address of s3:// has an endpoint and a region", ref=uri)
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


def referenced_store(uri: str) -> tuple[ObjectAddress, str, ObjectStore]:
    """As ``object_store``, for an address that a version has by reference.

    Raises ``BackendError`` if its endpoint is not one to which this user sends credentials.
    """
    endpoint = _options(query_of(uri)).get("endpoint", "")
    if endpoint and settings().data_store and endpoint.rstrip("/") not in _believed():
        raise BackendError(
            f"{uri} names the endpoint {endpoint}, to which no credentials are sent: anyone who writes to the data"
            " store may have chosen it;",
            code="forbidden",
            hint=f"set AWS_ENDPOINT_URL={endpoint} if you trust it",
            ref=uri,
        )
    return object_store(uri)


def _believed() -> set[str]:
    """The endpoints of the environment and of the data store. The store of the own home is believed anyway."""
    own = _options(query_of(settings().data_store)).get("endpoint", "")
    return {one.rstrip("/") for one in (own, *(os.environ.get(name, "") for name in _ENDPOINTS))} - {""}


def query_of(uri: str) -> str:
    """The query of an address of S3; in those of other services, a question mark belongs to the key."""
    return uri.partition("?")[2] if uri.startswith(("s3://", "minio://")) else ""


def without_query(uri: str) -> str:
    """The address without the query, as pods read it."""
    return uri.removesuffix(f"?{query_of(uri)}")


def address_in(uri: str, path: str) -> str:
    """The address of the object at ``path`` (``bucket/key``), reached as ``uri`` is, which is in the same bucket.

    Raises ``UsageError`` for a key that an address cannot have.
    """
    found = _AUTHORITY.match(uri)
    authority, key, query = found[0] if found else "", path.partition("/")[2], query_of(uri)
    if query_of(f"{authority}/{key}") or key.endswith("?"):
        raise UsageError(
            f"the object {key} cannot be added by reference: its key has a question mark", ref=uri
        )
    return f"{authority}/{key}" + (f"?{query}" if query else "")


def _options(query: str) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(query).items()}


def _environment_endpoint(service: str) -> str:
    if service != "s3":
        return ""
    return next(filter(None, (os.environ.get(name) for name in _ENDPOINTS)), "")
