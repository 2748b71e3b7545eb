"""What a machine must have before a cluster is started on it, and the one command that fixes what is missing."""

from __future__ import annotations

import json
import platform
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from kfnb.errors import BackendError
from kfnb.resources.cluster.compatibility import Release, supported
from kfnb.resources.cluster.model import Machine
from kfnb.resources.localcluster.manifests import Size
from kfnb.resources.localcluster.shell_command import Runner, ShellCommand
from kfnb.resources.localcluster.tool import engine

INOTIFY = {"fs.inotify.max_user_instances": 2280, "fs.inotify.max_user_watches": 1255360}
"""What Kubeflow's manifests ask of Linux, which all pods of a machine share."""

_GIB, _GB = 2**30, 10**9
_ENGINES = ("docker", "podman")
_KUSTOMIZE = "https://raw.githubusercontent.com/kubernetes-sigs/kustomize/master/hack/install_kustomize.sh"
_PUT = "sudo install -t /usr/local/bin"


class Verdict(str, Enum):
    """What a check found."""

    FINE = "ok"
    WARNING = "warning"
    MISSING = "missing"

    def __str__(self) -> str:
        """The word."""
        return self.value


@dataclass(frozen=True)
class Prerequisite:
    """What was checked, what was found, and the command that fixes it, or what else does."""

    name: str
    verdict: Verdict
    text: str
    fix: str = ""


@dataclass(frozen=True)
class ClusterRequirements:
    """What is looked for: the tool and its driver, versions that fit a release, and what the machine must have."""

    tool: str
    driver: str
    kubernetes: str
    release: Release
    size: Size


def of_machine(size: Size, least: Size, machine: Machine, root: Path = Path("/")) -> tuple[Prerequisite, ...]:
    """Whether a machine has what a new cluster takes. ``root`` is where Linux's own files are.

    ``least`` is what pipelines alone take: where there is that much, the check names the command for less.
    """
    return (*_size(size, least, machine, root), *_inotify(root))


def of_tools(requirements: ClusterRequirements, runner: Runner) -> tuple[Prerequisite, ...]:
    """Whether the tools are there, answer, and fit the release."""
    return (
        _kubernetes(requirements),
        _present(requirements.tool, requirements),
        *_engine(requirements, runner),
        _kubectl(requirements, runner),
        _kustomize(requirements, runner),
    )


def _size(size: Size, least: Size, machine: Machine, root: Path) -> Iterator[Prerequisite]:
    store = next(one for one in (root / "var/lib/docker", root) if one.is_dir())
    free, memory = shutil.disk_usage(store).free // _GB, machine.memory // _GIB
    fits = machine.cores >= least.cores and memory >= least.memory and free >= least.disk
    less = "kfnb cluster up --only pipelines" if fits else ""
    yield _enough("cores", machine.cores, size.cores, "", less)
    yield _enough("memory", memory, size.memory, " GiB", less)
    yield _enough("disk", free, size.disk, " GB free", f"{engine()} system prune")


def _enough(name: str, there: int, needed: int, unit: str, fix: str) -> Prerequisite:
    text = f"{there}{unit}, {needed} needed"
    return (
        Prerequisite(name, Verdict.FINE, text)
        if there >= needed
        else Prerequisite(name, Verdict.MISSING, text, fix)
    )


def _inotify(root: Path) -> Iterator[Prerequisite]:
    for name, needed in INOTIFY.items():
        try:
            there = int((root / "proc/sys" / name.replace(".", "/")).read_text(encoding="ascii"))
        except (OSError, ValueError):
            continue  # not Linux
        text = f"{there}, {needed} needed"
        fine = there >= needed
        yield Prerequisite(
            name,
            Verdict.FINE if fine else Verdict.MISSING,
            text,
            "" if fine else f"sudo sysctl {name}={needed}",
        )


def _kubernetes(requirements: ClusterRequirements) -> Prerequisite:
    fits, sentence = supported(requirements.kubernetes, requirements.release)
    verdict = {True: Verdict.FINE, False: Verdict.MISSING, None: Verdict.WARNING}[fits]
    fix = "" if fits else f"kfnb cluster up --kubernetes {requirements.release.tested[-1]}"
    return Prerequisite("Kubernetes", verdict, f"{requirements.kubernetes}; {sentence}", fix)


