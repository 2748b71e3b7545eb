"""The parts of Kubeflow: found by the kinds of resources that the server knows, and by their deployments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kfnb.errors import Absent, BackendError, Hidden
from kfnb.remote.kubernetes.discovery import kinds
from kfnb.remote.kubernetes.fields import Item, condition
from kfnb.resources.cluster.model import Knowledge, KubeflowPart
from kfnb.resources.cluster.probe import More, ProbeTarget, first

_KUBEFLOW = "kubeflow"


@dataclass(frozen=True)
class _PartDefinition:
    """A part: the kind of resource that shows it (``GROUP/VERSION/KIND``, or a group alone), and its deployments.

    ``versioned`` are the containers whose images bear its version. A deployment of the part is one with such a name,
    or whose name begins with one that ends in ``*``.
    """

    name: str
    api: str
    namespace: str
    deployments: tuple[str, ...]
    versioned: tuple[str, ...]


PARTS = (
    _PartDefinition(
        "Pipelines",
        "kubeflow.org/v1beta1/scheduledworkflows",
        _KUBEFLOW,
        ("ml-pipeline*", "cache-server", "metadata-*", "workflow-controller", "mysql", "seaweedfs", "minio"),
        ("kfp-api-server", "api-server"),
    ),
    _PartDefinition(
        "Katib", "kubeflow.org/v1beta1/experiments", _KUBEFLOW, ("katib-*",), ("katib-controller",)
    ),
    _PartDefinition(
        "Trainer",
        "trainer.kubeflow.org",
        "kubeflow-system",
        ("kubeflow-trainer-*", "jobset-*"),
        ("trainer-controller-manager",),
    ),
    _PartDefinition(
        "KServe", "serving.kserve.io", _KUBEFLOW, ("kserve-*", "llmisvc-*"), ("kserve-controller",)
    ),
    _PartDefinition("Model Registry", "", _KUBEFLOW, ("model-registry-*", "model-catalog-*"), ("server",)),
    _PartDefinition(
        "Notebooks",
        "kubeflow.org/v1/notebooks",
        _KUBEFLOW,
        ("notebook-controller-*", "jupyter-web-app-*"),
        ("notebook-controller",),
    ),
    _PartDefinition(
        "Workspaces",
        "kubeflow.org/v1beta1/workspaces",
        "kubeflow-workspaces",
        ("workspaces-*",),
        ("workspaces-controller",),
    ),
    _PartDefinition(
        "Profiles", "kubeflow.org/v1/profiles", _KUBEFLOW, ("profiles-*",), ("profile-controller", "kfam")
    ),
    _PartDefinition(
        "PodDefaults",
        "kubeflow.org/v1alpha1/poddefaults",
        _KUBEFLOW,
        ("admission-webhook-*", "poddefaults-webhook-*"),
        ("poddefaults-webhook",),
    ),
    _PartDefinition(
        "Dashboard", "", _KUBEFLOW, ("centraldashboard", "dashboard"), ("central-dashboard", "dashboard")
    ),
    _PartDefinition("Spark", "sparkoperator.k8s.io", _KUBEFLOW, ("spark-operator-*",), ("controller",)),
    _PartDefinition("Istio", "networking.istio.io", "istio-system", ("*",), ("pilot",)),
    _PartDefinition("Knative", "serving.knative.dev", "knative-serving", ("*",), ()),
    _PartDefinition("cert-manager", "cert-manager.io", "cert-manager", ("*",), ("cert-manager-controller",)),
)

_KINDS_OF = "kubeflow.org"
"""The one group in which several parts have their kinds."""


def parts(place: ProbeTarget) -> tuple[tuple[KubeflowPart, ...], More]:
    """All parts of Kubeflow that can be installed."""
    apis = kinds(place.kubernetes, _KINDS_OF)
    deployed = _Deployed(place)
    return tuple(_part(definition, apis, deployed) for definition in PARTS), 0


class _Deployed:
    """The deployments in Kubeflow's namespaces, looked at when they are asked for.

    Who may not see those of one is not likely to see those of another, and is not refused again and again.
    """

    def __init__(self, place: ProbeTarget) -> None:
        self._place = place
        self._found: dict[str, Sequence[Item]] = {}
        self._hidden = False

    def of(self, definition: _PartDefinition) -> tuple[Knowledge, Sequence[Item]]:
        """The deployments of a part."""
        namespace = self._place.installed if definition.namespace == _KUBEFLOW else definition.namespace
        if namespace not in self._found and not self._hidden:
            path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
            try:
                self._found[namespace], _ = first(self._place.kubernetes, path)
            except Hidden:
                self._hidden = True
            except Absent:
                self._found[namespace] = ()
            except BackendError:
                return Knowledge.UNKNOWN, ()
        if self._hidden:
            return Knowledge.HIDDEN, ()
        mine = [one for one in self._found[namespace] if _is_of(one["metadata"]["name"], definition)]
        return (Knowledge.KNOWN if mine else Knowledge.ABSENT), mine


def _is_of(name: str, definition: _PartDefinition) -> bool:
    return any(
        name.startswith(word.removesuffix("*")) if word.endswith("*") else name == word
        for word in definition.deployments
    )


def _part(definition: _PartDefinition, apis: set[str], deployed: _Deployed) -> KubeflowPart:
    there = definition.api in apis
    if definition.api and not there:
        return KubeflowPart(definition.name, Knowledge.ABSENT)
    health, mine = deployed.of(definition)
    failing = tuple(
        f"{one['metadata']['namespace']}/{one['metadata']['name']}" for one in mine if not _available(one)
    )
    enabled = [one for one in mine if _is_enabled(one)]
    return KubeflowPart(
        definition.name,
        Knowledge.KNOWN if there else health,
        _version(definition, mine),
        health,
        len(enabled) - len(failing),
        len(enabled),
        failing,
    )


def _is_enabled(deployment: Item) -> bool:
    return bool((deployment.get("spec") or {}).get("replicas", 1))


def _available(deployment: Item) -> bool:
    return not _is_enabled(deployment) or condition(deployment, "Available").get("status") == "True"


def _version(definition: _PartDefinition, deployments: Sequence[Item]) -> str:
    """The tag of the image that bears the part's version; where images are named by digests, their labels'."""
    for one in deployments:
        for container in _containers(one):
            name, _, tag = str(container.get("image", "")).rpartition("/")[2].partition(":")
            if name in definition.versioned and tag and "@" not in name:
                return tag.partition("@")[0].removeprefix("v")
    labels = ((one["metadata"].get("labels") or {}) for one in deployments)
    return next((found for one in labels if (found := one.get("app.kubernetes.io/version", ""))), "").lstrip(
        "v"
    )


def _containers(deployment: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    template = (deployment.get("spec") or {}).get("template") or {}
    return (template.get("spec") or {}).get("containers") or ()
