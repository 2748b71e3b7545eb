"""The table of rules: what a difference in each fact of a manifest may do to results, and why.

A rule is a pure function of what differs and of what else both manifests know: an environment variable that chooses
the BLAS kernel does not matter by itself where the kernels that were really used are known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from kfnb.entities.manifest import LayerName, Manifest
from kfnb.resources.provenance.effects import Effect, Judgement
from kfnb.resources.provenance.package_rules import judge_package


@dataclass(frozen=True)
class FactChange:
    """A fact, or the item ``name`` of one, that differs between two manifests: None where there is none."""

    name: str
    before: Any
    after: Any
    manifests: tuple[Manifest, Manifest]

    def both_have(self, layer: LayerName, fact: str) -> bool:
        """Whether both manifests know a fact, and it is the same."""
        one, other = (manifest[layer].facts.get(fact) for manifest in self.manifests)
        return one is not None and one == other

    def both_know(self, layer: LayerName, fact: str) -> bool:
        """Whether both manifests know a fact."""
        return all(fact in manifest[layer].facts for manifest in self.manifests)


Rule = Callable[[FactChange], Judgement]


def always(effect: Effect, reason: str) -> Rule:
    """The rule of a fact whose differences all matter alike."""
    return lambda _: Judgement(effect, reason)


def where_loaded(effect: Effect, reason: str) -> Rule:
    """The rule of a native library, which not every process loads."""

    def judge(change: FactChange) -> Judgement:
        if change.before is None or change.after is None:
            return Judgement(Effect.SAME, "one of them has not loaded it")
        return Judgement(effect, reason)

    return judge


def unless_equal(layer: LayerName, fact: str, effect: Effect, reason: str) -> Rule:
    """The rule of a fact that matters by another fact, and so not where that is known to be equal."""

    def judge(change: FactChange) -> Judgement:
        if change.both_have(layer, fact):
            return Judgement(Effect.SAME, f"{_WORDS[fact]} are the same")
        return Judgement(effect, reason)

    return judge


_WORDS = {"threads": "the threads of the libraries", "blas_kernel": "the BLAS kernels"}


def _python(change: FactChange) -> Judgement:
    before, after = (str(value).split(".")[:2] for value in (change.before, change.after))
    if before == after:
        return Judgement(Effect.SAME, "versions of one series compute alike")
    return Judgement(Effect.RESULTS, "all libraries are other builds, and pickles may not load")


def _devices(change: FactChange) -> Judgement:
    if not change.before or not change.after:
        return Judgement(Effect.RESULTS, "one of them has no accelerator: it computes on the CPU, or fails")
    return Judgement(Effect.DIGITS, "other devices use other kernels, which add in another order")


def _spec(change: FactChange) -> Judgement:
    if change.both_have(LayerName.MODEL, "code"):
        return Judgement(Effect.RESULTS, "the steps have the same code, but other connections or settings")
    return Judgement(Effect.RESULTS, "another pipeline")


def _data(change: FactChange) -> Judgement:
    before, after = (value if isinstance(value, Mapping) else {} for value in (change.before, change.after))
    if before.get("digest") and before.get("digest") == after.get("digest"):
        return Judgement(Effect.SAME, "the same content under another version")
    return Judgement(Effect.RESULTS, "other data")


def _image(change: FactChange) -> Judgement:
    if change.both_have(LayerName.RUNTIME, "image_digest"):
        return Judgement(Effect.SAME, "both tags name the same image")
    return Judgement(Effect.DIGITS, "system libraries come from the image")


def _flags(change: FactChange) -> Judgement:
    differing = set(change.before or ()) ^ set(change.after or ())
    vector = sorted(
        flag for flag in differing if flag.startswith(("avx", "fma", "sve", "neon", "asimd", "amx"))
    )
    if vector:
        return Judgement(Effect.DIGITS, f"libraries choose their code by {', '.join(vector[:4])}")
    return Judgement(Effect.SAME, "no feature that libraries choose their code by")


def _cpu(change: FactChange) -> Judgement:
    if change.both_have(LayerName.HARDWARE, "blas_kernel"):
        return Judgement(Effect.SAME, "the BLAS kernels are the same")
    return Judgement(Effect.DIGITS, "libraries choose their code by the CPU")


_CHOOSING = (
    (("*_NUM_THREADS", "OMP_*", "KMP_*", "GOTO_*"), LayerName.FRAMEWORK, "threads"),
    (
        ("OPENBLAS_CORETYPE", "OPENBLAS_VERBOSE", "MKL_*", "BLIS_*", "NPY_*"),
        LayerName.HARDWARE,
        "blas_kernel",
    ),
    (("LANG", "LC_*", "LANGUAGE"), LayerName.OS, "locale"),
    (("TZ",), LayerName.OS, "timezone"),
    (("PYTHONHASHSEED",), LayerName.OS, "hash_seed"),
)
"""Environment variables that choose what another fact says."""


def _variable(change: FactChange) -> Judgement:
    for patterns, layer, fact in _CHOOSING:
        if any(fnmatchcase(change.name, pattern) for pattern in patterns) and change.both_know(layer, fact):
            return Judgement(Effect.SAME, "what it chooses is compared by itself")
    if change.name == "PYTHONHASHSEED":
        return Judgement(Effect.RESULTS, "sets of texts have another order")
    return Judgement(Effect.DIGITS, "libraries choose their code, or their number of threads, by it")


def _input(change: FactChange) -> Judgement:
    before, after = (value if isinstance(value, Mapping) else {} for value in (change.before, change.after))
    digests = [one.get("digest") for one in (before, after)]
    if all(digests) and digests[0] == digests[1]:
        return Judgement(Effect.SAME, "the same bytes from another place")
    if all(digests):
        return Judgement(Effect.RESULTS, "other bytes were read")
    return Judgement(Effect.RESULTS, "what was read is not known to be the same: it has no digest")


_NOT = always(Effect.SAME, "does not change what is computed")
_SEPARATE = always(Effect.SAME, "steps run their own code, not the notebook's cells")
_ORDER = "sums are added in another order"

RULES: Mapping[LayerName, Mapping[str, Rule]] = {
    LayerName.MODEL: {
        "pipeline": always(Effect.RESULTS, "another pipeline"),
        "code": always(Effect.RESULTS, "the code of the step differs"),
        "spec": _spec,
        "arguments": always(Effect.RESULTS, "another argument"),
        "parameters": always(Effect.RESULTS, "another parameter"),
        "seed": always(Effect.RESULTS, "other random numbers are drawn"),
        "unseeded": always(Effect.RESULTS, "random numbers without a seed"),
        "data": _data,
        "algorithm": always(Effect.RESULTS, "another algorithm of the search"),
        "space": always(Effect.RESULTS, "another search space"),
        "served": always(Effect.SAME, "the version that serves by default is compared by itself"),
        "format": always(Effect.RESULTS, "another kind of model"),
    },
    LayerName.UX: dict.fromkeys(
        ("notebook", "notebook_digest", "cells", "client", "jupyterlab", "ipykernel", "ipython", "user"),
        _SEPARATE,
    ),
    LayerName.TOOLING: {
        "python": _python,
        "implementation": always(Effect.RESULTS, "another implementation of Python"),
        "commit": always(Effect.SAME, "the code of the steps is compared by itself"),
        "changed": always(Effect.SAME, "the code of the steps is compared by itself"),
        **dict.fromkeys(("build", "compiler", "kfnb", "kfp", "pip", "uv", "repository"), _NOT),
    },
    LayerName.FRAMEWORK: {
        "packages": lambda change: judge_package(change.name, change.before, change.after),
        "blas_build": where_loaded(Effect.DIGITS, f"another BLAS: {_ORDER}"),
        "threads": where_loaded(Effect.DIGITS, f"with another number of threads, {_ORDER}"),
    },
    LayerName.STORAGE: {
        "inputs": _input,
        **dict.fromkeys(("store", "versioning", "volumes", "filesystem"), _NOT),
    },
    LayerName.RUNTIME: {
        "image": _image,
        "image_digest": always(Effect.DIGITS, "system libraries come from the image"),
        **dict.fromkeys(
            ("cpus", "cpu_limit"),
            unless_equal(
                LayerName.FRAMEWORK, "threads", Effect.DIGITS, f"libraries start as many threads: {_ORDER}"
            ),
        ),
        "memory_limit": always(Effect.SAME, "does not change what is computed, while it is enough"),
        "requests": always(Effect.SAME, "does not change what is computed, while it is enough"),
        **dict.fromkeys(
            ("container", "virtualization", "namespace", "pod", "node", "kubelet", "container_runtime"), _NOT
        ),
    },
    LayerName.DRIVERS: {
        "nvidia": always(Effect.SAME, "the CUDA libraries compute, and are compared by themselves"),
        "amdgpu": always(Effect.SAME, "libraries compute, and not the driver"),
        **dict.fromkeys(
            ("cuda", "cuda_runtime", "cudnn", "nccl"),
            where_loaded(Effect.DIGITS, f"other GPU kernels: {_ORDER}"),
        ),
    },
    LayerName.OS: {
        "libc": always(Effect.DIGITS, "functions such as exp and log come from it"),
        "locale": always(Effect.RESULTS, "texts may be sorted, and numbers and dates read, in another way"),
        "encoding": always(Effect.RESULTS, "files are read in another encoding"),
        "timezone": always(Effect.RESULTS, "local times and dates differ"),
        "environment": _variable,
        "hash_seed": always(Effect.RESULTS, "sets of texts have another order"),
        **dict.fromkeys(("distribution", "kernel", "variables", "limits"), _NOT),
    },
    LayerName.ACCELERATOR: {
        "devices": _devices,
        "count": always(Effect.DIGITS, f"work is divided among another number of devices: {_ORDER}"),
        "product": always(Effect.DIGITS, "other devices use other kernels, which add in another order"),
    },
    LayerName.HARDWARE: {
        "blas_kernel": where_loaded(Effect.DIGITS, f"another kernel multiplies matrices: {_ORDER}"),
        "cpu": _cpu,
        "flags": _flags,
        "architecture": always(Effect.DIGITS, "libraries are other builds, with other instructions"),
        "cores": unless_equal(
            LayerName.FRAMEWORK, "threads", Effect.DIGITS, f"libraries start as many threads: {_ORDER}"
        ),
        **dict.fromkeys(
            ("memory", "microcode", "vendor", "machine", "instance_type", "region", "zone"), _NOT
        ),
    },
}
"""Which rule each fact has. Facts that a rule is missing for are results themselves, or follow from others."""

ITEMS = frozenset(
    {
        "code",
        "arguments",
        "parameters",
        "space",
        "served",
        "data",
        "packages",
        "threads",
        "inputs",
        "environment",
    }
)
"""Facts of several items, which are compared one by one."""