def _present(tool: str, requirements: ClusterRequirements) -> Prerequisite:
    if shutil.which(tool):
        return Prerequisite(tool, Verdict.FINE, "installed")
    return Prerequisite(tool, Verdict.MISSING, "not installed", _install(tool, requirements))


def _engine(requirements: ClusterRequirements, runner: Runner) -> Iterator[Prerequisite]:
    """Whether containers can be run: for kind always, for minikube where its driver needs them."""
    name = engine() if requirements.tool == "kind" else requirements.driver
    if name not in _ENGINES:
        return
    found = _present(name, requirements)
    if found.verdict is Verdict.FINE and runner.run(ShellCommand((name, "info"))).code:
        fix = "sudo systemctl start docker" if name == "docker" else "podman info"
        found = Prerequisite(name, Verdict.MISSING, "installed, but it does not answer", fix)
    yield found


def _kubectl(requirements: ClusterRequirements, runner: Runner) -> Prerequisite:
    version = _version(("kubectl", "version", "--client", "--output=json"), runner)
    found = _present("kubectl", requirements)
    if found.verdict is not Verdict.FINE:
        return found
    text = f"{_text(version)}, for Kubernetes {requirements.kubernetes}"
    apart = version[1] - _numbers(requirements.kubernetes)[1] if version else 0
    if abs(apart) <= 1:
        return Prerequisite("kubectl", Verdict.FINE, text)
    fix = _install("kubectl", requirements)
    return Prerequisite("kubectl", Verdict.WARNING, f"{text}: more than one minor version apart", fix)


def _kustomize(requirements: ClusterRequirements, runner: Runner) -> Prerequisite:
    """Whether kustomize is that of the release: a newer one leaves out replacements that older manifests ask for."""
    version = _version(("kustomize", "version"), runner)
    found = _present("kustomize", requirements)
    if found.verdict is not Verdict.FINE:
        return found
    tested, fix = _numbers(requirements.release.kustomize), _install("kustomize", requirements)
    text = f"{_text(version)}; Kubeflow {requirements.release.release} is tested with {requirements.release.kustomize}"
    if version and version < tested:
        return Prerequisite("kustomize", Verdict.MISSING, f"{text}: this one is too old", fix)
    if version[:2] == tested[:2]:
        return Prerequisite("kustomize", Verdict.FINE, text)
    return Prerequisite(
        "kustomize", Verdict.WARNING, f"{text}: this version may build different manifests", fix
    )


def _version(words: tuple[str, ...], runner: Runner) -> tuple[int, ...]:
    """The version that a tool prints; empty where it prints none, or is not installed."""
    if not shutil.which(words[0]):
        return ()
    try:
        out = runner.run(ShellCommand(words)).out.decode("utf-8", "replace")
    except BackendError:
        return ()
    try:
        return _numbers(json.loads(out)["clientVersion"]["gitVersion"])
    except (ValueError, KeyError, TypeError):
        return _numbers(out)


def _numbers(text: str) -> tuple[int, ...]:
    found = re.search(r"(\d+)\.(\d+)\.(\d+)", text)
    return tuple(map(int, found.groups())) if found else ()


def _text(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version)) or "of unknown version"


def _install(tool: str, requirements: ClusterRequirements) -> str:
    """The command by which a tool's own documentation installs it."""
    if platform.system() != "Linux":
        return f"brew install {tool}"
    kind = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    addresses = {
        "kind": f"https://kind.sigs.k8s.io/dl/latest/kind-linux-{kind}",
        "minikube": f"https://github.com/kubernetes/minikube/releases/latest/download/minikube-linux-{kind}",
        "kubectl": f"https://dl.k8s.io/release/v{requirements.kubernetes}/bin/linux/{kind}/kubectl",
    }
    if tool in addresses:
        return f"curl -fsSLo {tool} {addresses[tool]} && {_PUT} {tool}"
    return {
        "docker": "curl -fsSL https://get.docker.com | sh",
        "podman": "sudo apt-get install podman",
        "kustomize": f"curl -fsSL {_KUSTOMIZE} | bash -s {requirements.release.kustomize} && {_PUT} kustomize",
    }[tool]
