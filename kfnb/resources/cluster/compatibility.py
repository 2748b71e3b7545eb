"""Which Kubernetes a release of Kubeflow was tested with, and which release a cluster has: see compatibility.yaml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Release:
    """A release of Kubeflow's manifests, and the versions of its ``parts``. ``source`` is where that was read."""

    release: str
    least: str
    tested: tuple[str, ...]
    kustomize: str
    parts: Mapping[str, str]
    source: str


@cache
def releases() -> tuple[Release, ...]:
    """The releases that are known, the oldest first."""
    import yaml

    file = Path(__file__).with_name("compatibility.yaml")
    rows = yaml.safe_load(file.read_text(encoding="utf-8"))["releases"]
    return tuple(
        Release(
            row["release"],
            row["kubernetes"]["least"],
            tuple(row["kubernetes"]["tested"]),
            row["kustomize"],
            row["parts"],
            row["source"],
        )
        for row in rows
    )


def release_of(versions: Mapping[str, str]) -> Release | None:
    """The release that most of these parts' versions are of, at least half of them; the newer of two alike."""
    best, score = None, 0
    for release in releases():
        same = sum(_plain(version) == release.parts.get(part) for part, version in versions.items())
        if same >= max(score, 1):
            best, score = release, same
    return best if 2 * score >= len(versions) else None


def supported(kubernetes: str, release: Release) -> tuple[bool | None, str]:
    """Whether a release supports a version of Kubernetes, None where that was not tested, and the sentence for it."""
    minor, least, most = _minor(kubernetes), _minor(release.least), _minor(release.tested[-1])
    tested = " and ".join(filter(None, (", ".join(release.tested[:-1]), release.tested[-1])))
    sentence = f"Kubeflow {release.release} is tested with Kubernetes {tested}"
    if minor < least:
        return False, f"{sentence}: this one is too old"
    if minor > most:
        return None, f"{sentence}: this one is newer"
    return True, sentence


def releases_for(kubernetes: str) -> tuple[Release, ...]:
    """The releases that were tested with a version of Kubernetes."""
    return tuple(one for one in releases() if _minor(kubernetes) in map(_minor, one.tested))


def _minor(version: str) -> tuple[int, int]:
    found = re.match(r"v?(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _plain(version: str) -> str:
    return version.removeprefix("v")
