"""A service as kfnb shows it: what is requested, and what the cluster makes of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from kfnb.remote.kubernetes.fields import condition, word
from kfnb.remote.kubernetes.pods import diagnose
from kfnb.resources.services.kserve.failure_report import FailureReport
from kfnb.resources.services.kserve.mode import DeploymentMode
from kfnb.resources.services.kserve.objects import POD_OF, canary_name, graph_name
from kfnb.resources.services.kserve.observation import Observation
from kfnb.resources.services.kserve.record import ServiceRecord
from kfnb.resources.services.kserve.runtimes import runtime_named
from kfnb.resources.services.kserve.shares import Shares, true_shares
from kfnb.resources.services.model import (
    Revision,
    RevisionState,
    ServiceSnapshot,
    ServiceState,
    Target,
)

_TIMEOUT = 90.0
"""Seconds that a cluster may take to split the requests, once all versions are ready."""
_NEAR = 0.5

Reporter = Callable[[Target], FailureReport]


@dataclass(frozen=True)
class _Split:
    """The true shares, whether they are those that are requested, and why they are not going to be."""

    shares: Shares | None
    right: bool
    error: str = ""


def snapshot(
    record: ServiceRecord, seen: Observation, report: Reporter, *, pending: bool, now: float | None = None
) -> ServiceSnapshot:
    """The service now. ``pending`` is whether something has still to be written for what is requested.

    ``report`` makes the report of a revision that is not ready.
    """
    shares = true_shares(record.name, seen)
    requested = tuple(_revision(target, seen, shares, report) for target in record.desired.targets)
    others = tuple(_others(record, shares))
    split = _split(record, seen, requested, shares, time.time() if now is None else now)
    if split.error:
        requested = tuple(_without_share(one, split.error) for one in requested)
    state = _state(seen, requested, others, split)
    error = split.error or _still_served(requested, others)
    return ServiceSnapshot(
        record.name,
        "kubeflow",
        record.desired,
        state=state,
        observed=record.desired.generation if _is_true(requested, split, pending=pending) else 0,
        url=url_of(seen),
        revisions=(*requested, *others),
        history=record.history,
        owner=record.owner,
        created=record.created,
        error="" if state in (ServiceState.PENDING, ServiceState.STOPPED) else error,
        notes=tuple(_notes(record, seen, requested)),
    )


def outline(record: ServiceRecord, seen: Observation) -> ServiceSnapshot:
    """The service for a list: without its pods, so that a revision's state is the service's."""
    ready = condition(seen.service, "Ready").get("status") == "True"
    state = ServiceState.STOPPED if seen.stopped else ServiceState.READY if ready else ServiceState.PENDING
    if not ready and word(seen.service, "status", "modelStatus", "transitionStatus") in (
        "BlockedByFailedLoad",
        "InvalidSpec",
    ):
        state = ServiceState.FAILED
    revision_state = RevisionState.READY if ready and not seen.stopped else RevisionState.PENDING
    return ServiceSnapshot(
        record.name,
        "kubeflow",
        record.desired,
        state=state,
        url=url_of(seen),
        revisions=tuple(Revision(one, revision_state) for one in record.desired.targets),
        owner=record.owner,
        created=record.created,
    )


def url_of(seen: Observation) -> str:
    """The address that callers use: the graph's, while that splits the requests."""
    graph = word(seen.splitter, "status", "url") if seen.splitter is not None else ""
    return graph or word(seen.service, "status", "url")


def _revision(target: Target, seen: Observation, shares: Shares | None, report: Reporter) -> Revision:
    share = None if shares is None else shares.get(target.revision, 0.0)
    if seen.stopped:
        return Revision(target, RevisionState.STOPPED)
    found = report(target)
    if seen.is_ready(target.revision) and not found.failed:
        return Revision(target, RevisionState.READY, share)
    state = RevisionState.FAILED if found.failed else RevisionState.PENDING
    return Revision(target, state, share, found.text, parity=found.parity)


def _without_share(one: Revision, error: str) -> Revision:
    """A canary that answers, and does not get the requests that it is to get."""
    return replace(one, state=RevisionState.FAILED, error=error) if one.role == "canary" else one


def _others(record: ServiceRecord, shares: Shares | None) -> Iterator[Revision]:
    """Versions that still have requests, and are not requested any more."""
    known = {one.revision for one in record.desired.targets}
    for number, share in (shares or {}).items():
        target = record.target(number)
        if number not in known and target is not None and share:
            yield Revision(target, RevisionState.READY, share)


