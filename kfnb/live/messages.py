"""The messages between kernel and page: JSON objects, each with a ``kind`` (to the page) or a ``do`` (to the kernel).

Each is about one subject: something that can be followed, known by its ``type`` (``run``, ``study``) and its ``id``.
``js/src/protocol.ts`` is generated from this file by ``scripts/protocol.py``: the classes here are all that there is to
edit. Times are seconds since the epoch; texts are plain, but for ``html``, which kfnb's widgets wrote and escaped.

A message is a frozen dataclass. A head and a part are dictionaries, since a change tells only some of their fields.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal, TypeAlias, TypedDict, get_args

Head: TypeAlias = Mapping[str, Any]
Part: TypeAlias = Mapping[str, Any]

Pair: TypeAlias = tuple[str, str]
"""A name and its value, in words."""

Scalar: TypeAlias = float | str | bool | None
"""A parameter's value."""

# -- from the kernel to the page --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class WholeMessage:
    """All of a subject; later changes follow ``seq``. ``now`` is the kernel's clock."""

    kind: ClassVar[str] = "whole"
    type: str
    id: str
    seq: int
    now: float
    head: Head
    parts: Sequence[Part]


@dataclass(frozen=True)
class ChangeMessage:
    """What is new in a subject: fields of its head, and parts, by what names them, with those fields that are new.

    An unknown part is a new one. ``seq`` counts up by one: after a gap the page asks to ``watch`` again.
    """

    kind: ClassVar[str] = "change"
    type: str
    id: str
    seq: int
    now: float
    head: Head
    parts: Sequence[Part]


@dataclass(frozen=True)
class GoneMessage:
    """Nothing more will come of a subject, and why."""

    kind: ClassVar[str] = "gone"
    type: str
    id: str
    text: str


@dataclass(frozen=True)
class DetailMessage:
    """All of one part (a task, a trial), and its error in full, as text."""

    kind: ClassVar[str] = "detail"
    type: str
    id: str
    part: str
    html: str
    error: str


@dataclass(frozen=True)
class PieceMessage:
    """A piece of an artifact (a folder as a zip file), from byte ``first`` on; or the ``error`` why not."""

    kind: ClassVar[str] = "piece"
    type: str
    id: str
    part: str
    artifact: str
    name: str
    size: int
    first: int
    error: str


@dataclass(frozen=True)
class LabelsMessage:
    """What tells a loop's iterations apart, by task id (``C = 0.1``); a group's title, by path (``loop over C``)."""

    kind: ClassVar[str] = "labels"
    type: str
    id: str
    tasks: Mapping[str, str]
    groups: Mapping[str, str]


@dataclass(frozen=True)
class LogMessage:
    """Lines of a part's log, in one buffer: UTF-8, each ended by a newline.

    ``first`` is the number of the first of them, ``total`` how many the part has written as far as is known; ``times``
    has ``[line, moment]`` where a moment is known, lines counted from ``first``.
    """

    kind: ClassVar[str] = "log"
    type: str
    id: str
    part: str
    first: int
    total: int
    ended: bool
    times: Sequence[tuple[int, float]]


@dataclass(frozen=True)
class FileMessage:
    """A piece of a part's whole log, in one buffer, to be saved as a file called ``name``; the pieces come in order."""

    kind: ClassVar[str] = "file"
    type: str
    id: str
    part: str
    name: str
    last: bool


@dataclass(frozen=True)
class ReplyMessage:
    """How an order went."""

    kind: ClassVar[str] = "reply"
    type: str
    id: str
    text: str
    ok: bool


PageMessage: TypeAlias = (
    WholeMessage
    | ChangeMessage
    | GoneMessage
    | DetailMessage
    | PieceMessage
    | LabelsMessage
    | LogMessage
    | FileMessage
    | ReplyMessage
)
"""What the kernel tells the page."""

# -- from the page to the kernel --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class WatchRequest:
    """Tell all of a subject, and its changes from now on."""

    do: ClassVar[str] = "watch"
    type: str
    id: str


@dataclass(frozen=True)
class SeenRequest:
    """The page shows a subject that was sent to it: the static HTML is for saving only from now on."""

    do: ClassVar[str] = "seen"
    type: str
    id: str


