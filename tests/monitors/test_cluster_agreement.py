"""A monitor's pipeline gives the report that the monitor here gives, for the same requests as KServe logs them."""

from __future__ import annotations

import base64
import itertools
import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from monitor_samples import COLUMNS, people

import kfnb
from kfnb import settings as config
from kfnb.pipeline.pipeline import compile_program, from_kfp
from kfnb.pipeline.spec import Compiled
from kfnb.remote.objects import AccessKeys, ObjectAddress, ObjectStore, StoreAccess
from kfnb.resources.monitors.engine import MonitorPlan
from kfnb.resources.monitors.kubeflow.kit import kit_of, requirements
from kfnb.resources.monitors.kubeflow.pipeline import MonitorPods, PlaceOfPods, monitor_pipeline
from kfnb.resources.monitors.kubeflow.place import MonitorPlace
from kfnb.resources.monitors.model import MonitorSpec, MonitorState, Report
from kfnb.resources.monitors.preparing import reference_of
from kfnb.resources.runs.kubeflow.pod_access import options_of_pods
from kfnb.resources.runs.kubeflow.store_session import StoreSession
from kfnb.resources.services.kserve.label_folder import LabelFolder
from kfnb.resources.services.kserve.request_log import LogFolder
from kfnb.server.headers import REQUEST_ID

pytestmark = pytest.mark.slow

DELAY = 2.0
"""Seconds after which events are counted: stores tell times in whole seconds."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of the test's own, by the machine's clock: pods have no other."""
    home = tmp_path / "home"
    monkeypatch.setenv("KFNB_HOME", str(home))
    config.reset()
    yield home
    for one in kfnb.monitors(backend="local"):
        one.delete()
    for service in kfnb.services():
        kfnb.service(service.name).delete()
    config.reset()


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of an S3 server that has a bucket called ``bucket``."""
    server = pytest.importorskip("moto.server").ThreadedMotoServer(port=0, verbose=False)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    with urllib.request.urlopen(urllib.request.Request(f"{endpoint}/bucket", method="PUT")):
        pass
    yield endpoint
    server.stop()


@dataclass(frozen=True)
class Exchanged:
    """A request to the service, and its response, or nothing if it was refused; ``id`` is the service's."""

    body: bytes
    response: bytes | None
    id: str = ""


def asked(service: Any, rows: Any, at_once: int = 50) -> list[Exchanged]:
    """What the service answers, in requests of several rows: some by name, some in V2."""
    found = []
    for start in range(0, len(rows), at_once):
        some = rows.iloc[start : start + at_once]
        path, body = f"/v1/models/{service.name}:predict", {"instances": some.to_dict("records")}
        if start % 200 == 0:
            tensors = [
                {"name": name, "datatype": "FP64", "shape": [len(some)], "data": some[name].tolist()}
                for name in some.columns
            ]
            path, body = f"/v2/models/{service.name}/infer", {"inputs": tensors}
        found.append(_asked(f"{service.url}{path}", json.dumps(body).encode()))
    return found


def _asked(url: str, body: bytes) -> Exchanged:
    request = urllib.request.Request(url, body, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request) as answer:
            return Exchanged(body, answer.read(), answer.headers[REQUEST_ID])
    except urllib.error.HTTPError:
        return Exchanged(body, None)


_numbers = itertools.count()


def log_as_kserve_does(store: ObjectStore, folder: str, exchanges: Sequence[Exchanged], batch: int) -> None:
    """Write the objects that KServe's agent would: events in batches, named by the last one."""
    events = []
    for one in exchanges:
        id = one.id or str(uuid.uuid4())
        for kind, body in (("request", one.body), ("response", one.response)):
            if body is not None:
                events.append(
                    {
                        "Url": None,
                        "Bytes": base64.b64encode(body).decode(),
                        "ContentType": "application/json",
                        "ReqType": f"org.kubeflow.serving.inference.{kind}",
                        "Id": id,
                        "InferenceService": "churn",
                        "Namespace": "team-a",
                        "Component": "predictor",
                        "Endpoint": "default",
                        "Metadata": {},
                    }
                )
    for start in range(0, len(events), batch):
        some = events[start : start + batch]
        name = f"{some[-1]['Id']}-{some[-1]['ReqType'].rpartition('.')[2]}.json"
        content = json.dumps(some if batch > 1 else some[0]).encode()
        store.write(f"{folder}/team-a/churn/predictor/{name}", content)


TRAIN = """
from kfp import dsl

@dsl.component(base_image="python")
def fit(rows: int, model: dsl.Output[dsl.Model]):
    with open(model.path, "w") as file:
        file.write("x" * rows)

@dsl.pipeline(name="churn-train")
def churn_train(rows: int = 3):
    fit(rows=rows)
"""


@dataclass(frozen=True)
class MonitorThere:
    """A monitor's pipeline, run by the engine of this machine in the place of a cluster."""

    pipeline: Compiled
    place: MonitorPlace

    def check(self) -> Report:
        run = kfnb.submit(self.pipeline, backend="local", cache=False, notify=lambda _: None).wait(180)
        assert run.state == kfnb.RunState.SUCCEEDED, [task.error for task in run.tasks]
        return self.place.reports(1)[-1]