def _split(
    record: ServiceRecord, seen: Observation, requested: Sequence[Revision], shares: Shares | None, now: float
) -> _Split:
    right = (
        bool(url_of(seen))
        and shares is not None
        and all(
            abs(shares.get(one.number, 0.0) - one.percent) < _NEAR
            for one in requested
            if one.role != "shadow"
        )
    )
    ready = all(one.state is RevisionState.READY for one in requested)
    if right or not ready or now - record.desired.move.at < _TIMEOUT:
        return _Split(shares, right)
    shares_requested = ", ".join(f"{one.ref} {one.percent} %" for one in requested)
    if shares is None:
        return _Split(
            shares, right=False, error=f"the split {shares_requested} cannot be confirmed: {_unread(seen)}"
        )
    true = ", ".join(f"{_ref(record, number)} {share:g} %" for number, share in shares.items()) or "nothing"
    return _Split(
        shares,
        right=False,
        error=f"the split is not real: asked for {shares_requested}, and the cluster gives {true}",
    )


def _unread(seen: Observation) -> str:
    if seen.mode is DeploymentMode.KNATIVE:
        return "its status names revisions that you may not read"
    return "its HTTPRoute has no weights, or you may not read it"


def _ref(record: ServiceRecord, number: int) -> str:
    target = record.target(number)
    return target.ref if target is not None else f"revision {number}"


def _is_true(requested: Sequence[Revision], split: _Split, *, pending: bool) -> bool:
    """Whether what is requested has come about, or will not any more."""
    if any(one.state is RevisionState.FAILED for one in requested):
        return True
    return (split.right and not pending) or bool(split.error)


def _state(
    seen: Observation, requested: Sequence[Revision], others: Sequence[Revision], split: _Split
) -> ServiceState:
    if seen.stopped:
        return ServiceState.PENDING if any(_runs(seen)) else ServiceState.STOPPED
    answering = any(one.share for one in (*requested, *others)) or (
        split.shares is None and any(one.state is RevisionState.READY for one in requested)
    )
    answering = answering and bool(url_of(seen))
    failed = [one for one in requested if one.state is RevisionState.FAILED]
    if not answering:
        return ServiceState.FAILED if failed else ServiceState.PENDING
    return ServiceState.DEGRADED if failed or split.error else ServiceState.READY


def _runs(seen: Observation) -> Iterator[bool]:
    """Whether each of its pods answers."""
    for one in seen.pods:
        yield condition(one, "Ready").get("status") == "True"


def _still_served(requested: Sequence[Revision], others: Sequence[Revision]) -> str:
    failed = [one for one in requested if one.state is RevisionState.FAILED]
    served = [one.ref for one in (*requested, *others) if one.share]
    return f"{', '.join(served)} is still served" if failed and served else ""


def _of_routers(name: str, seen: Observation) -> str:
    """Why no pod of the graph answers."""
    found = [diagnose(one, graph_name(name)).message for one in seen.routers]
    return next(filter(None, found), "its pod starts")


def _notes(record: ServiceRecord, seen: Observation, requested: Sequence[Revision]) -> Iterator[str]:
    if not record.made_here:
        yield "it was not made by kfnb, which shows, asks, stops and deletes it, and does not change what it serves"
    if seen.graph is not None and seen.splitter is None and not seen.stopped:
        yield f"InferenceGraph {graph_name(record.name)} does not answer: {_of_routers(record.name, seen)}"
    if seen.splitter is not None and record.desired.of("canary") is not None:
        own = word(seen.service, "status", "url")
        yield (
            f"InferenceGraph {graph_name(record.name)} splits the requests to {url_of(seen)}, at random "
            f"and for predict alone; those to {own or 'the address of the default'} reach the default alone"
        )
    if seen.canary is not None and record.desired.of("canary") is None:
        beside = [
            one for one in seen.pods if word(one, "metadata", "labels", POD_OF) == canary_name(record.name)
        ]
        if beside:
            yield f"InferenceService {canary_name(record.name)} ends once no request goes to it"
    ingress = condition(seen.service, "IngressReady")
    if ingress.get("status") == "False" and not seen.stopped:
        message = ": ".join(filter(None, (word(ingress, "reason"), word(ingress, "message"))))
        yield f"it has no address yet: {message or 'its route is not ready'}"
    for one in requested:
        if one.target.runtime:
            yield f"{one.ref}: {runtime_named(one.target.runtime).lost}"
        if one.state is RevisionState.PENDING and one.error:
            yield f"{one.ref}: {one.error}"
