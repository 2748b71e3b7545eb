"""Where things go: which backend, which cluster and which namespace. The one place where that is decided.

Settings come first, then the pod that this runs in, then the kubeconfig's context.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kfnb.errors import BackendError, UsageError, did_you_mean
from kfnb.settings import settings

if TYPE_CHECKING:
    from kfnb.remote.kubernetes.client import Kubernetes
    from kfnb.remote.retry import RetryPolicy

BACKENDS = ("local", "kubeflow")
"""Where runs and studies go: this machine, or a cluster."""


def backend_name(name: str | None = None) -> str:
    """The backend called ``name``; by default that of the settings, else the one that fits where this runs.

    In a notebook on Kubeflow that is ``kubeflow``, elsewhere ``local``. Raises ``UsageError``.
    """
    chosen = name or settings().backend or _fitting()
    if chosen not in BACKENDS:
        hint = did_you_mean(chosen, BACKENDS, "there are local and kubeflow")
        raise UsageError(f"unknown backend {chosen}", code="unknown-backend", hint=hint, ref=chosen)
    return chosen


def split_reference(text: str) -> tuple[str | None, str]:
    """A reference as its backend and its id or name: ``local:X``, ``kubeflow:X``; None where it does not say."""
    backend, colon, rest = text.partition(":")
    return (backend, rest) if colon and rest and backend in BACKENDS else (None, text)


def names_a_cluster() -> bool:
    """Whether the settings name a cluster, if only by its address."""
    chosen = settings()
    backend = chosen.backend or _fitting()
    return backend == "kubeflow" or (not chosen.backend and bool(chosen.host or chosen.context))


def kubernetes(retry: RetryPolicy | None = None) -> Kubernetes | None:
    """The Kubernetes that the settings name, else that of the pod that this runs in; None where there is none.

    Sends no request. Raises ``BackendError``.
    """
    from kfnb.remote import environment
    from kfnb.remote.kubernetes import kubeconfig
    from kfnb.remote.retry import RETRY

    within = environment.read().in_cluster
    return kubeconfig.kubernetes(settings().context, within=within, retry=retry or RETRY)


def namespace() -> str:
    """The namespace that is meant: the settings', the pod's, the context's own, else ``default``."""
    from kfnb.remote import environment
    from kfnb.remote.kubernetes import kubeconfig

    chosen = settings()
    return (
        chosen.namespace or environment.read().namespace or kubeconfig.namespace(chosen.context) or "default"
    )


def require_kubernetes() -> Kubernetes:
    """The Kubernetes that is meant. Raises ``BackendError`` where none is known."""
    found = kubernetes()
    if found is not None:
        return found
    from kfnb.remote.kubernetes import kubeconfig

    there = ", ".join(kubeconfig.contexts())
    hint = f"; your kubeconfig has {there}" if there else ""
    raise BackendError(f"no cluster is known here: %kf_config context=NAME names one{hint}")


def _fitting() -> str:
    from kfnb.remote import environment

    return "kubeflow" if environment.read().notebook else "local"
