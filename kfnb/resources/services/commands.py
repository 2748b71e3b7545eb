"""The commands of services. ``ServeModel`` is apart, in ``serve_command``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kfnb.commands.command import Command, flag, option, word
from kfnb.commands.session import Session
from kfnb.errors import UsageError
from kfnb.resources.models.handle import ModelVersion
from kfnb.resources.services import api
from kfnb.resources.services.answers import Explanations, ServedPredictions
from kfnb.resources.services.handle import Service
from kfnb.resources.services.model import ServiceList
from kfnb.resources.services.moves import check_percent
from kfnb.resources.services.pack import pack
from kfnb.resources.services.receipt import FeedbackReceipt
from kfnb.resources.services.row_files import rows_of
from kfnb.resources.services.rows import instances
from kfnb.resources.services.serve_command import (
    BECAUSE,
    REF,
    ServeModel,
    VersionOptions,
    followed,
    service_of,
)
from kfnb.resources.services.targets import version_of
from kfnb.target import BACKENDS

_SERVICE = "the service's name"
_ROWS = "a name of the notebook, or a file: .csv, .parquet, .json, .jsonl, or - for what is piped in"
_VERSION = "the version that answers: default, canary, a number or a reference (default: by the split)"
_ALIAS = "also move the alias of the registry by which the default is served; with a name, that alias"


@dataclass(frozen=True, kw_only=True)
class ListServices(Command):
    """List the services."""

    binds = True
    json = "print the services as JSON"

    backend: str | None = option(values=BACKENDS, help="backend: local or kubeflow")

    def run(self, session: Session) -> ServiceList:
        """List them."""
        del session
        return api.services(backend=self.backend)


@dataclass(frozen=True, kw_only=True)
class ShowService(Command):
    """Show a service: its address, its versions and their traffic, and what was changed by whom."""

    binds = True
    json = "print the service as JSON"

    name: str = word(_SERVICE, values="service")

    def run(self, session: Session) -> Service:
        """Show it."""
        return service_of(session, self.name)


@dataclass(frozen=True, kw_only=True)
class CanaryService(VersionOptions, Command):
    """Give a version a share of a service's requests."""

    binds = True
    json = "print the service as JSON when the canary is ready"

    name: str = word(_SERVICE, values="service")
    version: str = word(REF, values="model version")
    percent: int = word("its share in percent, from 1 to 99", type=int)
    because: str = option(default="", help=BECAUSE)

    def run(self, session: Session) -> Any:
        """Start it."""
        check_percent(self.percent)
        service = service_of(session, self.name)
        service.canary(
            self.version,
            self.percent,
            because=self.because,
            unchecked=self.unchecked,
            pickle=self.pickle,
            trust=self.trust,
        )
        session.started(service)
        return followed(session, service)


@dataclass(frozen=True, kw_only=True)
class _AliasOptions:
    """What becomes of the registry's alias."""

    alias: str | None = option(metavar="ALIAS", nargs="?", const="", values="alias", help=_ALIAS)
    because: str = option(default="", help=BECAUSE)

    @property
    def moved(self) -> bool | str:
        """The alias that is moved: False for none, True for the one that is served."""
        return False if self.alias is None else self.alias or True


@dataclass(frozen=True, kw_only=True)
class PromoteService(_AliasOptions, Command):
    """Let a service's canary be its default: all requests go to it, at one moment."""

    binds = True
    json = "print the service as JSON"

    name: str = word(_SERVICE, values="service")

    def run(self, session: Session) -> Any:
        """Promote it."""
        service = service_of(session, self.name)
        service.promote(alias=self.moved, because=self.because, notify=session.notify)
        session.started(service)
        return followed(session, service)


@dataclass(frozen=True, kw_only=True)
class RollbackService(_AliasOptions, Command):
    """End a service's canary; without one, let the default before be the default again."""

    binds = True
    json = "print the service as JSON"

    name: str = word(_SERVICE, values="service")

    def run(self, session: Session) -> Any:
        """Go back."""
        service = service_of(session, self.name)
        service.rollback(alias=self.moved, because=self.because, notify=session.notify)
        session.started(service)
        return followed(session, service)


@dataclass(frozen=True, kw_only=True)
class StopService(Command):
    """Stop a service, after the requests under way. It is kept, and start serves it again."""

    name: str = word(_SERVICE, values="service")

    def run(self, session: Session) -> None:
        """Stop it."""
        service = service_of(session, self.name)
        if service.state.finished:
            session.notify(f"service {service.name} is stopped already")
            return
        session.notify(f"stopping service {service.name}")
        service.stop()


