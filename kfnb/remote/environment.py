"""What a program's environment contains: the Kubeflow that it runs in, and proxies."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

INSTALLED = "kubeflow"
"""The namespace that Kubeflow is installed in, unless an administrator chose another."""

_ACCOUNT = Path("var/run/secrets/kubernetes.io/serviceaccount")
_TOKEN = Path("var/run/secrets/kubeflow/pipelines/token")
"""Where Kubeflow's PodDefault puts the token for pipelines."""


@dataclass(frozen=True)
class KubeflowEnvironment:
    """``namespace`` is the pod's own, empty outside of a cluster; ``prefix`` the notebook's path (``NB_PREFIX``).

    ``endpoint`` and ``page`` are the addresses of pipelines and of their pages, as far as the environment has them.
    """

    namespace: str = ""
    prefix: str = ""
    endpoint: str = ""
    page: str = ""
    token_file: Path | None = None

    @property
    def in_cluster(self) -> bool:
        """Whether this is a pod."""
        return bool(self.namespace)

    @property
    def notebook(self) -> bool:
        """Whether this is a Kubeflow notebook: version 1's or version 2's (a workspace)."""
        return self.in_cluster and bool(self.prefix)


def read(root: Path = Path("/"), environ: Mapping[str, str] | None = None) -> KubeflowEnvironment:
    """Read the environment from the files below ``root`` and the environment variables."""
    environ = os.environ if environ is None else environ
    prefix = environ.get("NB_PREFIX", "")
    return KubeflowEnvironment(
        namespace=_text(root / _ACCOUNT / "namespace") or _namespace(prefix),
        prefix=prefix,
        endpoint=environ.get("KF_PIPELINES_ENDPOINT", ""),
        page=environ.get("KF_PIPELINES_UI_ENDPOINT", ""),
        token_file=_token_file(root, environ),
    )


def proxy_to(url: str) -> str:
    """The proxy of the environment for an address, by kubectl's rules; empty for none.

    Addresses of this machine never use a proxy: port-forwards are local.
    """
    from urllib.request import getproxies, proxy_bypass  # imported only by kernels that use a cluster

    address = urlsplit(url)
    host = address.hostname or ""
    proxy = getproxies().get(address.scheme, "")
    if not proxy or _loopback(host) or proxy_bypass(host):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


def _loopback(host: str) -> bool:
    from ipaddress import ip_address

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _namespace(prefix: str) -> str:
    """The namespace in a notebook's path: ``/notebook/NS/NAME``, ``/workspace/connect/NS/WORKSPACE/PORT/``."""
    parts = prefix.strip("/").split("/")
    if parts[:1] == ["notebook"] and len(parts) > 2:  # noqa: PLR2004 - as the path has it
        return parts[1]
    if parts[:2] == ["workspace", "connect"] and len(parts) > 3:  # noqa: PLR2004 - likewise
        return parts[2]
    return ""


def _token_file(root: Path, environ: Mapping[str, str]) -> Path | None:
    named = environ.get("KF_PIPELINES_SA_TOKEN_PATH")
    if named:
        return Path(named)
    usual = root / _TOKEN
    return usual if usual.exists() else None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""
