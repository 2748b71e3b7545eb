"""What a user asks for, completed by what the cluster was begun with and by what the release needs."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from kfnb.errors import UsageError
from kfnb.resources.cluster import compatibility
from kfnb.resources.localcluster import manifests
from kfnb.resources.localcluster.checks import ClusterRequirements
from kfnb.resources.localcluster.manifests import ManifestRelease, Size
from kfnb.resources.localcluster.model import Reached, Record
from kfnb.resources.localcluster.plan import ClusterSpec
from kfnb.resources.localcluster.tool import TOOLS, Shape


@dataclass(frozen=True)
class UpRequest:
    """The words of ``kfnb cluster up``; what is empty or 0 was not given. ``memory`` in GiB."""

    profile: str
    tool: str = ""
    release: str = ""
    manifests: str = ""
    only: tuple[str, ...] = ()
    cores: int = 0
    memory: int = 0
    kubernetes: str = ""
    driver: str = ""
    minutes: int = 60


def spec(requested: UpRequest) -> ClusterSpec:
    """The requested cluster. Raises ``UsageError`` for options that cannot be combined."""
    tool = requested.tool or next((name for name in TOOLS if shutil.which(name)), next(iter(TOOLS)))
    if tool != "minikube" and (requested.cores or requested.memory or requested.driver):
        raise UsageError(
            f"--cores, --memory and --driver are for minikube: {tool} gives a cluster the whole machine"
        )
    release = manifests.release(requested.release)
    parts = release.chosen(requested.only)
    given = _absolute(requested.manifests or release.manifests)
    manifests.check(given, release, parts)
    size = manifests.size(parts)
    size = replace(size, cores=requested.cores or size.cores, memory=requested.memory or size.memory)
    version = _version(requested.kubernetes, release)
    image = release.image if version == release.kubernetes else f"kindest/node:v{version}"
    shape = Shape(version, image, requested.driver or "docker", size)
    return ClusterSpec(
        TOOLS[tool], requested.profile, shape, given, parts, requested.minutes, release.release
    )


def record_of(requested: UpRequest, spec: ClusterSpec, reached: Reached) -> Record:
    """What is remembered of a cluster while it is brought up."""
    return Record(
        spec.profile,
        spec.tool.name,
        spec.release,
        spec.manifests,
        spec.shape.kubernetes,
        tuple(part.name for part in spec.parts),
        requested.cores,
        requested.memory,
        requested.driver,
        reached,
    )


def requirements(spec: ClusterSpec) -> ClusterRequirements:
    """What is checked before."""
    known = next(one for one in compatibility.releases() if one.release == spec.release)
    return ClusterRequirements(
        spec.tool.name, spec.shape.driver, spec.shape.kubernetes, known, spec.shape.size
    )


def least(spec: ClusterSpec) -> Size:
    """What pipelines alone take."""
    return manifests.size(manifests.release(spec.release).chosen(["pipelines"]))


def continue_from(request: UpRequest, record: Record) -> UpRequest:
    """Fill in a request from the cluster's record; the recorded parts are added to the requested ones.

    Raises ``UsageError`` if the request contradicts the record.
    """
    for option, new, old in (
        ("--with", request.tool, record.tool),
        ("--release", request.release, record.release),
        ("--kubernetes", request.kubernetes, record.kubernetes),
    ):
        if new and new != old:
            raise UsageError(
                f"{option} {new}: the cluster {record.profile} was begun with {old}; pass another name with --profile, "
                "or delete it first: kfnb cluster down"
            )
    return replace(
        request,
        tool=record.tool,
        release=record.release,
        kubernetes=record.kubernetes,
        manifests=request.manifests or record.manifests,
        only=(*record.parts, *request.only),
        cores=request.cores or record.cores,
        memory=request.memory or record.memory,
        driver=request.driver or record.driver,
    )


def _version(given: str, release: ManifestRelease) -> str:
    """Kubernetes' version as the tools want it: ``1.36.1``; of ``1.36`` the one that the release was tested with."""
    version = given.removeprefix("v") or release.kubernetes
    if version == release.kubernetes.rpartition(".")[0]:
        return release.kubernetes
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        raise UsageError(f"--kubernetes {given}: write the full version, such as {release.kubernetes}")
    return version


def _absolute(given: str) -> str:
    """A folder that is found from elsewhere too: a second ``up`` may be given somewhere else."""
    return given if manifests.remote(given) else str(Path(given).expanduser().absolute())
