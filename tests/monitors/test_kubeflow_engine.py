"""Monitors on a cluster: made as recurring runs, listed, paused, changed and deleted; and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "runs" / "kubeflow"))

from recurring_runs import RecurringShelf
from replay import serving

import kfnb
from kfnb import settings as config
from kfnb.capture.embedded.profiles import kfnb_profile
from kfnb.commands.display import bundle
from kfnb.entities import RunSnapshot, RunState
from kfnb.errors import BackendError, NotFound, PipelineError, UsageError
from kfnb.pipeline.pipeline import compile_program, from_kfp
from kfnb.pipeline.spec import Compiled
from kfnb.remote.kfp.server import KfpServer
from kfnb.remote.objects import AccessKeys, ObjectAddress, ObjectStore, StoreAccess
from kfnb.resources.monitors import api
from kfnb.resources.monitors.engine import MonitorPlan
from kfnb.resources.monitors.handle import Monitor
from kfnb.resources.monitors.kubeflow.connection import log_of, variables_of
from kfnb.resources.monitors.kubeflow.engine import KubeflowMonitorEngine
from kfnb.resources.monitors.kubeflow.kit import kit_of
from kfnb.resources.monitors.kubeflow.pipeline import MonitorPods, PlaceOfPods
from kfnb.resources.monitors.kubeflow.place import MonitorPlace
from kfnb.resources.monitors.kubeflow.record import MonitorRecord
from kfnb.resources.monitors.kubeflow.steps import kfnb_unpacked
from kfnb.resources.monitors.model import (
    Action,
    Alarm,
    ColumnDrift,
    Finding,
    MonitorSpec,
    MonitorState,
    Report,
    Rule,
    RuleState,
)
from kfnb.resources.monitors.reference import MonitorReference
from kfnb.resources.monitors.transitions import Standing
from kfnb.resources.runs.kubeflow.engine import KubeflowRunEngine
from kfnb.resources.runs.kubeflow.pod_access import options_of_pods
from kfnb.resources.runs.kubeflow.store_session import StoreSession
from kfnb.resources.schedules.kubeflow.engine import KubeflowScheduleEngine
from kfnb.resources.services.kserve.predictor import ServingPlace, predictor_of
from kfnb.resources.services.kserve.request_log import LogFolder
from kfnb.resources.services.model import Target

NOW = 1_800_000_000.0
SPEC = MonitorSpec("churn", "churn", "churn-data@1", (Rule("drift", 0.2),), "kubeflow", created=NOW)
TRAIN = """
from kfp import dsl

@dsl.component(base_image="python")
def fit(rows: int):
    pass

@dsl.pipeline(name="churn-train")
def churn_train({}):
    fit(rows=rows)
"""


@dataclass
class MadeUpCluster:
    """A store of moto's; what else a cluster would know is given."""

    store: ObjectStore
    folder: Path
    logged: bool = True
    version: int = 1
    states: list[RunState] = field(default_factory=list)

    def place(self, name: str) -> tuple[MonitorPlace, PlaceOfPods]:
        path = f"bucket/{self.folder.name}/kfnb-monitors/{name}"
        return MonitorPlace(self.store, path), PlaceOfPods("s3", path)

    def pods(self) -> MonitorPods:
        return MonitorPods(
            "python:3.11-slim", ["numpy"], (), "store-keys", {"accesskey": "AWS_ACCESS_KEY_ID"}
        )

    def log(self, service: str) -> LogFolder:
        if not self.logged:
            raise UsageError(f"service {service} does not log its requests to an object store")
        return LogFolder(f"bucket/log/team-a/{service}")

    def model(self, service: str) -> tuple[Path, str]:
        return self.folder, "reject"

    def served(self, service: str) -> str:
        return f"{service}@{self.version}"

    def retraining(self, compiled: Compiled) -> Mapping[str, Any]:
        return compiled.spec

    def run(self, run_id: str) -> RunSnapshot:
        """A run that goes on until its last state."""
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return RunSnapshot(run_id, "monitor", "kfnb-monitor-churn", "kubeflow", state)


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


