"""Training runtimes: which of them trains what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kfnb.errors import BackendError, did_you_mean
from kfnb.remote.kubernetes.fields import Item, mapping, word
from kfnb.resources.training.trainer.objects import CONTAINER, FRAMEWORK, trainer_job

_PLAIN = ""
_OF_ANY = (_PLAIN, "torch", "jax", "xgboost")
"""The policies of runtimes that do for any framework, the best first: kfnb connects the processes itself."""
_POLICIES = frozenset({"torch", "jax", "xgboost", "mpi", "flux"})


@dataclass(frozen=True)
class TrainingRuntime:
    """A runtime of a namespace or of the cluster. ``framework`` is that of its label, ``policy`` that of its pods.

    ``job`` is the replicated job that trains, ``subdomain`` where its pods' names are, empty for the TrainJob's.
    """

    name: str
    kind: str
    framework: str = ""
    policy: str = _PLAIN
    job: str = CONTAINER
    subdomain: str = ""


def read_runtime(item: Item, kind: str) -> TrainingRuntime:
    """A runtime, from its object."""
    policies = _POLICIES & mapping(item, "spec", "mlPolicy").keys()
    policy = next(iter(sorted(policies)), _PLAIN)
    return TrainingRuntime(
        word(item, "metadata", "name"),
        kind,
        word(item, "metadata", "labels", FRAMEWORK) or policy,
        policy,
        trainer_job(item),
        word(item, "spec", "template", "spec", "network", "subdomain"),
    )


def choose(runtimes: Iterable[TrainingRuntime], framework: str, name: str = "") -> TrainingRuntime:
    """The runtime called ``name``, else one for a ``framework``. Raises ``BackendError``.

    The framework's own comes first, then a plain one: Trainer has none for LightGBM and TensorFlow.
    """
    known = list(runtimes)
    if name:
        found = next((one for one in known if one.name == name), None)
        if found is None:
            there = [one.name for one in known]
            hint = did_you_mean(name, there, _listed(known))
            raise BackendError(f"unknown training runtime {name}:", hint=hint, ref=name)
        if found.policy not in _OF_ANY:
            message = f"runtime {name} starts its processes by {found.policy}, which kfnb does not:"
            raise BackendError(message, hint=_listed(known), ref=name)
        return found
    fitting = [one for one in known if one.policy in _OF_ANY]
    if not fitting:
        what = "" if framework == "none" else f" for {framework}"
        hint = (
            f"{_listed(known)}; ask your administrator for Trainer's runtimes, or train here: --backend local"
        )
        raise BackendError(f"this cluster has no training runtime{what}:", hint=hint, ref=framework)
    own = [one for one in fitting if one.framework == framework]
    return min(own or fitting, key=lambda one: (_OF_ANY.index(one.policy), one.name))


def _listed(runtimes: Sequence[TrainingRuntime]) -> str:
    return f"runtimes are {', '.join(one.name for one in runtimes)}" if runtimes else "it has no runtime"
