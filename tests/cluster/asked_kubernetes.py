"""Asks a Kubernetes API server without much patience."""

from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.remote.retry import RetryPolicy

HASTE = RetryPolicy(tries=3, pause=0.01, longest=0.05, connect=10.0, read=30.0)


def asking(url: str, token: str = "", retry: RetryPolicy = HASTE) -> Kubernetes:
    """The boundary to a server, as who has a token."""
    from kubernetes.client import Configuration

    settings = Configuration()
    settings.host = url
    settings.api_key = {"authorization": f"Bearer {token}"} if token else {}
    return Kubernetes(lambda: settings, retry=retry)
