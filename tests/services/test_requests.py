"""The requests that a service here keeps: of which version, with which labels, and what its user decides on."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import kfnb
from kfnb.entities import RunState
from kfnb.entities.log_policy import LogPolicy
from kfnb.errors import UsageError
from kfnb.jobs.eventlog import opened
from kfnb.resources.models.model import ColumnType, Signature, VersionSnapshot
from kfnb.resources.services.desired_json import as_json, desired_of, target_of
from kfnb.resources.services.local import folder as folders
from kfnb.resources.services.local import program
from kfnb.resources.services.local.engine import LocalServiceEngine
from kfnb.resources.services.local.folder import ServiceFolder, ServiceSettings
from kfnb.resources.services.local.labels import add_labels, labels_by_row
from kfnb.resources.services.log_checks import check_columns, log_policy, size_of
from kfnb.resources.services.model import Target
from kfnb.resources.services.requests import RequestWindow
from kfnb.resources.services.serve_command import ServeModel
from kfnb.server.main import _parser
from tests.conftest import Shell

from service_conformance import ALICE  # isort: skip - beside this file
from service_samples import service as made_up, with_canary  # isort: skip - beside this file


def customers(count: int = 40) -> pd.DataFrame:
    chance = np.random.default_rng(0)
    return pd.DataFrame(
        {"age": chance.normal(40.0, 9.0, count), "email": [f"user{at}@example.org" for at in range(count)]}
    )


def registered(threshold: float) -> kfnb.ModelVersion:
    """A version that tells who is older than that."""
    from sklearn.compose import make_column_transformer
    from sklearn.pipeline import make_pipeline
    from sklearn.tree import DecisionTreeClassifier

    frame = customers(200)
    model = make_pipeline(
        make_column_transformer(("passthrough", ["age"])), DecisionTreeClassifier(max_depth=1)
    )
    return kfnb.register(
        model.fit(frame, frame.age > threshold), "churn", example=frame, notify=lambda _: None
    )


@pytest.fixture
def service(home: Path) -> Iterator[kfnb.Service]:
    service = kfnb.serve(registered(40.0), log=LogPolicy(hash=["email"])).wait(60)
    yield service
    service.delete()


def seen(service: kfnb.Service, count: int, **window: str) -> pd.DataFrame:
    """The requests, once there are so many rows."""
    end = time.monotonic() + 20
    while len(found := service.requests(**window)) < count:
        assert time.monotonic() < end, found
        time.sleep(0.05)
    return found


@pytest.mark.slow
def test_four_clients_at_once_are_kept_by_the_version_that_answered(service: kfnb.Service) -> None:
    service.canary(registered(50.0), 25).wait(60)
    frame, answers = customers(), []

    def ask(start: int) -> None:
        own = kfnb.service("churn")
        for at in range(25):
            answers.extend(own.ask(frame.iloc[(start + at) % 40 :][:1]))

    clients = [threading.Thread(target=ask, args=(10 * number,)) for number in range(4)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    found = seen(service, 100)
    assert len(found) == 100
    assert found.set_index("id").version.to_dict() == {one.id: one.version for one in answers}
    assert found.set_index("id").prediction.to_dict() == {one.id: one.content[0] for one in answers}
    assert len(service.requests(version="canary")) == len(service.requests(version="churn@2")) == 25
    assert set(service.requests(version="1").version) == {"1"}
    assert found["input.email"].nunique() == found["input.age"].nunique()
    kept = folders.find(Path(kfnb.settings.settings().home), "churn").requests
    assert not any(b"user1" in path.read_bytes() for path in kept.iterdir())
    with pytest.raises(UsageError, match="service churn served no version 9; it served churn@1, churn@2"):
        service.requests(version="9")


@pytest.mark.slow
def test_labels_are_beside_the_rows_that_they_belong_to(service: kfnb.Service) -> None:
    (first,), (second,) = service.ask(customers(3)), service.ask(customers(2))
    seen(service, 5)
    service.feedback(first, [[True, None, False]])
    found = service.requests()
    assert found.label.tolist() == [True, None, False, None, None]
    service.feedback([second.id, first.id], [[True, True], [False, None, None]])  # late, and corrected
    assert service.requests().label.tolist() == [False, None, False, True, True]
    blocks = list(service.request_blocks(RequestWindow(columns=("label", "prediction"))))
    assert [block.schema.names for block in blocks] == [["prediction", "label"]] * len(blocks)
    assert service.requests(until="1h").empty
    assert len(service.requests(since="1h")) == 5


@pytest.mark.slow
def test_what_is_kept_can_be_changed_without_dropping_a_request(service: kfnb.Service) -> None:
    service.predict(customers(2))
    seen(service, 2)
    kfnb.serve("churn@1", log=False).wait(60)
    (answer,) = service.ask(customers(1))
    with pytest.raises(UsageError, match="it is served with --no-log"):
        service.feedback(answer, True)
    assert len(service.requests()) == 2
    kfnb.serve("churn@1").wait(60)  # changes nothing
    assert not service.snapshot().desired.default.log.keep
    kfnb.serve("churn@1", log=LogPolicy(drop=["email"])).wait(60)
    service.predict(customers(1))
    found = seen(service, 3)
    assert found["input.email"].isna().tolist() == [False, False, True]


# -- what its user decides


def test_the_options_are_those_of_the_program(tmp_path: Path) -> None:
    policy = LogPolicy(drop=["a", "b"], hash="c", rate=5, days=2, size=size_of("500M"))
    options = _parser(tmp_path).parse_args(policy.options)
    assert (options.log_drop, options.log_hash, options.log_rate) == (["a", "b"], ["c"], 5)
    assert (options.log_days, options.log_size) == (2, 500_000_000)
    assert size_of("") == LogPolicy().size == 1 << 30
    with pytest.raises(UsageError, match="--log-size much: write 500M or 2G"):
        size_of("much")


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (LogPolicy(drop=["a"], hash=["a"]), "column a is to be dropped and hashed: choose one"),
        (LogPolicy(rate=-1), "--log-rate -1: give requests a second, from 0 on"),
        (LogPolicy(rate=float("nan")), "--log-rate nan"),
        (LogPolicy(days=0), "--log-days 0: give a number of days above 0"),
        (LogPolicy(size=1000), "--log-size 1000: give at least 10M"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(home: Path, policy: LogPolicy, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        kfnb.serve("churn@1", log=policy)


def test_a_target_keeps_its_policy_and_an_older_one_has_the_usual(tmp_path: Path) -> None:
    desired = with_canary().desired
    policy = LogPolicy(drop=["a"], rate=3)
    target = Target(1, "churn", 3, "ab" * 32, log=policy)
    stored = as_json(desired)
    assert desired_of(stored) == desired

    assert target_of(json.loads(json.dumps(asdict(target)))) == target
    del (old := asdict(target))["log"]
    assert target_of(old).log == LogPolicy()
    assert not program.keeps_requests(tmp_path)  # nor is an older program asked to keep any


def test_why_requests_are_not_kept_is_known_before_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, target = ServiceFolder(tmp_path), Target(1, "churn", 3, "ab" * 32)
    here = Path(sys.executable)
    assert "deployed by an earlier kfnb" in program.log_error(here, folder, target)
    server = folder.version(target.digest) / "kfnb_server"
    server.mkdir(parents=True)
    (server / "request_log.py").touch()
    assert program.log_error(here, folder, target) == ""
    monkeypatch.setattr(program, "find_spec", lambda _: None)
    assert "pyarrow is not installed; pip install 'kfnb[serve]'" in program.log_error(here, folder, target)
    assert program.log_error(here, folder, replace(target, log=LogPolicy(keep=False))) == ""
    bare = tmp_path / "python"  # of an environment without packages
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S "$@"\n')
    bare.chmod(0o700)
    assert (
        program.log_error(bare, folder, target) == "pyarrow cannot be installed in the environment of churn@3"
    )


def test_feedback_says_why_there_is_nothing_to_compare_with(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = LocalServiceEngine(home)
    (one,) = with_canary().revisions[:1]
    now = made_up(replace(one, log_error="pyarrow is not installed; pip install 'kfnb[serve]'"))
    monkeypatch.setattr(engine, "get", lambda _: now)
    assert (
        engine._why_unknown("churn")
        == "requests are not kept: pyarrow is not installed; pip install 'kfnb[serve]'"
    )


def test_old_requests_of_a_stopped_service_are_removed_by_whoever_looks(home: Path) -> None:
    log, long_ago = LogPolicy(days=2), time.time() - 3 * 86400
    desired = ALICE.first([Target(1, "churn", 3, "ab" * 32, log=log)])
    with folders.new(home, "churn", ServiceSettings(), "") as made:
        made.record(desired)
    folder = folders.find(home, "churn")
    with opened(folder.path, create=True) as events:
        events.append([("state", "", {"state": RunState.RUNNING})])
        events.append([("state", "", {"state": RunState.CANCELED})])
    (folder.path / "lock").touch()
    folder.requests.mkdir()
    old, young = (
        folder.requests / f"{at}-{at}-r1-x-1.parquet" for at in (int(long_ago * 1e6), int(time.time() * 1e6))
    )
    for one in (old, young):
        one.write_bytes(b"x")
    assert [one.name for one in kfnb.services()] == ["churn"]
    assert sorted(folder.requests.iterdir()) == [young]


def test_labels_need_no_request_that_is_kept(tmp_path: Path) -> None:
    add_labels(tmp_path, {"r": [1]}, {"r": {1: [1]}}, "anna")
    assert labels_by_row(tmp_path, ["r", "s"]) == {("r", 1, 0): "1"}
    assert labels_by_row(tmp_path / "none", ["r"]) == {}


def test_the_command_has_the_options() -> None:
    made = ServeModel(model="churn", log_drop=("a",), log_rate=5.0)
    assert made.policy == LogPolicy(drop=["a"], rate=5)
    assert ServeModel(model="churn").policy is None
    assert ServeModel(model="churn", log=True).policy == LogPolicy()
    assert ServeModel(model="churn", no_log=True).policy == LogPolicy(keep=False)


def test_requests_can_not_be_kept_and_not_kept(shell: Shell) -> None:
    assert "--log and --no-log: choose one" in shell.fails("%kf_serve churn --log --no-log")


@pytest.mark.parametrize("log", [True, LogPolicy(), LogPolicy(drop=["a"])])
def test_to_keep_requests_on_a_cluster_is_refused_however_it_is_said(log: LogPolicy | bool) -> None:
    with pytest.raises(UsageError, match=r"no requests are kept on a cluster .*--backend local"):
        log_policy(log, "kubeflow")
    assert log_policy(None, "kubeflow") is None
    assert log_policy(False, "kubeflow") == LogPolicy(keep=False)
    assert log_policy(True, "local") == LogPolicy()


def version(*columns: str, transform: str = "") -> VersionSnapshot:
    signature = Signature(tuple(ColumnType(one, "string") for one in columns))
    return VersionSnapshot("churn", 3, "ab" * 32, "skops", signature=signature, transform=transform)


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (LogPolicy(drop=["emial"]), r"--log-drop emial: churn@3 has no such column: did you mean email\?"),
        (LogPolicy(hash=["zip"]), "--log-hash zip: churn@3 has no such column: it takes age, email"),
    ],
)
def test_a_misspelt_column_is_refused_when_a_version_is_served(policy: LogPolicy, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        check_columns(policy, [version("age", "email")])
    check_columns(LogPolicy(drop=["email"], hash=["age"]), [version("age", "email")])


def test_a_service_with_a_misspelt_column_is_not_made(home: Path) -> None:
    registered(40.0)
    with pytest.raises(UsageError, match="did you mean email"):
        kfnb.serve("churn@1", log=LogPolicy(drop=["emial"]))
    assert not kfnb.services()


def test_a_column_that_may_be_a_transforms_is_not_refused() -> None:
    check_columns(LogPolicy(drop=["zip"]), [version("age", "email", transform="cd" * 32)])
    with pytest.raises(UsageError, match="did you mean email"):
        check_columns(LogPolicy(drop=["emial"]), [version("age", "email", transform="cd" * 32)])
    check_columns(LogPolicy(drop=["3"]), [version("")])  # an array has no names