@pytest.fixture
def cluster(s3: str, tmp_path: Path) -> MadeUpCluster:
    (tmp_path / "kfnb_model.json").write_text('{"inputs": []}')
    keys = AccessKeys("key", "hunter2")
    return MadeUpCluster(ObjectStore(StoreAccess("s3", s3, "us-east-1", keys=keys)), tmp_path)


@pytest.fixture
def shelf() -> RecurringShelf:
    return RecurringShelf()


@pytest.fixture
def engine(cluster: MadeUpCluster, shelf: RecurringShelf) -> Iterator[KubeflowMonitorEngine]:
    """The engine on a server of recurring runs."""
    with serving(("catalog",)) as replay:
        replay.invented = shelf
        runs = KubeflowRunEngine(KfpServer(replay.url))
        yield KubeflowMonitorEngine(KubeflowScheduleEngine(runs.submitter), cluster.run, cluster)


def plan(spec: MonitorSpec = SPEC, arguments: str = "rows: int = 3") -> MonitorPlan:
    profile = kfnb_profile(pd.DataFrame({"age": range(300)}))
    training = from_kfp(compile_program("churn_train", TRAIN.format(arguments)))
    reference = MonitorReference("churn-data@1", "churn@1", profile, ("age",))
    pipelines = {one.partition(":")[2]: training for one in spec.then if one.startswith("retrain:")}
    return MonitorPlan(spec, reference, pipelines)


def sent(shelf: RecurringShelf) -> dict[str, Any]:
    (found,) = shelf("GET", "/apis/v2beta1/recurringruns", None)[1]["recurringRuns"]
    return dict(found)


def test_a_monitor_is_a_recurring_run_that_catches_up_nothing(
    engine: KubeflowMonitorEngine, shelf: RecurringShelf, cluster: MadeUpCluster
) -> None:
    engine.create(plan(replace(SPEC, then=("alert", "retrain:churn_train"))))
    made = sent(shelf)
    assert made["display_name"] == "kfnb-monitor-churn"
    assert made["trigger"] == {"periodic_schedule": {"interval_second": "600"}}
    assert (made["max_concurrency"], made["no_catchup"], made["mode"]) == (1, True, "ENABLE")
    spec = made["pipeline_spec"]["pipeline_spec"]
    assert set(spec["root"]["dag"]["tasks"]) == {"collect", "check", "condition-1"}
    assert set(spec["components"]["comp-condition-1"]["dag"]["tasks"]) == {"churn-train", "finish"}
    assert all(
        not task["cachingOptions"]
        for task in spec["root"]["dag"]["tasks"].values()
        if "cachingOptions" in task
    )
    executors = made["pipeline_spec"]["platform_spec"]["platforms"]["kubernetes"]["deploymentSpec"][
        "executors"
    ]
    assert {name for name, one in executors.items() if "secretAsEnv" in one} == {
        "exec-collect",
        "exec-check",
        "exec-finish",
    }
    place, _ = cluster.place("churn")
    kit = spec["root"]["dag"]["tasks"]["collect"]["inputs"]["parameters"]["kit"]["runtimeValue"]["constant"]
    assert place.store.size(f"{place.path}/{kit}") < 300_000


def test_no_keys_are_in_what_is_sent_or_kept(
    engine: KubeflowMonitorEngine, shelf: RecurringShelf, cluster: MadeUpCluster
) -> None:
    engine.create(plan())
    place, _ = cluster.place("churn")
    kept = [place.store.read(one.path) for one in place.store.list_all(place.path)]
    assert not any(b"hunter2" in one for one in [json.dumps(sent(shelf)).encode(), *kept])


