"""How pods open an object store by obstore: options that are in the pipeline, and keys that stay in their secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kfnb.remote.objects import ObjectAddress
from kfnb.resources.runs.kubeflow.store_session import StoreSession


def options_of_pods(address: ObjectAddress, session: StoreSession) -> dict[str, Any]:
    """Obstore's options of the store of an address, without keys."""
    if address.service == "gs":
        return {}
    if address.service == "az":
        return {"account_name": address.account} if address.account else {}
    options: dict[str, Any] = {"virtual_hosted_style_request": not session.path_style}
    if session.endpoint:
        scheme = "https" if session.secure else "http"
        endpoint = session.endpoint if "://" in session.endpoint else f"{scheme}://{session.endpoint}"
        options["endpoint"] = endpoint
        options["client_options"] = {"allow_http": endpoint.startswith("http://")}
    if session.region:
        options["region"] = session.region
    return options


def keys_of_pods(session: StoreSession) -> Mapping[str, str]:
    """The keys of the store's secret, by obstore's names; none where the account of the pods may read it."""
    if not session.secret:
        return {}
    if session.token_key:
        return {"SERVICE_ACCOUNT_KEY": session.token_key}
    return {"ACCESS_KEY_ID": session.access_key, "SECRET_ACCESS_KEY": session.secret_key}
