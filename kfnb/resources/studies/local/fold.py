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
``report``   a trial    step, value: an intermediate value of the objective
``ended``    a trial    state, value, metrics, curve (where it was not reported), error, finished,
                        used: what it occupied, by purpose
===========  =========  ==============================================================================

A trial is named by its number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from kfnb.entities import RunState, TaskError
from kfnb.jobs.fold import Event, JobFold
from kfnb.resources.runs.usage_data import amounts_of
from kfnb.resources.studies import model
from kfnb.resources.studies.model import Dimension, Objective, Trial, TrialState
from kfnb.resources.studies.search import Search

_CREATED = (
    "objective",
    "subject",
    "space",
    "algorithm",
    "early_stopping",
    "max_trials",
    "max_failed",
    "parallel",
    "timeout",
    "created",
)


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


class StudyFold(JobFold[int]):
    """What some events of a study add up to, so far. Its parts are the numbers of trials, -1 for the study itself."""

    FIELDS = {  # noqa: RUF012 - the base says that it is a class's
        "created": frozenset(_CREATED),
        "state": frozenset({"state", "error", "reason"}),
        "limits": frozenset({"max_trials"}),
        "note": frozenset({"text"}),
        "began": frozenset({"params", "started"}),
        "run": frozenset({"id"}),
        "report": frozenset({"step", "value"}),
        "ended": frozenset({"state", "value", "metrics", "curve", "error", "finished", "used"}),
    }

    def __init__(self, name: str) -> None:
        super().__init__()
        self._study = model.StudySnapshot(name, "local", Objective(""))
        self._trials: dict[int, Trial] = {}
        self._curves: dict[int, list[tuple[float, float]]] = {}
        self._dirty: set[int] = set()
        self._stale = False

    @property
    def study(self) -> model.StudySnapshot:
        """The study, with all of its trials."""
        for number in self._dirty:
            self._trials[number] = replace(self._trials[number], curve=tuple(self._curves[number]))
        if self._stale:
            self._study = replace(self._study, trials=tuple(self._trials[n] for n in sorted(self._trials)))
        self._dirty.clear()
        self._stale = False
        if self.skipped:
            return replace(self._study, notes=(*self._study.notes, *self.notes))
        return self._study

    @property
    def finished(self) -> bool:
        """Whether the study is; known without building the study again."""
        return self._study.state.finished

    def _part(self, event: Event) -> int:
        return int(event.task) if event.task.isdecimal() else -1

    def _on_created(self, event: Event) -> None:
        known = {name: value for name, value in event.data.items() if name in self.FIELDS["created"]}
        objective = self._made(Objective, known["objective"])
        self._study = replace(
            self._study,
            **{
                **known,
                "objective": replace(objective, further=tuple(objective.further)),
                "space": tuple(self._dimension(one) for one in known["space"]),
            },
        )

    def _dimension(self, values: Mapping[str, Any]) -> Dimension:
        one = self._made(Dimension, values)
        return replace(one, choices=tuple(one.choices))

    def _on_limits(self, event: Event) -> None:
        self._study = replace(self._study, max_trials=event.data["max_trials"])

    def _on_note(self, event: Event) -> None:
        self._study = replace(self._study, notes=(*self._study.notes, str(event.data["text"])))

    def _on_state(self, event: Event) -> None:
        data, state = event.data, RunState(event.data["state"])
        self._study = replace(
            self._study,
            state=state,
            error=data.get("error", ""),
            reason=data.get("reason", ""),
            started=self._study.started or (event.time if state is RunState.RUNNING else None),
            finished=event.time if state.finished else None,
        )

    def _on_began(self, event: Event) -> None:
        number, data = int(event.task), event.data
        self._know(Trial(number, TrialState.RUNNING, data["params"], started=data["started"]))

    def _on_run(self, event: Event) -> None:
        self._know(replace(self._known(event), run=event.data["id"]))

    def _on_report(self, event: Event) -> None:
        known, point = self._known(event), (event.data["step"], event.data["value"])
        self._curves.setdefault(known.number, []).append(point)
        self._dirty.add(known.number)
        self._know(known)

    def _on_ended(self, event: Event) -> None:
        # made anew: ``replace`` takes four times as long, and a long study has many
        trial, data = self._known(event), event.data
        error, curve = data.get("error"), tuple((step, value) for step, value in data.get("curve", ()))
        self._know(
            Trial(
                trial.number,
                TrialState(data["state"]),
                trial.params,
                data.get("value"),
                data.get("metrics", {}),
                curve or trial.curve,
                trial.started,
                data["finished"],
                self._made(TaskError, error) if error else None,
                trial.name,
                trial.run,
                amounts_of(data["used"]) if "used" in data else {},
            )
        )

    def _known(self, event: Event) -> Trial:
        number = int(event.task)
        return self._trials.get(number) or Trial(number)

    def _know(self, trial: Trial) -> None:
        self._trials[trial.number] = trial
        self._stale = True
