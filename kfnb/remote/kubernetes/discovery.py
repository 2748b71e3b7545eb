"""Discovery of the kinds of resources that a server has."""

from __future__ import annotations

from collections.abc import Iterator

from kfnb.remote.kubernetes.client import Kubernetes

_AGGREGATED = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,"
    "application/json"
)
"""Aggregated discovery, as kubectl uses it: all in one answer (since Kubernetes 1.27)."""


def kinds(kubernetes: Kubernetes, group: str) -> set[str]:
    """The names of all groups, and the kinds of a group as ``GROUP/VERSION/NAME``: ``kubeflow.org/v1/notebooks``."""
    groups = kubernetes.get("/apis", accept=_AGGREGATED)
    if "groups" in groups:
        names = {one["name"]: [version["version"] for version in one["versions"]] for one in groups["groups"]}
        return {*names, *_each_version(kubernetes, group, names.get(group, []))}
    found = {one["metadata"]["name"]: one.get("versions") or () for one in groups.get("items") or ()}
    return set(found) | {
        f"{group}/{version['version']}/{kind['resource']}"
        for version in found.get(group, ())
        for kind in version.get("resources") or ()
    }


def _each_version(kubernetes: Kubernetes, group: str, versions: list[str]) -> Iterator[str]:
    """The kinds in each version of a group, from a server without aggregated discovery."""
    for version in versions:
        for kind in kubernetes.get(f"/apis/{group}/{version}").get("resources") or ():
            yield f"{group}/{version}/{kind['name']}"
