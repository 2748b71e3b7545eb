"""The command that serves a model, and what the commands of services share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kfnb.commands.bound_names import resolved
from kfnb.commands.command import Command, flag, option, repeated, word
from kfnb.commands.parser import Parser
from kfnb.commands.session import FollowOptions, Session
from kfnb.entities.log_policy import KEEP_ALL, LogPolicy
from kfnb.resources.models.handle import ModelVersion
from kfnb.resources.services import api
from kfnb.resources.services.handle import Service
from kfnb.resources.services.log_checks import size_of
from kfnb.resources.services.model import ServiceSnapshot
from kfnb.resources.services.targets import canary_of
from kfnb.target import BACKENDS

REF = "a version: NAME@3, NAME@champion, or NAME for the newest"
BECAUSE = "the reason, which the history keeps"
_NEW = "new"


def service_of(session: Session, text: str) -> Service:
    """The service for a word: a name that is bound to one, or a service's name. Raises ``ServiceNotFound``."""
    return api.service_of(resolved(session.names, text, Service))


def followed(session: Session, service: Service) -> Any:
    """A service that has been changed, followed as the session does until the desired state is reached."""

    def seen() -> Iterator[ServiceSnapshot]:
        for now in service.updates():
            yield now
            if now.settled:
                return

    return session.follow(
        FollowOptions(
            service,
            begun=f"service {service.name}",
            updates=seen,
            line=_progress,
            succeeded=lambda last: not last.failures and last.state.answers,
            interrupted=f"service {service.name} is still starting; kfnb services show {service.name} shows it",
            notes=lambda now: (*now.notes, *now.failures),
        )
    )


def _progress(now: ServiceSnapshot) -> str:
    """How far a service is, in a line."""
    parts = [f"{one.ref} {str(one.state).lower()} ({one.percent} %)" for one in now.revisions]
    where = f", {now.url}" if now.url else ""
    return f"{str(now.state).lower()}: {', '.join(parts)}{where}"


@dataclass(frozen=True, kw_only=True)
class VersionOptions:
    """What the user of a version allows."""

    unchecked: bool = flag(help="serve it even if it does not pass its check")
    pickle: bool = flag(help="allow a pickle, which executes code when it is loaded")
    trust: tuple[str, ...] = repeated(metavar="TYPE", help="a type in the model that you know to be safe")


@dataclass(frozen=True, kw_only=True)
class RequestLogOptions:
    """What is kept of requests. Those that are given replace what the service has."""

    log: bool = flag(help="keep all requests, as a new service does without options")
    no_log: bool = flag(help="keep no requests")
    log_drop: tuple[str, ...] = repeated(metavar="COLUMN", help="a column that is not kept of requests")
    log_hash: tuple[str, ...] = repeated(
        metavar="COLUMN", help="a column of which only a digest is kept, with the service's own salt"
    )
    log_rate: float = option(
        type=float,
        default=0.0,
        help="the number of requests a second that are kept at most, about: a random sample (default: all)",
    )
    log_days: float = option(
        type=float, default=KEEP_ALL.days, help="remove requests after this number of days (default 30)"
    )
    log_size: str = option(default="", help="remove the oldest requests beyond this size (default 1Gi)")

    @property
    def policy(self) -> LogPolicy | None:
        """The policy; None if no option is given."""
        given = LogPolicy(
            not self.no_log,
            self.log_drop,
            self.log_hash,
            self.log_rate,
            self.log_days,
            size_of(self.log_size),
        )
        return given if self.log or given != KEEP_ALL else None


@dataclass(frozen=True, kw_only=True)
class ServeModel(VersionOptions, RequestLogOptions, Command):
    """Serve a version of a model over HTTP: here, or as an InferenceService on a cluster. A service that exists serves
    it from then on, without dropping a request.
    """

    binds = True
    json = "print the service as JSON when it is ready"

    model: str = word(f"{REF}; with --canary or --shadow, also a service", values="model version")
    name: str | None = option(help="the service's name (default: that of the model)")
    canary: str | None = option(
        metavar="REF:PERCENT",
        values="model version",
        help="give a version a share of the requests: churn@7:1 is exactly 1 of 100",
    )
    shadow: str | None = option(
        metavar="REF",
        values="model version",
        help="send a version copies of all requests; its answers are only compared",
    )
    sticky: str | None = option(
        metavar="HEADER", help="a header whose value decides who gets the canary; '' for an exact split again"
    )
    on_bad_input: str | None = option(
        values=("reject", "impute", "log"),
        metavar="WHAT",
        help="what is done with rows that do not fit the signature: reject (the default), impute or log",
    )
    port: int = option(type=int, default=0, help="the port (default: a free one, which is kept)")
    host: str = option(
        default="127.0.0.1", help="the address to listen at (default 127.0.0.1); any other needs --token"
    )
    token: str | None = option(
        metavar="FILE",
        nargs="?",
        const=_NEW,
        help="requests need the token in this file; without FILE, a new one, which is kept in the service's folder",
    )
    image: str = option(
        default="", help="on a cluster: the image of its pods (default: base_image of the settings)"
    )
    runtime: str = option(
        default="",
        values=("sklearn", "xgboost", "lightgbm", "huggingface", "mlserver"),
        metavar="NAME",
        help="on a cluster: one of KServe's own runtimes, without transform, explain and checks",
    )
    cpu: str = option(
        default="", help="on a cluster: CPU cores of a pod, as Kubernetes writes them: 2 or 500m"
    )
    memory: str = option(default="", help="on a cluster: memory of a pod, as Kubernetes writes it: 4G")
    storage: str = option(
        default="",
        metavar="URI",
        help="on a cluster: where the folder that serves the version is already: pvc://CLAIM/FOLDER or oci://IMAGE "
        "(default: kfnb stores it in the object store)",
    )
    because: str = option(default="", help=BECAUSE)
    backend: str | None = option(values=BACKENDS, help="where it is served: local or kubeflow")

    def check(self, parser: Parser) -> None:
        """Refuse what can be seen at once."""
        if self.canary:
            canary_of(self.canary)
        if not 0 <= self.port < 1 << 16:
            parser.error(f"--port {self.port}: not a port")
        if self.log and self.no_log:
            parser.error("--log and --no-log: choose one")

    def run(self, session: Session) -> Any:
        """Serve it."""
        service = api.serve(
            resolved(session.names, self.model, ModelVersion),
            name=self.name,
            canary=self.canary,
            port=self.port,
            backend=self.backend,
            shadow=self.shadow,
            sticky=self.sticky,
            on_bad_input=self.on_bad_input,
            host=self.host,
            token=False if self.token is None else True if self.token == _NEW else Path(self.token),
            unchecked=self.unchecked,
            pickle=self.pickle,
            trust=self.trust,
            log=self.policy,
            image=self.image,
            runtime=self.runtime,
            cpu=self.cpu,
            memory=self.memory,
            storage=self.storage,
            because=self.because,
        )
        session.started(service)
        file = service.snapshot().token_file
        if file and self.token is not None:
            session.notify(f"requests need the token in {file}")
        return followed(session, service)
