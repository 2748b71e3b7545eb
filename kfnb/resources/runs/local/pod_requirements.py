"""What a step requests from its machine, apart from its inputs: resources, time, secrets, volumes.

On a cluster Kubernetes provides these; the step's container and its ``kfp-kubernetes`` settings request them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from kfnb.resources.runs.local.value_sources import Source


class SourceKind(str, Enum):
    """What a mounted folder holds."""

    SECRET = "secret"  # noqa: S105 - not a password
    CONFIG = "config map"
    VOLUME = "volume"
    SCRATCH = "scratch"


@dataclass(frozen=True)
class ResourceRequest:
    """Cores, memory and GPUs as the spec writes them (``2``, ``500m``, ``4G``); they may hold placeholders.

    Empty: not given. ``gpu`` is the model of GPU.
    """

    cpu: Any = ""
    gpus: Any = ""
    memory: Any = ""
    gpu: str = ""


@dataclass(frozen=True)
class VariableSource:
    """An environment variable that takes its value from ``key`` of a secret or a config map called ``name``."""

    variable: str
    kind: SourceKind
    name: Source
    key: str
    optional: bool = False


@dataclass(frozen=True)
class Mounted:
    """A folder that the step sees at ``path``: a secret's or a config map's keys as files, a volume, or a scratch."""

    path: str
    kind: SourceKind
    name: Source
    part: str = ""
    optional: bool = False


@dataclass(frozen=True)
class Demands:
    """All that a step requests. ``timeout`` in seconds, 0 for none; ``ignored`` names what does not apply here."""

    resources: ResourceRequest = field(default_factory=ResourceRequest)
    variables: tuple[VariableSource, ...] = ()
    mounted: tuple[Mounted, ...] = ()
    timeout: float = 0.0
    ignored: tuple[str, ...] = ()

    @property
    def writes_to_volume(self) -> bool:
        """Whether the step may write to a volume, which its outputs do not show."""
        return any(mounted.kind is SourceKind.VOLUME for mounted in self.mounted)