@dataclass(frozen=True)
class LeaveRequest:
    """The page shows a subject no more: no changes are needed."""

    do: ClassVar[str] = "leave"
    type: str
    id: str


@dataclass(frozen=True)
class DetailRequest:
    """Tell all of one part: ``detail`` answers."""

    do: ClassVar[str] = "detail"
    type: str
    id: str
    part: str


@dataclass(frozen=True)
class LabelsRequest:
    """Tell what tells a loop's iterations apart: ``labels`` answers."""

    do: ClassVar[str] = "labels"
    type: str
    id: str


@dataclass(frozen=True)
class FetchRequest:
    """Send the piece of an artifact that begins at byte ``first``; ``artifact`` is its ``data-kfnb-artifact``."""

    do: ClassVar[str] = "fetch"
    type: str
    id: str
    part: str
    artifact: str
    first: int


@dataclass(frozen=True)
class LogRequest:
    """Send a part's log, and what is added to it, until ``on`` is false."""

    do: ClassVar[str] = "log"
    type: str
    id: str
    part: str
    on: bool


@dataclass(frozen=True)
class SaveRequest:
    """Send a part's whole log as a file."""

    do: ClassVar[str] = "save"
    type: str
    id: str
    part: str


@dataclass(frozen=True)
class StopRequest:
    """Stop the subject: ``reply`` answers, and changes follow."""

    do: ClassVar[str] = "stop"
    type: str
    id: str


@dataclass(frozen=True)
class RetryRequest:
    """Try again what did not succeed: ``reply`` answers, and changes follow."""

    do: ClassVar[str] = "retry"
    type: str
    id: str


@dataclass(frozen=True)
class PromoteRequest:
    """Let a service's canary be its default, if its desired state is still that ``generation``: ``reply`` answers."""

    do: ClassVar[str] = "promote"
    type: str
    id: str
    generation: int


@dataclass(frozen=True)
class RollbackRequest:
    """End a service's canary, else go back to the default before, if it is still at that ``generation``."""

    do: ClassVar[str] = "rollback"
    type: str
    id: str
    generation: int


PageRequest: TypeAlias = (
    WatchRequest
    | SeenRequest
    | LeaveRequest
    | DetailRequest
    | LabelsRequest
    | FetchRequest
    | LogRequest
    | SaveRequest
    | StopRequest
    | RetryRequest
    | PromoteRequest
    | RollbackRequest
)
"""What the page asks of the kernel."""

# -- what subjects are made of ----------------------------------------------------------------------------------------

StateName: TypeAlias = Literal[
    "PENDING",
    "RUNNING",
    "SUCCEEDED",
    "FAILED",
    "SKIPPED",
    "CANCELING",
    "CANCELED",
    "PAUSED",
    "EARLY_STOPPED",
    "METRICS_UNAVAILABLE",
    "KILLED",
]
"""The state of a run, a task or a study and (the last three are its own) of a trial."""


class StaticPart(TypedDict):
    """Static HTML: the part ``html`` of a subject whose type the page has no view for, or a section of a service."""

    id: str
    html: str


class RunHead(TypedDict):
    """A run without its tasks."""

    name: str
    pipeline: str
    backend: str
    experiment: str
    state: StateName
    created: float | None
    started: float | None
    finished: float | None
    arguments: Sequence[Pair]
    result: Sequence[Pair]
    metrics: Sequence[Pair]
    """What its tasks have measured, once it is finished."""
    error: str
    notes: Sequence[str]
    url: str
    """Where Kubeflow's own pages show it; empty where there are none."""
    doing: str
    """What is being done for it before any of its tasks begins; empty most of the time."""
    command: str
    """The line that starts it again; empty where there is none."""