def test_monitors_are_listed_shown_paused_and_deleted(
    engine: KubeflowMonitorEngine, shelf: RecurringShelf, cluster: MadeUpCluster
) -> None:
    assert engine.list() == []
    engine.create(plan())
    (one,) = engine.list()
    assert (one.name, one.state, one.spec, one.backend) == ("churn", MonitorState.NO_DATA, SPEC, "kubeflow")
    assert "churn" in bundle(Monitor(engine, "churn"))["text/plain"]
    engine.pause("churn")
    assert engine.get("churn").paused
    assert sent(shelf)["mode"] == "DISABLE"
    engine.resume("churn")
    assert not engine.get("churn").paused
    engine.delete("churn")
    assert engine.list() == []
    place, _ = cluster.place("churn")
    assert place.store.list_all(place.path) == []
    with pytest.raises(NotFound, match="unknown monitor churn"):
        engine.get("churn")


def test_recurring_runs_of_others_are_no_monitors(
    engine: KubeflowMonitorEngine, shelf: RecurringShelf
) -> None:
    shelf("POST", "/apis/v2beta1/recurringruns", {"display_name": "nightly"})
    assert engine.list() == []


def test_a_monitor_that_is_made_again_replaces_its_recurring_run_and_keeps_what_it_found(
    engine: KubeflowMonitorEngine, shelf: RecurringShelf, cluster: MadeUpCluster
) -> None:
    engine.create(plan())
    before = sent(shelf)["recurring_run_id"]
    found(cluster)
    engine.create(plan(replace(SPEC, every=1200.0)))
    after = sent(shelf)
    assert after["recurring_run_id"] != before
    assert after["trigger"] == {"periodic_schedule": {"interval_second": "1200"}}
    assert len(engine.get("churn").reports) == 1


def found(cluster: MadeUpCluster) -> Report:
    """What a check would have written: a report with an alarm."""
    finding = Finding("drift", True, 0.7, 0.2, "drift of age")
    column = ColumnDrift("age", 0.7, 0.2, 1.0, (0.0, 0.1), ("10 % missing",))
    report = Report(NOW, NOW + 600, 1000, 20, "churn@1", (column,), findings=(finding,))
    standing = Standing(
        (RuleState("drift", MonitorState.ALARM, NOW + 600, finding),),
        (Alarm(1, "drift", NOW + 600, "drift of age"),),
    )
    action = Action(1, 0, "alert", "done", NOW + 600, NOW + 600, "shown in the monitor")
    place, _ = cluster.place("churn")
    place.add(report)
    place.keep(MonitorRecord(NOW + 600, (), (report,), standing, (action,)))
    return report


def test_what_pods_have_found_is_shown(engine: KubeflowMonitorEngine, cluster: MadeUpCluster) -> None:
    engine.create(plan())
    report = found(cluster)
    now = engine.get("churn")
    assert (now.state, now.since, now.reports) == (MonitorState.ALARM, NOW + 600, (report,))
    assert [one.evidence for one in now.open_alarms] == ["drift of age"]
    assert [one.state for one in now.actions] == ["done"]
    assert engine.reports("churn") == [report]
    assert Monitor(engine, "churn").reports == (report,)
    assert "ALARM" in bundle(Monitor(engine, "churn"))["text/plain"].upper()


def test_a_monitor_of_a_version_that_is_served_no_more_says_so(
    engine: KubeflowMonitorEngine, shelf: RecurringShelf, cluster: MadeUpCluster
) -> None:
    engine.create(plan())
    cluster.version = 2
    assert (
        "churn@2 is served, and what is compared is churn@1: make the monitor again"
        in engine.get("churn").notes
    )


def test_checks_that_fail_are_told(engine: KubeflowMonitorEngine, shelf: RecurringShelf) -> None:
    engine.create(plan())  # the recorded time of creation is long before now
    now = engine.get("churn")
    assert "see the newest runs of kfnb-monitor-churn" in now.error


def test_what_was_found_long_ago_is_not_the_state_of_now(
    engine: KubeflowMonitorEngine, cluster: MadeUpCluster
) -> None:
    engine.create(plan())
    found(cluster)
    place, _ = cluster.place("churn")
    place.keep(replace(place.record(), counted=time.time() - 86400))
    now = engine.get("churn")
    assert (now.state, now.since) == (MonitorState.NO_DATA, None)
    assert now.error.startswith("nothing was checked for 24 h 00 min: see")
    assert now.rules[0].state is not MonitorState.NO_DATA


