"""A kettle's events, and what they add up to.

===========  ==============================
kind         data
===========  ==============================
``created``  goal, created
``state``    state; error: why it failed
``heat``     degrees
``note``     text
===========  ==============================
"""

from __future__ import annotations

from dataclasses import replace

from kfnb.entities import RunState
from kfnb.jobs.fold import Event, JobFold
from tests.registry.kettles.model import Kettle


class KettleFold(JobFold[str]):
    """What the events of a kettle add up to, so far. It has no parts."""

    FIELDS = {  # noqa: RUF012 - the base says that it is a class's
        "created": frozenset({"goal", "created"}),
        "state": frozenset({"state", "error"}),
        "heat": frozenset({"degrees"}),
        "note": frozenset({"text"}),
    }

    def __init__(self, name: str) -> None:
        super().__init__()
        self._kettle = Kettle(name)

    @property
    def kettle(self) -> Kettle:
        """The kettle."""
        return replace(self._kettle, notes=(*self._kettle.notes, *self.notes))

    @property
    def finished(self) -> bool:
        """Whether it is heated no more."""
        return self._kettle.state.finished

    def _part(self, event: Event) -> str:
        return event.task

    def _on_created(self, event: Event) -> None:
        goal, created = float(event.data["goal"]), float(event.data["created"])
        self._kettle = replace(self._kettle, goal=goal, created=created)

    def _on_state(self, event: Event) -> None:
        state = RunState(event.data["state"])
        self._kettle = replace(
            self._kettle,
            state=state,
            error=str(event.data.get("error", "")),
            started=self._kettle.started or (event.time if state is RunState.RUNNING else None),
            finished=event.time if state.finished else None,
        )

    def _on_heat(self, event: Event) -> None:
        self._kettle = replace(self._kettle, degrees=float(event.data["degrees"]))

    def _on_note(self, event: Event) -> None:
        self._kettle = replace(self._kettle, notes=(*self._kettle.notes, str(event.data["text"])))
