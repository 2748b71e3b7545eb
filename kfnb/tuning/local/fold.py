"""A study is a stream of events, and its state is their fold.

===========  =========  ==============================================================================
kind         about      data
===========  =========  ==============================================================================
``created``  the study  what ``model.Study`` says of the search, as JSON
``state``    study      state; error, reason: why it ended
``limits``   the study  max_trials: what it may have from now on
``note``     the study  text
``began``    a trial    params, started
``run``      a trial    id: of the pipeline run that it is
``report``   a trial    step, value: the objective on the way
``ended``    a trial    state, value, metrics, curve (where it was not reported), error, finished
===========  =========  ==============================================================================

A trial is named by its number. An event of a kind that this version does not know is skipped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from kfnb import model
from kfnb.errors import BackendError
from kfnb.model import Dimension, Objective, RunState, TaskError, Trial, TrialState
from kfnb.resources.runs.events import Event
from kfnb.resources.studies.search import Search


def described(search: Search, created: float) -> dict[str, Any]:
    """What is known of a study before it runs, as the data of its ``created`` event."""
    return {
        "objective": asdict(search.objective),
        "subject": search.subject.name,
        "space": [asdict(dimension) for dimension in search.space],
        "algorithm": search.algorithm,
        "early_stopping": search.early_stopping,
        "max_trials": search.max_trials,
        "max_failed": search.max_failed,
        "parallel": search.parallel,
        "timeout": search.timeout,
        "created": created,
    }


@dataclass
class StudyFold:
    """What some events add up to, so far; ``seq`` is the last one's."""

    name: str
    seq: int = 0
    _study: model.Study = field(init=False)
    _trials: dict[int, Trial] = field(default_factory=dict)
    _curves: dict[int, list[tuple[float, float]]] = field(default_factory=dict)
    _dirty: set[int] = field(default_factory=set)
    _stale: bool = False

    def __post_init__(self) -> None:
        self._study = model.Study(self.name, "local", Objective(""))

    @property
    def study(self) -> model.Study:
        """The study, with all of its trials."""
        for number in self._dirty:
            self._trials[number] = replace(self._trials[number], curve=tuple(self._curves[number]))
        if self._stale:
            self._study = replace(self._study, trials=tuple(self._trials[n] for n in sorted(self._trials)))
        self._dirty.clear()
        self._stale = False
        return self._study

    @property
    def finished(self) -> bool:
        """Whether the study is; told without making it anew."""
        return self._study.state.finished

    def add(self, events: Iterable[Event]) -> set[int]:
        """Take events in; the numbers of the trials that they are about, -1 for the study. Raises ``BackendError``."""
        touched = set()
        for event in events:
            try:
                touched.add(self._taken(event))
            except (TypeError, ValueError, LookupError, AttributeError) as error:
                said = f"the events of study {self.name} are damaged, or another version of kfnb wrote them"
                raise BackendError(f"{said}: {event.kind}: {error}") from None
            self.seq = event.seq
        return touched

    def _taken(self, event: Event) -> int:
        if not event.task:
            self._of_study(event)
            return -1
        self._trial(int(event.task), event)
        return int(event.task)

    def _of_study(self, event: Event) -> None:
        data = event.data
        if event.kind == "created":
            self._study = replace(self._study, **{**data, **_typed(data)})
        elif event.kind == "limits":
            self._study = replace(self._study, max_trials=data["max_trials"])
        elif event.kind == "note":
            self._study = replace(self._study, notes=(*self._study.notes, data["text"]))
        elif event.kind == "state":
            state = RunState(data["state"])
            self._study = replace(
                self._study,
                state=state,
                error=data.get("error", ""),
                reason=data.get("reason", ""),
                started=self._study.started or (event.time if state is RunState.RUNNING else None),
                finished=event.time if state.finished else None,
            )

    def _trial(self, number: int, event: Event) -> None:
        known, data = self._trials.get(number, Trial(number)), event.data
        if event.kind == "began":
            known = Trial(number, TrialState.RUNNING, data["params"], started=data["started"])
        elif event.kind == "run":
            known = replace(known, run=data["id"])
        elif event.kind == "report":
            self._curves.setdefault(number, []).append((data["step"], data["value"]))
            self._dirty.add(number)
        elif event.kind == "ended":
            known = _ended(known, data)
        self._trials[number] = known
        self._stale = True


def _typed(data: Mapping[str, Any]) -> dict[str, Any]:
    objective = data["objective"]
    return {
        "objective": Objective(**{**objective, "further": tuple(objective["further"])}),
        "space": tuple(Dimension(**{**one, "choices": tuple(one["choices"])}) for one in data["space"]),
    }


def _ended(trial: Trial, data: Mapping[str, Any]) -> Trial:
    # made anew: ``replace`` takes four times as long, and a long study has many
    error, curve = data.get("error"), tuple((step, value) for step, value in data.get("curve", ()))
    return Trial(
        trial.number,
        TrialState(data["state"]),
        trial.params,
        data.get("value"),
        data.get("metrics", {}),
        curve or trial.curve,
        trial.started,
        data["finished"],
        TaskError(**error) if error else None,
        trial.name,
        trial.run,
    )
