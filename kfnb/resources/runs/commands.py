"""The commands of runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from kfnb import entities
from kfnb.commands.bound_names import resolved
from kfnb.commands.command import Command, arguments, flag, option, repeated, word
from kfnb.commands.log_options import LogOptions, print_excerpt
from kfnb.commands.parser import Parser
from kfnb.commands.session import FollowOptions, Session
from kfnb.commands.words import checked_seed
from kfnb.entities import RunState
from kfnb.errors import UsageError
from kfnb.jobs.polling import poll
from kfnb.pipeline.spec import Compiled
from kfnb.resources.components.api import folder, parameters_of, spec_of
from kfnb.resources.runs import api
from kfnb.resources.runs.from_study import ended_study
from kfnb.resources.runs.handle import Run, RunList
from kfnb.resources.runs.keeping_commands import ArchiveRuns, DeleteRuns, PruneRuns
from kfnb.resources.runs.named_runs import ONE_OF_SEVERAL, handle_of
from kfnb.resources.runs.view.progress import draw_progress
from kfnb.resources.services.api import known_service
from kfnb.resources.services.handle import Service
from kfnb.target import BACKENDS
from kfnb.text.logs import Excerpt, log_filter

if TYPE_CHECKING:
    from kfnb.entities import Comparison

__all__ = [
    "ArchiveRuns",
    "CompareRuns",
    "DeleteRuns",
    "ListRuns",
    "PrintLogs",
    "PruneRuns",
    "RetryRun",
    "ShowRun",
    "StopRun",
    "SubmitPipeline",
]

STATES = tuple(str(state).lower() for state in RunState)
"""The states of a run, as people write them."""
_RUN = "the run's id, or the start of it"


def keep_files_option(when: str) -> Any:
    """``--keep-files``: which files of a run are copied to the notebook's folder."""
    return repeated(
        metavar="PATTERN",
        nargs="?",
        const="*",
        help=f"{when} copy files that its steps wrote to the notebook's folder: matching ones ('plots/*.png'), or all",
    )


def env_option() -> Any:
    """``--env NAME``: environment variables that are passed to steps on a cluster."""
    help = "environment variable to pass to steps on a cluster, with its value here; not for secrets"
    return repeated(metavar="NAME", help=help, values="variable")


def budget_option(what: str) -> Any:
    """``--budget AMOUNT``: the most that something may cost."""
    help = f"the most that {what} may cost, in the currency of the prices: it is stopped when that is passed"
    return option(type=float, metavar="AMOUNT", help=help)


# -- running --------------------------------------------------------------------------------------------------------


def followed(session: Session, run: Run) -> Any:
    """A run that has been started, followed as the session does."""

    def seen() -> Iterator[entities.RunSnapshot]:
        observed = run.observe()
        for _ in poll(observed, observed.pace):
            yield observed.run

    return session.follow(
        FollowOptions(
            run,
            begun=f"run {run.id}",
            updates=seen,
            line=draw_progress,
            succeeded=lambda last: last.state is RunState.SUCCEEDED,
            interrupted=f"run {run.id} is still running; follow it with kfnb logs -f {run.id},"
            f" stop it with kfnb stop {run.id}",
            notes=lambda now: now.notes,
            after=run.finish_copying,
        )
    )


