"""The public functions of services."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kfnb import target
from kfnb.entities.log_policy import KEEP_ALL, LogPolicy
from kfnb.errors import BackendError, ServiceNotFound, UsageError
from kfnb.resources.services.engine import ServiceEngine, ServiceSpec
from kfnb.resources.services.handle import Service
from kfnb.resources.services.log_checks import check_columns, log_policy
from kfnb.resources.services.model import (
    DesiredState,
    OnBadInput,
    ServiceList,
    ServiceSnapshot,
    Target,
)
from kfnb.resources.services.moves import ON_CLUSTER, Mover
from kfnb.resources.services.names import check_service_name, is_service_name, service_name_of
from kfnb.resources.services.targets import ServingTerms, canary_of, target_of, version_of
from kfnb.settings import owner, settings
from kfnb.target import backend_name

if TYPE_CHECKING:
    from kfnb.resources.models.handle import ModelVersion
    from kfnb.resources.services.local.traces import ServiceRecords

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class _Wish:
    """The options of ``serve`` that concern the desired state."""

    canary: str
    shadow: str
    sticky: str | None
    terms: ServingTerms
    because: str

    def first(self, default: Target) -> DesiredState:
        """The desired state of a new service."""
        self._check_storage(default)
        mover = Mover(owner(), self.because)
        made = mover.first([default], sticky=self.sticky or "")
        return _first_of(self.further(mover, made), made)

    def next(self, service: ServiceSnapshot, default: Target | None) -> DesiredState:
        """The next desired state of a service; its current one if nothing changes."""
        self._check_storage(default)
        now, mover = service.desired, Mover(owner(), self.because, service.failed)
        after = now if default is None else mover.serve(now, default)
        if self.sticky is not None and self.sticky != after.sticky:
            after = mover.settings(after, sticky=self.sticky)
        return _merged(now, self.further(mover, after))

    def _check_storage(self, default: Target | None) -> None:
        """Raise ``UsageError`` where one folder would have to be several versions."""
        storage, versions = self.terms.storage, (default is not None) + bool(self.canary) + bool(self.shadow)
        if storage and versions > 1:
            message = f"--storage {storage} holds one version, and {versions} are named:"
            hint = "serve the default first, and the canary by its own command"
            raise UsageError(message, hint=hint, ref=storage)

    def further(self, mover: Mover, now: DesiredState) -> DesiredState:
        """With the canary and the shadow."""
        if self.canary:
            ref, percent = canary_of(self.canary)
            now = mover.canary(now, target_of(ref, self.terms), percent)
        return mover.shadow(now, target_of(self.shadow, self.terms)) if self.shadow else now


def serve(  # noqa: PLR0913 - the options of a service; they are keywords
    model: str | ModelVersion,
    *,
    name: str | None = None,
    canary: str | None = None,
    port: int = 0,
    backend: str | None = None,
    shadow: str | None = None,
    sticky: str | None = None,
    on_bad_input: str | None = None,
    host: str = "127.0.0.1",
    token: str | Path | bool = False,
    unchecked: bool = False,
    pickle: bool = False,
    trust: Sequence[str] = (),
    log: LogPolicy | bool | None = None,
    image: str = "",
    runtime: str = "",
    cpu: str = "",
    memory: str = "",
    storage: str = "",
    because: str = "",
) -> Service:
    """Serve a version of a model over HTTP, and return the service's handle at once.

    ``model`` is a version (``"churn@champion"``, ``"churn@7"``, ``"churn"`` for the newest). ``name`` is the service's,
    by default the model's. An existing service serves the version from then on, without dropping a request, unless it
    does already. ``canary`` gives another version a share (``"churn@7:1"``: 1 of 100 requests; ``model`` may be a
    service's name). A ``shadow`` version gets copies of all requests. ``sticky`` is a header by whose value the canary
    is given. ``on_bad_input`` (``reject``, ``impute`` or ``log``) is done with rows that do not fit the signature (by
    default as before, else ``reject``). ``port`` 0 is any that is free. ``host`` other than this machine's own needs a
    ``token``: a text, its file (``Path``), or True for a new one. ``unchecked`` serves a version without its check.
    ``pickle`` allows a pickle, which executes code when it is loaded, and ``trust`` names types that are safe. ``log``
    is what is kept of requests: a ``LogPolicy``, True or False, by default as before. On a cluster, ``image``, ``cpu``
    and ``memory`` are its pods', ``runtime`` is one of KServe's own, ``storage`` where the folder is already
    (``pvc://CLAIM/FOLDER``, ``oci://IMAGE``). Raises ``UsageError``, ``BackendError`` and ``Conflict``.
    """
    terms = ServingTerms("reject", unchecked, pickle, trust, image, runtime, cpu, memory, storage)
    secret, engine = _token(token, host), _engine_for(terms, backend)
    policy = log_policy(log, engine.name)
    known = _addressed(engine, model, name, further=bool(canary or shadow))
    terms = replace(terms, on_bad_input=on_bad_input or _on_bad_input(known), log=policy or _log(known))
    stays = known is not None and bool(canary or shadow) and model == known.name
    _check_log(policy, None if stays else model, canary and canary_of(canary)[0], shadow)
    wish = _Wish(canary or "", shadow or "", sticky, terms, because)
    if known is None:
        spec = ServiceSpec(name or "", wish.first(target_of(model, terms)), owner(), host, port, secret)
        return _create(engine, spec)
    _check_address(known, port, protected=bool(secret))
    return _change(engine, known, wish.next(known, None if stays else target_of(model, terms)))


def _check_log(policy: LogPolicy | None, *versions: str | ModelVersion | None) -> None:
    """Raise ``UsageError`` if a new policy names columns that these versions do not have."""
    if policy is not None:
        check_columns(policy, [version_of(one).snapshot() for one in versions if one])


def _create(engine: ServiceEngine, spec: ServiceSpec) -> Service:
    """Make a service, by its model's name where it is given none."""
    called = check_service_name(spec.name) if spec.name else service_name_of(spec.desired.default.model)
    engine.create(replace(spec, name=called))
    return Service(engine, called)


def _change(engine: ServiceEngine, known: ServiceSnapshot, after: DesiredState) -> Service:
    """Apply a desired state to a service; start it if it is stopped, or about to be."""
    if after != known.desired:
        engine.change(known.name, after)
    if known.state.finished or known.stopping:
        engine.start(known.name)
    return Service(engine, known.name)


def service(name: str, *, backend: str | None = None) -> Service:
    """The service of that name, from whichever kernel it was started. Raises ``ServiceNotFound``."""
    where, called = target.split_reference(name)
    engine = engine_of(backend or where)
    try:
        return Service(engine, engine.find(called))
    except ServiceNotFound as missing:
        if backend or where or engine.name == "local":
            raise
        here = engine_of("local")
        try:
            return Service(here, here.find(called))
        except ServiceNotFound:
            raise missing from None


def services(*, backend: str | None = None) -> ServiceList:
    """The services there are, by name."""
    return ServiceList(engine_of(backend).list())


def service_of(name: str | Service) -> Service:
    """A service by its handle or its name. Raises ``ServiceNotFound``."""
    return name if isinstance(name, Service) else service(name)


def records() -> ServiceRecords:
    """The services of the home, as the catalog reads them."""
    from kfnb.resources.services.local.traces import ServiceRecords

    return ServiceRecords(Path(settings().home))


def known_service(name: str | Service) -> Service | None:
    """A service by its handle or its name; None where there is none."""
    if isinstance(name, Service):
        return name
    if not is_service_name(target.split_reference(name)[1]):
        return None
    try:
        return service(name)
    except BackendError:  # or the cluster does not answer: then it may be something else's name
        return None


def engine_of(backend: str | None = None) -> ServiceEngine:
    """The engine of services that goes with a backend, by default the one in the settings."""
    if backend_name(backend) == "local":
        from kfnb.resources.services.local.engine import LocalServiceEngine

        chosen = settings()
        return LocalServiceEngine(Path(chosen.home), index_urls=tuple(chosen.index_urls))
    from kfnb.resources.services.kserve.connection import connect

    return connect()


def _on_bad_input(known: ServiceSnapshot | None) -> OnBadInput:
    """What a service does with input that does not fit; ``reject`` for a new one."""
    return "reject" if known is None else known.desired.default.on_bad_input


def _log(known: ServiceSnapshot | None) -> LogPolicy:
    """What a service keeps of its requests."""
    return KEEP_ALL if known is None else known.desired.default.log


def _engine_for(terms: ServingTerms, backend: str | None) -> ServiceEngine:
    """The engine for these options. Raises ``UsageError`` for those of a cluster here."""
    engine = engine_of(backend)
    given = [name for name in ON_CLUSTER if getattr(terms, name)]
    if engine.name == "local" and given:
        hint = "pass backend='kubeflow' (--backend kubeflow)"
        raise UsageError(f"{', '.join(given)}: for a cluster alone;", hint=hint)
    return engine


def _addressed(
    engine: ServiceEngine, model: str | ModelVersion, name: str | None, *, further: bool
) -> ServiceSnapshot | None:
    """The existing service that ``serve`` is about; None if there is none. Raises ``UsageError``.

    Without a ``name`` it has the model's; and beside a canary or a shadow, ``model`` may be its name.
    """
    if name is not None:
        called = check_service_name(name)
    elif further and isinstance(model, str) and is_service_name(model):
        called = model
    else:
        called = service_name_of(version_of(model).name)
    try:
        return engine.get(engine.find(called))
    except ServiceNotFound:
        return None


def _check_address(now: ServiceSnapshot, port: int, *, protected: bool) -> None:
    """Raise ``UsageError`` for another address than that of an existing service."""
    if (port and now.url and not now.url.endswith(f":{port}")) or (protected and not now.token_file):
        token = "" if now.token_file else " without a token"
        message = f"service {now.name} exists, and answers at {now.url}{token}:"
        raise UsageError(message, hint="delete it first, or choose another name", ref=now.name)


def _merged(now: DesiredState, after: DesiredState) -> DesiredState:
    """Several moves as the one change that they are: the next generation, with the last of them as its move."""
    if after.generation == now.generation:
        return now
    number = now.generation + 1
    move = replace(after.move, generation=number, before=now.shares)
    return replace(after, generation=number, move=move)


def _first_of(after: DesiredState, made: DesiredState) -> DesiredState:
    """The first generation, with a canary and a shadow from the start."""
    move = replace(made.move, after=after.shares)
    return replace(after, generation=1, move=move)


def _token(token: str | Path | bool, host: str) -> str:
    """The token that requests need. Raises ``UsageError`` where none is given for a host that others reach."""
    if isinstance(token, Path):
        try:
            found = token.expanduser().read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            raise UsageError(
                f"--token {token}: cannot be read: {getattr(error, 'strerror', error)}"
            ) from None
    else:
        found = secrets.token_urlsafe(24) if token is True else (token or "").strip()
    if not found and (token is not False or host not in LOOPBACK):
        hint = "token=True (--token) makes one"
        raise UsageError(f"host {host}: others reach it, so that requests need a token", hint=hint, ref=host)
    if found and not (found.isascii() and found.isprintable() and " " not in found):
        raise UsageError("the token has characters that a header cannot have")
    return found
