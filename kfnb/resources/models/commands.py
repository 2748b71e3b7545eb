"""The commands of models."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kfnb.commands.bound_names import resolved
from kfnb.commands.command import Command, flag, option, repeated, word
from kfnb.commands.parser import Parser
from kfnb.commands.session import Session
from kfnb.entities import RunSnapshot
from kfnb.errors import UsageError, did_you_mean
from kfnb.resources.models import api
from kfnb.resources.models.care_commands import CheckModels, PruneModels
from kfnb.resources.models.copy_commands import ExportModel, ImportModel, PullModel, PushModel
from kfnb.resources.models.from_runs import artifact_of, maker
from kfnb.resources.models.handle import ModelVersion
from kfnb.resources.models.importance_command import ShowImportance
from kfnb.resources.models.leaderboard import Leaderboard, LeaderboardQuery
from kfnb.resources.models.model import AliasChange, AliasHistory, ModelComparison
from kfnb.resources.models.named_values import numbers, pairs
from kfnb.resources.models.promotion import CHAMPION
from kfnb.resources.runs.handle import Run
from kfnb.target import BACKENDS
from kfnb.text.literals import read_literal

__all__ = [
    "ArchiveModel",
    "CheckModels",
    "CompareModels",
    "ExportModel",
    "ImportModel",
    "PromoteModel",
    "PruneModels",
    "PullModel",
    "PushModel",
    "RegisterModel",
    "RollbackModel",
    "ShowAliasHistory",
    "ShowImportance",
    "ShowLeaderboard",
    "ShowModel",
]

_REF = "a version: NAME@3, NAME@champion, or NAME for the newest"
_BECAUSE = "the reason, which the history keeps"


def version_of(session: Session, text: str) -> ModelVersion:
    """The version for a word: a name that is bound to one, or a reference. Raises ``UsageError``."""
    return api.model(resolved(session.names, text, ModelVersion))


@dataclass(frozen=True, kw_only=True)
class RegisterModel(Command):
    """Register a model: a value of the notebook, a file or model folder, or with --run an artifact of a run."""

    binds = True
    json = "print the version as JSON"

    model: str = word("the model: a name, a path, or with --run TASK.OUTPUT")
    name: str = option(values="model", required=True, help="the name that it is registered by")
    run_id: str | None = option("--run", values="run", metavar="RUN", help="the run that made it")
    metric: tuple[str, ...] = repeated(metavar="NAME=NUMBER", help="a metric; by default those of the run")
    param: tuple[str, ...] = repeated(metavar="NAME=VALUE", help="a parameter; by default those of the run")
    data: tuple[str, ...] = repeated(
        values="data version", metavar="NAME@VERSION", help="the data that it was made of"
    )
    alias: str | None = option(values="alias", help="let this alias name the version")
    description: str = option(default="", help="what it is")
    tag: tuple[str, ...] = repeated(metavar="NAME=VALUE", help="a tag")
    transform: str | None = option(values="variable", metavar="NAME", help="the %%kf_transform of the model")
    example: str | None = option(values="variable", metavar="NAME", help="rows as they come, by their name")
    pickle: bool = flag("--pickle", help="allow a pickle, which executes code when it is loaded")
    trust: tuple[str, ...] = repeated(metavar="TYPE", help="a type in the model that you know to be safe")
    backend: str | None = option(values=BACKENDS, help="the registry: local (the default) or kubeflow")

    def run(self, session: Session) -> ModelVersion:
        """Register it."""
        version = api.register(
            self._model(session),
            self.name,
            run=self._run(session),
            metrics=numbers(self.metric) if self.metric else None,
            parameters={name: read_literal(text) for name, text in pairs("--param", self.param).items()}
            if self.param
            else None,
            data=self.data,
            alias=self.alias,
            description=self.description,
            tags=pairs("--tag", self.tag, bare=True),
            transform=self._value(session, "--transform", self.transform),
            example=self._value(session, "--example", self.example),
            pickle=self.pickle,
            trust=self.trust,
            backend=self.backend,
            notify=session.notify,
        )
        if version.format == "pickle":
            session.notify(f"{version.ref} is a pickle, which executes code when it is loaded")
        return version

    def _run(self, session: Session) -> Any:
        return resolved(session.names, self.run_id, Run, RunSnapshot) if self.run_id else None

    def _model(self, session: Session) -> Any:
        if self.run_id:
            return artifact_of(self._run(session), self.model)
        held = session.names.get(self.model, self.model)
        if isinstance(held, str) and held.isidentifier() and session.names and not Path(held).exists():
            hint = did_you_mean(held, session.names)
            message = f"{held} is neither a name of the notebook nor a path"
            raise UsageError(message, code="not-defined", hint=hint, ref=held)
        return held

    @staticmethod
    def _value(session: Session, option: str, name: str | None) -> Any:
        if name is None:
            return None
        if name in session.names:
            return session.names[name]
        hint = did_you_mean(name, [one for one in session.names if not one.startswith("_")])
        raise UsageError(f"{option} {name}: unknown name", hint=hint, ref=name)


@dataclass(frozen=True, kw_only=True)
class ShowLeaderboard(Command):
    """Show the leaderboard of all users' models, best first; what was measured on the same data is ranked together."""

    binds = True
    json = "print the leaderboard as JSON"

    name: str | None = word("a model; by default all", values="model", default=None)
    by: str | None = option(
        values="metric", metavar="METRIC", help="the metric that ranks; by default the commonest"
    )
    owner: str | None = option(help="only of this user")
    since: str | None = option(
        metavar="TIME", help="only what was registered since, such as 7d or 2026-11-25"
    )
    data: str | None = option(
        values="data version", metavar="NAME@VERSION", help="only what was made of or measured on this data"
    )
    namespace: str | None = option(help="only of runs in this namespace of the cluster")
    alias: str | None = option(values="alias", help="only what this alias names")
    tag: str | None = option(metavar="NAME[=VALUE]", help="only with this tag")
    archived: bool = flag(help="archived versions too")
    runs: bool = flag(help="the metrics of runs and the best trials of studies too")
    maximize: bool = flag(help="more of the metric is better")
    minimize: bool = flag(help="less of the metric is better")
    limit: int = option(type=int, default=50, help="maximum number of rows in each table (default 50)")
    backend: str | None = option(
        values=(*BACKENDS, api.ALL), help="the registry: local (the default), kubeflow, or all for both"
    )

    def check(self, parser: Parser) -> None:
        """Refuse two directions of the metric, and a limit below 1."""
        if self.maximize and self.minimize:
            parser.error("--maximize and --minimize exclude each other")
        if self.limit < 1:
            parser.error(f"--limit {self.limit}: must be at least 1")

    def run(self, session: Session) -> Leaderboard:
        """Rank them."""
        del session
        query = LeaderboardQuery(
            self.name,
            by=self.by,
            owner=self.owner,
            since=self.since,
            data=self.data,
            namespace=self.namespace,
            alias=self.alias,
            tag=self.tag,
            archived=self.archived,
            runs=self.runs,
            maximize=True if self.maximize else False if self.minimize else None,
            backend=self.backend,
            limit=self.limit,
        )
        return api.leaderboard(query)