@dataclass(frozen=True, kw_only=True)
class SubmitPipeline(Command):
    """Run a pipeline. Give its arguments as --name value, or -p name value."""

    binds = True
    json = "print the run as JSON when it is finished"
    arguments_of = "pipeline"

    pipeline: str = word("a pipeline's name, or a compiled file", values="pipeline")
    arguments: Mapping[str, str] = arguments("an argument of the pipeline")
    backend: str | None = option(values=BACKENDS, help="where to run: local or kubeflow")
    name: str | None = option(help="the run's name")
    experiment: str | None = option(values="experiment", help="the experiment that the run belongs to")
    no_cache: bool = flag(help="run every step, without the cache")
    from_study: str | None = option(
        metavar="NAME",
        values="study",
        help="use the best parameters of a study; waits for it while it is running",
    )
    env: tuple[str, ...] = env_option()
    seed: str | None = option(
        help="seed of the random numbers in its steps; an argument where the pipeline has a parameter seed"
    )
    budget: float | None = budget_option("the run")
    keep_files: tuple[str, ...] = keep_files_option("when the run is finished,")

    def run(self, session: Session) -> Any:
        """Start the run."""
        if "kfp.compiler" not in sys.modules:
            session.announce(f"Compiling {self.pipeline}: loading KFP's compiler ...")
        run = self._submit(session)
        session.started(run)
        if self.keep_files:
            run.keep_when_finished(*self.keep_files, folder=folder(), notify=session.notify)
        return followed(session, run)

    def _submit(self, session: Session) -> Run:
        arguments, seed = self._with_seed()
        # errors of the pipeline are shown before waiting for a study
        compiled = spec_of(self.pipeline, given=arguments if self.from_study is None else None, seed=seed)
        for name in self._meant_otherwise(compiled):
            session.notify(
                f"note: --{name} is an option of the command; set the parameter {name} of {compiled.name} with"
                f" -p {name} VALUE"
            )
        return api.submit(
            compiled,
            arguments,
            backend=self.backend,
            name=self.name,
            experiment=self.experiment,
            cache=not self.no_cache,
            from_study=None if self.from_study is None else ended_study(session, self.from_study),
            env=self.env,
            budget=self.budget,
            notify=session.notify,
        )

    def _with_seed(self) -> tuple[Mapping[str, str], int | None]:
        """The arguments, and the seed of the steps: an argument where the pipeline has one of that name."""
        if self.seed is None:
            return self.arguments, None
        if "seed" in parameters_of(self.pipeline):
            return {"seed": self.seed, **self.arguments}, None
        if not self.seed.isdecimal():
            raise UsageError(f"--seed {self.seed}: give a number from 0 on")
        return self.arguments, checked_seed(int(self.seed))

    def _meant_otherwise(self, compiled: Compiled) -> list[str]:
        """The options that were given while a parameter of the pipeline has the same name, and was not."""
        parameters = compiled.spec.get("root", {}).get("inputDefinitions", {}).get("parameters", {})
        given = {one.name for one in fields(self) if getattr(self, one.name)} - {
            "pipeline",
            "arguments",
            "seed",
        }
        return sorted(name for name in given & set(parameters) if name not in self.arguments)


@dataclass(frozen=True, kw_only=True)
class RetryRun(Command):
    """Run again what did not succeed of a run; what succeeded is kept."""

    binds = True
    json = "print the run as JSON when it is finished"

    run_id: str = word(_RUN, values="run", metavar="run")

    def run(self, session: Session) -> Any:
        """Start the retry."""
        run = handle_of(session, self.run_id).retry()
        session.started(run)
        return followed(session, run)


@dataclass(frozen=True, kw_only=True)
class StopRun(Command):
    """Stop a run and all of its processes; finished tasks are kept."""

    run_id: str = word(_RUN, values="run", metavar="run")

    def run(self, session: Session) -> None:
        """Stop it."""
        run = handle_of(session, self.run_id)
        state = run.state
        if state.finished:
            session.notify(f"run {run.id} is already finished: {state}")
            return
        run.stop()
        session.notify(f"stopping run {run.id}")


