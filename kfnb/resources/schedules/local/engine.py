"""The engine of schedules on this machine."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from kfnb import clock
from kfnb.entities import RunState
from kfnb.errors import BackendError, NotFound, UsageError
from kfnb.jobs.folder import absolute
from kfnb.jobs.scheduler import control, records
from kfnb.jobs.scheduler.folder import ScheduleFolder, ScheduleSpec, existing
from kfnb.jobs.scheduler.history import ScheduleHistory, TickState
from kfnb.jobs.scheduler.timing import Timing
from kfnb.resources.runs.engine import Submission
from kfnb.resources.runs.events import decode
from kfnb.resources.runs.local.engine import LocalRunEngine
from kfnb.resources.schedules.local.stored_submission import FILE, PROGRAM, StoredSubmission
from kfnb.resources.schedules.model import MissedTicks, Recurrence, ScheduledTick, ScheduleSnapshot
from kfnb.resources.uploads.model import UploadedPipeline
from kfnb.text.timezones import local_zone
from kfnb.ui.words import moment

_SHOWN = 50
"""How many of the last ticks, and of the times that some were missed, a snapshot has."""
_LOOKED_AT = 10
"""Of how many of them the runs are looked at."""


class LocalScheduleEngine:
    """Schedules here. ``home`` holds them beside runs; ``options`` are those of the engine of the runs."""

    name = "local"

    def __init__(self, home: Path, options: Mapping[str, Any]) -> None:
        self._home, self._options = absolute(Path(home), "home"), options
        self._ended: dict[str, RunState] = {}

    def create(
        self, submission: Submission, rhythm: Recurrence, uploaded: UploadedPipeline | None = None
    ) -> ScheduleSnapshot:
        """Create a schedule for a submission."""
        if uploaded is not None:
            raise UsageError(
                f"{uploaded.name} is on a cluster:", hint="--backend kubeflow schedules it", ref=uploaded.name
            )
        LocalRunEngine(self._home, **self._options).check(submission)
        timing = _timing(rhythm)
        if timing.next(clock.now()) is None:
            raise UsageError(f"no run would ever start: {rhythm.cron or rhythm.every} has no time left")
        spec = ScheduleSpec(submission.name, PROGRAM, timing)
        stored = StoredSubmission.of(submission, rhythm, self._options)
        return _snapshot(control.add(self._home, spec, enabled=rhythm.enabled, files={FILE: stored.data()}))

    def list(self) -> builtins.list[ScheduleSnapshot]:
        """All schedules, the oldest first. One with damaged files has a note."""
        found = existing(self._home, PROGRAM)
        if found:
            control.ensure_running(self._home)
        return [_outline(one) for one in found]

    def get(self, schedule_id: str) -> ScheduleSnapshot:
        """The schedule with that id, beginning of an id, or name."""
        folder = self._folder(schedule_id)
        control.ensure_running(self._home)
        found = _snapshot(folder)
        earlier, last = found.ticks[:-_LOOKED_AT], found.ticks[-_LOOKED_AT:]
        return replace(found, ticks=(*earlier, *map(self._with_run, last)))

    def pause(self, schedule_id: str) -> None:
        """Start no more runs; running runs continue."""
        control.pause(self._folder(schedule_id))

    def resume(self, schedule_id: str) -> None:
        """Start runs again."""
        control.resume(self._folder(schedule_id))

    def run(self, schedule_id: str) -> str:
        """Start a run now, and return its id."""
        folder = self._folder(schedule_id)
        done = control.run_now(folder)
        if done.state is TickState.SUCCEEDED:
            return done.made
        raise BackendError(f"schedule {folder.spec().name} did not start a run: {done.note}", ref=folder.id)

    def delete(self, schedule_id: str) -> None:
        """Delete the schedule; its runs stay."""
        control.delete(self._folder(schedule_id))

    def _with_run(self, tick: ScheduledTick) -> ScheduledTick:
        """A tick with the state of its run, unless that was deleted."""
        if not tick.run:
            return tick
        state = self._ended.get(tick.run)
        if state is None:
            with suppress(BackendError):
                state = LocalRunEngine(self._home, **self._options).get(tick.run).state
        if state is not None and state.finished:
            self._ended[tick.run] = state
        return replace(tick, run_state=state)

    def _folder(self, word: str) -> ScheduleFolder:
        found = [one for one in existing(self._home, PROGRAM) if word and _is_called(one, word)]
        whole = [one for one in found if one.id == word]
        if whole:
            return whole[0]
        if len(found) > 1:
            raise BackendError(
                f"{len(found)} schedules have the name {word} or an id that begins with it: give the full id"
            )
        if not found:
            raise NotFound(
                f"unknown schedule {word}:", code="not-found", hint="%kf_schedules lists them", ref=word
            )
        return found[0]


def _is_called(folder: ScheduleFolder, word: str) -> bool:
    return folder.id.startswith(word) or _outline(folder).name == word


def _timing(rhythm: Recurrence) -> Timing:
    """The times of a schedule. Intervals begin with its start, or one interval from now."""
    return Timing(
        cron=rhythm.cron,
        every=float(rhythm.every),
        anchor=clock.now() if rhythm.start is None else rhythm.start,
        zone=rhythm.zone or local_zone(),
        start=rhythm.start,
        end=rhythm.end,
        catch_up=rhythm.catch_up,
    )


def _outline(folder: ScheduleFolder) -> ScheduleSnapshot:
    try:
        return _snapshot(folder)
    except BackendError as error:
        return ScheduleSnapshot(folder.id, folder.id, backend="local", enabled=False, notes=(str(error),))


def _snapshot(folder: ScheduleFolder) -> ScheduleSnapshot:
    spec, stored, past, now = (
        folder.spec(),
        StoredSubmission.read(folder),
        records.history(folder),
        clock.now(),
    )
    timing = spec.timing
    following = timing.next(now)
    ended = following is None
    return ScheduleSnapshot(
        id=folder.id,
        name=spec.name,
        pipeline=stored.pipeline,
        cron=timing.cron,
        every=timing.every or None,
        start=timing.start,
        end=timing.end,
        arguments=decode(stored.arguments),
        experiment=stored.experiment,
        enabled=past.enabled and not ended,
        catch_up=timing.catch_up,
        max_concurrency=stored.max_concurrency,
        created=spec.created,
        status="ENDED" if ended else "",
        backend="local",
        zone=timing.zone if timing.cron else "",
        next=following if past.enabled else None,
        ticks=_ticks(past),
        missed=_missed(past),
        notes=(*_notes(past, now), *past.notes),
        digest=stored.digest,
    )


def _ticks(past: ScheduleHistory) -> tuple[ScheduledTick, ...]:
    return tuple(
        ScheduledTick(one.due, one.began, str(one.state), one.note, one.made, one.by_hand)
        for one in past.ticks[-_SHOWN:]
    )


def _missed(past: ScheduleHistory) -> tuple[MissedTicks, ...]:
    return tuple(
        MissedTicks(one.count, one.first, one.last, str(one.reason), one.caught_up)
        for one in past.missed[-_SHOWN:]
    )


def _notes(past: ScheduleHistory, now: float) -> builtins.list[str]:
    """What the user should know: failures, and clocks that were set back."""
    found = []
    if past.failures:
        last = next(one for one in reversed(past.ticks) if one.state is TickState.FAILED)
        many = "the last time" if past.failures == 1 else f"the last {past.failures} times"
        found.append(f"{many} no run was started: {last.note}")
        if past.waits_until > now:
            found.append(f"no run is started before {moment(past.waits_until)}, since the last ones failed")
    if past.notes_of_clock:
        shown, at = past.notes_of_clock[-1]
        found.append(f"the clock was set back from {moment(shown)} to {moment(at)}")
    return found
