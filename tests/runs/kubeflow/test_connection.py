"""How Kubeflow is found: by what the user says, and by what a pod knows. No secret is ever shown."""

import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from cluster import Metadata, running
from replay import GOOD, Replay

from kfnb import settings as config
from kfnb.errors import BackendError, SettingError, UsageError
from kfnb.remote import environment
from kfnb.remote.environment import KubeflowEnvironment, read
from kfnb.remote.retry import RetryPolicy
from kfnb.resources.runs import api
from kfnb.resources.runs.comparison import compared
from kfnb.resources.runs.handle import Run
from kfnb.resources.runs.kubeflow.connection import Access, connect
from kfnb.resources.runs.view.comparison import draw_comparison
from kfnb.resources.runs.view.run import draw_run
from kfnb.resources.runs.view.runs import draw_runs
from kfnb.resources.settings.view import draw_settings

CANARY = "canary-7f3a"


def pod(root: Path, namespace: str = "team-a", token: str = "") -> Path:
    """The files of a pod."""
    account = root / "var/run/secrets/kubernetes.io/serviceaccount"
    account.mkdir(parents=True)
    (account / "namespace").write_text(f"{namespace}\n")
    if token:
        file = root / "var/run/secrets/kubeflow/pipelines/token"
        file.parent.mkdir(parents=True)
        file.write_text(token)
    return root


@pytest.fixture
def settings(tmp_path, monkeypatch):
    """Settings of a process that is no pod; what is set is forgotten afterwards."""
    for name in ("NB_PREFIX", "KF_PIPELINES_ENDPOINT", "KF_PIPELINES_SA_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(api, "_connection", api._Connection())
    real = environment.read
    monkeypatch.setattr(environment, "read", lambda: real(tmp_path))
    yield config.reset(start=tmp_path)
    config.reset()


@pytest.mark.parametrize(
    ("prefix", "namespace"),
    [
        ("/notebook/team-a/mine", "team-a"),
        ("/workspace/connect/team-b/ws/8888/", "team-b"),
        ("/elsewhere/x", ""),
        ("", ""),
    ],
)
def test_a_notebooks_path_names_its_namespace(tmp_path, prefix, namespace):
    found = read(tmp_path, {"NB_PREFIX": prefix})
    assert (found.namespace, found.notebook) == (namespace, bool(namespace))


def test_a_pod_knows_its_namespace_and_its_token(tmp_path):
    found = read(pod(tmp_path, token=CANARY), {"NB_PREFIX": "/notebook/other/mine"})
    assert (found.namespace, found.notebook) == ("team-a", True)
    assert found.token_file == tmp_path / "var/run/secrets/kubeflow/pipelines/token"
    named = read(tmp_path, {"KF_PIPELINES_SA_TOKEN_PATH": "/tmp/t", "KF_PIPELINES_ENDPOINT": "http://kfp:1"})
    assert (str(named.token_file), named.endpoint) == ("/tmp/t", "http://kfp:1")


def test_outside_of_a_cluster_nothing_is_known(tmp_path):
    assert read(tmp_path, {}) == KubeflowEnvironment()
    with pytest.raises(BackendError) as caught:
        connect(Access(), KubeflowEnvironment())
    for word in ("neither host nor context", "KF_PIPELINES_ENDPOINT", "not a pod", "%kf_config host="):
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("access", "around", "url", "hint"),
    [
        (
            {"host": "kf.example.com/pipeline/"},
            {},
            "https://kf.example.com/pipeline",
            "the host of the settings",
        ),
        (
            {"host": "http://localhost:8888"},
            {"namespace": "a"},
            "http://localhost:8888",
            "the host of the settings",
        ),
        (
            {},
            {"endpoint": "kfp:8888", "namespace": "a"},
            "http://kfp:8888",
            "the address in KF_PIPELINES_ENDPOINT",
        ),
        ({}, {"namespace": "a"}, "http://ml-pipeline.kubeflow:8888", "default address"),
        ({"installed": "kfp"}, {"namespace": "a"}, "http://ml-pipeline.kfp:8888", "default address"),
    ],
)
def test_where_kubeflow_is(access, around, url, hint):
    server = connect(Access(**access), KubeflowEnvironment(**around))._server
    assert server.url == url
    assert hint in server.hint()
    assert "%kf_config" in server.hint()


