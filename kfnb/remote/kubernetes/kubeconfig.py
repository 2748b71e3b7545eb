"""Which Kubernetes to use: the cluster of a kubeconfig context, else the cluster that this pod is in, else none."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kfnb.diagnostics import hide, logger, where
from kfnb.errors import BackendError
from kfnb.remote.environment import proxy_to
from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.remote.retry import RETRY, RetryPolicy

_logger = logger(__package__)


def kubernetes(context: str = "", *, within: bool = False, retry: RetryPolicy = RETRY) -> Kubernetes | None:
    """The cluster of a kubeconfig's ``context``; without a context the cluster of this pod (``within``), else None.

    No request is sent yet. Raises ``BackendError`` if the kubeconfig does not have the context.
    """
    if context:
        chosen(context)
    elif not within:
        return None
    return Kubernetes(lambda: configuration(context), retry=retry)


def configuration(context: str = "") -> Any:
    """A new ``Configuration`` of the ``kubernetes`` package, for a context or for this pod."""
    from kubernetes import client, config

    settings = client.Configuration()
    try:
        if context:
            config.load_kube_config(context=context, client_configuration=settings)
            settings.proxy = settings.proxy or proxy_to(settings.host) or None
        else:
            config.load_incluster_config(client_configuration=settings)
    except Exception as error:  # a broken or missing file or a failing plugin may raise anything
        _logger.debug("Cannot read the configuration for Kubernetes.\n%s", where(error))
        raise BackendError(_unusable(context, _reason(error))) from None
    for token in settings.api_key.values():
        hide(token.removeprefix("Bearer "))
    return settings


def namespace(context: str) -> str:
    """The context's namespace; empty if it has none."""
    return str(chosen(context).get("context", {}).get("namespace", "")) if context else ""


def chosen(context: str) -> Mapping[str, Any]:
    """A context of the kubeconfig. Raises ``BackendError`` for an unknown name."""
    from kubernetes import config

    try:
        contexts, _ = config.list_kube_config_contexts()
    except Exception as error:  # no file, or not a kubeconfig
        _logger.debug("Cannot read the kubeconfig.\n%s", where(error))
        raise BackendError(f"context={context}: cannot read a kubeconfig ({_reason(error)})") from None
    found: Mapping[str, Any] | None = next((one for one in contexts if one["name"] == context), None)
    if found is None:
        there = ", ".join(one["name"] for one in contexts) or "none"
        message = f"context={context}: not found in your kubeconfig"
        raise BackendError(message, hint=f"its contexts: {there}", ref=context)
    return found


def contexts() -> tuple[str, ...]:
    """The names of the contexts in the kubeconfig; empty without a kubeconfig."""
    places = os.environ.get("KUBECONFIG", "~/.kube/config").split(os.pathsep)
    if not any(Path(place).expanduser().is_file() for place in places if place):
        return ()
    from kubernetes import config

    try:
        found, _ = config.list_kube_config_contexts()
    except Exception as error:  # an unreadable file has no contexts
        _logger.debug("Cannot read the kubeconfig.\n%s", where(error))
        return ()
    return tuple(one["name"] for one in found)


def _reason(error: Exception) -> str:
    """The client's own message; other errors may quote the file, which contains secrets."""
    from kubernetes.config import ConfigException

    return str(error) if isinstance(error, ConfigException) else type(error).__name__


def _unusable(context: str, why: str) -> str:
    if context:
        return f"context={context}: cannot use your kubeconfig ({why})"
    return (
        f"this pod has no service account token for Kubernetes ({why}): automountServiceAccountToken is off"
    )
