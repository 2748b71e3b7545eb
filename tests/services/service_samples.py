"""Services that are made up, for tests of what is computed and drawn of one."""

from __future__ import annotations

from dataclasses import replace

from kfnb.resources.services.local.route_counters import BOUNDS
from kfnb.resources.services.model import (
    Counters,
    CountSample,
    DesiredState,
    Parity,
    RequestFailure,
    Revision,
    RevisionState,
    Role,
    ServiceMove,
    ServiceSnapshot,
    ServiceState,
    Target,
)

NOW = 1_790_000_000.0
DIGEST = "ab" * 32


def revision(number: int, version: int, role: Role, percent: int, counters: Counters) -> Revision:
    """A revision that is ready, passed its check and gets its share."""
    target = Target(number, "churn", version, DIGEST, role, percent)
    share = None if role == "shadow" else float(percent)
    return Revision(target, RevisionState.READY, share, parity=Parity(passed=True), counters=counters)


def latency(*counts: int) -> tuple[tuple[float, int], ...]:
    """So many answers below each of the first bounds."""
    return tuple(zip((*BOUNDS, float("inf")), (*counts, *[0] * (len(BOUNDS) + 1 - len(counts))), strict=True))


def counted(requests: int, errors: int = 0, *, paired: tuple[int, int] = (0, 0)) -> Counters:
    """Counters of so many requests; ``paired`` were counted before default and canary were served together."""
    steady = tuple(CountSample(NOW - 300 + 6 * at, requests * at // 50, 0) for at in range(51))
    return Counters(
        requests,
        {"500": errors} if errors else {},
        latency(requests),
        per_second=requests / 300,
        recent=steady,
        paired=CountSample(NOW - 300, *paired),
    )


def service(*revisions: Revision) -> ServiceSnapshot:
    """A service that serves them: default first."""
    shares = {one.ref: one.percent for one in revisions}
    first = ServiceMove(1, "serve", "bob", NOW - 4000, "", {}, {revisions[0].ref: 100})
    move = ServiceMove(2, "canary", "ada", NOW - 301, "fewer false alarms", first.after, shares)
    desired = DesiredState(2, tuple(one.target for one in revisions), move)
    return ServiceSnapshot(
        "churn",
        "local",
        desired,
        ServiceState.READY,
        2,
        "http://127.0.0.1:4711",
        revisions=revisions,
        history=(move, first),
        owner="ada",
        created=NOW - 4000,
        started=NOW - 4000,
    )


def with_canary() -> ServiceSnapshot:
    """Default and canary, 99 to 1, with all that a view may show: the canary was a shadow before."""
    default = replace(
        counted(2970, 1),
        errors={"422": 12, "500": 1},
        latency=latency(2000, 800, 100, 60, 10),
        bad_inputs={"missing column": {"income": 7}, "unknown category": {"plan": 5}},
        failures=(RequestFailure(NOW - 20, 422, "bad-input", "missing column", "c0ffee"),),
    )
    canary = replace(counted(30), compared=3000, differing=12, skipped=4)
    return service(revision(1, 3, "default", 99, default), revision(2, 7, "canary", 1, canary))
