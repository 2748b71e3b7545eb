"""What the index is made of: the facts about one run, one version of a data set or one version of a model.

A noun gives them by a ``Source``. The words are ML Metadata's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from kfnb.entities import Amounts, Purpose

EMPTY = hashlib.sha256(b"").hexdigest()
"""The digest of no bytes: empty files are not the same artifact because they are empty."""

RUN = "system.PipelineRun"
DATASET, MODEL = "kfnb.DatasetVersion", "kfnb.ModelVersion"
"""The types of the artifacts that versions are."""
SERVICE = "service:"
"""The beginning of a service's id among those of runs."""
MONITOR = "monitor:"
"""The beginning of a monitor's."""


@dataclass(frozen=True)
class RunContext:
    """A run: its id, its name and its pipeline. Times are in seconds since 1970, ``state`` is KFP's word.

    ``owner`` is who started it, ``used`` what it occupied of machines, once it has ended; empty where that is unknown.
    """

    id: str
    name: str = ""
    pipeline: str = ""
    backend: str = "local"
    state: str = ""
    created: float | None = None
    finished: float | None = None
    experiment: str = ""
    owner: str = ""
    used: Mapping[Purpose, Amounts] = field(default_factory=dict)


@dataclass(frozen=True)
class TaskExecution:
    """A task of a run, by its id in the run. ``state`` is KFP's word; ``parameters`` are JSON."""

    name: str
    state: str = ""
    started: float | None = None
    finished: float | None = None
    cached: bool = False
    error: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ArtifactRecord:
    """An artifact. Artifacts with the same ``digest`` are the same content; without one, those with the same ``uri``.

    ``also`` are further digests of the same content, as the sha256 of a version's only file. ``names`` are references
    to it (``churn@3``, ``churn@champion``). ``run`` and ``task`` are what made it, where its own trace has no
    event of that. ``of`` are the data versions that its record names: by reference, the digest of each where the record
    has it. Without one, the reference is believed; it may mean other content in another store.
    """

    name: str
    type: str = "system.Artifact"
    uri: str = ""
    digest: str = ""
    also: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    run: str = ""
    task: str = ""
    of: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, Any] = field(default_factory=dict)

    @property
    def contents(self) -> tuple[str, ...]:
        """What tells whether another artifact is the same, its own digest first; empty if nothing does."""
        known = tuple(one for one in (self.digest, *self.also) if one and one != EMPTY)
        return known or ((self.uri,) if self.uri else ())


@dataclass(frozen=True)
class Use:
    """An event: the execution at that place of a trace took or made the artifact at that place, under a name."""

    execution: int
    artifact: int
    output: bool
    name: str


@dataclass(frozen=True)
class Trace:
    """All facts about one run (with a ``context``) or one version (without)."""

    context: RunContext | None = None
    executions: tuple[TaskExecution, ...] = ()
    artifacts: tuple[ArtifactRecord, ...] = ()
    uses: tuple[Use, ...] = ()


@dataclass(frozen=True)
class Reading:
    """A unit as it was read, with its stamp at that time."""

    unit: str
    stamp: str
    trace: Trace


class Source(Protocol):
    """A noun's records, in units: a run, a version."""

    @property
    def name(self) -> str:
        """The noun's name."""
        ...

    def stamps(self, known: Mapping[str, str]) -> Mapping[str, str]:
        """The units that exist, each with a text that is another one once the unit has changed.

        ``known`` are the stamps of the last update: what cannot have changed need not be looked at. Raises
        ``BackendError``.
        """
        ...

    def read(self, units: Iterable[str]) -> Iterable[Reading]:
        """The facts about units, in any order; without those that are gone by now."""
        ...
