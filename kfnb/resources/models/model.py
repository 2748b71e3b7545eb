"""Registered models, their versions and aliases. Names and meanings are Kubeflow Model Registry's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from kfnb.entities import Listing, Task


class ModelState(str, Enum):
    """The state of a model or of a version. Archived ones keep everything, and are left out of lists."""

    LIVE = "LIVE"
    ARCHIVED = "ARCHIVED"

    def __str__(self) -> str:
        """Return the state as the registry stores it."""
        return self.value


class MoveKind(str, Enum):
    """Why an alias was moved: a promotion chose the version, a rollback went back to an earlier one."""

    PROMOTION = "promotion"
    ROLLBACK = "rollback"

    def __str__(self) -> str:
        """Return the kind as the registry stores it."""
        return self.value


@dataclass(frozen=True)
class ColumnType:
    """A column or tensor of a signature: its name, its type as numpy or Arrow names it, its shape (-1 for rows)."""

    name: str
    type: str
    shape: tuple[int, ...] = ()
    nullable: bool = False


@dataclass(frozen=True)
class Signature:
    """What a model takes and what it returns."""

    inputs: tuple[ColumnType, ...] = ()
    outputs: tuple[ColumnType, ...] = ()


@dataclass(frozen=True)
class ModelSource:
    """What made a version: a task of a run, by KEP-12020's fields, or a cell of a notebook.

    ``kind`` is ``kfp`` for a run (``cls`` is ``pipelinerun``, ``id`` and ``name`` the run's, ``group`` its namespace),
    ``notebook`` for a value of a kernel, ``import`` for what came from elsewhere (``id`` is then its address).
    """

    kind: str = "notebook"
    cls: str = ""
    id: str = ""
    name: str = ""
    group: str = ""
    task: str = ""
    backend: str = "local"


@dataclass(frozen=True)
class VersionSnapshot:
    """A version of a registered model, as the registry has it.

    ``digest`` is the sha256 of the model folder's manifest, and is unique in the model. ``uri`` is the model folder.
    ``data`` are references of data set versions, and ``metrics_data`` is the one on which ``metrics`` were measured;
    empty if unknown. ``data_digests`` has the content digest of each of these references, where it was recorded: in
    another data store, the same reference may name other content. ``metrics`` are the newest measurement; ``others``
    are those on other data, by that. ``code`` is the digest of the component's source. ``size`` is in bytes, times are
    in seconds since 1970. ``model_aliases`` are all aliases of the model when the version was read, each with the
    version that it named.
    """

    name: str
    version: int
    digest: str
    format: str
    uri: str = ""
    size: int = 0
    state: ModelState = ModelState.LIVE
    metrics: Mapping[str, float] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    data: tuple[str, ...] = ()
    metrics_data: str = ""
    others: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    data_digests: Mapping[str, str] = field(default_factory=dict)
    source: ModelSource = ModelSource()
    signature: Signature = Signature()
    packages: Mapping[str, str] = field(default_factory=dict)
    python: str = ""
    code: str = ""
    transform: str = ""
    owner: str = ""
    created: float = 0.0
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    model_aliases: Mapping[str, int] = field(default_factory=dict, compare=False)

    @property
    def ref(self) -> str:
        """``churn@3``."""
        return f"{self.name}@{self.version}"

    def is_of(self, data: str, digest: str = "") -> bool:
        """Whether it was made of or measured on data: by the digest, or by the reference where none is recorded."""
        known = {*self.data, *self.measured, self.metrics_data}
        return any(self.is_data(one, data, digest) for one in known)

    def measured_on(self, data: str, digest: str = "") -> Mapping[str, float] | None:
        """Its metrics on data: by the digest, or by the name if it has none; None if it was not measured on it."""
        found = (metrics for own, metrics in self.measured.items() if self.is_data(own, data, digest))
        return next(found, None)

    def is_data(self, own: str, data: str, digest: str = "") -> bool:
        """Whether ``own``, a data version that it names, is ``data``: by the digest, or by the name if it has none."""
        recorded = self.data_digests.get(own, "")
        return recorded == digest if recorded and digest else own == data

    @property
    def behind(self) -> tuple[str, ...]:
        """The versions of data sets that it was made of or measured on."""
        return tuple(dict.fromkeys(filter(None, (*self.data, *self.measured))))

    @property
    def measured(self) -> Mapping[str, Mapping[str, float]]:
        """Metrics by the version of the data that they were measured on (empty if unknown), the newest first."""
        return {**({self.metrics_data: self.metrics} if self.metrics else {}), **self.others}


@dataclass(frozen=True)
class AliasChange:
    """A move of an alias from one version to another; either is None where the alias did not exist or was removed."""

    model: str
    alias: str
    from_version: int | None
    to_version: int | None
    by: str
    at: float
    because: str = ""
    kind: MoveKind = MoveKind.PROMOTION


@dataclass(frozen=True)
class RegisteredModel:
    """A model by name: its newest version's number and its aliases, each with the version that it names."""

    name: str
    description: str = ""
    owner: str = ""
    created: float = 0.0
    state: ModelState = ModelState.LIVE
    versions: int = 0
    aliases: Mapping[str, int] = field(default_factory=dict)


class AliasHistory(Listing[AliasChange]):
    """Changes of aliases, newest first."""


@dataclass(frozen=True)
class ModelComparison:
    """Versions side by side. ``makers`` are the tasks that made them, None where a run is not there."""

    versions: tuple[VersionSnapshot, ...]
    makers: tuple[Task | None, ...] = ()


@dataclass(frozen=True)
class ModelDamage:
    """What is wrong with a version: with its model folder (``part`` is empty), or with the data version ``part``.

    ``problem`` is ``missing``, ``changed``, ``unreadable`` or ``unreadable record``; of data also ``other content``,
    where the data store has something else by that name than the model was made of.
    """

    ref: str
    part: str
    problem: str


@dataclass(frozen=True)
class ModelVerification:
    """What a verification found: how many versions and bytes were read, and what is wrong with which versions.

    ``note`` says why the data behind the models was not verified.
    """

    versions: int = 0
    size: int = 0
    damages: tuple[ModelDamage, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class DataDamage:
    """What is known to be wrong with versions of data sets, by reference; ``note`` says why it is not known."""

    problems: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


NO_DAMAGE = DataDamage()


@dataclass(frozen=True)
class Transfer:
    """What a transfer did. ``versions`` has the number there by the number here, oldest first.

    ``aliases`` were set, as they did not exist there. ``left`` aliases name another version there and were not moved:
    by the alias, the version there and the one that it names here. ``archived`` aliases were not set, as their version,
    given by its number there, is archived there. ``skipped`` are versions here that another client registered, which
    are not model folders.
    """

    model: str
    source: str
    target: str
    versions: Mapping[int, int] = field(default_factory=dict)
    aliases: Mapping[str, int] = field(default_factory=dict)
    left: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    archived: Mapping[str, int] = field(default_factory=dict)
    skipped: tuple[int, ...] = ()