@pytest.fixture
def there(s3: str, churn: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[MonitorSpec], MonitorThere]:
    """Makes the monitor of a spec as its engine on a cluster does, in a bucket."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    store = ObjectStore(StoreAccess("s3", s3, "us-east-1", keys=AccessKeys("key", "secret")))

    def made(spec: MonitorSpec) -> MonitorThere:
        target = churn.snapshot().desired.default
        place = MonitorPlace(store, f"bucket/root-{next(_numbers)}/kfnb-monitors/{spec.name}")
        log = LogFolder(f"{place.path}-log/team-a/churn", DELAY, f"{place.path}-log/kfnb-labels/team-a/churn")
        model = kfnb.model(target.ref).path()
        name, content = kit_of(MonitorPlan(spec, reference_of(spec, target)), model, log, target.on_bad_input)
        store.write(f"{place.path}/{name}", content)
        pods = MonitorPods("python", requirements())
        session = StoreSession("s3", s3, "us-east-1")
        options = options_of_pods(ObjectAddress.parse("s3://bucket"), session)
        of_pods = PlaceOfPods("s3", place.path, options)
        training = from_kfp(compile_program("churn_train", TRAIN))
        return MonitorThere(monitor_pipeline(spec.name, of_pods, name, pods, training), place)

    return made


def same(one: Report, other: Report) -> None:
    """Assert that two reports say the same; their times, and how long requests took, are their own."""
    parts = ("rows", "requests", "version", "columns", "score", "prediction", "skew", "findings", "notes")
    for part in parts:
        assert getattr(one, part) == getattr(other, part), part


def test_both_monitors_report_the_same_of_the_same_requests(
    churn: Any, there: Callable[[MonitorSpec], MonitorThere], random: np.random.Generator
) -> None:
    here = kfnb.monitor(
        churn,
        baseline="churn-data@1",
        drift=0.2,
        score=0.25,
        prediction=0.2,
        errors=0.5,
        window="1h",
        every="2s",
        then="alert",
    )
    here.pause()
    spec = replace(here.snapshot().spec, then=("alert", "retrain:churn_train"))
    cluster = there(spec)
    log = f"{cluster.place.path}-log"

    refused = _asked(f"{churn.url}/v1/models/churn:predict", b"{}")
    calm = [*asked(churn, people(random, 1000)[COLUMNS]), refused]
    assert [one.response for one in calm].count(None) == 1
    log_as_kserve_does(cluster.place.store, log, calm, batch=1)
    time.sleep(DELAY + 2)
    first = cluster.check()
    assert first.rows == 1000
    assert first.requests == 21
    same(here.check(), first)
    assert cluster.place.record().standing.rules[0].state is MonitorState.OK

    for _ in range(2):
        shifted = asked(churn, people(random, 3000, older=15)[COLUMNS])
        log_as_kserve_does(cluster.place.store, log, shifted, batch=7)
        time.sleep(DELAY + 2)
        report = cluster.check()
        same(here.check(), report)
    record = cluster.place.record()
    assert report.rows == 7000
    assert [one.rule for one in record.standing.alarms] == [one.rule for one in here.alarms]
    assert [(one.rule, one.state) for one in record.standing.rules] == [
        (one.rule, one.state) for one in here.snapshot().rules
    ]
    first_answer = [(one.text, one.state) for one in record.actions if one.alarm == 1]
    assert first_answer == [("alert", "done"), ("retrain:churn_train", "done")]


def test_both_monitors_measure_the_same_of_the_same_labels(
    churn: Any, there: Callable[[MonitorSpec], MonitorThere], random: np.random.Generator
) -> None:
    here = kfnb.monitor(
        churn, baseline="churn-data@1", metric="accuracy", below=0.8, no_labels="1h", every="2s"
    )
    here.pause()
    cluster = there(here.snapshot().spec)
    log, store = f"{cluster.place.path}-log", cluster.place.store
    labels = LabelFolder(store, f"{log}/kfnb-labels/team-a/churn")

    def labelled(rows: Any, *, right: bool) -> None:
        """Ask for rows, and tell what was true of them."""
        exchanges = asked(churn, rows[COLUMNS])
        log_as_kserve_does(store, log, exchanges, batch=3)
        true = rows.y.tolist() if right else (~rows.y).tolist()
        ids = [one.id for one in exchanges]
        given = [true[at : at + 50] for at in range(0, len(true), 50)]
        churn.feedback(ids, given)
        assert labels.add(ids, given, "ada").kept == len(rows)
        time.sleep(2 * DELAY + 2)

    labels.add(["never-asked"], [True], "ada")
    labelled(people(random, 400), right=True)
    first, own = cluster.check(), here.check()
    assert first.metrics == own.metrics
    (accuracy, *_) = first.metrics
    assert (accuracy.name, accuracy.rows) == ("accuracy", 400)
    assert {one.rule: one.exceeded for one in first.findings} == {
        one.rule: one.exceeded for one in own.findings
    }
    assert len(cluster.place.record().labels.rows) == 400
    assert "1 new labels fit no row that was logged" in first.notes

    labelled(people(random, 900), right=False)
    report, own = cluster.check(), here.check()
    assert report.metrics == own.metrics
    assert report.metrics[0].rows == 1000, "the newest"
    assert next(one for one in report.findings if one.rule == "below accuracy").exceeded
