"""The engine of services on a cluster: a simulated KServe in each of its modes passes the suite of every engine."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from object_server import ObjectServer, serving
from service_conformance import ALICE, BOB, ServiceConformance, Versions, settled, shares, target, until
from simulated_kserve import KINDS, KServe, denied

from kfnb.entities.log_policy import LogPolicy
from kfnb.errors import BackendError, Conflict, ServiceFailed, UsageError
from kfnb.remote.kubernetes.client import Kubernetes
from kfnb.resources.runs.kubeflow.storage import Storage
from kfnb.resources.services.engine import ServiceSpec
from kfnb.resources.services.kserve import graph_split, logs, snapshot
from kfnb.resources.services.kserve.account import ACCOUNT, SECRET, StoreAccount
from kfnb.resources.services.kserve.addresses import Entrance, ServiceAddresses
from kfnb.resources.services.kserve.connection import StoredPlaces
from kfnb.resources.services.kserve.engine import KServeEngine
from kfnb.resources.services.kserve.failure_report import FailureReports
from kfnb.resources.services.kserve.mode import KServeSettings
from kfnb.resources.services.kserve.observation import Observation
from kfnb.resources.services.kserve.resources import ServingResources
from kfnb.resources.services.latency import percentile
from kfnb.resources.services.model import RevisionState, ServiceSnapshot, ServiceState
from kfnb.resources.services.protocols import V2
from kfnb.resources.services.requests import RequestWindow
from kfnb.server.counters import Statistics

NAMESPACE = "team-a"
KEYS = {"accesskey": "bWluaW8=", "secretkey": base64.b64encode(b"very secret").decode()}


@dataclass
class Folders:
    """An object store of folders."""

    folder: Path
    served: dict[str, Path] = field(default_factory=dict)
    uploads: list[str] = field(default_factory=list)

    def upload(self, folder: Path, digest: str) -> str:
        uri = f"mlpipeline/v2/artifacts/kfnb-models/sha256/{digest[:2]}/{digest[2:]}"
        kept = self.folder / digest
        if not kept.exists():
            shutil.copytree(folder, kept)
            self.uploads.append(uri)
        self.served[f"s3://{uri}"] = kept
        return f"minio://{uri}"


@dataclass
class Cluster:
    """A simulated cluster, and an engine that uses it."""

    objects: ObjectServer
    kserve: KServe
    kubernetes: Kubernetes
    engine: KServeEngine
    folders: Folders

    def service(self, name: str = "churn") -> dict[str, Any]:
        return self.objects.objects["inferenceservices", name]


def configuration(url: str) -> Any:
    from kubernetes.client import Configuration

    found = Configuration()
    found.host = url
    return found


def clusters(
    tmp_path: Path, mode: str, *, weighs: bool = False, entrance: Entrance | None = None
) -> Iterator[Cluster]:
    objects = ObjectServer(set(KINDS))
    folders = Folders(tmp_path / "store")
    objects.put("secrets", {"metadata": {"name": "mlpipeline-minio-artifact"}, "data": dict(KEYS)})
    with serving(objects) as url:
        kubernetes = Kubernetes(lambda: configuration(url))
        kserve = KServe(objects, folders.served, mode, weighs=weighs)
        account = StoreAccount(kubernetes, Storage(NAMESPACE, kubernetes))
        version = (0, 21) if weighs else (0, 20)
        engine = KServeEngine(
            ServingResources(kubernetes, NAMESPACE),
            StoredPlaces(folders, account),
            ServiceAddresses(kubernetes, NAMESPACE, entrance or Entrance(within=False)),
            lambda: KServeSettings(gateway_api=weighs, version=version),
        )
        yield Cluster(objects, kserve, kubernetes, engine, folders)
        engine.close()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A canary that gets no requests any more ends at once."""
    monkeypatch.setattr(graph_split, "_DRAIN", 0.0)


class _Modes(ServiceConformance):
    mode, weighs = "", False

    @pytest.fixture
    def cluster(self, tmp_path: Path) -> Iterator[Cluster]:
        """A cluster in this mode."""
        yield from clusters(tmp_path, self.mode, weighs=self.weighs)

    @pytest.fixture
    def engine(self, cluster: Cluster) -> KServeEngine:
        """Its engine."""
        return cluster.engine


class TestKnative(_Modes):
    """Knative's revisions, by ``canaryTrafficPercent``."""

    mode = "Serverless"


class TestStandard(_Modes):
    """Kubernetes' deployments, where a graph splits the requests."""

    mode, one_address = "RawDeployment", False


class TestStandardWithRoutes(_Modes):
    """Kubernetes' deployments, where routes have weights."""

    mode, weighs = "RawDeployment", True


@pytest.fixture
def knative(tmp_path: Path) -> Iterator[Cluster]:
    yield from clusters(tmp_path, "Serverless")


@pytest.fixture
def standard(tmp_path: Path) -> Iterator[Cluster]:
    yield from clusters(tmp_path, "RawDeployment")


@pytest.fixture
def routes(tmp_path: Path) -> Iterator[Cluster]:
    yield from clusters(tmp_path, "RawDeployment", weighs=True)


