"""What can be followed in a page: one row a type. The kernel's registry; the page's is ``js/src/registry.ts``.

A type without a row there is shown by its static HTML, so that a new noun needs no more than this in its ``wire``, and
its class among the ``live`` ones of its row in ``kfnb/registry.py``::

    FOLLOWABLE = Followable("service", Service, name=lambda service: service.name, find=service, draw=draw_service)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from kfnb import model, registry
from kfnb.errors import NotFound
from kfnb.jobs.polling import Pace
from kfnb.live import handlers as answers
from kfnb.live.contents import StaticWire, Wire
from kfnb.live.importances import Importances
from kfnb.resources.runs import api
from kfnb.resources.runs.artifact_text import Drawing
from kfnb.resources.runs.command_line import command
from kfnb.resources.runs.handle import Run, RunList
from kfnb.resources.runs.view.run import draw_run
from kfnb.resources.runs.view.runs import draw_runs
from kfnb.resources.runs.wire import RunsWire, RunWire
from kfnb.resources.studies import api as searching
from kfnb.resources.studies.handle import Study
from kfnb.resources.studies.view.study import draw_study
from kfnb.resources.studies.wire import StudyWire, wire_id
from kfnb.ui.mount_point import Home
from kfnb.ui.states import look
from kfnb.ui.words import duration

if TYPE_CHECKING:
    from kfnb.live.handlers import Answer

Handle: TypeAlias = Any
"""What people hold of a subject: a ``Run``, a ``Study``, ..."""

HandleClass: TypeAlias = type

Draw: TypeAlias = Callable[[Any], dict[str, str]]
"""Draws what is known of a subject, as a mimebundle."""


class Subject(Protocol):
    """Looks at something that may change: ``type`` and ``id`` name it in the page, ``pace`` is how often to look."""

    type: str
    id: str
    pace: Pace

    @property
    def shown(self) -> Any:
        """What is to be seen of it, as of the last look: frozen data, with a ``state``."""
        ...

    @property
    def over(self) -> bool:
        """Whether nothing more will be new."""
        ...

    def look(self) -> bool:
        """Look once more; whether anything is new. Raises ``BackendError``."""
        ...


class Snapshots:
    """Any subject whose handle has a ``snapshot()``, taken anew at each look."""

    def __init__(self, row: Followable, handle: Handle) -> None:
        self.type, self.id = row.type, row.name(handle)
        self.pace: Pace = getattr(handle, "pace", _PACE)
        self._handle = handle
        self._shown: Any = None

    @property
    def shown(self) -> Any:
        """The last snapshot."""
        return self._shown

    @property
    def over(self) -> bool:
        """Whether its state is a final one."""
        return bool(self._shown.state.finished)

    def look(self) -> bool:
        """Take another one."""
        before, self._shown = self._shown, self._handle.snapshot()
        return bool(self._shown != before)


_PACE = Pace(0.5, 5.0)


@dataclass(frozen=True)
class Followable:
    """One type of what can be followed.

    ``handle`` is the class of what people hold of it, ``name`` the page's id of one, and ``find`` the handle of an id,
    where that is known. ``draw`` draws it as static HTML, with the mark of a page's place if there is one:
    ``draw(shown, home=None)``. The rest has defaults that do for any type: ``subject`` looks by snapshots, ``wire``
    tells the page its static HTML, and ``answers`` are what its page may ask beside what every page may.
    """

    type: str
    handle: HandleClass
    name: Callable[[Any], str]
    draw: Callable[..., dict[str, str]]
    find: Callable[[str], Handle] | None = None
    subject: Callable[[Followable, Handle], Subject] = Snapshots
    wire: Callable[[Draw], Wire] = StaticWire
    drawing: Callable[[Followable, Home | None], Draw] = lambda row, home: partial(row.draw, home=home)
    answers: Mapping[str, Answer] = field(default_factory=dict)
    line: Callable[[Any], str] = str


# -- runs -------------------------------------------------------------------------------------------------------------


class RunSubject:
    """A run."""

    type = "run"

    def __init__(self, run: Run) -> None:
        self.id = run.id
        self._observer = run.observe()
        self.pace = self._observer.pace

    @property
    def shown(self) -> model.Run:
        """The run."""
        return self._observer.run

    @property
    def over(self) -> bool:
        """Whether the run is finished."""
        return self._observer.over

    def look(self) -> bool:
        """Look once more."""
        return bool(self._observer.look())


def _line_of_run(run: model.Run) -> str:
    state = _state(run)
    return f"run {run.id} of {run.pipeline}: {state}. A cell above shows it; %kf_run {run.id} draws it here"


def _state(shown: model.Run | model.Study) -> str:
    state = look(shown.state).word
    if shown.started is None or shown.finished is None:
        return state
    return f"{state} after {duration(shown.finished - shown.started)}"


RUN = Followable(
    "run",
    Run,
    name=lambda run: run.id,
    find=api.run,
    draw=draw_run,
    subject=lambda _, run: RunSubject(run),
    wire=lambda _: RunWire(command),
    drawing=lambda _, home: Drawing(home),
    answers=answers.OF_RUN,
    line=_line_of_run,
)

# -- studies ----------------------------------------------------------------------------------------------------------


class StudySubject:
    """A study; its importances are sent as they become known."""

    type = "study"

    def __init__(self, study: Study) -> None:
        self.id = wire_id(study.backend, study.name)
        self.pace: Pace = study.pace
        self._observed = study.observe()
        self._importances = Importances()
        self._shown = self._observed.study

    @property
    def shown(self) -> model.Study:
        """The study."""
        return self._shown

    @property
    def over(self) -> bool:
        """Whether the study is finished, and its importances are known."""
        return self._shown.state.finished and self._importances.settled(self._shown)

    def look(self) -> bool:
        """Look once more."""
        touched = self._observed.look()
        study = self._observed.study
        values, fresh = self._importances.of(study)
        self._shown = replace(study, importances=values)
        return fresh or bool(touched)


def _study(id: str) -> Study:
    backend, _, name = id.partition("/")
    return searching.study(name, backend=backend)


def _line_of_study(study: model.Study) -> str:
    return f"study {study.name}: {_state(study)}. A cell above shows it; %kf_study {study.name} draws it here"


STUDY = Followable(
    "study",
    Study,
    name=lambda study: wire_id(study.backend, study.name),
    find=_study,
    draw=draw_study,
    subject=lambda _, study: StudySubject(study),
    wire=lambda _: StudyWire(),
    answers=answers.OF_STUDY,
    line=_line_of_study,
)

# -- tables of runs ---------------------------------------------------------------------------------------------------


class RunsTable:
    """A table of runs that is displayed: as they were asked for, and asked for anew when the page asks."""

    type = "runs"
    pace = _PACE
    over = True

    def __init__(self, id: str, runs: RunList) -> None:
        self.id = id
        self.shown = runs
        self._asked = False

    def look(self) -> bool:
        """Ask for the runs anew, but for the first time."""
        if self._asked:
            self.shown = self.shown.refresh()
        self._asked = True
        return True


RUNS = Followable(
    "runs",
    RunsTable,
    name=lambda table: table.id,
    draw=draw_runs,
    subject=lambda _, table: table,
    wire=lambda _: RunsWire(),
)

# -- the registry -----------------------------------------------------------------------------------------------------

_ROWS: dict[str, Followable] = {}


def register(row: Followable) -> None:
    """Make one more type of things known."""
    _ROWS[row.type] = row


def row_of(handle: Handle) -> Followable:
    """The row of a handle's type: one that is registered, else the ``FOLLOWABLE`` of its noun's ``wire``.

    Raises ``TypeError`` where it has none.
    """
    for row in _ROWS.values():
        if isinstance(handle, row.handle):
            return row
    kind = type(handle)
    noun = registry.noun_of_display(f"{kind.__module__}.{kind.__qualname__}")
    if noun is None or not noun.live:
        raise TypeError(f"{kind.__name__} cannot be followed")
    found: Followable = noun.module("wire").FOLLOWABLE
    register(found)
    return found


def row_of_type(type: str) -> Followable:
    """The row of that type. Raises ``NotFound``."""
    if type not in _ROWS:
        raise NotFound(f"unknown type {type!r}: this kernel's kfnb does not have it")
    return _ROWS[type]


for _row in (RUN, STUDY, RUNS):
    register(_row)
