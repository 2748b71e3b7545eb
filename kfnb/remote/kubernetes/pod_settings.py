"""What a step requests of Kubernetes, from the pipeline's documents to pods that kfnb writes itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kfnb.text.quantity import amount

Json = Mapping[str, Any]

_VARIABLES = {
    "secretAsEnv": ("secretName", "secretKey", "secretKeyRef"),
    "configMapAsEnv": ("configMapName", "configMapKey", "configMapKeyRef"),
}
_FOLDERS = {
    "secretAsVolume": ("secretName", "secret", "secretName"),
    "configMapAsVolume": ("configMapName", "configMap", "name"),
    "pvcMount": ("constant", "persistentVolumeClaim", "claimName"),
}
_KNOWN = {
    *_VARIABLES,
    *_FOLDERS,
    "activeDeadlineSeconds",
    "imagePullPolicy",
    "imagePullSecret",
    "nodeSelector",
    "podMetadata",
    "tolerations",
}


def faults(settings: Json) -> Iterator[str]:
    """What of an executor's settings the pod cannot have."""
    for name in settings:
        if name not in _KNOWN:
            yield f"the Kubernetes setting {name} is not one that a pod is given"
    for group in (*_VARIABLES, *_FOLDERS, "imagePullSecret"):
        for item in settings.get(group, ()):
            if not _name(item, _FOLDERS.get(group, _VARIABLES.get(group, ("secretName",)))[0]):
                yield f"{group} has a name that the run decides, which the pod does not know"


def variables(settings: Json) -> list[dict[str, Any]]:
    """The environment variables whose values are kept in secrets and config maps."""
    return [
        {
            "name": pair["envVar"],
            "valueFrom": {reference: {"name": _name(item, name), "key": pair[key], **_optional(item)}},
        }
        for group, (name, key, reference) in _VARIABLES.items()
        for item in settings.get(group, ())
        for pair in item.get("keyToEnv", ())
    ]


def container(settings: Json) -> dict[str, Any]:
    """What the container is given."""
    mounts = [
        {
            "name": f"volume-{number}",
            "mountPath": item["mountPath"],
            **({"subPath": item["subPath"]} if item.get("subPath") else {}),
        }
        for number, (_, item) in enumerate(_folders(settings))
    ]
    policy = settings.get("imagePullPolicy")
    return ({"imagePullPolicy": policy} if policy else {}) | ({"volumeMounts": mounts} if mounts else {})


def pod(settings: Json) -> dict[str, Any]:
    """What a pod is given."""
    volumes = []
    for number, (group, item) in enumerate(_folders(settings)):
        name, kind, reference = _FOLDERS[group]
        volumes.append({"name": f"volume-{number}", kind: {reference: _name(item, name), **_optional(item)}})
    parts = {
        "volumes": volumes,
        "nodeSelector": settings.get("nodeSelector", {}).get("labels"),
        "tolerations": settings.get("tolerations"),
        "imagePullSecrets": [
            {"name": _name(item, "secretName")} for item in settings.get("imagePullSecret", ())
        ],
        "activeDeadlineSeconds": int(settings.get("activeDeadlineSeconds", 0)),
    }
    return {name: part for name, part in parts.items() if part}


def metadata(settings: Json, always: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The labels and annotations of the pod, with those that it ``always`` has as both."""
    given = settings.get("podMetadata", {})
    return {kind: {**given.get(kind, {}), **always} for kind in ("labels", "annotations")}


def resources(requests: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The resources of a container that is enough for each of KFP's executors."""
    found: dict[str, dict[str, str]] = {}
    for request in requests:
        accelerator = request.get("accelerator") or {}
        count = accelerator.get("resourceCount") or accelerator.get("count") or ""
        amounts = {
            ("limits", "cpu"): request.get("resourceCpuLimit"),
            ("limits", "memory"): request.get("resourceMemoryLimit"),
            ("limits", accelerator.get("resourceType") or accelerator.get("type") or ""): str(count),
            ("requests", "cpu"): request.get("resourceCpuRequest"),
            ("requests", "memory"): request.get("resourceMemoryRequest"),
        }
        for (kind, name), value in amounts.items():
            if name and value and amount(value) > amount(found.get(kind, {}).get(name, "")):
                found.setdefault(kind, {})[name] = value
    return found


def _folders(settings: Json) -> Iterator[tuple[str, Json]]:
    for group in _FOLDERS:
        for item in settings.get(group, ()):
            yield group, item


def _name(item: Json, field: str) -> str:
    """The name of a secret, a config map or a claim; empty where only a run can tell."""
    parameter = item.get("pvcNameParameter" if field == "constant" else f"{field}Parameter", {})
    if parameter and "runtimeValue" not in parameter:
        return ""
    return str(item.get(field) or parameter.get("runtimeValue", {}).get("constant", ""))


def _optional(item: Json) -> dict[str, bool]:
    return {"optional": True} if item.get("optional") else {}