def served(cluster: Cluster, version: Versions, **behaviour: object) -> Any:
    """A service of a version that behaves so."""
    one = version(**behaviour)
    cluster.engine.create(ServiceSpec("churn", ALICE.first([target(one)]), owner="alice"))
    now = settled(cluster.engine, "churn")
    assert now.state is ServiceState.READY, now
    return now


def container(cluster: Cluster) -> dict[str, Any]:
    [found] = cluster.service()["spec"]["predictor"]["containers"]
    return dict(found)


class TestWhatIsWritten:
    """The InferenceService, and what its pods need."""

    def test_a_container_runs_the_program_of_the_deployment_folder(
        self, knative: Cluster, version: Versions
    ) -> None:
        served(knative, version)
        found = container(knative)
        variables = {one["name"]: one["value"] for one in found["env"]}
        [uri] = knative.folders.uploads
        assert variables["STORAGE_URI"] == f"s3://{uri}"  # KServe does not know minio://
        assert found["command"][:2] == ["sh", "-c"]
        install, check, serve = found["command"][2].split(" && ")
        assert install.endswith("-r /mnt/models/requirements.txt")
        assert check == "python /mnt/models/serve.py check"
        assert serve == (
            "exec python /mnt/models/serve.py --host 0.0.0.0 --name churn --version 1 --on-bad-input reject"
        )
        assert found["image"].startswith("python:3.")
        [folder] = knative.folders.served.values()
        assert (folder / "serve.py").is_file()

    def test_words_of_a_user_are_words_of_the_shell(self, knative: Cluster, version: Versions) -> None:
        one = target(version(), pickle=True, trust=("a.B; rm -rf /",), unchecked=True, image="team/serve:2")
        knative.engine.create(ServiceSpec("churn", ALICE.first([one])))
        found = container(knative)
        assert found["image"] == "team/serve:2"
        assert " check " not in found["command"][2]
        assert found["command"][2].endswith("--pickle --trust 'a.B; rm -rf /'")

    def test_a_pod_gets_what_is_asked_for_and_a_canary_as_much(
        self, standard: Cluster, version: Versions
    ) -> None:
        one = target(version(), cpu="2", memory="4Gi")
        standard.engine.create(ServiceSpec("churn", ALICE.first([one])))
        given = {"cpu": "2", "memory": "4Gi"}
        assert container(standard)["resources"] == {"requests": given, "limits": given}
        two = target(version(), format="lightgbm", runtime="lightgbm", memory="1Gi")
        standard.engine.create(ServiceSpec("prices", ALICE.first([two])))
        model = standard.service("prices")["spec"]["predictor"]["model"]
        assert model["resources"] == {"requests": {"memory": "1Gi"}, "limits": {"memory": "1Gi"}}

    def test_a_folder_that_is_there_already_is_not_stored_and_must_be_that_of_the_version(
        self, standard: Cluster, version: Versions
    ) -> None:
        registered = version()
        one = target(registered, storage="pvc://models/churn-1")
        standard.engine.create(ServiceSpec("churn", ALICE.first([one])))
        found = container(standard)
        assert standard.folders.uploads == []
        assert ("secrets", SECRET) not in standard.objects.objects
        assert {"name": "STORAGE_URI", "value": "pvc://models/churn-1"} in found["env"]
        check, *rest = found["command"][2].split(" && ")
        assert len(rest) == 3
        facts = (registered.path() / "kfnb_model.json").read_bytes()
        assert check == f"echo '{sha256(facts).hexdigest()}  /mnt/models/kfnb_model.json' | sha256sum -c"

    def test_the_folder_of_an_image_is_waited_for(self, standard: Cluster, version: Versions) -> None:
        one = target(version(), storage="oci://registry.example.com/churn:1", unchecked=True)
        standard.engine.create(ServiceSpec("churn", ALICE.first([one])))
        waits, _, install, serve = container(standard)["command"][2].split(" && ")
        assert waits == "until [ -e /mnt/models/requirements.txt ]; do sleep 1; done"
        assert "pip install" in install
        assert serve.startswith("exec python /mnt/models/serve.py")

    def test_its_account_has_the_keys_of_the_namespaces_store(
        self, knative: Cluster, version: Versions, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("DEBUG")
        served(knative, version)
        secret = knative.objects.objects["secrets", SECRET]
        told = secret["metadata"]["annotations"]
        assert told["serving.kserve.io/s3-endpoint"] == "minio-service.kubeflow:9000"
        assert told["serving.kserve.io/s3-usehttps"] == "0"
        assert secret["data"]["AWS_ACCESS_KEY_ID"] == secret["data"]["awsAccessKeyID"] == KEYS["accesskey"]
        assert secret["data"]["AWS_SECRET_ACCESS_KEY"] == KEYS["secretkey"]
        assert knative.objects.objects["serviceaccounts", ACCOUNT]["secrets"] == [{"name": SECRET}]
        assert knative.service()["spec"]["predictor"]["serviceAccountName"] == ACCOUNT
        assert KEYS["secretkey"] not in caplog.text
        assert "very secret" not in caplog.text
        shown = json.dumps([knative.service(), knative.objects.of("configmaps")])
        assert KEYS["secretkey"] not in shown

    def test_other_keys_replace_those_before_and_the_same_are_not_written_again(
        self, knative: Cluster, version: Versions
    ) -> None:
        wanted = served(knative, version).desired
        before = knative.objects.objects["secrets", SECRET]["metadata"]["resourceVersion"]
        knative.engine.change("churn", ALICE.serve(wanted, target(version())))
        assert knative.objects.objects["secrets", SECRET]["metadata"]["resourceVersion"] == before

        knative.objects.objects["secrets", "mlpipeline-minio-artifact"]["data"]["secretkey"] = "bmV3"
        wanted = knative.engine.get("churn").desired
        knative.engine.change("churn", ALICE.serve(wanted, target(version())))
        assert knative.objects.objects["secrets", SECRET]["data"]["AWS_SECRET_ACCESS_KEY"] == "bmV3"

    def test_who_may_not_write_the_secret_is_told_of_the_setting(
        self, knative: Cluster, version: Versions
    ) -> None:
        knative.objects.refused = {"create secrets"}
        with pytest.raises(BackendError, match="may not create secrets") as caught:
            knative.engine.create(ServiceSpec("churn", ALICE.first([target(version())])))
        assert "serving_account=NAME" in str(caught.value)
        assert ("inferenceservices", "churn") not in knative.objects.objects

    def test_a_version_of_kubeflows_registry_has_its_labels(
        self, knative: Cluster, version: Versions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        labels = {"modelregistry/registered-model-id": "3", "modelregistry/model-version-id": "8"}
        monkeypatch.setattr(knative.engine._places, "labels", lambda target: labels)
        served(knative, version)
        assert labels.items() <= knative.service()["metadata"]["labels"].items()

    def test_the_history_is_no_annotation_since_those_would_start_new_pods(
        self, knative: Cluster, version: Versions
    ) -> None:
        served(knative, version)
        assert not knative.service()["metadata"].get("annotations")
        config = knative.objects.objects["configmaps", "kfnb-service-churn"]
        assert config["metadata"]["ownerReferences"][0]["uid"] == knative.service()["metadata"]["uid"]
        assert json.loads(config["data"]["service.json"])["history"][0]["by"] == "alice"

    def test_a_runtime_of_kserves_gets_the_model_alone_and_what_is_lost_is_said(
        self, standard: Cluster, version: Versions
    ) -> None:
        one = target(version(), format="lightgbm", runtime="lightgbm")
        standard.engine.create(ServiceSpec("churn", ALICE.first([one])))
        model = standard.service()["spec"]["predictor"]["model"]
        assert model["modelFormat"] == {"name": "lightgbm"}
        assert [file.name for file in standard.folders.served[model["storageUri"]].iterdir()] == ["model.bst"]
        other = ALICE.first([target(version(), format="lightgbm", runtime="xgboost")])
        with pytest.raises(UsageError, match="xgboost cannot serve churn@2, which is lightgbm; it reads"):
            standard.engine.create(ServiceSpec("prices", other))

    def test_what_kserve_cannot_do_is_refused_with_all_reasons(
        self, knative: Cluster, version: Versions
    ) -> None:
        one, two = version(), version()
        wanted = BOB.shadow(ALICE.first([target(one)], sticky="user"), target(two))
        with pytest.raises(UsageError, match=r"copies.*--shadow.*--sticky.*--port"):
            knative.engine.create(ServiceSpec("churn", replace(wanted, generation=1), port=8080))
        assert not knative.objects.of("inferenceservices")

    def test_requests_are_not_kept_on_a_cluster(self, knative: Cluster, version: Versions) -> None:
        kept = ALICE.first([target(version(), log=LogPolicy(drop=["email"]))])
        with pytest.raises(UsageError, match=r"no requests are kept on a cluster \(log"):
            knative.engine.create(ServiceSpec("churn", kept))
        with pytest.raises(
            UsageError, match="service churn does not keep its requests: requests are kept for"
        ):
            knative.engine.requests("churn", RequestWindow())
        with pytest.raises(
            UsageError, match="service churn does not remember its answers: requests are kept"
        ):
            knative.engine.feedback("churn", ["a"], [1], "alice")


class TestCounters:
    """What is known of requests on a cluster: what the pods have counted themselves."""

    @staticmethod
    def counted(*statuses: int, verb: str = "predict") -> Statistics:
        found = Statistics()
        for status in statuses:
            found.count(verb, status, 0.003)
        return found

    def test_what_the_pods_of_a_version_have_counted_is_added(
        self, standard: Cluster, version: Versions
    ) -> None:
        served(standard, version)
        (pod,) = standard.objects.of("pods")
        twin = {**pod, "metadata": {**pod["metadata"], "name": "twin", "uid": "another"}}
        one, two = self.counted(200, 200, 422), self.counted(200, verb="explain")
        one.bad_inputs["missing column", "income"] += 1
        two.bad_inputs["missing column", "income"] += 2
        one.count_failure("c0ffee", 422, "bad-input", "missing column")
        two.count("other", 404, 0.1)  # nobody asked the model
        standard.objects.stats = {pod["metadata"]["name"]: one.as_json(), "twin": two.as_json()}
        standard.objects.put("pods", twin)
        now = standard.engine.get("churn")
        counters = now.revisions[0].counters
        assert (counters.requests, counters.errors) == (4, {"422": 1})
        assert counters.bad_inputs == {"missing column": {"income": 3}}
        assert [failure.id for failure in counters.failures] == ["c0ffee"]
        assert 2 < (percentile(counters.latency, 95) or 0) <= 5, "milliseconds"
        assert any("requests are counted by the pods" in note for note in now.notes)

    @pytest.mark.parametrize(
        ("stats", "refused", "words"),
        [
            ({}, {"get pods/proxy"}, "may not get pods/proxy"),
            ({"requests": 7}, set(), "answer in an unknown format"),
            ({"requests": {"predict": {"x": 1}}, "bad_inputs": {}}, set(), "answer in an unknown format"),
        ],
    )
    def test_what_is_not_known_is_told_and_harms_nothing(
        self,
        standard: Cluster,
        version: Versions,
        stats: dict[str, Any],
        refused: set[str],
        words: str,
    ) -> None:
        served(standard, version)
        (pod,) = standard.objects.of("pods")
        standard.objects.stats, standard.objects.refused = {pod["metadata"]["name"]: stats}, refused
        standard.engine._counters._unknown.clear()
        now = standard.engine.get("churn")
        assert now.state is ServiceState.READY
        assert now.revisions[0].counters.requests == 0
        assert words in " ".join(now.notes)

    def test_a_pod_that_may_not_be_asked_is_not_asked_each_time(
        self, standard: Cluster, version: Versions
    ) -> None:
        standard.objects.refused = {"get pods/proxy"}
        served(standard, version)
        for _ in range(5):
            standard.engine.get("churn")
        assert sum("/proxy/" in one for one in standard.objects.requests) == 1


class TestSplits:
    """Who gets requests, whatever happens."""

    def test_a_first_revision_has_no_canary_until_it_is_rolled_out(
        self, knative: Cluster, version: Versions
    ) -> None:
        one, two = version(), version()
        wanted = ALICE.canary(ALICE.first([target(one)]), target(two), 10)
        knative.engine.create(ServiceSpec("churn", replace(wanted, generation=1)))
        assert "canaryTrafficPercent" not in knative.service()["spec"]["predictor"]
        assert knative.service()["spec"]["predictor"]["labels"] == {"kfnb/revision": "1"}
        assert shares(settled(knative.engine, "churn")) == {one.ref: 90, two.ref: 10}

    def test_a_canary_that_was_taken_back_gets_no_request_any_more(
        self, knative: Cluster, version: Versions
    ) -> None:
        one, two, three = version(), version(), version(load="fails")
        wanted = ALICE.first([target(one)])
        knative.engine.create(ServiceSpec("churn", wanted))
        wanted = settled(knative.engine, "churn").desired
        knative.engine.change("churn", BOB.canary(wanted, target(two), 10))
        wanted = settled(knative.engine, "churn").desired

        knative.engine.change("churn", BOB.serve(wanted, target(three)))  # which never becomes ready

        def gone_wrong(now: ServiceSnapshot) -> bool:
            assert {each.ref for each in now.revisions if each.share} <= {one.ref}
            return now.state is ServiceState.DEGRADED

        until(knative.engine, "churn", gone_wrong)

    def test_start_gives_the_default_its_requests_before_the_canary(
        self, knative: Cluster, version: Versions
    ) -> None:
        wanted = served(knative, version).desired
        knative.engine.change("churn", BOB.canary(wanted, target(version()), 10))
        settled(knative.engine, "churn")
        knative.engine.stop("churn")
        until(knative.engine, "churn", lambda now: now.state is ServiceState.STOPPED)
        knative.engine.start("churn")
        predictor = knative.service()["spec"]["predictor"]
        assert predictor["labels"] == {"kfnb/revision": "1"}
        assert "canaryTrafficPercent" not in predictor
        assert sorted(shares(settled(knative.engine, "churn")).values()) == [10, 90]

    @pytest.mark.parametrize("mode", ["knative", "routes"])
    def test_a_split_that_is_not_real_is_an_error(
        self, mode: str, version: Versions, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cluster: Cluster = request.getfixturevalue(mode)
        wanted = served(cluster, version).desired
        cluster.kserve.lost_split, cluster.kserve.weighs = True, False
        monkeypatch.setattr(snapshot, "_TIMEOUT", 0.0)
        cluster.engine.change("churn", BOB.canary(wanted, target(version()), 10))
        now = until(cluster.engine, "churn", lambda now: now.state is ServiceState.DEGRADED)
        assert (
            "the split is not real: asked for churn@1 90 %, churn@2 10 %, and the cluster gives" in now.error
        )
        assert now.failures

    def test_a_graph_splits_where_the_cluster_does_not_and_says_whom_it_reaches(
        self, standard: Cluster, version: Versions
    ) -> None:
        wanted = served(standard, version).desired
        assert not standard.objects.of("inferencegraphs")
        standard.engine.change("churn", BOB.canary(wanted, target(version()), 10))
        now = settled(standard.engine, "churn")
        [graph] = standard.objects.of("inferencegraphs")
        steps = graph["spec"]["nodes"]["root"]["steps"]
        assert [(one["name"], one["weight"]) for one in steps] == [("churn", 90), ("churn-canary", 10)]
        assert steps[1]["serviceUrl"].endswith(
            "churn-canary-predictor.team-a.svc.cluster.local/v1/models/churn:predict"
        )
        assert now.url == "http://churn-split-team-a.example.com"
        assert any("reach the default alone" in note for note in now.notes)
        assert [one.name for one in standard.engine.list()] == ["churn"]

    def test_a_graph_whose_pod_does_not_start_is_not_what_callers_are_sent_to(
        self, standard: Cluster, version: Versions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = served(standard, version)
        address = now.url
        standard.kserve.routers_start = False
        standard.engine.change("churn", BOB.canary(now.desired, target(version()), 10))
        now = until(standard.engine, "churn", lambda now: any("InferenceGraph" in note for note in now.notes))
        [graph] = standard.objects.of("inferencegraphs")
        assert graph["status"]["conditions"] == [{"type": "Ready", "status": "True"}]  # as KServe has it
        assert now.notes[0] == "InferenceGraph churn-split does not answer: its pod starts"
        assert (now.url, now.state, now.settled) == (address, ServiceState.READY, False)
        assert [(one.ref, one.share) for one in now.revisions] == [("churn@1", 100), ("churn@2", 0)]
        monkeypatch.setattr(snapshot, "_TIMEOUT", 0.0)
        now = standard.engine.get("churn")
        assert now.state is ServiceState.DEGRADED
        assert "the split is not real" in now.error

    def test_while_the_pods_of_a_graph_are_replaced_the_shares_are_those_of_both(
        self, standard: Cluster, version: Versions
    ) -> None:
        wanted = served(standard, version).desired
        standard.engine.change("churn", BOB.canary(wanted, target(version()), 10))
        now = settled(standard.engine, "churn")
        [router] = [
            one for one in standard.objects.of("pods") if one["metadata"]["name"].startswith("churn-split")
        ]
        standard.kserve.routers_start = False
        standard.engine.change("churn", BOB.rollback(now.desired))
        now = standard.engine.get("churn")
        assert [(one.ref, one.share) for one in now.revisions] == [("churn@1", 90)]
        assert not now.settled
        assert ("inferenceservices", "churn-canary") in standard.objects.objects  # requests still go there
        standard.kserve.routers_start = True
        assert shares(settled(standard.engine, "churn")) == {"churn@1": 100}
        assert router["metadata"]["name"] not in {
            one["metadata"]["name"] for one in standard.objects.of("pods")
        }

    def test_a_promoted_canary_serves_until_the_service_is_the_same_version(
        self, standard: Cluster, version: Versions
    ) -> None:
        wanted = served(standard, version).desired
        two = version()
        standard.engine.change("churn", BOB.canary(wanted, target(two), 10))
        now = settled(standard.engine, "churn")
        standard.engine.change("churn", BOB.promote(now.desired))
        weights = standard.objects.of("inferencegraphs")[0]["spec"]["nodes"]["root"]["steps"]
        assert [(one["name"], one["weight"]) for one in weights] == [("churn-canary", 100)]
        now = until(standard.engine, "churn", lambda now: len(standard.objects.of("inferenceservices")) == 1)
        assert shares(settled(standard.engine, "churn")) == {two.ref: 100}

    @pytest.mark.parametrize("move", ["promote", "rollback"])
    def test_on_routes_a_version_is_ended_after_requests_have_left_it(
        self, move: str, routes: Cluster, version: Versions
    ) -> None:
        wanted = served(routes, version).desired
        routes.engine.change("churn", BOB.canary(wanted, target(version()), 10))
        now = settled(routes.engine, "churn")
        seen: list[tuple[dict[str, int], set[str]]] = []
        act = routes.objects.before

        def look() -> None:
            """What is routed to, and what runs, whenever something is asked."""
            act()
            route = routes.objects.objects.get(("httproutes", "churn"))
            if route is not None:
                [rule] = route["spec"]["rules"]
                weights = {one["name"]: one["weight"] for one in rule["backendRefs"]}
                seen.append(
                    (weights, {one["metadata"]["labels"]["app"] for one in routes.objects.of("pods")})
                )

        routes.objects.before = look
        routes.engine.change("churn", getattr(BOB, move)(now.desired))
        settled(routes.engine, "churn")
        left = "churn-predictor" if move == "promote" else "churn-r2-predictor"
        assert {weights[left] for weights, _ in seen} >= {0}
        assert all(left in apps for weights, apps in seen if weights.get(left))

    def test_on_routes_a_promotion_starts_nothing_anew(self, routes: Cluster, version: Versions) -> None:
        wanted = served(routes, version).desired
        routes.engine.change("churn", BOB.canary(wanted, target(version()), 10))
        now = settled(routes.engine, "churn")
        names = {one["metadata"]["name"] for one in routes.objects.of("pods")}
        routes.engine.change("churn", BOB.promote(now.desired))
        settled(routes.engine, "churn")
        assert {one["metadata"]["name"] for one in routes.objects.of("pods")} < names
        assert routes.service()["spec"]["predictor"]["name"] == "r2"


class TestRefusals:
    """What KServe's webhooks say is told in their own words."""

    def test_a_refusal_of_a_webhook_is_no_missing_right(self, standard: Cluster, version: Versions) -> None:
        wanted = served(standard, version).desired

        def refuse(kind: str, body: dict[str, Any]) -> None:
            raise denied("the sum of traffic weights for all routing targets should be 100")

        standard.objects.webhook = refuse
        with pytest.raises(BackendError, match="sum of traffic weights") as caught:
            standard.engine.change("churn", BOB.canary(wanted, target(version()), 10))
        assert "may not" not in str(caught.value)
        assert standard.engine.get("churn").desired.generation == 1


class TestTrouble:
    """What is said when something is wrong."""

    def test_the_report_names_the_cause_the_lines_and_the_fix(
        self, standard: Cluster, version: Versions
    ) -> None:
        one = version()
        standard.engine.create(ServiceSpec("churn", ALICE.first([target(one)])))
        standard.folders.served.clear()
        [text] = settled(standard.engine, "churn").failures
        first, *further = text.splitlines()
        assert first == (
            "churn@1 cannot be served: the model's folder is not in the object store, or not in the one "
            "that KServe asks"
        )
        assert any(line.startswith("  storage-initializer: ValueError: NoSuchKey") for line in further)
        assert further[-1].startswith("  fix: serve the version again")

    def test_a_pod_of_another_service_that_cannot_be_created_says_nothing_of_this_one(
        self, standard: Cluster, version: Versions
    ) -> None:
        event = {
            "metadata": {"name": "e1"},
            "involvedObject": {"kind": "ReplicaSet", "name": "churn-2-predictor-5c9"},
            "type": "Warning",
            "reason": "FailedCreate",
            "message": 'pods "churn-2-predictor-5c9-x" is forbidden: exceeded quota: team',
        }
        standard.objects.put("events", event)
        reports = FailureReports(standard.kubernetes, NAMESPACE)
        service = {"metadata": {"name": "churn"}}
        assert not reports.of("churn", "churn@1", 1, Observation(service), newest=True).failed
        other = Observation({"metadata": {"name": "churn-2"}})
        assert reports.of("churn-2", "churn@1", 1, other, newest=True).failed

    def test_a_quota_that_is_used_up_is_the_reason_of_a_version_without_pods(
        self, standard: Cluster, version: Versions
    ) -> None:
        standard.kserve.quota = (
            'pods "churn-predictor-5c9-x" is forbidden: exceeded quota: team, requested: cpu=1, used: cpu=8, '
            "limited: cpu=8"
        )
        standard.engine.create(ServiceSpec("churn", ALICE.first([target(version())])))
        [text] = settled(standard.engine, "churn").failures
        assert "churn@1 cannot be served: quota team of the namespace is used up" in text
        assert text.splitlines()[-1] == "  fix: stop what you do not need, or request less"

    def test_a_pod_that_waits_for_a_node_is_no_failure_and_says_for_what(
        self, standard: Cluster, version: Versions
    ) -> None:
        standard.engine.create(ServiceSpec("churn", ALICE.first([target(version(load="waits"))])))
        now = until(standard.engine, "churn", lambda now: bool(now.notes))
        assert now.state is ServiceState.PENDING
        assert now.notes == ("churn@1: cannot be scheduled: 0/3 nodes are available: 3 Insufficient cpu",)

    def test_of_several_pods_one_that_answers_is_enough(self, standard: Cluster, version: Versions) -> None:
        served(standard, version)
        [pod] = standard.objects.of("pods")
        other = {
            **pod,
            "metadata": {**pod["metadata"], "name": "churn-9", "creationTimestamp": "2099-01-01T00:00:00Z"},
        }
        crashed = {
            "name": "kserve-container",
            "restartCount": 1,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        }
        standard.objects.put(
            "pods", {**other, "status": {"phase": "Running", "containerStatuses": [crashed]}}
        )
        assert standard.engine.get("churn").state is ServiceState.READY

    def test_a_version_that_kserve_calls_ready_is_told_failed(
        self, standard: Cluster, version: Versions
    ) -> None:
        wanted = served(standard, version).desired
        standard.engine.change("churn", BOB.serve(wanted, target(version(load="fails"))))
        now = until(standard.engine, "churn", lambda now: now.state is ServiceState.DEGRADED)
        conditions = {one["type"]: one["status"] for one in standard.service()["status"]["conditions"]}
        assert conditions["Ready"] == "True"
        assert now.revisions[0].state is RevisionState.FAILED
        assert "another version of its library" in now.revisions[0].error

    def test_a_change_that_the_cluster_refuses_is_not_wanted_any_more(
        self, standard: Cluster, version: Versions
    ) -> None:
        wanted = served(standard, version).desired
        standard.objects.refused = {"update inferenceservices"}
        with pytest.raises(BackendError, match="may not update inferenceservices"):
            standard.engine.change("churn", BOB.serve(wanted, target(version())))
        now = standard.engine.get("churn")
        assert (now.desired.generation, now.state) == (1, ServiceState.READY)

    def test_who_may_only_look_is_told_what_is_left_to_do(self, standard: Cluster, version: Versions) -> None:
        wanted = served(standard, version).desired
        standard.engine.change("churn", BOB.canary(wanted, target(version()), 10))
        standard.objects.refused = {"create inferencegraphs"}
        now = until(standard.engine, "churn", lambda now: any("brought" in note for note in now.notes))
        assert "may not create inferencegraphs" in " ".join(now.notes)
        assert shares(now)["churn@1"] == 100

    def test_the_second_of_two_is_told_of_the_first_also_where_both_read_the_same(
        self, knative: Cluster, version: Versions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        wanted, two = served(knative, version).desired, version()
        seen, record = knative.engine._known("churn")
        knative.engine.change("churn", ALICE.canary(wanted, target(two), 5))
        known: Callable[[str], Any] = knative.engine._known
        stale = [(seen, record)]
        monkeypatch.setattr(knative.engine, "_known", lambda name: stale.pop() if stale else known(name))
        with pytest.raises(Conflict, match="alice changed service churn"):
            knative.engine.change("churn", BOB.canary(wanted, target(two), 50))

    def test_what_others_made_is_shown_and_not_changed(self, standard: Cluster, version: Versions) -> None:
        predictor = {
            "model": {"modelFormat": {"name": "sklearn"}, "storageUri": "s3://models/iris"},
            "labels": {"kfnb/revision": ""},
        }
        standard.objects.put(
            "inferenceservices", {"metadata": {"name": "iris"}, "spec": {"predictor": predictor}}
        )
        standard.folders.served["s3://models/iris"] = Path(standard.folders.folder)
        standard.folders.folder.mkdir()
        (standard.folders.folder / "behaviour.json").write_text("{}")
        now = until(standard.engine, "iris", lambda now: now.state is ServiceState.READY)
        assert [one.target.format for one in now.revisions] == ["sklearn"]
        assert "not made by kfnb" in now.notes[0]
        assert [one.name for one in standard.engine.list()] == ["iris"]
        wanted = BOB.serve(now.desired, target(version()))
        with pytest.raises(BackendError, match="InferenceService iris was not made by kfnb"):
            standard.engine.change("iris", wanted)
        with pytest.raises(Conflict, match="exists already"):
            standard.engine.create(ServiceSpec("iris", ALICE.first([target(version())])))

    def test_a_name_of_which_kserve_makes_no_host_fails_at_once(
        self, standard: Cluster, version: Versions
    ) -> None:
        name = "c" * 50
        standard.engine.create(ServiceSpec(name, ALICE.first([target(version())])))
        [text] = settled(standard.engine, name).failures
        first, *further = text.splitlines()
        assert first.startswith("churn@1 cannot be served: the name is too long for KServe")
        assert further[0].startswith("  KServe: ReconcileFailed: fails to create NewRawKubeReconciler")
        assert further[-1] == "  fix: serve the model by a shorter name: --name NAME"

    def test_a_kserve_that_cannot_stop_says_so_and_is_not_asked_to(
        self, standard: Cluster, version: Versions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        served(standard, version)
        monkeypatch.setattr(standard.engine, "_settings", lambda: KServeSettings(version=(0, 15)))
        with pytest.raises(
            BackendError, match=r"KServe 0.15 does not stop services in Standard mode; delete"
        ):
            standard.engine.stop("churn")
        assert standard.engine.get("churn").state is ServiceState.READY

    def test_a_cluster_without_kserve_is_told_in_one_line(self, standard: Cluster) -> None:
        standard.objects.kinds -= {"inferenceservices"}
        with pytest.raises(BackendError, match="KServe is not installed in this cluster") as caught:
            standard.engine.list()
        assert "\n" not in str(caught.value)
        assert "--backend local" in str(caught.value)

    def test_a_damaged_record_says_what_to_do(self, standard: Cluster, version: Versions) -> None:
        served(standard, version)
        standard.objects.objects["configmaps", "kfnb-service-churn"]["data"] = {"service.json": "{"}
        with pytest.raises(BackendError, match="kfnb-service-churn is damaged"):
            standard.engine.get("churn")
        standard.engine.delete("churn")
        assert standard.engine.list() == []


class TestAsking:
    """Logs and addresses."""

    def test_logs_are_those_of_each_version(self, standard: Cluster, version: Versions) -> None:
        wanted = served(standard, version).desired
        standard.engine.change("churn", BOB.canary(wanted, target(version()), 10))
        settled(standard.engine, "churn")
        found = list(standard.engine.logs("churn", 2))
        assert {line.task for line in found} == {"churn@2"}
        assert "listening" in found[0].text
        assert {line.task for line in standard.engine.logs("churn")} == {"churn@1", "churn@2"}
        with pytest.raises(UsageError, match="has no revision 9"):
            list(standard.engine.logs("churn", 9))

    def test_a_followed_log_has_each_line_once_and_ends_with_the_service(
        self, standard: Cluster, version: Versions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        served(standard, version)
        monkeypatch.setattr(logs, "_POLL", 0.01)
        [pod] = standard.objects.of("pods")
        lines = standard.engine.logs("churn", follow=True)
        written = standard.objects.logs[pod["metadata"]["name"], "kserve-container"]
        assert "listening" in next(lines).text
        written.append("a request")
        assert next(lines).text == "a request"
        written.append("the last")
        standard.engine.stop("churn")
        assert list(lines) == []  # its pods are gone
        standard.engine.delete("churn")

    def test_within_the_cluster_the_split_is_asked_at_its_own_address(
        self, tmp_path: Path, version: Versions
    ) -> None:
        for cluster in clusters(tmp_path, "RawDeployment", entrance=Entrance(within=True)):
            wanted = served(cluster, version).desired
            assert cluster.engine.address("churn").url == "http://churn-predictor.team-a.svc.cluster.local"
            cluster.engine.change("churn", BOB.canary(wanted, target(version()), 10))
            settled(cluster.engine, "churn")
            assert cluster.engine.address("churn").url == "http://churn-split.team-a.svc.cluster.local"
            explains = cluster.engine.address("churn", verb="explain").url
            assert explains == "http://churn-predictor.team-a.svc.cluster.local"  # a graph only predicts
            assert cluster.engine.address("churn", "canary").url.startswith("http://127.0.0.1:")
            with pytest.raises(UsageError, match="serves no version 9; it serves default"):
                cluster.engine.address("churn", "9")

    def test_a_gateway_is_asked_by_the_name_of_the_service_with_the_users_token(
        self, tmp_path: Path, version: Versions
    ) -> None:
        entrance = Entrance(False, "https://kf.example.com/pipeline", lambda: {"authorization": "Bearer t"})
        for cluster in clusters(tmp_path, "Serverless", entrance=entrance):
            served(cluster, version)
            found = cluster.engine.address("churn")
            assert found.url == "https://kf.example.com"
            assert found.headers == {"authorization": "Bearer t", "host": "churn-team-a.example.com"}
            assert "Bearer" not in repr(found)

    def test_a_split_behind_a_gateway_that_cannot_be_reached_says_how_to_name_one(
        self, knative: Cluster, version: Versions
    ) -> None:
        wanted = served(knative, version).desired
        knative.engine.change("churn", BOB.canary(wanted, target(version()), 10))
        settled(knative.engine, "churn")
        knative.objects.refused = {"get services"}
        with pytest.raises(BackendError, match=r"cannot reach the gateway .*host=https"):
            knative.engine.address("churn")

    def test_what_is_not_ready_has_no_address(self, standard: Cluster, version: Versions) -> None:
        standard.engine.create(ServiceSpec("churn", ALICE.first([target(version())])))
        with pytest.raises(ServiceFailed, match="PENDING"):
            standard.engine.address("churn")


class TestRuntimesOfKServe:
    """A model that one of KServe's own runtimes serves."""

    def test_a_runtime_that_has_no_v1_is_asked_by_v2_in_the_order_of_the_signature(
        self, standard: Cluster, version: Versions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(standard.engine._places, "columns", lambda target: ("age", "income"))
        one = target(version(), format="lightgbm", runtime="mlserver")
        standard.engine.create(ServiceSpec("churn", ALICE.first([one])))
        settled(standard.engine, "churn")
        assert standard.service()["spec"]["predictor"]["model"]["protocolVersion"] == "v2"
        assert standard.engine.address("churn").protocol == V2(("age", "income"))
        assert standard.engine.address("churn", "default").protocol == V2(("age", "income"))

    def test_the_versions_of_a_service_speak_one_protocol(self, standard: Cluster, version: Versions) -> None:
        wanted = served(standard, version).desired
        two = target(version(), format="lightgbm", runtime="mlserver")
        with pytest.raises(UsageError, match="a canary has to speak the protocol of the default"):
            standard.engine.change("churn", BOB.canary(wanted, two, 10))

    @pytest.mark.parametrize(
        ("runtime", "path"), [("mlserver", "/v2/models/{}/infer"), ("lightgbm", "/v1/models/{}:predict")]
    )
    def test_a_graph_asks_each_runtime_by_the_name_that_kserve_gives_it(
        self, runtime: str, path: str, standard: Cluster, version: Versions
    ) -> None:
        one, two = (target(version(), format="lightgbm", runtime=runtime) for _ in range(2))
        standard.engine.create(ServiceSpec("churn", ALICE.first([one])))
        now = settled(standard.engine, "churn")
        standard.engine.change("churn", BOB.canary(now.desired, two, 10))
        settled(standard.engine, "churn")
        [graph] = standard.objects.of("inferencegraphs")
        asked = [one["serviceUrl"] for one in graph["spec"]["nodes"]["root"]["steps"]]
        named = ("churn", "churn-canary")
        assert asked == [
            f"http://{name}-predictor.team-a.svc.cluster.local{path.format(name)}" for name in named
        ]


class TestAnotherServiceHasTheNameOfTheCanary:
    """The canary of ``churn`` would be the InferenceService ``churn-canary``, which is there already."""

    def test_a_canary_is_refused_with_the_reason_and_nothing_changes(
        self, standard: Cluster, version: Versions
    ) -> None:
        standard.engine.create(ServiceSpec("churn-canary", ALICE.first([target(version())])))
        now = served(standard, version)
        with pytest.raises(Conflict, match="churn-canary"):
            standard.engine.change("churn", BOB.canary(now.desired, target(version()), 10))
        after = standard.engine.get("churn")
        assert after.desired == now.desired
        assert after.settled

    def test_its_pods_are_not_taken_for_those_of_the_service(
        self, standard: Cluster, version: Versions
    ) -> None:
        standard.engine.create(ServiceSpec("churn-canary", ALICE.first([target(version())])))
        settled(standard.engine, "churn-canary")
        standard.engine.create(ServiceSpec("churn", ALICE.first([target(version(load="fails"))])))
        assert settled(standard.engine, "churn").state is ServiceState.FAILED
