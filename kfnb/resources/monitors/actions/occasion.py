"""What a step is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kfnb.errors import UsageError
from kfnb.resources.monitors.model import Action, ActionState, Alarm, MonitorSpec, Report, argument_of
from kfnb.resources.services.api import service
from kfnb.resources.services.handle import Service


@dataclass(frozen=True)
class StepOutcome:
    """What became of a step. ``run`` and ``version`` are as of ``Action``; empty keeps what they were."""

    state: ActionState
    detail: str
    run: str = ""
    version: str = ""


@dataclass(frozen=True)
class Occasion:
    """Why a step is taken: the alarm, and the newest report; and what was done before in the same answer.

    ``pipelines`` gives the compiled file of a pipeline that was named, ``addresses`` are those of webhooks, by how the
    monitor shows them. ``labelled`` are the rows to compare versions on: a DataFrame of inputs, and labels; called when
    needed. ``now`` is in seconds since 1970.
    """

    spec: MonitorSpec
    alarm: Alarm
    report: Report
    text: str
    now: float
    begun: Action | None = None
    before: Sequence[Action] = ()
    pipelines: Callable[[str], Path] = Path
    addresses: Mapping[str, str] = field(default_factory=dict, repr=False)
    labelled: Callable[[], tuple[Any, list[Any]]] = lambda: (None, [])

    @property
    def argument(self) -> str:
        """What follows the step's name: ``churn`` of ``retrain:churn``."""
        return argument_of(self.text)

    @property
    def because(self) -> str:
        """The reason, as histories keep it."""
        return f"monitor {self.spec.name}, alarm {self.alarm.number}: {self.alarm.evidence}"

    @property
    def candidate(self) -> str:
        """The version that the answer has made so far (``churn@8``). Raises ``UsageError`` if there is none."""
        found = next((one.version for one in reversed(self.before) if one.version), "")
        if not found:
            raise UsageError(
                f"{self.text}: no step before it has made a version", hint="put retrain:PIPELINE first"
            )
        return found

    def service(self) -> Service:
        """The service that is watched. Raises ``BackendError``."""
        return service(self.spec.service, backend=self.spec.backend)


@dataclass(frozen=True)
class AlarmStep:
    """A kind of step: ``check`` refuses an argument that it cannot have, by ``UsageError``; ``plan`` says what it would
    do, ``take`` does it, or sees how far it is.
    """

    name: str
    summary: str
    check: Callable[[str], None]
    plan: Callable[[Occasion], str]
    take: Callable[[Occasion], StepOutcome]


def no_argument(argument: str) -> None:
    """Refuse an argument."""
    if argument:
        raise UsageError(f"--then: {argument!r} is not expected: the step takes nothing after a colon")
