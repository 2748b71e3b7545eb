"""Studies on a cluster, with Katib."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kfnb.errors import BackendUnavailable
from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.remote.portforward.forward import Forward
from kfnb.remote.portforward.tunnel import dial
from kfnb.resources.studies.katib.engine import Draft, KatibStudyEngine
from kfnb.resources.studies.katib.observations import PORT, SERVICE, Observations

__all__ = ["Draft", "KatibStudyEngine", "connect"]


def connect(
    kubernetes: Kubernetes, namespace: str, installed: str = "", *, forwarded: bool = False
) -> KatibStudyEngine:
    """Katib in a namespace. Nothing is asked yet.

    ``installed`` is the namespace of Katib itself; without it there are no learning curves. Its services are reached
    by their addresses within the cluster; ``forwarded`` from outside, through Kubernetes.
    """

    @contextmanager
    def manager() -> Iterator[Observations]:
        if not forwarded:
            yield Observations(f"{SERVICE}.{installed}:{PORT}")
            return
        forward = Forward(lambda: dial(kubernetes, SERVICE, installed, PORT))
        try:
            yield Observations(forward.address)
        except BackendUnavailable as error:
            raise BackendUnavailable(forward.trouble or str(error)) from None
        finally:
            forward.close()

    return KatibStudyEngine(kubernetes, namespace, manager if installed else None)
