"""The engine of services on this machine: what it does beside what every engine does."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import sqlite3
import stat
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest
from load import Load, loaded
from service_conformance import (
    ALICE,
    BOB,
    ServiceConformance,
    Versions,
    settled,
    shares,
    target,
    until,
)

from kfnb.errors import BackendError, Conflict
from kfnb.jobs import linux
from kfnb.resources.models.api import model
from kfnb.resources.services.engine import ServiceSpec
from kfnb.resources.services.latency import percentile
from kfnb.resources.services.local.engine import LocalServiceEngine
from kfnb.resources.services.local.folder import ServiceFolder
from kfnb.resources.services.local.listener import listening
from kfnb.resources.services.model import RevisionState, ServiceSnapshot, ServiceState


class TestLocalEngine(ServiceConformance):
    """The suite that every engine passes."""


def served(engine: LocalServiceEngine, version: Versions, **behaviour: object) -> ServiceSnapshot:
    """A service of a version that behaves so."""
    engine.create(ServiceSpec("churn", ALICE.first([target(version(**behaviour))])))
    now = settled(engine, "churn")
    assert now.state is ServiceState.READY, now
    return now


def with_canary(
    engine: LocalServiceEngine, version: Versions, percent: int = 50, **behaviour: object
) -> ServiceSnapshot:
    now = served(engine, version)
    engine.change("churn", BOB.canary(now.desired, target(version(**behaviour)), percent))
    return settled(engine, "churn")


def folder(home: Path) -> ServiceFolder:
    return ServiceFolder(home / "services" / "churn")


def processes(home: Path) -> dict[str, int]:
    """The processes of the service by what they are: the program of a revision, driver, or router."""
    found = {}
    for pid in linux.tagged(folder(home).tag):
        words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
        if words == [""]:  # it has ended, and nobody has asked yet how
            continue
        if "--socket" in words:
            found[words[words.index("--socket") + 1].removesuffix(".sock")] = pid
        elif pid == folder(home).pid:
            found["driver"] = pid
        elif "check" not in words:
            found["router"] = pid
    return found


# -- no request is lost ------------------------------------------------------------------------------------------------


def test_no_request_fails_while_a_canary_comes_grows_is_promoted_and_rolled_back(
    engine: LocalServiceEngine, version: Versions
) -> None:
    now, two = served(engine, version), version()
    with loaded(now.url) as load:
        for percent in 1, 20, 50:
            now = settled(engine, "churn")
            engine.change("churn", BOB.canary(now.desired, target(two), percent))
            now = settled(engine, "churn")
            load.grow(200)
        for move in BOB.promote, BOB.rollback:
            engine.change("churn", move(settled(engine, "churn").desired))
            settled(engine, "churn")
            load.grow(200)
        engine.change("churn", BOB.serve(settled(engine, "churn").desired, target(two)))
        until(engine, "churn", lambda now: now.settled and len(now.revisions) == 1)
        load.grow(200)
    assert load.failures == []
    assert load.count > 1500
    assert load.answers.keys() == {"1", "2"}


@pytest.mark.slow
def test_no_request_of_many_thousand_fails_while_versions_change(
    engine: LocalServiceEngine, version: Versions
) -> None:
    now, two = served(engine, version), version()
    with loaded(now.url, clients=6) as load:
        for _ in range(6):
            engine.change("churn", BOB.canary(settled(engine, "churn").desired, target(two), 10))
            settled(engine, "churn")
            engine.change("churn", BOB.promote(engine.get("churn").desired))
            until(engine, "churn", lambda now: now.settled and len(now.revisions) == 1)
            engine.change("churn", BOB.rollback(engine.get("churn").desired))
            until(engine, "churn", lambda now: now.settled and len(now.revisions) == 1)
        load.grow(max(1, 20_000 - load.count), seconds=300)
    assert load.failures == []


def test_a_version_that_is_replaced_finishes_what_it_has(
    engine: LocalServiceEngine, version: Versions
) -> None:
    now, two = served(engine, version, seconds=1.0), version()
    load = Load(now.url)

    def ask() -> None:
        connection = load.connect()
        load.ask(connection)
        connection.close()

    engine.change("churn", BOB.canary(now.desired, target(two), 1))
    now = settled(engine, "churn")
    waiting = [threading.Thread(target=ask) for _ in range(5)]
    for one in waiting:
        one.start()
    time.sleep(0.2)
    engine.change("churn", BOB.promote(now.desired))
    now = until(engine, "churn", lambda now: now.settled)
    assert [one.state for one in now.revisions] == [RevisionState.READY, RevisionState.READY]
    for one in waiting:
        one.join()
    assert (load.failures, load.count) == ([], 5)
    assert load.answers["1"] >= 4  # the canary gets one of a hundred: perhaps one of these five
    until(engine, "churn", lambda now: len(now.revisions) == 1)


def test_a_service_that_is_stopped_finishes_what_it_has(
    engine: LocalServiceEngine, version: Versions
) -> None:
    load = Load(served(engine, version, seconds=1.0).url)

    def ask() -> None:
        connection = load.connect()
        load.ask(connection)
        connection.close()

    waiting = threading.Thread(target=ask)
    waiting.start()
    time.sleep(0.3)
    engine.stop("churn")
    waiting.join()
    assert (load.failures, load.answers) == ([], {"1": 1})
    until(engine, "churn", lambda now: now.state is ServiceState.STOPPED)
    with pytest.raises(OSError, match="refused"):
        load.connect().connect()


def test_a_service_that_is_started_while_it_stops_serves_again(
    engine: LocalServiceEngine, version: Versions
) -> None:
    served(engine, version)
    for _ in range(3):
        engine.stop("churn")
        engine.start("churn")
        assert until(engine, "churn", lambda now: now.settled).state is ServiceState.READY


def test_the_split_is_exact_through_the_whole_service(engine: LocalServiceEngine, version: Versions) -> None:
    load = Load(with_canary(engine, version, 7).url)
    connection = load.connect()
    for _ in range(300):
        load.ask(connection)
    connection.close()
    assert load.answers == {"1": 279, "2": 21}
    now = until(engine, "churn", lambda now: sum(one.counters.requests for one in now.revisions) == 300)
    assert [one.counters.requests for one in now.revisions] == [279, 21]
    assert all(
        (percentile(one.counters.latency, 99) or 0) >= (percentile(one.counters.latency, 50) or 0) > 0
        for one in now.revisions
    )


# -- what dies comes back ----------------------------------------------------------------------------------------------


def test_a_version_that_is_killed_is_started_again_and_its_requests_go_to_the_other(
    engine: LocalServiceEngine, version: Versions, home: Path
) -> None:
    now = with_canary(engine, version, load_seconds=0.5)
    with loaded(now.url, clients=2) as load:
        load.grow(50)
        os.kill(processes(home)["r2"], signal.SIGKILL)
        alone = {"churn@1": 100, "churn@2": 0}
        now = until(engine, "churn", lambda now: shares(now) == alone)
        assert now.state is ServiceState.DEGRADED
        assert "SIGKILL" in now.revisions[1].error
        assert "meanwhile its requests go to churn@1" in " ".join(now.notes)
        load.grow(50)
        now = until(engine, "churn", lambda now: now.state is ServiceState.READY)
        assert shares(now) == {"churn@1": 50, "churn@2": 50}
        assert (now.revisions[1].restarts, now.notes) == (1, ())
        load.answers.clear()
        load.grow(50)
        assert load.answers.keys() == {"1", "2"}
    assert load.failures == []


def test_the_log_of_a_version_that_ended_says_how(
    engine: LocalServiceEngine, version: Versions, home: Path
) -> None:
    served(engine, version)
    os.kill(processes(home)["r1"], signal.SIGKILL)
    until(engine, "churn", lambda now: now.revisions[0].restarts == 1 and now.state is ServiceState.READY)
    assert any("SIGKILL" in line.text for line in engine.logs("churn"))


def test_a_version_that_is_rolled_back_to_is_known_to_have_passed_its_check(
    engine: LocalServiceEngine, version: Versions
) -> None:
    now = served(engine, version)
    engine.change("churn", BOB.serve(now.desired, target(version())))
    now = until(engine, "churn", lambda now: now.settled and len(now.revisions) == 1)
    engine.change("churn", BOB.rollback(now.desired))
    now = until(engine, "churn", lambda now: now.settled and len(now.revisions) == 1)
    parity = now.revisions[0].parity
    assert (now.revisions[0].number, parity.passed) == (3, True)
    assert parity.report["checks"][0]["name"] == "row by row"


def test_a_version_that_was_never_checked_is_not_checked_after_a_rollback_either(
    engine: LocalServiceEngine, version: Versions
) -> None:
    engine.create(ServiceSpec("churn", ALICE.first([target(version(), unchecked=True)])))
    engine.change("churn", BOB.serve(settled(engine, "churn").desired, target(version())))
    engine.change("churn", BOB.rollback(settled(engine, "churn").desired))
    assert settled(engine, "churn").revisions[0].parity.passed is None


def test_the_only_version_comes_back_too(engine: LocalServiceEngine, version: Versions, home: Path) -> None:
    load = Load(served(engine, version).url)
    os.kill(processes(home)["r1"], signal.SIGKILL)
    now = until(
        engine, "churn", lambda now: now.revisions[0].restarts == 1 and now.state is ServiceState.READY
    )
    connection = load.connect()
    load.ask(connection)
    connection.close()
    assert load.answers == {"1": 1}, now


@pytest.mark.slow
def test_a_version_that_dies_again_and_again_is_started_less_and_less_often(
    engine: LocalServiceEngine, version: Versions, home: Path
) -> None:
    served(engine, version)
    began = time.monotonic()
    for restarts in 1, 2, 3:
        os.kill(processes(home)["r1"], signal.SIGKILL)
        until(
            engine,
            "churn",
            lambda now, wanted=restarts: (
                now.revisions[0].restarts == wanted and now.revisions[0].state is RevisionState.READY
            ),
        )
    assert time.monotonic() - began > 1.0 + 2.0 + 4.0
    assert "3" in str(engine.get("churn").revisions[0].restarts)


def test_a_request_that_kills_a_version_kills_no_third(
    engine: LocalServiceEngine, version: Versions, home: Path
) -> None:
    now = with_canary(engine, version)
    load = Load(now.url)
    connection = load.connect()
    for _ in range(10):
        load.ask(connection)
    connection.close()
    assert load.failures == []


def test_a_router_that_is_killed_is_started_again_at_the_same_address(
    engine: LocalServiceEngine, version: Versions, home: Path
) -> None:
    now = with_canary(engine, version, 20)
    load = Load(now.url)
    connection = load.connect()
    for _ in range(100):
        load.ask(connection)
    until(engine, "churn", lambda now: sum(one.counters.requests for one in now.revisions) == 100)
    os.kill(processes(home)["router"], signal.SIGKILL)
    connection.close()
    connection = load.connect()
    for _ in range(100):  # the first waits in the open socket until the next router takes it
        load.ask(connection)
    connection.close()
    assert (load.failures, load.answers) == ([], {"1": 160, "2": 40})
    now = until(engine, "churn", lambda now: sum(one.counters.requests for one in now.revisions) == 200)
    assert [one.counters.requests for one in now.revisions] == [160, 40], "what was counted before is kept"
    assert engine.get("churn").url == now.url


def test_a_driver_that_is_killed_takes_all_with_it_and_start_brings_all_back(
    engine: LocalServiceEngine, version: Versions, home: Path
) -> None:
    before = with_canary(engine, version, 20)
    os.kill(processes(home)["driver"], signal.SIGKILL)
    now = until(engine, "churn", lambda now: now.state is ServiceState.STOPPED)
    assert "process lost" in now.error
    assert "start brings it back" in now.error
    assert processes(home) == {}
    assert [one.state for one in LocalServiceEngine(home).list()] == [ServiceState.STOPPED]

    engine.start("churn")
    now = settled(engine, "churn")
    assert (now.state, shares(now), now.url, now.error) == (
        ServiceState.READY,
        shares(before),
        before.url,
        "",
    )


def test_a_version_that_a_killed_driver_was_ending_is_gone(
    engine: LocalServiceEngine, version: Versions, home: Path
) -> None:
    now = with_canary(engine, version, 50, seconds=3.0)
    load = Load(now.url)

    def ask() -> None:
        connection = load.connect()
        with suppress(OSError, http.client.HTTPException):
            load.ask(connection)
            load.ask(connection)
        connection.close()

    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(0.5)
    engine.change("churn", BOB.rollback(now.desired))
    until(engine, "churn", lambda now: shares(now) == {"churn@1": 100})
    os.kill(processes(home)["driver"], signal.SIGKILL)
    asking.join()
    now = until(engine, "churn", lambda now: now.state is ServiceState.STOPPED)
    assert [one.ref for one in now.revisions] == ["churn@1"]
    engine.start("churn")
    assert [one.ref for one in settled(engine, "churn").revisions] == ["churn@1"]


def test_a_service_outlives_who_started_it(engine: LocalServiceEngine, version: Versions, home: Path) -> None:
    served(engine, version)
    parents = Path(f"/proc/{folder(home).pid}/stat").read_text().rpartition(")")[2].split()
    assert int(parents[1]) != os.getpid()
    assert int(parents[3]) != os.getsid(0), "a session of its own"
    assert LocalServiceEngine(home).get("churn").state is ServiceState.READY


# -- addresses ---------------------------------------------------------------------------------------------------------


def test_a_port_that_is_taken_is_refused_at_once(engine: LocalServiceEngine, version: Versions) -> None:
    with listening("127.0.0.1", 0) as other:
        port = other.getsockname()[1]
        with pytest.raises(BackendError, match=f"port {port} of 127.0.0.1 is taken"):
            engine.create(ServiceSpec("churn", ALICE.first([target(version())]), port=port))
    assert engine.list() == []
    engine.create(ServiceSpec("churn", ALICE.first([target(version())]), port=port))
    assert settled(engine, "churn").url == f"http://127.0.0.1:{port}"


@pytest.mark.slow
def test_a_port_that_is_taken_while_it_was_stopped(engine: LocalServiceEngine, version: Versions) -> None:
    for name, asked in ("any", False), ("fixed", True):
        with listening("127.0.0.1", 0) as free:
            port = free.getsockname()[1] if asked else 0
        engine.create(ServiceSpec(name, ALICE.first([target(version())]), port=port))
        url = settled(engine, name).url
        engine.stop(name)
        until(engine, name, lambda now: now.state is ServiceState.STOPPED)
        with listening("127.0.0.1", int(url.rpartition(":")[2])):
            engine.start(name)
            now = until(engine, name, lambda now: now.settled and now.started is not None)
        if asked:
            assert now.state is ServiceState.FAILED
            assert "is taken" in now.error
        else:
            assert now.state is ServiceState.READY
            assert now.url != url


def test_a_token_is_needed_and_written_nowhere_but_into_its_file(
    engine: LocalServiceEngine, version: Versions, home: Path
) -> None:
    token = "s3cret-t0ken-of-churn"
    engine.create(ServiceSpec("churn", ALICE.first([target(version())]), token=token))
    now = settled(engine, "churn")
    load = Load(now.url)
    connection = load.connect()
    load.ask(connection)
    connection.close()
    assert load.failures[0].startswith("401")
    assert engine.address("churn").headers == {"authorization": f"Bearer {token}"}
    assert token not in repr(engine.address("churn"))
    assert token not in repr(ServiceSpec("churn", now.desired, token=token))

    holding = [file for file in home.rglob("*") if file.is_file() and token.encode() in file.read_bytes()]
    assert holding == [folder(home).token_file] == [Path(now.token_file)]
    for pid in linux.tagged(folder(home).tag):
        for what in "cmdline", "environ":
            assert token.encode() not in Path(f"/proc/{pid}/{what}").read_bytes()


def test_only_this_user_can_read_what_a_service_keeps(
    engine: LocalServiceEngine, version: Versions, home: Path
) -> None:
    engine.create(ServiceSpec("churn", ALICE.first([target(version())]), token="s3cret"))
    settled(engine, "churn")
    for path in folder(home).path, folder(home).path.parent:
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    for name in "token", "service.json", "generations/1.json", "events.db", "revisions/1/log":
        assert stat.S_IMODE((folder(home).path / name).stat().st_mode) & 0o077 == 0, name


# -- several at once, and what is damaged ------------------------------------------------------------------------------


def test_of_many_who_make_a_service_at_once_one_does(
    engine: LocalServiceEngine, version: Versions, home: Path
) -> None:
    wanted = ALICE.first([target(version())])
    found: list[object] = []

    def make() -> None:
        try:
            found.append(LocalServiceEngine(home).create(ServiceSpec("churn", wanted)))
        except Conflict as error:
            found.append(error)

    threads = [threading.Thread(target=make) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert found.count(None) == 1
    assert sum(isinstance(one, Conflict) for one in found) == 5
    assert settled(engine, "churn").state is ServiceState.READY
    assert [one.name for one in (home / "services").iterdir()] == ["churn"], "no drafts are left"


def test_of_many_who_change_a_service_at_once_one_wins_each_time(
    engine: LocalServiceEngine, version: Versions, home: Path
) -> None:
    served(engine, version)
    two, won, told = version(), list[int](), list[str]()

    def change(percent: int) -> None:
        own = LocalServiceEngine(home)
        for _ in range(5):
            wanted = own.get("churn").desired
            try:
                own.change("churn", BOB.canary(wanted, target(two), percent))
                won.append(percent)
            except Conflict as error:
                told.append(str(error))

    threads = [threading.Thread(target=change, args=[10 + at]) for at in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    last = engine.get("churn")
    assert [move.generation for move in last.history] == list(range(last.desired.generation, 0, -1))
    assert sum(move.action == "canary" for move in last.history) <= len(won)
    assert all("bob changed service churn" in text for text in told)
    assert settled(engine, "churn").observed == last.desired.generation


def test_a_damaged_service_is_shown_and_can_be_deleted(
    engine: LocalServiceEngine, version: Versions, home: Path
) -> None:
    served(engine, version)
    engine.stop("churn")
    until(engine, "churn", lambda now: now.state is ServiceState.STOPPED and not processes(home))
    for file in "generations/1.json", "events.db", "service.json":
        (folder(home).path / file).write_text("{ not json")
        (damaged,) = LocalServiceEngine(home).list()
        assert damaged.state is ServiceState.FAILED
        assert "cannot be used" in damaged.error
        with pytest.raises(BackendError):
            LocalServiceEngine(home).get("churn")
        with pytest.raises(BackendError):
            LocalServiceEngine(home).start("churn")
    engine.delete("churn")
    assert engine.list() == []


def test_a_change_that_cannot_be_read_is_noted_and_what_is_served_stays(
    engine: LocalServiceEngine, version: Versions, home: Path
) -> None:
    now = served(engine, version)
    damaged = folder(home).path / "generations" / "2.json"
    damaged.write_text("{ not json")
    end = time.monotonic() + 20
    while "cannot be read" not in json.dumps(events_of(home)):
        assert time.monotonic() < end
        time.sleep(0.05)
    load = Load(now.url)
    connection = load.connect()
    load.ask(connection)
    connection.close()
    assert load.answers == {"1": 1}
    damaged.unlink()
    until(engine, "churn", lambda now: now.state is ServiceState.READY and not now.notes)


def test_a_folder_that_was_made_without_a_driver_can_be_started(
    engine: LocalServiceEngine, version: Versions, home: Path
) -> None:
    served(engine, version)
    engine.stop("churn")
    until(engine, "churn", lambda now: now.state is ServiceState.STOPPED and not processes(home))
    for file in folder(home).path.glob("events.db*"):
        file.unlink()
    now = LocalServiceEngine(home).get("churn")
    assert now.state is ServiceState.STOPPED
    assert "start" in now.error
    LocalServiceEngine(home).start("churn")
    assert settled(LocalServiceEngine(home), "churn").state is ServiceState.READY


def test_a_folder_that_is_removed_under_a_service_leaves_no_process(
    engine: LocalServiceEngine, version: Versions, home: Path
) -> None:
    served(engine, version)
    before = linux.tagged(folder(home).tag)
    shutil.rmtree(folder(home).path)
    end = time.monotonic() + 20
    while any(Path(f"/proc/{pid}/cmdline").exists() for pid in before):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert engine.list() == []


def test_what_a_newer_kfnb_wrote_is_left_alone(
    engine: LocalServiceEngine, version: Versions, home: Path
) -> None:
    served(engine, version)
    engine.stop("churn")
    now = until(engine, "churn", lambda now: now.state is ServiceState.STOPPED)
    (folder(home).path / "format").write_text("99\n")
    for call in (
        lambda: engine.start("churn"),
        lambda: engine.change("churn", BOB.canary(now.desired, target(version()), 5)),
    ):
        with pytest.raises(BackendError, match="newer kfnb"):
            call()


def test_a_full_disk_is_told_before_anything_is_made(
    engine: LocalServiceEngine, version: Versions, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = ALICE.first([target(version())])
    monkeypatch.setattr("kfnb.disk.free", lambda _: 1000)
    with pytest.raises(BackendError, match="no space left") as caught:
        engine.create(ServiceSpec("churn", wanted))
    assert caught.value.code == "disk-full"
    monkeypatch.undo()
    assert engine.list() == []


# -- versions ----------------------------------------------------------------------------------------------------------


def test_a_version_that_is_archived_or_gone_from_the_registry_is_still_served(
    engine: LocalServiceEngine, version: Versions, home: Path
) -> None:
    served(engine, version)
    model("churn@1").archive()
    shutil.rmtree(home / "registry")
    engine.stop("churn")
    until(engine, "churn", lambda now: now.state is ServiceState.STOPPED)
    engine.start("churn")
    assert settled(engine, "churn").state is ServiceState.READY


def test_a_version_whose_bytes_were_changed_is_not_served(
    engine: LocalServiceEngine, version: Versions
) -> None:
    one = version()
    file = Path(one.uri) / "behaviour.json"
    file.chmod(0o600)
    file.write_text("{}")
    with pytest.raises(BackendError, match="changed on disk"):
        engine.create(ServiceSpec("churn", ALICE.first([target(one)])))
    assert engine.list() == []


def test_folders_of_versions_that_nobody_needs_are_removed(
    engine: LocalServiceEngine, version: Versions, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = with_canary(engine, version)
    dropped = folder(home).version(now.desired.targets[1].digest)
    assert dropped.is_dir()
    engine.change("churn", BOB.rollback(now.desired))
    assert dropped.is_dir(), "somebody may be about to want it"
    monkeypatch.setattr("kfnb.resources.services.local.deployment._YOUNG", -1.0)
    engine.change("churn", BOB.settings(settled(engine, "churn").desired, sticky="x-customer"))
    assert not dropped.exists()
    assert folder(home).version(now.desired.default.digest).is_dir()


def test_a_report_of_a_check_is_kept_and_not_made_again(
    engine: LocalServiceEngine, version: Versions, home: Path
) -> None:
    report = folder(home).revision(1) / "check.json"
    now = served(engine, version)
    assert now.revisions[0].parity.passed
    assert now.revisions[0].parity.report["checks"][0]["name"] == "row by row"
    made = report.stat().st_mtime_ns
    engine.stop("churn")
    until(engine, "churn", lambda now: now.state is ServiceState.STOPPED)
    engine.start("churn")
    now = settled(engine, "churn")
    assert now.revisions[0].parity.passed
    assert report.stat().st_mtime_ns == made


# -- what stays small --------------------------------------------------------------------------------------------------


def events_of(home: Path) -> list[tuple[str, str, str]]:
    with closing(sqlite3.connect(folder(home).path / "events.db")) as database:
        return database.execute("select kind, task, data from events").fetchall()


def events(home: Path) -> int:
    return len(events_of(home))


@pytest.mark.slow
def test_the_log_of_events_does_not_grow_with_requests_restarts_and_changes(
    engine: LocalServiceEngine, version: Versions, home: Path
) -> None:
    now, two = served(engine, version), version()
    load = Load(now.url)
    connection = load.connect()
    before = 0
    for turn in range(1, 4):
        engine.change("churn", BOB.canary(settled(engine, "churn").desired, target(two), 50))
        settled(engine, "churn")
        for _ in range(40):
            load.ask(connection)
        until(
            engine,
            "churn",
            lambda now, wanted=20 * turn: now.revisions[0].counters.requests >= wanted,
        )
        engine.change("churn", BOB.rollback(engine.get("churn").desired))
        until(engine, "churn", lambda now: now.settled and len(now.revisions) == 1)
        now_there = events(home)
        assert not before or now_there == before + 1, "one for each revision that is gone"
        before = now_there
    connection.close()


def test_a_log_that_grows_too_large_loses_its_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kfnb.resources.services.local import counter_poll

    monkeypatch.setattr(counter_poll, "_LARGEST_LOG", 10_000)
    monkeypatch.setattr(counter_poll, "_KEPT_LOG", 1_000)
    log = tmp_path / "log"
    with log.open("ab") as writer:  # as a revision has it
        for number in range(2000):
            writer.write(f"line {number}\n".encode())
            writer.flush()
        counter_poll.shorten(log)
        writer.write(b"line 2000\n")
    lines = log.read_text().splitlines()
    assert lines[0] == "(the beginning of this log was removed)"
    assert lines[-2:] == ["line 1999", "line 2000"]
    assert log.stat().st_size < 2_000
    assert all(line.startswith("line ") for line in lines[1:])


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_many_requests_leave_memory_and_log_flat(
    engine: LocalServiceEngine, version: Versions, home: Path
) -> None:
    requests = int(os.environ.get("KFNB_TEST_REQUESTS", "20000"))
    now = with_canary(engine, version, 1)
    with loaded(now.url, clients=8) as load:
        load.grow(requests // 10, seconds=3600)
        before = {name: linux.held(pid) for name, pid in processes(home).items()}
        load.grow(requests - requests // 10, seconds=3600)
        after = {name: linux.held(pid) for name, pid in processes(home).items()}
    assert load.failures == []
    for name in "driver", "router":
        assert after[name] < before[name] + 10_000_000, (name, before, after)
    assert abs(load.answers["2"] - load.count / 100) <= 1
    assert events(home) < 20
    assert folder(home).log(1).stat().st_size < 1000
    now = until(
        engine, "churn", lambda now: sum(one.counters.requests for one in now.revisions) == load.count
    )


@pytest.mark.slow
def test_where_nothing_is_forked_a_service_lives_and_dies_alike(
    engine: LocalServiceEngine, version: Versions, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KFNB_PORTABLE", "1")
    now = with_canary(engine, version, 20)
    load = Load(now.url)
    connection = load.connect()
    for _ in range(100):
        load.ask(connection)
    os.kill(processes(home)["r2"], signal.SIGKILL)
    until(engine, "churn", lambda now: now.revisions[1].restarts == 1 and now.settled)
    for _ in range(100):
        load.ask(connection)
    connection.close()
    assert (load.failures, load.answers) == ([], {"1": 160, "2": 40})
    driver = folder(home).pid
    assert driver is not None
    os.kill(driver, signal.SIGKILL)
    until(engine, "churn", lambda now: now.state is ServiceState.STOPPED)
    assert processes(home) == {}
    engine.start("churn")
    assert shares(settled(engine, "churn")) == {"churn@1": 80, "churn@2": 20}