@dataclass(frozen=True, kw_only=True)
class StartService(Command):
    """Start a service that is stopped: it serves what it served, at the same address where that is free."""

    binds = True
    json = "print the service as JSON when it is ready"

    name: str = word(_SERVICE, values="service")

    def run(self, session: Session) -> Any:
        """Start it."""
        service = service_of(session, self.name).start()
        session.started(service)
        return followed(session, service)


@dataclass(frozen=True, kw_only=True)
class PackVersion(Command):
    """Write the folder that serves a version: for another machine, or for a volume or an image of a cluster."""

    version: str = word(REF, values="model version")
    to: str = option(metavar="FOLDER", help="the folder, new or empty (default: NAME-VERSION)", default="")

    def run(self, session: Session) -> None:
        """Write it."""
        held = session.names.get(self.version)
        found = version_of(held if isinstance(held, ModelVersion) else self.version)
        session.out(str(pack(found, self.to or f"{found.name}-{found.version}")))


@dataclass(frozen=True, kw_only=True)
class DeleteService(Command):
    """Stop services and delete them for good, with their histories. Their versions stay in the registry. Asks first."""

    services: tuple[str, ...] = word(
        f"{_SERVICE}; one or more", many="+", metavar="SERVICE", values="service"
    )
    yes: bool = flag("--yes", "-y", help="do not ask")

    def run(self, session: Session) -> None:
        """Delete them after a confirmation."""
        chosen = [service_of(session, text) for text in self.services]
        if not self.yes and not _agreed(session, chosen):
            session.notify("nothing was deleted")
            return
        for service in chosen:
            service.delete()
            session.notify(f"deleted service {service.name}")


def _agreed(session: Session, chosen: list[Service]) -> bool:
    named = ", ".join(service.name for service in chosen)
    if session.prompt is None:
        hint = "no one can confirm it here; give --yes to delete without confirmation"
        raise UsageError(f"{named}:", code="confirmation-required", hint=hint)
    what = "this service" if len(chosen) == 1 else f"these {len(chosen)} services"
    return session.prompt(f"Delete {what} permanently: {named}? [y/N] ").strip().lower() in ("y", "yes")


@dataclass(frozen=True, kw_only=True)
class _RowOptions:
    """The rows of a request, and the version that answers."""

    name: str = word(_SERVICE, values="service")
    rows: str = word(_ROWS, values="data")
    version: str = option(default="", values="served version", help=_VERSION)

    def given(self, session: Session) -> Any:
        """The rows."""
        return session.names[self.rows] if self.rows in session.names else rows_of(self.rows)


@dataclass(frozen=True, kw_only=True)
class PredictRows(_RowOptions, Command):
    """Ask a service for the predictions of some rows."""

    binds = True
    json = "print the predictions as JSON"

    def run(self, session: Session) -> ServedPredictions:
        """Ask it."""
        answers = service_of(session, self.name).ask(self.given(session), version=self.version)
        return ServedPredictions(
            tuple(one for answer in answers for one in answer.content),
            tuple(dict.fromkeys(answer.version for answer in answers)),
        )


@dataclass(frozen=True, kw_only=True)
class ExplainRows(_RowOptions, Command):
    """Ask a service which columns moved the predictions of some rows, and by how much."""

    binds = True
    json = "print the explanations as JSON"

    def run(self, session: Session) -> Explanations:
        """Ask it."""
        return service_of(session, self.name).explain(self.given(session), version=self.version)


@dataclass(frozen=True, kw_only=True)
class GiveFeedback(Command):
    """Tell a service what was true of rows that it predicted: a table with the columns id (of a request) and label."""

    binds = True
    json = "print what became of the labels as JSON"

    name: str = word(_SERVICE, values="service")
    labels: str = word(_ROWS, values="data")

    def run(self, session: Session) -> FeedbackReceipt:
        """Give them."""
        table = session.names[self.labels] if self.labels in session.names else rows_of(self.labels)
        by_request: dict[str, list[Any]] = {}
        for row in instances(table):
            if not isinstance(row, dict) or not {"id", "label"} <= row.keys():
                hint = "id is that of a request; the rows of a request are in its order"
                raise UsageError(
                    f"{self.labels} has not the columns id and label:", hint=hint, ref=self.labels
                )
            by_request.setdefault(str(row["id"]), []).append(row["label"])
        labels = [some[0] if len(some) == 1 else some for some in by_request.values()]
        return service_of(session, self.name).feedback(list(by_request), labels)


__all__ = [
    "CanaryService",
    "DeleteService",
    "ExplainRows",
    "GiveFeedback",
    "ListServices",
    "PackVersion",
    "PredictRows",
    "PromoteService",
    "RollbackService",
    "ServeModel",
    "ShowService",
    "StartService",
    "StopService",
]