class RunTask(TypedDict):
    """A task or a group of one run."""

    id: str
    name: str
    path: Sequence[str]
    """The names from the root down to its own, without the numbers of iterations: what all of a loop's share."""
    turn: Sequence[int]
    """Which iteration of each loop around it this is, the outermost first."""
    group: bool
    title: str
    """A group in words: loop, exit handler; a branch's condition; a task's name."""
    branch: bool
    """Whether it runs under a condition."""
    decided: str
    """What that came to: ``0.93 > 0.9: taken``; empty as long as it is not known."""
    state: StateName
    needs: Mapping[str, Sequence[str]]
    """The siblings that it waits for, each with the names of what it takes from there."""
    began: Sequence[float]
    """When each attempt began."""
    finished: float | None
    cached: bool
    attempts: int
    known: int
    """How many of its inputs and outputs are known, which its details tell."""
    doing: str
    """What it waits for, or is being done for it, in words; empty most of the time."""
    error: str
    """Why it failed, in one line."""
    place: str
    """The cell and the line where."""
    processes: int
    ranks: str
    """The processes of a training as static HTML, with their curves; empty for another task."""


class RunRow(TypedDict):
    """A row of a table of runs, the part of a subject of the type ``runs``. ``schedule`` is an id, or empty."""

    id: str
    pipeline: str
    name: str
    experiment: str
    schedule: str
    state: StateName
    created: float | None
    seconds: float | None
    arguments: Sequence[Pair]
    metrics: Sequence[Pair]
    url: str
    archived: bool


class ServiceHead(TypedDict):
    """A service at a ``generation``; ``over``: it has ended. Its parts are what is seen, in order; some are empty."""

    name: str
    generation: int
    over: bool
    actions: Sequence[Pair]
    """What it may be asked to do (``promote``, ``rollback``, ``stop``), with the question that comes first."""
    lines: Sequence[Pair]
    """What asks it, to be copied: in which language, and the line."""


class StudyDimension(TypedDict):
    """A parameter of a search space."""

    name: str
    kind: Literal["float", "int", "choice"]
    low: float
    high: float
    log: bool
    choices: Sequence[Scalar]


class StudyHead(TypedDict):
    """A study without its trials."""

    name: str
    backend: str
    subject: str
    """The cell, component or pipeline that is tuned."""
    metric: str
    """What the objective is called."""
    maximize: bool
    goal: float | None
    state: StateName
    algorithm: str
    stopping: str
    """How trials are stopped early; empty where they are not."""
    most: int | None
    """How many trials there may be."""
    parallel: int
    """How many at once."""
    timeout: float | None
    """The seconds that it may take."""
    created: float | None
    started: float | None
    finished: float | None
    importances: Sequence[tuple[str, float]]
    """How much of the objective's variation each parameter explains, from 0 to 1; empty where that is not known."""
    space: Sequence[StudyDimension]
    reason: str
    """Why it ended."""
    error: str
    notes: Sequence[str]


class _Numbered(TypedDict):
    number: int
    state: StateName


class StudyTrial(_Numbered, total=False):
    """A trial; what is left out, or null, it does not have."""

    params: Mapping[str, Scalar] | None
    value: float | None
    """The objective's."""
    metrics: Mapping[str, float | None] | None
    """The further ones."""
    started: float | None
    finished: float | None
    curve: Sequence[float] | None
    """The intermediate values of the objective: step, value, step, value ..."""
    error: str | None
    place: str | None


# -- as JSON ----------------------------------------------------------------------------------------------------------


def to_json(message: PageMessage) -> dict[str, Any]:
    """A message as it is sent."""
    # not asdict, which would copy ten thousand trials
    return {"kind": message.kind, **{field.name: getattr(message, field.name) for field in fields(message)}}


_REQUESTS: Mapping[str, Any] = {request.do: request for request in get_args(PageRequest)}
_TYPES = {"str": str, "int": int, "bool": bool}


def read_request(content: Mapping[str, Any]) -> PageRequest:
    """What a page asks. Raises ``ValueError`` for what is not a request of this version."""
    what = content.get("do")
    request = _REQUESTS.get(what) if isinstance(what, str) else None
    if request is None:
        raise ValueError(f"unknown request {what!r}")
    values = {field.name: content.get(field.name) for field in fields(request)}
    for field in fields(request):
        if type(values[field.name]) is not _TYPES[str(field.type)]:
            raise ValueError(f"request {what!r} has no valid {field.name}")
    found: PageRequest = request(**values)
    return found
