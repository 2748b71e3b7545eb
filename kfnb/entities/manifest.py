"""What something was made with, and where: a manifest of ten layers, from the model down to the hardware."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any


class LayerName(str, Enum):
    """The layers of a manifest, from what people write down to what it runs on."""

    MODEL = "model"
    UX = "ux"
    TOOLING = "tooling"
    FRAMEWORK = "framework"
    STORAGE = "storage"
    RUNTIME = "runtime"
    DRIVERS = "drivers"
    OS = "os"
    ACCELERATOR = "accelerator"
    HARDWARE = "hardware"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Layer:
    """A layer of a manifest: its facts by name, as JSON values. ``FACTS`` lists the names.

    A fact whose value is None is known to be none (no GPU driver, no container). A fact that is missing was not
    recorded. ``hidden`` are the facts that could not be read, as the nodes of a cluster often cannot, each with why.
    """

    name: LayerName
    facts: Mapping[str, Any] = field(default_factory=dict)
    hidden: Mapping[str, str] = field(default_factory=dict)

    @property
    def recorded(self) -> bool:
        """Whether anything is known of it, if only that it is hidden."""
        return bool(self.facts or self.hidden)

    def __add__(self, more: Layer) -> Layer:
        """This layer with the facts of ``more``, which win; what one of both knows is not hidden."""
        facts = {**self.facts, **more.facts}
        hidden = {name: why for name, why in {**self.hidden, **more.hidden}.items() if name not in facts}
        return Layer(self.name, facts, hidden)


@dataclass(frozen=True)
class InstalledPackage:
    """A package as it was installed.

    ``digest`` is the sha256 of its RECORD, which has the sha256 of each of its files; empty where there is none.
    ``installer`` is the program that installed it, ``url`` where it came from if that is not an index, ``editable``
    whether its files are a project's own, which may have changed since.
    """

    name: str
    version: str
    digest: str = ""
    installer: str = ""
    url: str = ""
    editable: bool = False


@dataclass(frozen=True)
class StepEnvironment:
    """What tasks of a run had in common, the layers below the model: ``tasks`` are their ids."""

    digest: str
    tasks: tuple[str, ...]
    layers: tuple[Layer, ...]


@dataclass(frozen=True)
class RunRecord:
    """What a run's engine has recorded of it.

    ``origin`` are the layers of the notebook, and ``stage`` its stage, when the run was started; ``environments`` what
    its tasks ran on, that of most of them first. ``notes`` say what is not known, and why.
    """

    origin: tuple[Layer, ...] = ()
    stage: str = ""
    environments: tuple[StepEnvironment, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """What something was made with, and where, in ten layers.

    ``kind`` is what it is of: ``kernel``, ``run``, ``study``, ``training``, ``model`` or ``service``; ``ref`` is its
    reference (``here`` for this kernel), ``created`` when it was made, in seconds since 1970. ``stage`` is the
    setting of that name when it was made: dev, test, prod, or empty. ``layers`` are all ten, in the order of
    ``LayerName``; those below the model are of the environment that most of its tasks had. ``environments`` are all of
    those. ``notes`` say what is not known, and why.
    """

    ref: str
    kind: str
    created: float = 0.0
    backend: str = ""
    stage: str = ""
    layers: tuple[Layer, ...] = ()
    environments: tuple[StepEnvironment, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", all_layers(self.layers))

    def __getitem__(self, name: str) -> Layer:
        """The layer with a name. Raises ``KeyError``."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise KeyError(f"{name} is not a layer; the layers are {', '.join(LayerName)}")

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    @property
    def packages(self) -> tuple[InstalledPackage, ...]:
        """The packages of the framework layer, by name."""
        found = self[LayerName.FRAMEWORK].facts.get("packages") or {}
        return tuple(_package(name, found[name]) for name in sorted(found))

    def of_task(self, task: str) -> Manifest:
        """The manifest as a task had it, by its id or name; as it is where the task's environment is not known."""
        for own in self.environments:
            if any(task in (id, id.rpartition("/")[2]) for id in own.tasks):
                return replace(self, layers=joined_layers(self.layers, own.layers))
        return self


def _package(name: str, facts: Mapping[str, Any]) -> InstalledPackage:
    texts = {key: str(facts.get(key) or "") for key in ("version", "digest", "installer", "url")}
    return InstalledPackage(name, **texts, editable=facts.get("editable") is True)


def all_layers(layers: Sequence[Layer]) -> tuple[Layer, ...]:
    """All ten layers in order, those that are not among ``layers`` without facts."""
    known = {layer.name: layer for layer in layers}
    return tuple(known.get(name, Layer(name)) for name in LayerName)


def joined_layers(*several: Sequence[Layer]) -> tuple[Layer, ...]:
    """All ten layers with the facts of several sources, of which the later ones win."""
    joined = {name: Layer(name) for name in LayerName}
    for layers in several:
        for layer in layers:
            joined[layer.name] += layer
    return tuple(joined.values())
