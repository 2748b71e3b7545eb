"""What each engine of services does. An engine's tests inherit ``ServiceConformance`` and say how it is reached."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

import pytest

from kfnb.errors import Conflict, ServiceFailed, ServiceNotFound
from kfnb.resources.services.engine import ServiceEngine, ServiceSpec
from kfnb.resources.services.model import DesiredState, RevisionState, ServiceSnapshot, ServiceState, Target
from kfnb.resources.services.moves import Mover

ALICE, BOB = Mover("alice"), Mover("bob")
TIMEOUT = 30.0


class Version(Protocol):
    """A version of a model that is registered where the engine finds it."""

    name: str
    version: int
    digest: str
    uri: str
    backend: str


Versions = Callable[..., Any]


def target(version: Version, **more: Any) -> Target:
    """A version as what is served."""
    return Target(
        0, version.name, version.version, version.digest, registry=version.backend, uri=version.uri, **more
    )


def until(
    engine: ServiceEngine, name: str, fits: Callable[[ServiceSnapshot], bool], seconds: float = TIMEOUT
) -> ServiceSnapshot:
    """The service once it fits."""
    end = time.monotonic() + seconds
    while True:
        now = engine.get(name)
        if fits(now):
            return now
        assert time.monotonic() < end, f"still {now}"
        time.sleep(0.02)


def settled(engine: ServiceEngine, name: str) -> ServiceSnapshot:
    """The service once what is wanted is true, or will not become so."""
    return until(engine, name, lambda now: now.settled)


def shares(now: ServiceSnapshot) -> dict[str, float | None]:
    """The true shares of the versions that are wanted."""
    wanted = {one.revision for one in now.desired.targets}
    return {one.ref: one.share for one in now.revisions if one.number in wanted}


class ServiceConformance:
    """The behaviour of an engine.

    A subclass has the fixtures ``engine``, and ``version``: a function that registers a version of the model ``churn``,
    which loads and passes its check unless it is told otherwise (``load="fails"``, ``check="fails"``). ``one_address``
    is whether requests that are split go to the address of a default alone.
    """

    one_address = True

    def served(self, engine: ServiceEngine, *versions: Version, **how: Any) -> DesiredState:
        """Serve a version as ``churn`` and wait until it is ready; what is wanted."""
        wanted = ALICE.first([target(versions[0])])
        engine.create(ServiceSpec("churn", wanted, owner="alice", **how))
        now = settled(engine, "churn")
        assert now.state is ServiceState.READY, now
        return now.desired

    def test_a_version_is_served_once_it_is_ready(self, engine: ServiceEngine, version: Versions) -> None:
        one = version()
        engine.create(ServiceSpec("churn", ALICE.first([target(one)]), owner="alice"))
        assert engine.get("churn").state in (ServiceState.PENDING, ServiceState.READY)
        now = settled(engine, "churn")

        assert (now.name, now.backend, now.owner, now.observed) == ("churn", engine.name, "alice", 1)
        assert now.state is ServiceState.READY
        assert now.url.startswith("http")
        assert shares(now) == {one.ref: 100}
        assert [(one.action, one.by) for one in now.history] == [("serve", "alice")]
        assert engine.address("churn").url

    def test_services_are_listed_by_name(self, engine: ServiceEngine, version: Versions) -> None:
        one = version()
        for name in "prices", "churn":
            engine.create(ServiceSpec(name, ALICE.first([target(one)])))
        assert [now.name for now in engine.list()] == ["churn", "prices"]
        for name in "prices", "churn":
            settled(engine, name)

    def test_a_name_is_taken_once(self, engine: ServiceEngine, version: Versions) -> None:
        one = version()
        self.served(engine, one)
        with pytest.raises(Conflict, match="churn exists already") as caught:
            engine.create(ServiceSpec("churn", BOB.first([target(one)])))
        assert caught.value.exists
        assert [move.by for move in engine.get("churn").history] == ["alice"]

    def test_what_is_not_there_is_not_found(self, engine: ServiceEngine, version: Versions) -> None:
        wanted = self.served(engine, version())
        calls: list[Callable[[], Any]] = [
            lambda: engine.get("churm"),
            lambda: engine.find("churm"),
            lambda: engine.stop("churm"),
            lambda: engine.start("churm"),
            lambda: engine.delete("churm"),
            lambda: engine.address("churm"),
            lambda: list(engine.logs("churm")),
            lambda: engine.change("churm", replace(wanted, generation=2)),
            lambda: engine.get("../churn"),
        ]
        for call in calls:
            with pytest.raises(ServiceNotFound):
                call()
        with pytest.raises(ServiceNotFound, match="did you mean churn"):
            engine.find("churm")

    def test_a_canary_gets_its_share_and_is_promoted(self, engine: ServiceEngine, version: Versions) -> None:
        one, two = version(), version()
        wanted = self.served(engine, one)
        engine.change("churn", BOB.canary(wanted, target(two), 5))
        now = settled(engine, "churn")
        assert shares(now) == {one.ref: 95, two.ref: 5}
        assert [each.role for each in now.revisions] == ["default", "canary"]

        engine.change("churn", BOB.promote(now.desired))
        now = until(engine, "churn", lambda now: now.settled and len(now.revisions) == 1)
        assert shares(now) == {two.ref: 100}
        assert [move.action for move in now.history] == ["promote", "canary", "serve"]

    def test_a_canary_is_rolled_back_and_a_promotion_too(
        self, engine: ServiceEngine, version: Versions
    ) -> None:
        one, two = version(), version()
        wanted = self.served(engine, one)
        engine.change("churn", BOB.canary(wanted, target(two), 50))
        engine.change("churn", BOB.rollback(settled(engine, "churn").desired))
        now = settled(engine, "churn")
        assert shares(now) == {one.ref: 100}

        engine.change("churn", BOB.serve(now.desired, target(two)))
        now = settled(engine, "churn")
        assert shares(now) == {two.ref: 100}
        engine.change("churn", BOB.rollback(now.desired))
        now = settled(engine, "churn")
        assert shares(now) == {one.ref: 100}
        assert now.state is ServiceState.READY

    def test_of_two_who_change_it_at_once_the_second_is_told_of_the_first(
        self, engine: ServiceEngine, version: Versions
    ) -> None:
        wanted, two = self.served(engine, version()), version()
        engine.change("churn", ALICE.canary(wanted, target(two), 5))
        with pytest.raises(Conflict, match=r"alice changed service churn at .* \(canary: .*5 %\)"):
            engine.change("churn", BOB.canary(wanted, target(two), 50))
        assert shares(settled(engine, "churn"))[two.ref] == 5

    def test_a_version_that_does_not_load_fails_and_says_why(
        self, engine: ServiceEngine, version: Versions
    ) -> None:
        engine.create(ServiceSpec("churn", ALICE.first([target(version(load="fails"))])))
        now = settled(engine, "churn")
        assert now.state is ServiceState.FAILED
        assert "the model is of another version of its library" in " ".join(now.failures)
        with pytest.raises(ServiceFailed):
            engine.address("churn")

    def test_a_canary_that_does_not_load_takes_no_request(
        self, engine: ServiceEngine, version: Versions
    ) -> None:
        one, two = version(), version(load="fails")
        wanted = self.served(engine, one)
        engine.change("churn", BOB.canary(wanted, target(two), 50))
        now = settled(engine, "churn")
        assert now.state is ServiceState.DEGRADED
        assert shares(now)[one.ref] == 100
        assert not shares(now)[two.ref]
        assert [each.state for each in now.revisions] == [RevisionState.READY, RevisionState.FAILED]

        engine.change("churn", BOB.rollback(now.desired))
        assert settled(engine, "churn").state is ServiceState.READY

    def test_a_default_that_does_not_load_leaves_the_one_before_in_its_place(
        self, engine: ServiceEngine, version: Versions
    ) -> None:
        one, two = version(), version(load="fails")
        wanted = self.served(engine, one)
        engine.change("churn", BOB.serve(wanted, target(two)))
        now = until(engine, "churn", lambda now: now.state is ServiceState.DEGRADED)
        assert [each.ref for each in now.revisions if each.share] == [one.ref]
        assert any(f"{one.ref} is still served" in text for text in (now.error, *now.failures))

        engine.change("churn", BOB.rollback(now.desired))
        now = settled(engine, "churn")
        assert now.state is ServiceState.READY
        assert shares(now) == {one.ref: 100}

    def test_a_version_that_fails_its_check_gets_requests_only_if_that_is_waived(
        self, engine: ServiceEngine, version: Versions
    ) -> None:
        one, skewed = version(), version(check="fails")
        wanted = self.served(engine, one)
        engine.change("churn", BOB.canary(wanted, target(skewed), 50))
        now = settled(engine, "churn")
        assert shares(now)[one.ref] == 100
        assert now.revisions[1].parity.passed is False
        assert "column age" in now.revisions[1].error

        engine.change("churn", BOB.rollback(now.desired))
        wanted = settled(engine, "churn").desired
        engine.change("churn", BOB.canary(wanted, target(skewed, unchecked=True), 50))
        assert shares(settled(engine, "churn")) == {one.ref: 50, skewed.ref: 50}

    def test_what_is_stopped_keeps_what_is_wanted_and_starts_again(
        self, engine: ServiceEngine, version: Versions
    ) -> None:
        one, two = version(), version()
        wanted = self.served(engine, one)
        url = engine.get("churn").url
        engine.stop("churn")
        now = until(engine, "churn", lambda now: now.state is ServiceState.STOPPED)
        assert {each.state for each in now.revisions} == {RevisionState.STOPPED}
        with pytest.raises(ServiceFailed, match="STOPPED"):
            engine.address("churn")
        engine.stop("churn")  # harmless

        engine.change("churn", ALICE.canary(wanted, target(two), 20))
        engine.start("churn")
        now = settled(engine, "churn")
        assert shares(now) == {one.ref: 80, two.ref: 20}
        assert now.url == url or not self.one_address
        engine.start("churn")  # harmless

    def test_what_is_deleted_is_gone_also_while_it_runs(
        self, engine: ServiceEngine, version: Versions
    ) -> None:
        one = version()
        self.served(engine, one)
        engine.delete("churn")
        with pytest.raises(ServiceNotFound):
            engine.get("churn")
        assert engine.list() == []
        now = self.served(engine, one)  # the name is free
        assert now.generation == 1