def test_a_run_has_the_page_that_shows_it():
    def page(access: Access, **around: str) -> str:
        return connect(access, KubeflowEnvironment(**around))._page("1")

    assert page(Access(host="https://kf/pipeline")) == "https://kf/pipeline/#/runs/details/1"
    assert page(Access(), namespace="a", prefix="/notebook/a/b") == "/_/pipeline/#/runs/details/1"
    assert page(Access(), namespace="a", page="https://ui/") == "https://ui/#/runs/details/1"


def test_a_run_at_a_host_alone_says_once_that_ml_metadata_is_missing_and_how_to_name_it(replay: Replay):
    backend = connect(Access(host=replay.url), KubeflowEnvironment())
    view = Run(backend, GOOD).observe()
    for _ in range(3):
        view.refresh()
        (note,) = view.run.notes
        assert note == (
            f"outputs, artifacts and metrics are not available: ML Metadata was not found from host {replay.url}. "
            "Set its address: %kf_config metadata=HOST:PORT (a cluster's service metadata-grpc-service, port 8080), "
            "or %kf_config context=NAME for a context of your kubeconfig"
        )
    assert backend.get(GOOD).notes == (note,)


def test_a_run_whose_ml_metadata_is_named_has_no_such_note(replay: Replay):
    with running(Metadata()) as metadata:
        backend = connect(Access(host=replay.url, metadata=metadata.address), KubeflowEnvironment())
        assert not [note for note in backend.get(GOOD).notes if "cannot be shown" in note]
        assert metadata.asked


def test_a_run_says_why_nothing_else_is_known_of_it(replay: Replay):
    """A server of several users answers for a run, and wants to know the namespace for all else."""
    replay.invented = lambda _, path, __: (200, {"multi_user": True}) if "healthz" in path else None
    (note,) = connect(Access(host=replay.url), KubeflowEnvironment()).get(GOOD).notes
    assert "set your namespace" in note


def test_a_notebooks_own_token_is_shown_unless_another_is_given(tmp_path, replay: Replay):
    own = read(pod(tmp_path, token="own"), {})
    given = tmp_path / "given"
    given.write_text("from-file")
    for access, shown in (
        (Access(host=replay.url), "Bearer own"),
        (Access(host=replay.url, token="said"), "Bearer said"),
        (Access(host=replay.url, token_file=str(given)), "Bearer from-file"),
    ):
        connect(access, own)._server.get("/healthz")
        assert replay.asked[-1]["headers"]["authorization"] == shown
    connect(Access(host=replay.url, cookies="a=b"), own)._server.get("/healthz")
    assert "authorization" not in replay.asked[-1]["headers"]
    assert replay.asked[-1]["headers"]["cookie"] == "a=b"


def test_the_backend_is_kubeflow_in_a_notebook_and_local_elsewhere(settings, tmp_path, monkeypatch):
    assert api.engine_of(None).name == "local"
    pod(tmp_path)
    assert api.engine_of(None).name == "local"  # any pod is no notebook
    monkeypatch.setenv("NB_PREFIX", "/notebook/team-a/mine")
    assert api.engine_of(None).name == "kubeflow"
    assert api.engine_of("local").name == "local"
    settings.set("backend", "local")
    assert api.engine_of(None).name == "local"


def test_the_backend_of_a_server_is_kept_until_another_is_set(settings, replay: Replay):
    settings.set("host", replay.url)
    settings.set("backend", "kubeflow")
    first = api.engine_of(None)
    assert api.engine_of("kubeflow") is first
    settings.set("host", replay.url + "/")
    assert api.engine_of(None) is not first


def test_a_backend_that_does_not_exist_is_said(settings):
    with pytest.raises(UsageError, match="unknown backend moon; there are local and kubeflow"):
        api.engine_of("moon")


def test_runs_are_submitted_and_found_through_the_public_functions(settings, replay: Replay):
    from replay import RECORDINGS

    settings.set("host", replay.url)
    settings.set("namespace", "team-a")  # a server for one user is not told
    run = api.submit(
        RECORDINGS / "pipeline-good.yaml", {"rows": 300}, backend="kubeflow", experiment="summaries"
    )
    settings.set("backend", "kubeflow")
    assert api.run(GOOD).id == run.id == GOOD
    assert run.snapshot().url == f"{replay.url}/#/runs/details/{GOOD}"


