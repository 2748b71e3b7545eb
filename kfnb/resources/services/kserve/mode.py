"""How a cluster deploys InferenceServices. Each mode has two names, the older one until KServe 0.15."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from kfnb.errors import BackendError
from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.remote.kubernetes.fields import Item, mapping, word
from kfnb.resources.services.kserve.objects import MODE

CONFIGURATION = "inferenceservice-config"
"""The config map with KServe's settings."""
_TAG = re.compile(r":v?(\d+)\.(\d+)(?:\.\d+)?[\w.-]*$")
_WEIGHTS_SINCE = (0, 21)
"""The version of KServe that weighs routes for the canary of a spec; 0.20 has the canary and no weights."""

_STOPS_SINCE = (0, 16)
"""The version of KServe that stops services in Standard mode; 0.15 does so in Knative's alone."""


class DeploymentMode(str, Enum):
    """Knative's revisions and routes, or Kubernetes' own deployments."""

    KNATIVE = "Knative"
    STANDARD = "Standard"


_NAMES = {
    "Knative": DeploymentMode.KNATIVE,
    "Serverless": DeploymentMode.KNATIVE,
    "Standard": DeploymentMode.STANDARD,
    "RawDeployment": DeploymentMode.STANDARD,
}


@dataclass(frozen=True)
class KServeSettings:
    """What the config map of KServe says. ``version`` is that of its images, None if they have no such tag.

    ``gateway`` is the service and the namespace of the gateway within the cluster, in Knative's mode.
    """

    mode: DeploymentMode | None = None
    gateway_api: bool = False
    version: tuple[int, int] | None = None
    gateway: tuple[str, str] = ("knative-local-gateway", "istio-system")

    @property
    def stops(self) -> bool:
        """Whether a service in Standard mode can be stopped; taken for granted where the version is unknown."""
        return self.version is None or self.version >= _STOPS_SINCE

    @property
    def weighs_routes(self) -> bool:
        """Whether the requests are split by the weights of HTTPRoutes, where the spec has a canary."""
        return self.gateway_api and self.version is not None and self.version >= _WEIGHTS_SINCE


def mode_of(service: Item) -> DeploymentMode | None:
    """The mode in which an InferenceService is deployed; None while that is unknown."""
    named = word(service, "status", "deploymentMode") or word(service, "metadata", "annotations", MODE)
    if named in _NAMES:
        return _NAMES[named]
    predictor = mapping(service, "status", "components", "predictor")
    if predictor.get("latestCreatedRevision"):
        return DeploymentMode.KNATIVE
    return DeploymentMode.STANDARD if predictor else None


def read_settings(kubernetes: Kubernetes, namespaces: Iterable[str]) -> KServeSettings:
    """KServe's settings, from the first of ``namespaces`` that has them; nothing is known where none may be read."""
    for namespace in namespaces:
        try:
            found = kubernetes.get(f"/api/v1/namespaces/{namespace}/configmaps/{CONFIGURATION}")
        except BackendError:  # it is in another namespace, or hidden from this user
            continue
        return settings_of(mapping(found, "data"))
    return KServeSettings()


def settings_of(data: Mapping[str, Any]) -> KServeSettings:
    """KServe's settings in the data of its config map."""
    ingress = _parsed(data, "ingress")
    tag = _TAG.search(str(_parsed(data, "storageInitializer").get("image", "")))
    service, _, rest = str(ingress.get("localGatewayService") or "").partition(".")
    known = KServeSettings()
    return KServeSettings(
        _NAMES.get(str(_parsed(data, "deploy").get("defaultDeploymentMode"))),
        gateway_api=ingress.get("enableGatewayApi") is True,
        version=(int(tag[1]), int(tag[2])) if tag else None,
        gateway=(service, rest.partition(".")[0]) if service and rest else known.gateway,
    )


def _parsed(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    try:
        found = json.loads(str(data.get(name) or ""))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