# -- showing --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ShowRun(Command):
    """Show a run, started from any kernel."""

    binds = True
    json = "print the run as JSON"

    run_id: str = word(_RUN, values="run", metavar="run")
    keep_files: tuple[str, ...] = keep_files_option("also")
    force: bool = flag(help="overwrite files that differ")

    def check(self, parser: Parser) -> None:
        """Require --keep-files for --force."""
        if self.force and not self.keep_files:
            raise UsageError(
                "--force requires --keep-files: it overwrites the files that --keep-files copies"
            )

    def run(self, session: Session) -> Run:
        """Show it; with ``--keep-files``, copy files that its steps wrote to the notebook's folder."""
        run = handle_of(session, self.run_id)
        if self.keep_files:
            if not run.state.finished:
                session.notify(f"run {run.id} is not finished: only copying the files of finished steps")
            for line in run.keep_files(*self.keep_files, folder=folder(), force=self.force).messages:
                session.notify(line)
        return run


@dataclass(frozen=True, kw_only=True)
class ListRuns(Command):
    """List the newest runs."""

    binds = True
    json = "print the runs as JSON"

    backend: str | None = option(values=BACKENDS, help="backend: local or kubeflow")
    limit: int = option(type=int, default=20, help="maximum number of runs (default 20)")
    experiment: str = option(default="", values="experiment", help="only runs of this experiment")
    state: str = option(
        default="", values=STATES, help="only runs in this state: running, failed, succeeded, ..."
    )
    name: str = option(default="", help="only runs with this in their names")
    since: str | None = option(
        metavar="WHEN", help="only runs from then on: 2026-11-25, 2026-11-25T06:00, or 2d for two days ago"
    )
    archived: bool = flag(help="include archived runs")

    def run(self, session: Session) -> RunList:
        """List them."""
        return api.runs(
            backend=self.backend,
            limit=self.limit,
            experiment=self.experiment,
            state=self.state,
            name=self.name,
            since=self.since,
            archived=self.archived,
        )


@dataclass(frozen=True, kw_only=True)
class CompareRuns(Command):
    """Show runs side by side: arguments, metrics and environments that differ."""

    binds = True
    json = "print the comparison as JSON"

    runs: tuple[str, ...] = word(f"{ONE_OF_SEVERAL}; two or more", many="+", metavar="RUN", values="run")
    all: bool = flag(help="also show what is the same in all of them")

    def run(self, session: Session) -> Comparison:
        """Compare them."""
        return api.compare(*(self._data(session, text) for text in self.runs), whole=self.all)

    @staticmethod
    def _data(session: Session, text: str) -> Any:
        value = resolved(session.names, text, Run, entities.RunSnapshot)
        return handle_of(session, value) if isinstance(value, str) else value


@dataclass(frozen=True, kw_only=True)
class PrintLogs(LogOptions, Command):
    """Print what a run's tasks wrote, or a service's versions."""

    run_id: str | None = word(
        "the run's id, or a service's name (default: the newest run)",
        values="logged",
        default=None,
        metavar="run",
    )
    task: str | None = word("one task, or version of a service (default: all)", values="task", default=None)
    follow: bool = flag("--follow", "-f", help="keep printing until the run or the service ends")
    since: str | None = option(
        metavar="WHEN", help="only lines from then on: 10m for ten minutes ago, or a date"
    )
    rank: int | None = option(type=int, metavar="N", help="only lines of this rank of a training")

    def run(self, session: Session) -> None:
        """Print the lines."""
        service = (
            None if self.run_id is None else known_service(resolved(session.names, self.run_id, Service))
        )
        if service is not None:
            lines = service.log_lines(self.task, follow=self.follow)
            excerpt = Excerpt(lines, log_filter(self.since, self.grep, self.level), self.last(session))
            print_excerpt(excerpt, session, named=self.task is None, at_once=self.follow)
            return
        run = api.newest() if self.run_id is None else handle_of(session, self.run_id)
        which = log_filter(self.since, self.grep, self.level, self.rank)
        excerpt = run.excerpt(self.task, which, self.last(session), follow=self.follow)
        print_excerpt(
            excerpt,
            session,
            named=self.task is None,
            at_once=self.follow,
            place=lambda: run.log_place(self.task),
        )
