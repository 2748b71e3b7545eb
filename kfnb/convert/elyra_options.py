"""The options of an Elyra node, as those of a component's cell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kfnb.convert.draft import Flags
from kfnb.convert.elyra_file import ElyraNode

_UNKNOWN = (
    "cpu_limit", "memory_limit", "kubernetes_pod_annotations", "kubernetes_pod_labels", "kubernetes_shared_mem_size",
    "elyra_cpu_limit", "shared_memory",
)  # fmt: skip
"""Properties that have no counterpart."""


def flags_of(node: ElyraNode) -> Flags:
    """The options of a node."""
    return tuple(_flags(node.given))


def missing_of(node: ElyraNode) -> list[str]:
    """What a node has that has no counterpart, in words."""
    missing = [f"{node.label}: {key} has no counterpart in kfnb" for key in _UNKNOWN if node.given.get(key)]
    missing += [
        f"{node.label}: the environment variable {name} has no value, and is left out"
        for name, value in _variables(node.given)
        if not value or "\n" in value
    ]
    return missing


def _flags(given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if given.get("runtime_image"):
        yield "--image", str(given["runtime_image"])
    if given.get("cpu"):
        yield "--cpu", str(given["cpu"])
    if given.get("memory"):
        yield "--memory", f"{given['memory']}G"
    if given.get("gpu"):
        yield "--gpu", str(given["gpu"])
        if given.get("gpu_vendor") not in (None, "", "nvidia.com/gpu"):
            yield "--accelerator", str(given["gpu_vendor"])
    if given.get("disable_node_caching") in (True, "True"):
        yield "--no-cache", ""
    for name, value in dict(_variables(given)).items():
        if value and "\n" not in value:
            yield "--env", f"{name}={value}"
    for one in _objects(given, "kubernetes_secrets"):
        yield "--secret", f"{one.get('name')}:{one.get('key')}={one.get('env_var')}"
    for one in _objects(given, "mounted_volumes"):
        yield "--pvc", f"{one.get('pvc_name')}:{one.get('path')}"
    for one in _objects(given, "kubernetes_tolerations"):
        value = f"={one['value']}" if one.get("value") else ""
        yield "--toleration", f"{one.get('key')}{value}" + (f":{one['effect']}" if one.get("effect") else "")


def _variables(given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The environment variables: as texts ``NAME=VALUE`` until Elyra 3.12, as objects since."""
    for one in given.get("env_vars") or ():
        if isinstance(one, Mapping):
            yield str(one.get("env_var")), str(one.get("value") or "")
        else:
            name, _, value = str(one).partition("=")
            yield name, value


def _objects(given: Mapping[str, Any], key: str) -> Iterable[Mapping[str, Any]]:
    return [one for one in given.get(key) or () if isinstance(one, Mapping)]
