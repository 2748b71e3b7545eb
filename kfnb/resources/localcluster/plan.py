"""What is done to bring a cluster up: a list of steps, which is made first, and then either run or printed."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from kfnb.resources.localcluster import manifests
from kfnb.resources.localcluster.manifests import ManifestPart
from kfnb.resources.localcluster.model import Found
from kfnb.resources.localcluster.shell_command import ShellCommand
from kfnb.resources.localcluster.tool import Shape, Tool

APPLY = ("apply", "--server-side", "--force-conflicts", "-f", "-")
"""As the manifests' README applies them."""


@dataclass(frozen=True)
class Start:
    """A command of the tool that makes the cluster."""

    title: str
    command: ShellCommand

    def __str__(self) -> str:
        """The line for a shell."""
        return str(self.command)


@dataclass(frozen=True)
class Apply:
    """A folder of a part: it is built, and what comes out applied, again and again until all of it was taken."""

    title: str
    part: str
    build: ShellCommand
    apply: ShellCommand

    def __str__(self) -> str:
        """The line for a shell."""
        return f"until {self.build} | {self.apply}; do sleep 10; done"


@dataclass(frozen=True)
class Await:
    """Wait until all that was applied of these parts is ready."""

    title: str
    parts: tuple[str, ...]
    context: str
    minutes: int

    def __str__(self) -> str:
        """The line for a shell, which waits for all deployments."""
        words = ("wait", "--for=condition=Available", "deployments", "--all", "--all-namespaces")
        return shlex.join(("kubectl", "--context", self.context, *words, f"--timeout={self.minutes}m"))


Step: TypeAlias = "Start | Apply | Await"


@dataclass(frozen=True)
class ClusterSpec:
    """The requested cluster."""

    tool: Tool
    profile: str
    shape: Shape
    manifests: str
    parts: tuple[ManifestPart, ...]
    minutes: int
    release: str

    @property
    def context(self) -> str:
        """Its context in the kubeconfig."""
        return self.tool.context(self.profile)


def plan(spec: ClusterSpec, found: Found, *, broken: bool = False) -> tuple[Step, ...]:
    """The steps from the current state to the spec. ``broken``: an earlier start did not finish."""
    return (*_starting(spec, found, broken=broken), *_filling(spec))


def _starting(spec: ClusterSpec, found: Found, *, broken: bool) -> Iterator[Step]:
    tool, profile = spec.tool, spec.profile
    make = Start(f"{tool.name} starts Kubernetes {spec.shape.kubernetes}", tool.start(profile, spec.shape))
    if found is Found.ABSENT:
        yield make
    elif broken:
        for command in tool.left(profile):
            yield Start(f"{tool.name} removes an incomplete cluster", command)
        yield make
    elif found is Found.STOPPED:
        yield Start(f"{tool.name} starts {profile} again", tool.resume(profile, spec.shape))


def _filling(spec: ClusterSpec) -> Iterator[Step]:
    """Parts are applied in order; only what others need is waited for before they are."""
    ready: set[str] = set()
    runs = {part.name for part in spec.parts if part.runs}
    for part in spec.parts:
        waits = tuple(name for name in part.needs if name in runs and name not in ready)
        if waits:
            yield _await(spec, waits)
            ready.update(waits)
        for folder in part.folders:
            yield _apply(spec, part, folder)
    rest = tuple(part.name for part in spec.parts if part.runs and part.name not in ready)
    if rest:
        yield _await(spec, rest)


def _apply(spec: ClusterSpec, part: ManifestPart, folder: str) -> Apply:
    build = ShellCommand(("kustomize", "build", manifests.place(spec.manifests, folder)))
    return Apply(part.title, part.name, build, ShellCommand(("kubectl", "--context", spec.context, *APPLY)))


def _await(spec: ClusterSpec, names: Sequence[str]) -> Await:
    titles = {part.name: part.title for part in spec.parts}
    return Await(
        "waits for " + ", ".join(titles[name] for name in names), tuple(names), spec.context, spec.minutes
    )