def test_a_check_by_hand_waits_for_its_run(
    engine: KubeflowMonitorEngine,
    shelf: RecurringShelf,
    cluster: MadeUpCluster,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(type(engine), "pace", replace(engine.pace, shortest=0.01))
    engine.create(plan())
    report = found(cluster)
    cluster.states = [RunState.RUNNING, RunState.SUCCEEDED]
    assert engine.check("churn") == report
    (started,) = shelf.started
    assert started["display_name"].startswith("kfnb-monitor-churn-")
    cluster.states = [RunState.FAILED]
    with pytest.raises(BackendError, match="the check of monitor churn failed, run "):
        engine.check("churn")


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        (Rule("latency", 200.0), "does not say how long requests took"),
    ],
)
def test_rules_without_their_data_are_refused(engine: KubeflowMonitorEngine, rule: Rule, why: str) -> None:
    with pytest.raises(UsageError, match=why) as refused:
        engine.refuse(replace(SPEC, rules=(rule,)))
    assert rule.id in str(refused.value)


@pytest.mark.parametrize(
    "step",
    [
        "canary:1",
        "promote",
        "rollback",
        "compare",
        "call:json:dumps",
        "alert:https://x.example/***",
        "alert:mail",
    ],
)
def test_steps_that_pods_cannot_take_are_refused_by_name(engine: KubeflowMonitorEngine, step: str) -> None:
    with pytest.raises(UsageError, match=f"--then {step.partition(':')[0]}"):
        engine.refuse(replace(SPEC, then=("alert", step)))


def test_what_cannot_be_done_is_refused_before_a_model_is_loaded(
    engine: KubeflowMonitorEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KFNB_HOME", str(tmp_path / "home"))
    config.reset()
    kfnb.add_data("churn-data", pd.DataFrame({"age": range(300)}))
    monkeypatch.setattr(api, "service_of", lambda _: SimpleNamespace(name="churn", backend="kubeflow"))
    monkeypatch.setattr(api, "engine_of", lambda _: engine)
    with pytest.raises(UsageError, match="does not say how long requests took"):
        kfnb.monitor("churn", baseline="churn-data@1", latency=200)
    with pytest.raises(UsageError, match="--then promote"):
        kfnb.monitor("churn", baseline="churn-data@1", then="promote")
    config.reset()


def test_a_second_retraining_is_refused(engine: KubeflowMonitorEngine) -> None:
    with pytest.raises(UsageError, match="retrain:two"):
        engine.refuse(replace(SPEC, then=("retrain:one", "retrain:two")))


def test_a_pipeline_that_needs_arguments_is_refused(
    engine: KubeflowMonitorEngine, shelf: RecurringShelf
) -> None:
    with pytest.raises(PipelineError, match="rows"):
        engine.create(plan(replace(SPEC, then=("retrain:churn_train",)), "rows: int"))
    assert engine.list() == []


def test_a_service_without_a_log_is_refused(engine: KubeflowMonitorEngine, cluster: MadeUpCluster) -> None:
    cluster.logged = False
    with pytest.raises(UsageError, match="does not log its requests"):
        engine.refuse(SPEC)


_ALONE = """
import sys

class NoKfnb:
    def find_spec(self, name, *rest):
        if name.partition(".")[0] == "kfnb":
            raise ImportError(name)

sys.meta_path.insert(0, NoKfnb())
sys.path.insert(0, sys.argv[1])
import importlib, pkgutil
import kfnb_monitor
for one in pkgutil.walk_packages(kfnb_monitor.__path__, "kfnb_monitor."):
    importlib.import_module(one.name)
print(len(list(pkgutil.walk_packages(kfnb_monitor.__path__, "kfnb_monitor."))))
"""


def test_the_program_of_pods_needs_no_kfnb(cluster: MadeUpCluster, tmp_path: Path) -> None:
    _, content = kit_of(plan(), *_known_of(cluster))
    (tmp_path / "kit.zip").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "kit.zip") as archive:
        archive.extractall(tmp_path / "kit")
    words = [sys.executable, "-c", _ALONE, str(tmp_path / "kit")]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 50


