"""The commands of schedules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kfnb.commands.command import Command, arguments, flag, option, word
from kfnb.commands.parser import Parser
from kfnb.commands.session import Session
from kfnb.errors import UsageError
from kfnb.resources.runs.commands import env_option
from kfnb.resources.schedules import api
from kfnb.resources.uploads.api import uploaded
from kfnb.target import BACKENDS
from kfnb.text.cron import cron_note

if TYPE_CHECKING:
    from kfnb.resources.runs.handle import Run
    from kfnb.resources.schedules.handle import Schedule as ScheduleHandle
    from kfnb.resources.schedules.handle import ScheduleList

_SCHEDULE = "the schedule's id, the beginning of it, or its name"


@dataclass(frozen=True, kw_only=True)
class SchedulePipeline(Command):
    """Run a pipeline on a schedule, here or on a cluster. Give its arguments as --name value, or -p name value."""

    binds = True
    json = "print the schedules as JSON"
    arguments_of = "pipeline"

    pipeline: str | None = word("a pipeline's name, or a compiled file", values="pipeline", default=None)
    arguments: Mapping[str, str] = arguments("an argument of the pipeline")
    cron: str | None = option(
        metavar='"0 6 * * *"',
        help="minute, hour, day, month, weekday; optionally with the second first",
    )
    time_zone: str | None = option(
        metavar="ZONE",
        help="the time zone of --cron here, Europe/Berlin (default: this machine's; a cluster has its own, often UTC)",
    )
    every: str | None = option(metavar="1h", help="time from one run to the next: 30m, 1h, 2d")
    start: str | None = option(
        metavar="WHEN", help="no runs before then: 2026-11-25, 2026-11-25T06:00, or 2d from now"
    )
    end: str | None = option(metavar="WHEN", help="no runs after then")
    no_catch_up: bool = flag(
        help="do not make up for missed runs (default: here by one run for all of them, on a cluster by each)"
    )
    max_concurrency: int = option(
        type=int, default=1, metavar="N", help="number of runs at once, 1 to 10 (default 1)"
    )
    paused: bool = flag(help="start paused, until it is resumed")
    backend: str | None = option(values=BACKENDS, help="backend: local or kubeflow")
    uploaded: bool = flag(help="the pipeline is an uploaded pipeline, by its name")
    version: str = option(default="", help="the version of an uploaded pipeline (default: the newest)")
    name: str | None = option(help="the schedule's name")
    experiment: str | None = option(values="experiment", help="the experiment that its runs belong to")
    no_cache: bool = flag(help="run every step, without the cache")
    env: tuple[str, ...] = env_option()
    list: bool = flag(help="show the schedules")
    pause: str | None = option(
        metavar="ID", values="schedule", help="start no more runs of a schedule, by its id or its name"
    )
    resume: str | None = option(
        metavar="ID", values="schedule", help="continue a schedule, by its id or its name"
    )
    delete: str | None = option(
        metavar="ID", values="schedule", help="delete a schedule, by its id or its name; its runs stay"
    )

    @property
    def _verbs(self) -> tuple[str, ...]:
        """The requested actions on existing schedules."""
        return tuple(verb for verb in ("list", "pause", "resume", "delete") if getattr(self, verb))

    def check(self, parser: Parser) -> None:
        """Allow one action at a time."""
        verbs = self._verbs
        if not verbs and not self.pipeline:
            raise UsageError(
                f"{parser.prog}: a pipeline and --cron or --every are required, or --list to see the schedules"
            )
        extra = self.pipeline or next(iter(self.arguments), "")
        if verbs and (len(verbs) > 1 or extra):
            raise UsageError(
                f"{parser.prog}: --{verbs[0]} cannot be combined with {f'--{verbs[1]}' if verbs[1:] else extra}"
            )

    def run(self, session: Session) -> ScheduleHandle | ScheduleList | None:
        """Schedule the pipeline; or list schedules, or pause, resume or delete a schedule."""
        if not self._verbs:
            return self._created(session)
        if self.list:
            return api.schedules(notify=session.notify)
        one = api.find_schedule(self.pause or self.resume or self.delete or "")
        if self.delete:
            _delete(session, one)
            return None
        return one.pause() if self.pause else one.resume()

    def _created(self, session: Session) -> ScheduleHandle:
        stored = self.uploaded or bool(self.version)
        made = api.schedule(
            uploaded(self.pipeline or "", self.version) if stored else self.pipeline,
            self.arguments,
            cron=self.cron,
            every=self.every,
            name=self.name,
            experiment=self.experiment,
            start=self.start,
            end=self.end,
            catch_up=not self.no_catch_up,
            max_concurrency=self.max_concurrency,
            time_zone=self.time_zone,
            backend=self.backend,
            enabled=not self.paused,
            cache=not self.no_cache,
            env=self.env,
            notify=session.notify,
        )
        note = cron_note(self.cron) if self.cron else ""
        if note:
            session.notify(note)
        return made


@dataclass(frozen=True, kw_only=True)
class ListSchedules(Command):
    """List the schedules: those here, and those of the cluster that the settings name."""

    binds = True
    json = "print the schedules as JSON"

    backend: str | None = option(values=BACKENDS, help="backend: local or kubeflow (default: both)")

    def run(self, session: Session) -> ScheduleList:
        """List them."""
        return api.schedules(backend=self.backend, notify=session.notify)


@dataclass(frozen=True, kw_only=True)
class OneSchedule(Command):
    """A command that is about one schedule."""

    binds = True
    json = "print the schedule as JSON"

    id: str = word(_SCHEDULE, values="schedule")

    def found(self) -> ScheduleHandle:
        """The schedule. Raises ``NotFound``."""
        return api.find_schedule(self.id)


@dataclass(frozen=True, kw_only=True)
class ShowSchedule(OneSchedule):
    """Show a schedule: its times, the runs that it started, and those that were missed."""

    def run(self, session: Session) -> ScheduleHandle:
        """Show it."""
        del session
        return self.found()


@dataclass(frozen=True, kw_only=True)
class PauseSchedule(OneSchedule):
    """Pause a schedule: it starts no more runs until it is resumed."""

    def run(self, session: Session) -> ScheduleHandle:
        """Pause it."""
        del session
        return self.found().pause()


@dataclass(frozen=True, kw_only=True)
class ResumeSchedule(OneSchedule):
    """Resume a paused schedule."""

    def run(self, session: Session) -> ScheduleHandle:
        """Resume it."""
        del session
        return self.found().resume()


@dataclass(frozen=True, kw_only=True)
class RunSchedule(OneSchedule):
    """Start a run of a schedule now, also of a paused schedule, and do not wait for its end."""

    json = "print the run as JSON"

    def run(self, session: Session) -> Run:
        """Start it."""
        del session
        return self.found().run()


@dataclass(frozen=True, kw_only=True)
class DeleteSchedule(Command):
    """Delete a schedule. The runs that it started stay."""

    id: str = word(_SCHEDULE, values="schedule")

    def run(self, session: Session) -> None:
        """Delete it."""
        _delete(session, api.find_schedule(self.id))


def _delete(session: Session, one: ScheduleHandle) -> None:
    one.delete()
    session.notify(f"deleted schedule {one.name} ({one.id}); the runs that it started stay")
