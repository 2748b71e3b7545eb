"""How Kubeflow is reached from here: from what the user says, else from what the surroundings tell."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kfnb import model
from kfnb.backends.backend import LogLine
from kfnb.backends.kubeflow.backend import Insight, KubeflowBackend
from kfnb.backends.kubeflow.credentials import Credentials
from kfnb.backends.kubeflow.fold import Told
from kfnb.backends.kubeflow.forward import Forwards
from kfnb.backends.kubeflow.insight import Cluster
from kfnb.backends.kubeflow.mlmd import Metadata
from kfnb.backends.kubeflow.objects import Store, read_secrets
from kfnb.backends.kubeflow.pods import Pods
from kfnb.backends.kubeflow.server import Server
from kfnb.backends.kubeflow.surroundings import INSTALLED, PIPELINES, Surroundings
from kfnb.errors import BackendError

_API, _API_PORT = "ml-pipeline", 8888
_METADATA, _METADATA_PORT = "metadata-grpc-service", 8080
_WITHIN = re.compile(
    r"(?:https?://)?(?P<service>[a-z0-9-]+)\.(?P<namespace>[a-z0-9-]+)(\.svc(\.[a-z0-9.-]+)?)?(:\d+)?/?"
)
_UNKNOWN = (
    "no Kubeflow is known here: no host and no context is set, there is no KF_PIPELINES_ENDPOINT, and this is no pod "
    "of a cluster. Give one: %kf_config host=https://ADDRESS/pipeline token_file=FILE, or %kf_config context=NAME "
    "for a context of your kubeconfig"
)


@dataclass(frozen=True)
class Access:
    """What the user says: see the settings of the same names. Secrets are not shown."""

    host: str = ""
    token: str = field(default="", repr=False)
    token_file: str = ""
    cookies: str = field(default="", repr=False)
    context: str = ""
    namespace: str = ""
    ca_file: str = ""
    verify: bool = True
    metadata: str = ""
    pipeline_root: str = ""
    service_account: str = ""


def connect(access: Access, around: Surroundings) -> KubeflowBackend:
    """The backend that is reached so. Nothing is asked yet. Raises ``BackendError`` where nothing is known to ask."""
    cluster = _Kubernetes(access.context, within=around.in_cluster)
    url, hint = _address(access, around, cluster)
    server = Server(
        url,
        credentials=_credentials(access, around),
        namespace=access.namespace or around.namespace or cluster.namespace,
        ca=access.ca_file,
        verify=access.verify,
        hint=hint,
    )
    return KubeflowBackend(
        server,
        insight=_Lazily(lambda: _insight(access, server, cluster)),
        page=_page(url, access, around),
        root=access.pipeline_root,
        account=access.service_account,
        close=cluster.close,
    )


def _address(access: Access, around: Surroundings, cluster: _Kubernetes) -> tuple[str, str]:
    """Where Kubeflow Pipelines is, and what to do if it does not answer there."""
    other = "Set another: %kf_config host=ADDRESS, or %kf_config context=NAME to go through a kubeconfig"
    if access.host:
        url = access.host if "://" in access.host else f"https://{access.host}"
        return url.rstrip("/"), f"That is the host that is set. {other}"
    if access.context:
        where = f"{_API} in namespace {INSTALLED} through context {access.context}"
        return f"http://{cluster.reach(_API, INSTALLED, _API_PORT)}", f"That is a port-forward to {where}"
    if around.endpoint:
        url = around.endpoint if "://" in around.endpoint else f"http://{around.endpoint}"
        return url.rstrip("/"), f"That is what KF_PIPELINES_ENDPOINT says. {other}"
    if around.in_cluster:
        return PIPELINES, f"That is where Kubeflow Pipelines is in a cluster by default. {other}"
    raise BackendError(_UNKNOWN)


def _credentials(access: Access, around: Surroundings) -> Credentials:
    if access.token or access.token_file:
        file = Path(access.token_file).expanduser() if access.token_file and not access.token else None
        return Credentials(access.token, file, access.cookies)
    usual = around.token_file if not (access.context or access.cookies) else None
    return Credentials("", usual, access.cookies)


def _page(url: str, access: Access, around: Surroundings) -> Callable[[str], str]:
    """The address of a run's page: in a notebook on the dashboard's own host, through a forward nowhere."""
    if around.page:
        base = around.page.rstrip("/")
    elif around.notebook and _WITHIN.fullmatch(url):
        base = "/_/pipeline"
    else:
        base = "" if access.context and not access.host else url
    return lambda run_id: f"{base}/#/runs/details/{run_id}" if base else ""


def _insight(access: Access, server: Server, cluster: _Kubernetes) -> Cluster:
    namespace = access.namespace or server.users_namespace or INSTALLED
    client = cluster.client()
    address = access.metadata or _metadata(server.url, cluster)
    return Cluster(
        Metadata(address) if address else None,
        Store(namespace, read_secrets(client) if client is not None else None, cluster.reached),
        Pods(client, namespace) if client is not None else None,
    )


def _metadata(url: str, cluster: _Kubernetes) -> str:
    """Where ML Metadata is: beside Kubeflow Pipelines in the cluster; empty where it cannot be reached."""
    within = _WITHIN.fullmatch(url)
    if cluster.context:
        return cluster.reach(_METADATA, INSTALLED, _METADATA_PORT)
    return f"{_METADATA}.{within['namespace']}:{_METADATA_PORT}" if within else ""


class _Kubernetes:
    """The Kubernetes of a kubeconfig's ``context``; else the one that this is a pod of (``within``), else none."""

    def __init__(self, context: str, *, within: bool) -> None:
        self.context, self._within = context, within
        self._forwards = Forwards(self._new)
        self.close = self._forwards.close

    @property
    def namespace(self) -> str:
        """The context's own namespace; empty where it has none."""
        if not self.context:
            return ""
        return str(self._chosen().get("context", {}).get("namespace", ""))

    def client(self) -> Any:
        """A client; None where there is no Kubernetes."""
        return self._new() if self.context or self._within else None

    def reach(self, service: str, namespace: str, port: int) -> str:
        """The address here of a service."""
        return (
            self._forwards.to(service, namespace, port) if self.context else f"{service}.{namespace}:{port}"
        )

    def reached(self, address: str) -> str:
        """The address here of one within the cluster."""
        found = _WITHIN.fullmatch(address)
        host, _, port = address.rpartition(":")
        if not self.context or found is None or not host or not port.isdigit():
            return address
        return self.reach(found["service"], found["namespace"], int(port))

    def _new(self) -> Any:
        from kubernetes import client, config

        if self.context:
            self._chosen()
            return config.new_client_from_config(context=self.context)
        settings = client.Configuration()
        try:
            config.load_incluster_config(client_configuration=settings)
        except config.ConfigException:
            return None
        return client.ApiClient(settings)

    def _chosen(self) -> Mapping[str, Any]:
        from kubernetes import config

        try:
            contexts, _ = config.list_kube_config_contexts()
        except config.ConfigException as error:
            raise BackendError(
                f"context={self.context}: there is no kubeconfig to look it up in ({error})"
            ) from None
        found: Mapping[str, Any] | None = next((one for one in contexts if one["name"] == self.context), None)
        if found is None:
            there = ", ".join(one["name"] for one in contexts) or "none"
            raise BackendError(
                f"context={self.context}: your kubeconfig has no such context; there is {there}"
            )
        return found


class _Lazily:
    """An insight that is made when it is first needed: it takes connections that most uses do without."""

    def __init__(self, make: Callable[[], Insight]) -> None:
        self._make = make
        self._made: Insight | None = None

    def _insight(self) -> Insight:
        if self._made is None:
            self._made = self._make()
        return self._made

    @property
    def trouble(self) -> str:
        """See ``Insight``."""
        return self._made.trouble if self._made else ""

    def told(self, run: model.Run, spec: Mapping[str, Any]) -> Mapping[str, Told]:
        """See ``Insight``."""
        return self._insight().told(run, spec)

    def logs(
        self, look: Callable[[], model.Run], spec: Mapping[str, Any], task: str | None, *, follow: bool
    ) -> Iterator[LogLine | None]:
        """See ``Insight``."""
        return self._insight().logs(look, spec, task, follow=follow)