def test_pods_do_not_run_a_kit_that_was_changed(
    cluster: MadeUpCluster, s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    monkeypatch.setattr(sys, "path", [*sys.path])
    name, content = kit_of(plan(), *_known_of(cluster))
    place, _ = cluster.place("churn")
    options = options_of_pods(ObjectAddress.parse("s3://bucket"), StoreSession("s3", s3, "us-east-1"))
    of_pods = json.dumps({"service": "s3", "path": place.path, "options": options})
    place.store.write(f"{place.path}/{name}", content)
    assert (Path(kfnb_unpacked(of_pods, name)) / "kit.json").exists()
    place.store.write(f"{place.path}/{name}", content + b" ")
    with pytest.raises(ValueError, match="was changed since the monitor was made"):
        kfnb_unpacked(of_pods, name)


def test_the_same_monitor_has_the_same_kit(cluster: MadeUpCluster) -> None:
    assert kit_of(plan(), *_known_of(cluster)) == kit_of(plan(), *_known_of(cluster))
    changed = replace(SPEC, window=60.0)
    assert kit_of(plan(changed), *_known_of(cluster))[0] != kit_of(plan(), *_known_of(cluster))[0]


def _known_of(cluster: MadeUpCluster) -> tuple[Path, LogFolder, str]:
    folder, on_bad_input = cluster.model("churn")
    return folder, cluster.log("churn"), on_bad_input


# -- what is known of the cluster


LOG = LogFolder("bucket/requests/team-a/churn", labels="bucket/requests/kfnb-labels/team-a/churn")


def logging(**logger: Any) -> dict[str, Any]:
    return {"spec": {"predictor": {"logger": logger}}}


def test_the_log_is_where_kserve_puts_it() -> None:
    item = logging(url="s3://bucket/requests/", mode="all", storage={"parameters": {"format": "json"}})
    assert log_of(item, "team-a/churn", "s3") == LOG


@pytest.mark.parametrize(
    ("item", "why"),
    [
        ({"spec": {"predictor": {}}}, "does not log its requests"),
        (logging(url="http://broker", mode="all"), "does not log its requests"),
        (logging(url="s3://bucket", mode="request", storage={}), "logs requests alone"),
        (logging(url="s3://bucket", storage={"parameters": {"format": "parquet"}}), "another form than JSON"),
        (logging(url="gs://bucket", storage={}), "another store"),
    ],
)
def test_other_logs_are_refused(item: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        log_of(item, "team-a/churn", "s3")


def test_a_service_that_kfnb_makes_logs_where_a_monitor_looks() -> None:
    target = Target(1, "churn", 1, "sha256:0")
    place = ServingPlace("s3://bucket/models/churn", "python", "kfnb-serving", log="s3://bucket/requests")
    predictor = predictor_of("churn", target, place)
    assert predictor["logger"]["storage"]["serviceAccountName"] == "kfnb-serving"
    item = {"spec": {"predictor": predictor}}
    assert log_of(item, "team-a/churn", "s3") == LOG
    assert "logger" not in predictor_of("churn", target, replace(place, log=""))


def test_pods_reach_the_store_at_its_own_address_with_the_keys_of_its_secret() -> None:
    inside = StoreSession("minio", "seaweedfs.kubeflow:9000", secure=False, secret="keys")
    assert options_of_pods(ObjectAddress.parse("minio://mlpipeline/v2"), inside) == {
        "virtual_hosted_style_request": False,
        "endpoint": "http://seaweedfs.kubeflow:9000",
        "client_options": {"allow_http": True},
    }
    assert variables_of(inside) == {"accesskey": "AWS_ACCESS_KEY_ID", "secretkey": "AWS_SECRET_ACCESS_KEY"}
    assert variables_of(StoreSession("s3")) == {}
    google = StoreSession("gs", secret="google", token_key="token")
    assert variables_of(google) == {"token": "GOOGLE_SERVICE_ACCOUNT_KEY"}