@dataclass(frozen=True, kw_only=True)
class ShowModel(Command):
    """Show a version: what it is made of, how to load it, its model's versions and aliases."""

    binds = True
    json = "print the version as JSON"

    version: str = word(_REF, values="model version")

    def run(self, session: Session) -> ModelVersion:
        """Show it."""
        return version_of(session, self.version)


@dataclass(frozen=True, kw_only=True)
class CompareModels(Command):
    """Show what differs between versions."""

    json = "print the versions as JSON"

    versions: tuple[str, ...] = word(
        f"{_REF}; two or more", many="+", metavar="VERSION", values="model version"
    )

    def check(self, parser: Parser) -> None:
        """Require at least two versions."""
        if len(self.versions) < 2:  # noqa: PLR2004
            parser.error("name two versions or more")

    def run(self, session: Session) -> ModelComparison:
        """Compare them."""
        found = [version_of(session, one) for one in self.versions]
        return ModelComparison(tuple(one.snapshot() for one in found), tuple(map(maker, found)))


@dataclass(frozen=True, kw_only=True)
class PromoteModel(Command):
    """Let an alias name a version. The history keeps who did it, when and why."""

    version: str = word(_REF, values="model version")
    alias: str = option(values="alias", default=CHAMPION, help="the alias (default champion)")
    because: str = option(default="", help=_BECAUSE)
    expected: int | None = option(
        type=int, help="the version that the alias must still name, else nothing is done"
    )

    def run(self, session: Session) -> None:
        """Move the alias."""
        version = version_of(session, self.version)
        before = version.changes()
        change = version.promote(self.alias, self.because, expected=self.expected)
        if change in before:
            session.notify(f"{change.model}@{change.alias} is {version.ref} already: nothing was changed")
        else:
            _notify(session, change)


@dataclass(frozen=True, kw_only=True)
class RollbackModel(Command):
    """Let an alias name the version that it named before."""

    name: str = word("the model", values="model")
    alias: str = option(values="alias", default=CHAMPION, help="the alias (default champion)")
    because: str = option(default="", help=_BECAUSE)

    def run(self, session: Session) -> None:
        """Move the alias back."""
        name, at, alias = self.name.partition("@")
        _notify(session, api.rollback(name, alias if at else self.alias, self.because))


@dataclass(frozen=True, kw_only=True)
class ShowAliasHistory(Command):
    """Show who moved which alias of a model from where to where, when and why."""

    binds = True
    json = "print the changes as JSON"

    name: str = word("the model", values="model")

    def run(self, session: Session) -> AliasHistory:
        """List the changes."""
        del session
        return api.history(self.name)


@dataclass(frozen=True, kw_only=True)
class ArchiveModel(Command):
    """Leave versions out of lists; they keep everything. --undo restores them."""

    versions: tuple[str, ...] = word(
        f"{_REF}; one or more", many="+", metavar="VERSION", values="model version"
    )
    undo: bool = flag(help="restore them")

    def run(self, session: Session) -> None:
        """Archive or restore them."""
        for version in [version_of(session, one) for one in self.versions]:
            if self.undo:
                version.restore()
            else:
                version.archive()
            session.notify(f"{version.ref} is {'restored' if self.undo else 'archived'}")


def _notify(session: Session, change: AliasChange) -> None:
    before = f" (was {change.model}@{change.from_version})" if change.from_version is not None else ""
    session.notify(f"{change.model}@{change.alias} is now {change.model}@{change.to_version}{before}")