def test_no_secret_is_shown_by_settings_or_errors(settings, replay: Replay, tmp_path):
    settings.set("token", CANARY)
    settings.set("cookies", f"session={CANARY}")
    shown = {name: value for name, value, _ in settings.items()}
    assert (shown["token"], shown["cookies"]) == ("***", "***")
    with pytest.raises(SettingError) as caught:
        settings.set("token", [CANARY])
    assert CANARY not in str(caught.value)
    backend = connect(Access(host=replay.url, token=CANARY, cookies=CANARY), KubeflowEnvironment())
    assert CANARY not in repr((Access(token=CANARY, cookies=CANARY), backend, vars(backend)))


def test_no_secret_is_in_anything_that_a_run_shows_or_writes(settings, replay: Replay, capfd, caplog):
    from replay import RECORDINGS

    from kfnb.resources.runs.events import encode

    caplog.set_level(0)
    for name, value in {"host": replay.url, "token": CANARY, "cookies": f"s={CANARY}"}.items():
        settings.set(name, value)
    run = api.submit(
        RECORDINGS / "pipeline-good.yaml", {"rows": 300}, backend="kubeflow", experiment="summaries"
    )
    events = [(event.kind, event.task, encode(dict(event.data))) for event in run._engine.events(GOOD)]
    assert CANARY in str(replay.asked[-1]["headers"])
    assert CANARY not in str([one["body"] for one in replay.asked])  # nor in the manifest
    assert CANARY not in str((events, run.snapshot(), run.to_frame().to_dict(), settings.items()))
    drawn = [draw_run(run.snapshot()), draw_runs([run.snapshot()]), draw_settings(list(settings.items()))]
    drawn.append(draw_comparison(compared([run.snapshot(), replace(run.snapshot(), id="other")])))
    assert CANARY not in str(drawn)
    assert CANARY.encode() not in pickle.dumps((run.snapshot(), dict(run.outputs), dict(run.artifacts)))
    with pytest.raises(TypeError):
        pickle.dumps(run)
    assert CANARY not in str((capfd.readouterr(), caplog.text))


@pytest.mark.parametrize("status", [401, 403, 404, 500, 503])
def test_no_secret_is_in_an_error_not_even_with_its_traceback(settings, replay: Replay, status: int):
    for name, value in {"host": replay.url, "token": CANARY, "cookies": f"s={CANARY}", "debug": True}.items():
        settings.set(name, value)
    backend = api.engine_of("kubeflow")
    backend._server._http.retry = RetryPolicy(tries=1)
    replay.fail(times=9, status=status, body={"code": 5, "message": "no"})
    with pytest.raises(BackendError) as caught:
        backend.list()
    assert CANARY in str(replay.asked[-1]["headers"])
    shown = "".join(caught.value._render_traceback_())
    assert "Traceback" in shown
    assert CANARY not in shown


def test_a_context_that_does_not_exist_is_said(tmp_path, monkeypatch):
    file = tmp_path / "config"
    cluster = {"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}
    context = {"name": "minikube", "context": {"cluster": "c", "user": "u", "namespace": "team-a"}}
    user = {"name": "u", "user": {"token": CANARY}}
    content = {"clusters": [cluster], "contexts": [context], "users": [user], "current-context": "minikube"}
    file.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Config", **content}))
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(file))
    with pytest.raises(BackendError, match="not found in your kubeconfig; its contexts: minikube"):
        connect(Access(context="moon"), KubeflowEnvironment())
    backend = connect(Access(context="minikube"), KubeflowEnvironment())
    try:
        assert backend._server.namespace == "team-a"
        assert backend._server.url.startswith("http://127.0.0.1:")
        assert "port-forward to ml-pipeline" in backend._server.hint()
    finally:
        backend.close()


def test_connecting_imports_nothing_heavy():
    program = (
        "import sys\n"
        "from kfnb.resources.runs.kubeflow.connection import Access, connect\n"
        "from kfnb.remote.environment import KubeflowEnvironment\n"
        "connect(Access(host='http://127.0.0.1:1'), KubeflowEnvironment())\n"
        "print(sorted({'kfp', 'kfp_server_api', 'kubernetes', 'grpc', 'urllib3', 'yaml'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
