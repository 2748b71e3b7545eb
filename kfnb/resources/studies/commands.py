"""The commands of studies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kfnb.capture.component import Options
from kfnb.commands.bound_names import resolved
from kfnb.commands.command import Command, arguments, flag, option, repeated, word
from kfnb.commands.log_options import LogOptions, print_excerpt
from kfnb.commands.parser import Parser
from kfnb.commands.session import FollowOptions, Session
from kfnb.commands.words import parameter, unique
from kfnb.entities import LogLine, RunState
from kfnb.errors import UsageError
from kfnb.jobs.polling import poll
from kfnb.resources.studies import api, model
from kfnb.resources.studies.handle import Study
from kfnb.resources.studies.search_options import SearchOptions
from kfnb.target import BACKENDS
from kfnb.text.logs import Excerpt, log_filter
from kfnb.ui.words import digits

if TYPE_CHECKING:
    from kfnb.resources.studies.model import StudyList

_NAME = re.compile(r"\$(?P<dollar>[A-Za-z_]\w*)|\{(?P<braces>[A-Za-z_]\w*)\}")


def _expanded(line: str, names: Mapping[str, Any]) -> str:
    """The line with the values of names for ``$name`` and ``{name}``; other braces are a space's own."""

    def value(found: re.Match[str]) -> str:
        name = found["dollar"] or found["braces"]
        return str(names[name]) if name in names else found[0]

    return _NAME.sub(value, line)


def _searched(session: Session, options: SearchOptions, subject: Any, name: str | None, **how: Any) -> Any:
    """Start a search, or show the Experiment for a cluster."""
    space = options.space_in(session.names, session.prog)
    if options.dry_run:
        how.pop("budget")
        session.out(api.drafted(subject, space, name=name, **how))
        return None
    study = api.tune(subject, space, name=name, notify=session.notify, **how)
    session.started(study)
    for note in study.snapshot().notes:
        session.notify(f"note: {note}")
    return _followed(session, study)


def _followed(session: Session, study: Study) -> Any:
    """A study that has been started, followed as the session does."""

    def seen() -> Iterator[model.StudySnapshot]:
        observed = study.observe()
        for _ in poll(observed, study.pace):
            yield observed.study

    return session.follow(
        FollowOptions(
            study,
            begun=f"study {study.name}",
            updates=seen,
            line=_progress,
            succeeded=lambda last: last.state is RunState.SUCCEEDED,
            interrupted=f"study {study.name} is still running; kfnb studies show {study.name} shows it",
        )
    )


def _progress(study: model.StudySnapshot) -> str:
    """How far a study is, in a line."""
    of = "" if study.max_trials is None else f" of {study.max_trials}"
    best = study.best
    value = (
        "" if best is None or best.value is None else f", best {study.objective.metric} {digits(best.value)}"
    )
    return f"{str(study.state).lower()}: {study.done}{of} trials{value}"


@dataclass(frozen=True, kw_only=True)
class TunePipeline(SearchOptions, Command):
    """Search for the parameters of a component or a pipeline that optimize an objective. Fixed arguments are given as
    --name value, or -p name value.
    """

    binds = True
    json = "print the study as JSON when it is finished"
    arguments_of = "subject"

    subject: str = word("a component, a pipeline, or a compiled file", values="subject")
    study: str | None = option(metavar="NAME", help="the study's name (default: that of the subject)")
    arguments: Mapping[str, str] = arguments("an argument")

    @classmethod
    def expand(cls, line: str, names: Mapping[str, Any]) -> str:
        """``$name`` and ``{name}``."""
        return _expanded(line, names)

    def run(self, session: Session) -> Any:
        """Start the search."""
        how = self.search(session.prog)
        value = session.names.get(self.subject)
        subject = value if hasattr(value, "pipeline_spec") else self.subject
        return _searched(session, self, subject, self.study, arguments=self.arguments, **how)


@dataclass(frozen=True, kw_only=True)
class TuneCell(SearchOptions, Command):
    """Search for the parameters that optimize an objective: the cell is the trial. It runs only in trials."""

    binds = True

    name: str = word("the study's name")
    param: tuple[str, ...] = repeated(metavar="NAME:TYPE=DEFAULT", help="a fixed parameter")
    package: tuple[str, ...] = repeated(
        metavar="NAME==VERSION", help="a package that a trial needs besides those it imports"
    )
    image: str = option(default="", help="container image of the trials, on a cluster")
    arguments: Mapping[str, str] = arguments("an argument")

    @classmethod
    def expand(cls, line: str, names: Mapping[str, Any]) -> str:
        """``$name`` and ``{name}``."""
        return _expanded(line, names)

    def run(self, session: Session) -> Any:
        """Start the search."""
        how = self.search(session.prog)
        params = tuple(parameter(text) for text in self.param)
        unique([param.name for param in params], "--param")
        subject = api.cell_subject(
            session.cells.trial_cell(self.name, session.line, session.body),
            Options(params=params, packages=self.package, image=self.image),
            self.space_in(session.names, session.prog),
            objective=how["objective"],
            metrics=self.metric,
            arguments=self.arguments,
        )
        return _searched(session, self, subject, self.name, **how)


@dataclass(frozen=True, kw_only=True)
class ShowStudy(LogOptions, Command):
    """Show a study, also of another kernel; or stop, resume or delete it."""

    binds = True
    json = "print the study as JSON"

    name: str = word("the study's name", values="study")
    stop: bool = flag(help="stop the study; its results are kept")
    resume: bool = flag(help="continue the study, up to its number of trials, or by --trials")
    trials: int | None = option(type=int, metavar="N", help="with --resume: number of further trials")
    delete: bool = flag(help="delete the study for good")
    logs: int | None = option(type=int, metavar="TRIAL", help="print what a trial wrote")
    backend: str | None = option(values=BACKENDS, help="backend: local or kubeflow (Katib)")

    def check(self, parser: Parser) -> None:
        """Refuse options that cannot be combined."""
        given = {
            "--stop": self.stop,
            "--resume": self.resume,
            "--delete": self.delete,
            "--logs": self.logs is not None,
        }
        chosen = [name for name, is_set in given.items() if is_set]
        if len(chosen) > 1:
            raise UsageError(f"{parser.prog}: {chosen[0]} and {chosen[1]} cannot be combined")
        if self.trials is not None and not self.resume:
            raise UsageError(f"{parser.prog}: --trials requires --resume")

    def run(self, session: Session) -> Any:
        """Show the study, print a trial's log, or stop, resume or delete the study."""
        study = api.study_of(resolved(session.names, self.name, Study), self.backend)
        session.started(study)
        if self.logs is not None:
            lines = (LogLine("", text) for text in study.log_lines(self.logs))
            excerpt = Excerpt(lines, log_filter(None, self.grep, self.level), self.last(session))
            print_excerpt(excerpt, session, named=False)
            return None
        if self.delete:
            study.delete()
            session.notify(f"deleted study {study.name}")
            return None
        if self.resume:
            return _followed(session, study.resume(self.trials))
        if self.stop:
            study.stop()
            session.notify(f"stopping study {study.name}")
        return study


@dataclass(frozen=True, kw_only=True)
class ListStudies(Command):
    """List the studies."""

    binds = True
    json = "print the studies as JSON"

    backend: str | None = option(values=BACKENDS, help="backend: local or kubeflow (Katib)")

    def run(self, session: Session) -> StudyList:
        """List the studies."""
        return api.studies(backend=self.backend)
