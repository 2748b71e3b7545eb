"""Services: what is served, by which versions, and what came of it. Names and meanings are KServe's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

from kfnb.entities import LabelScore, Listing
from kfnb.entities.log_policy import KEEP_ALL, LogPolicy
from kfnb.resources.monitors.model import MonitorOutline

Role = Literal["default", "canary", "shadow"]
"""Which requests a version gets: the rest, a share, or copies whose answers are only compared."""

OnBadInput = Literal["reject", "impute", "log"]
"""What happens to input that does not fit the signature: 422, the training data's usual value instead, or a count."""

WHOLE = 100
"""Percent of the requests that are split between default and canary."""


class ServiceState(str, Enum):
    """The state of a service. PENDING: no version answers yet. READY: all do. DEGRADED: some do not. FAILED: none can.
    STOPPED: by users, or lost.
    """

    PENDING = "PENDING"
    READY = "READY"
    DEGRADED = "DEGRADED"
    FAILED = "FAILED"
    STOPPED = "STOPPED"

    def __str__(self) -> str:
        return self.value

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen unless it is started again."""
        return self in (ServiceState.FAILED, ServiceState.STOPPED)

    @property
    def answers(self) -> bool:
        """Whether requests are answered."""
        return self in (ServiceState.READY, ServiceState.DEGRADED)


class RevisionState(str, Enum):
    """The state of a revision. DRAINING: it gets no new requests, and finishes those that it has."""

    PENDING = "PENDING"
    READY = "READY"
    DRAINING = "DRAINING"
    FAILED = "FAILED"
    STOPPED = "STOPPED"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Target:
    """A version that is to be served, as the service's revision of that number. All but role and share is fixed for it.
    ``registry`` is ``local`` or ``kubeflow``, and ``uri`` where that has the model folder. ``alias`` is the one that
    was asked for, empty for a number. ``percent`` is the share of requests: a shadow has 0, a default what is left.
    ``unchecked`` lets it have requests without a check, ``pickle`` allows that its model is unpickled, which executes
    code, ``trust`` names types in it that are safe, ``log`` is what is kept of requests. On a cluster, ``image``,
    ``cpu`` and ``memory`` are its pods', ``runtime`` is one of KServe's in its program's place (in ``storage``).
    """

    revision: int
    model: str
    version: int
    digest: str
    role: Role = "default"
    percent: int = WHOLE
    registry: str = "local"
    uri: str = ""
    format: str = ""
    alias: str = ""
    on_bad_input: OnBadInput = "reject"
    unchecked: bool = False
    pickle: bool = False
    trust: tuple[str, ...] = ()
    log: LogPolicy = KEEP_ALL
    image: str = ""
    runtime: str = ""
    cpu: str = ""
    memory: str = ""
    storage: str = ""

    @property
    def ref(self) -> str:
        """``churn@7``."""
        return f"{self.model}@{self.version}"


@dataclass(frozen=True)
class ServiceMove:
    """A change of what is served: who made it, when (seconds since 1970) and why. A history is never changed.
    ``before`` and ``after`` are the shares in percent by reference (``churn@7``); a shadow has 0.
    """

    generation: int
    action: Literal["serve", "canary", "shadow", "promote", "rollback", "settings"]
    by: str
    at: float
    because: str = ""
    before: Mapping[str, int] = field(default_factory=dict)
    after: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class DesiredState:
    """The desired state of a service. Each change is the next ``generation``, made by ``move``.

    ``targets`` are a default, and at most one canary and one shadow. ``earlier`` are the defaults before, the newest
    last, which rollback goes back to. ``last_revision`` is the highest number that a revision ever had: a version that
    comes again is a new one. ``sticky`` is the header whose value decides between default and canary, empty for an
    exact split of all requests.
    """

    generation: int
    targets: tuple[Target, ...]
    move: ServiceMove
    earlier: tuple[Target, ...] = ()
    last_revision: int = 0
    sticky: str = ""

    def of(self, role: Role) -> Target | None:
        """The target of a role, if there is one."""
        return next((one for one in self.targets if one.role == role), None)

    @property
    def default(self) -> Target:
        """The default."""
        return next(one for one in self.targets if one.role == "default")

    @property
    def shares(self) -> dict[str, int]:
        """Percent by reference."""
        return {one.ref: one.percent for one in self.targets}


@dataclass(frozen=True)
class RequestFailure:
    """A request that failed, by its ``id`` and without its rows. ``at`` is in seconds since 1970."""

    at: float
    status: int
    code: str
    message: str = ""
    id: str = ""


@dataclass(frozen=True)
class CountSample:
    """What had been counted of a revision at a moment (seconds since 1970): requests, and those with an error."""

    at: float
    requests: int
    failed: int


@dataclass(frozen=True)
class Counters:
    """What was counted of one revision's requests. Counters of several processes add up.
    ``errors`` are answers by status, from 400 on, ``latency`` the numbers of answers by upper bounds in milliseconds,
    and ``bad_inputs`` by kind and column; ``dropped`` were to be kept and are not. Of copies to a shadow, ``compared``
    are the rows whose predictions were compared, ``differing`` those that differ; ``skipped`` were not made, as too
    many were under way. ``per_second`` is the rate now, ``recent`` are the last minutes, ``paired`` is from when a
    canary was first there.
    """

    requests: int = 0
    errors: Mapping[str, int] = field(default_factory=dict)
    latency: tuple[tuple[float, int], ...] = ()
    bad_inputs: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    failures: tuple[RequestFailure, ...] = ()
    compared: int = 0
    differing: int = 0
    skipped: int = 0
    dropped: int = 0
    per_second: float | None = None
    recent: tuple[CountSample, ...] = ()
    paired: CountSample | None = None

    @property
    def failed(self) -> int:
        """Answers with an error."""
        return sum(self.errors.values())


@dataclass(frozen=True)
class Parity:
    """What ``serve.py check`` found of a version before it got requests; ``passed`` is None where it was not run."""

    passed: bool | None = None
    report: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Revision:
    """A version that is served, or was until a moment ago.
    ``percent`` is the desired share, ``share`` the true one, if known. ``labels`` say how right it was, ``log_error``
    why requests are not kept.
    """

    target: Target
    state: RevisionState = RevisionState.PENDING
    share: float | None = None
    error: str = ""
    restarts: int = 0
    ready_since: float | None = None
    parity: Parity = Parity()
    counters: Counters = Counters()
    labels: LabelScore = field(default_factory=LabelScore)
    log_error: str = ""

    @property
    def settled(self) -> bool:
        """Whether it gets the requests that it is to get, or never will."""
        routed = not self.percent or self.share != 0
        return self.state is RevisionState.FAILED or (self.state is RevisionState.READY and routed)

    @property
    def number(self) -> int:
        """Its number in the service, from 1."""
        return self.target.revision

    @property
    def ref(self) -> str:
        """``churn@7``."""
        return self.target.ref

    @property
    def role(self) -> Role:
        """Which requests it gets."""
        return self.target.role

    @property
    def percent(self) -> int:
        """The desired share."""
        return self.target.percent


@dataclass(frozen=True)
class ServiceSnapshot:
    """A service at one moment. ``observed`` is the generation of ``desired`` that has been reached.
    ``revisions`` are the desired ones, default first, and those that drain. ``history`` is the newest first. ``url`` is
    what its paths are added to, ``token_file`` has the token; both may be empty. ``stopping``: it shall end.
    ``monitors`` are filled in where they are shown.
    """

    name: str
    backend: str
    desired: DesiredState
    state: ServiceState = ServiceState.PENDING
    observed: int = 0
    url: str = ""
    token_file: str = ""
    revisions: tuple[Revision, ...] = ()
    history: tuple[ServiceMove, ...] = ()
    owner: str = ""
    created: float | None = None
    started: float | None = None
    finished: float | None = None
    error: str = ""
    notes: tuple[str, ...] = ()
    stopping: bool = False
    monitors: tuple[MonitorOutline, ...] = ()

    @property
    def failures(self) -> tuple[str, ...]:
        """Why desired versions cannot be served; else why the service cannot."""
        failed = [one.error for one in self.revisions if one.state is RevisionState.FAILED and one.error]
        return tuple(failed) or ((self.error,) if self.error else ())

    @property
    def failed(self) -> frozenset[int]:
        """The numbers of desired revisions that cannot be served."""
        return frozenset(one.number for one in self.current if one.state is RevisionState.FAILED)

    @property
    def current(self) -> tuple[Revision, ...]:
        """The desired revisions, without those that still drain."""
        numbers = {one.revision for one in self.desired.targets}
        return tuple(one for one in self.revisions if one.number in numbers)

    @property
    def settled(self) -> bool:
        """Whether the desired state is reached, or cannot be reached."""
        seen = self.observed >= self.desired.generation and len(self.current) == len(self.desired.targets)
        settled = seen and all(one.settled for one in self.current)
        return self.state.finished or (settled and not self.stopping)


class ServiceList(Listing[ServiceSnapshot]):
    """Services at the time of the request."""
