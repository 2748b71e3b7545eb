"""What ``kfp-kubernetes`` asks of a cluster: given here from files and folders, refused, or said to be in vain."""

# steps are as a notebook's user writes them, or as KFP wants them
# ruff: noqa: B006, PTH123, UP006, UP035, UP045

import base64
from typing import List, Optional

import pytest
from google.protobuf import json_format
from kfp import dsl, kubernetes
from local_runs import spec_of, submission, task, wait
from steps import component

from kfnb.entities import RunState
from kfnb.errors import BackendError
from kfnb.resources.runs.engine import Submission
from kfnb.resources.runs.local import LocalRunEngine
from kfnb.resources.runs.local.mounts import possible

needs_mounts = pytest.mark.skipif(not possible(), reason="the kernel lets no process mount")


@component
def look(name: str) -> str:
    import os

    return os.environ.get(name, "nothing")


@component
def write_there(path: str, text: str) -> str:
    with open(path, "a") as file:
        file.write(text)
    return open(path).read()


@component
def read_there(path: str) -> str:
    return open(path).read()


def named(name):
    return {"runtimeValue": {"constant": name}}


def variable(secret, key, variable, optional=False):
    """As kfp-kubernetes 2.17 writes ``use_secret_as_env``."""
    pairs = [{"envVar": variable, "secretKey": key}]
    return {"secretNameParameter": secret, "keyToEnv": pairs, "optional": optional}


def platform(**executors):
    """A platform spec with these settings, by component."""
    settings = {f"exec-{name.replace('_', '-')}": told for name, told in executors.items()}
    return {"platforms": {"kubernetes": {"deploymentSpec": {"executors": settings}}}}


@pytest.fixture
def run_with(tmp_path):
    """Run a pipeline with a platform spec, and the secrets that lie in ``tmp_path``."""

    def run(pipeline, platform, secrets="", **arguments):
        backend = LocalRunEngine(tmp_path / "home", jobs=2, secrets=str(secrets))
        told = submission(pipeline, tmp_path, **arguments)
        return wait(backend, backend.submit(Submission(**{**vars(told), "platform": platform})))

    return run


@dsl.pipeline
def looking(secret: str = "creds") -> str:
    return look(name="DB_USER").output


SETTINGS = platform(
    look={"secretAsEnv": [variable({"componentInputParameter": "secret"}, "user", "DB_USER")]}
)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("secrets/creds/user", "jovyan"),
        ("secrets/creds.env", "# db\nexport user='jovyan'\n"),
        ("secrets.yaml", "creds:\n  user: jovyan\n"),
        (
            "secrets.yaml",
            f"kind: Secret\nmetadata: {{name: creds}}\ndata: {{user: {base64.b64encode(b'jovyan').decode()}}}\n",
        ),
        ("secrets.yaml", "kind: ConfigMap\nmetadata: {name: creds}\ndata: {user: jovyan}\n"),
    ],
)
def test_a_variable_comes_from_the_users_secrets(run_with, tmp_path, file, content):
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(content)

    run = run_with(looking, SETTINGS, secrets=tmp_path / file.split("/")[0])

    assert run.result == {"Output": "jovyan"}
    assert "jovyan" not in (tmp_path / "home" / "runs" / run.id / "run.json").read_text()


def test_missing_secrets_are_refused_before_anything_starts_all_at_once(run_with, tmp_path):
    (tmp_path / "secrets" / "conf").mkdir(parents=True)
    conf = {
        "configMapName": "conf",
        "keyToEnv": [{"envVar": "K", "configMapKey": "k"}],
    }
    settings = platform(
        look={"secretAsEnv": [variable(named("creds"), "user", "U")], "configMapAsEnv": [conf]}
    )

    with pytest.raises(BackendError) as caught:
        run_with(looking, settings, secrets=tmp_path / "secrets")

    first, *reasons = str(caught.value).splitlines()
    assert first == "looking cannot run here:"
    assert reasons[0].startswith(
        f"- look needs the secret creds, which is not in {tmp_path / 'secrets'}: set secrets"
    )
    assert reasons[1:] == ["- look needs the key k of the config map conf, which has none"]
    assert not (tmp_path / "home" / "runs").exists()


def test_an_optional_secret_may_be_missing(run_with):
    settings = platform(look={"secretAsEnv": [variable(named("creds"), "user", "DB_USER", optional=True)]})

    assert run_with(looking, settings).result == {"Output": "nothing"}


def test_a_secret_whose_name_is_known_only_later_fails_its_task(run_with):
    @dsl.pipeline
    def pipeline() -> str:
        first = look(name="NOBODY")
        return look(name="DB_USER").after(first).output

    spec = spec_of(pipeline)
    tasks = spec["root"]["dag"]["tasks"]
    tasks["look-2"]["componentRef"]["name"] = "comp-look-2"
    spec["components"]["comp-look-2"] = {**spec["components"]["comp-look"], "executorLabel": "exec-look-2"}
    spec["deploymentSpec"]["executors"]["exec-look-2"] = spec["deploymentSpec"]["executors"]["exec-look"]
    from_task = {"taskOutputParameter": {"producerTask": "look", "outputParameterKey": "Output"}}

    run = run_with(spec, platform(look_2={"secretAsEnv": [variable(from_task, "user", "DB_USER")]}))

    assert "look-2 failed: it needs the secret nothing, which is not known" in run.error


@pytest.mark.parametrize("items", [["creds", "other"], "names"], ids=["literals", "a parameter"])
def test_a_missing_secret_that_a_loop_names_is_refused_before_anything_starts(run_with, tmp_path, items):
    (tmp_path / "secrets.yaml").write_text("creds: {user: jovyan}")

    @dsl.pipeline
    def pipeline(names: List[str] = ["creds", "other"]):
        with dsl.ParallelFor(names if items == "names" else items) as name:
            task = look(name="DB_USER")
            kubernetes.use_secret_as_env(task, secret_name=name, secret_key_to_env={"user": "DB_USER"})

    settings = json_format.MessageToDict(pipeline.platform_spec)

    with pytest.raises(BackendError) as caught:
        run_with(pipeline, settings, secrets=tmp_path / "secrets.yaml")

    (_, reason) = str(caught.value).splitlines()
    assert reason.startswith("- look needs the secret other, which is not in")


def test_a_missing_secret_whose_name_is_handed_down_through_groups_is_refused(run_with):
    @dsl.pipeline
    def inner(secret: str):
        with dsl.ParallelFor([{"key": "a"}, {"key": "b"}]) as item:
            task = look(name=item.key)
            kubernetes.use_secret_as_env(task, secret_name=secret, secret_key_to_env={"user": "DB_USER"})

    @dsl.pipeline
    def pipeline(one: str = "first"):
        inner(secret=one)
        inner(secret="second")

    settings = {
        "secretAsEnv": [variable({"componentInputParameter": "pipelinechannel--secret"}, "user", "U")]
    }

    with pytest.raises(BackendError) as caught:
        run_with(pipeline, platform(look=settings, look_2=settings), one="given")

    told = str(caught.value)
    assert "needs the secret given" in told
    assert "needs the secret second" in told
    assert "first" not in told


@needs_mounts
def test_settings_that_refer_to_optional_inputs_without_a_value_are_left_out(run_with):
    @dsl.pipeline
    def pipeline(
        secret: Optional[str] = None,
        config: Optional[str] = None,
        pull: Optional[str] = None,
        selector: Optional[dict] = None,
        tolerations: Optional[list] = None,
        affinity: Optional[dict] = None,
    ) -> str:
        task = look(name="DB_USER")
        kubernetes.use_secret_as_env(task, secret_name=secret, secret_key_to_env={"user": "DB_USER"})
        kubernetes.use_secret_as_volume(task, secret_name=secret, mount_path="/mnt/kfnb-secret")
        kubernetes.use_config_map_as_env(task, config_map_name=config, config_map_key_to_env={"k": "K"})
        kubernetes.use_config_map_as_volume(task, config_map_name=config, mount_path="/mnt/kfnb-config")
        kubernetes.set_image_pull_secrets(task, secret_names=[pull])
        kubernetes.add_node_selector_json(task, selector)
        kubernetes.add_toleration_json(task, tolerations)
        kubernetes.add_node_affinity_json(task, affinity)
        return task.output

    run = run_with(pipeline, json_format.MessageToDict(pipeline.platform_spec))

    assert run.result == {"Output": "nothing"}


def test_a_volume_needs_its_name_and_so_does_a_secret_whose_input_must_be_given(run_with, tmp_path):
    @dsl.pipeline
    def pipeline(optional: Optional[str] = None):
        look(name="DB_USER")

    volume = {"pvcNameParameter": {"componentInputParameter": "optional"}, "mountPath": str(tmp_path / "v")}
    empty = variable({"componentInputParameter": "optional"}, "user", "U", optional=True)

    if possible():
        run = run_with(pipeline, platform(look={"pvcMount": [volume]}))
        assert run.error.startswith(
            f"look failed: it mounts a volume at {tmp_path / 'v'} whose name has no value"
        )
    run = run_with(pipeline, platform(look={"secretAsEnv": [empty]}), optional="")
    assert run.error.startswith("look failed: its platform settings have '' as a name")


@needs_mounts
def test_a_volume_is_a_folder_of_the_run_that_its_tasks_share(run_with, tmp_path):
    data = str(tmp_path / "data")

    @dsl.pipeline
    def pipeline() -> str:
        first = write_there(path=f"{data}/notes", text="hello")
        return read_there(path=f"{data}/notes").after(first).output

    mounted = {"pvcMount": [{"constant": "shared", "mountPath": data, "subPath": "a/b"}]}
    run = run_with(pipeline, platform(write_there=mounted, read_there=mounted))

    assert run.result == {"Output": "hello"}
    kept = tmp_path / "home" / "runs" / run.id / "volumes" / "shared" / "a" / "b" / "notes"
    assert kept.read_text() == "hello"
    assert list((tmp_path / "data").iterdir()) == []  # the rest of the machine sees none of it


@needs_mounts
def test_a_secret_as_a_folder_lies_in_memory_alone(run_with, tmp_path):
    (tmp_path / "secrets.yaml").write_text("creds: {user: me-myself}")

    creds = str(tmp_path / "etc" / "creds")

    @dsl.pipeline
    def pipeline() -> str:
        return read_there(path=f"{creds}/user").output

    mounted = {"secretAsVolume": [{"secretName": "creds", "mountPath": creds}]}
    mounted["emptyDirMounts"] = [{"volumeName": "tmp", "mountPath": str(tmp_path / "scratch")}]
    run = run_with(pipeline, platform(read_there=mounted), secrets=tmp_path / "secrets.yaml")

    assert run.result == {"Output": "me-myself"}
    files = (tmp_path / "home" / "runs" / run.id / "tasks").rglob("*")
    assert [file for file in files if file.name == "user"] == []


def test_where_nothing_can_be_mounted_a_pipeline_that_mounts_is_refused(run_with, monkeypatch):
    monkeypatch.setattr("kfnb.resources.runs.local.pod_resources.possible", lambda: False)

    with pytest.raises(
        BackendError, match="- look mounts /data: this machine does not allow processes to mount"
    ):
        run_with(looking, platform(look={"pvcMount": [{"constant": "v", "mountPath": "/data"}]}))


def test_a_path_that_leaves_its_volume_is_refused(run_with):
    mounted = {"pvcMount": [{"constant": "v", "mountPath": "/data", "subPath": "../.."}]}

    with pytest.raises(BackendError, match=r"- look mounts \.\./\.\., which is outside of its volume"):
        run_with(looking, platform(look=mounted))


def test_volumes_come_and_go_with_their_tasks(run_with, tmp_path):
    @dsl.container_component
    def createpvc(pvc_name_suffix: str, name: dsl.OutputPath(str)):
        return dsl.ContainerSpec(image="argostub/createpvc")

    @dsl.container_component
    def deletepvc(pvc_name: str):
        return dsl.ContainerSpec(image="argostub/deletepvc")

    @dsl.pipeline
    def pipeline() -> str:
        one = createpvc(pvc_name_suffix="-mine")
        deletepvc(pvc_name=createpvc(pvc_name_suffix="-short").outputs["name"])
        return one.outputs["name"]

    run = run_with(pipeline, None)

    assert run.result == {"Output": f"{run.id}-mine"}
    assert [item.name for item in (tmp_path / "home/runs" / run.id / "volumes").iterdir()] == [
        f"{run.id}-mine"
    ]


def test_a_workspace_is_a_folder_that_all_tasks_share(run_with):
    @dsl.pipeline(pipeline_config=dsl.PipelineConfig(workspace=dsl.WorkspaceConfig(size="1Gi")))
    def pipeline() -> str:
        first = write_there(path=f"{dsl.WORKSPACE_PATH_PLACEHOLDER}/a", text="x")
        return write_there(path=f"{dsl.WORKSPACE_PATH_PLACEHOLDER}/a", text="y").after(first).output

    asked = {"platforms": {"kubernetes": {"pipelineConfig": {"workspace": {"size": "1Gi"}}}}}

    assert run_with(pipeline, asked).result == {"Output": "xy"}


def test_what_one_machine_has_not_is_said_once(run_with):
    settings = {"nodeSelector": {"labels": {"disk": "ssd"}}, "imagePullSecret": [{"secretName": "r"}]}

    run = run_with(looking, platform(look=settings))

    assert run.state is RunState.SUCCEEDED
    assert run.notes == ("ignored by local runs: node selector (look); image pull secret (look)",)


def test_whatever_kfp_kubernetes_says_of_pods_and_nodes_has_no_effect(run_with):
    def annotated(task):
        kubernetes.add_pod_label(task, "team", "x")
        kubernetes.add_pod_annotation(task, "sidecar.istio.io/inject", "false")
        kubernetes.add_toleration(task, key="gpu", operator="Equal", value="yes", effect="NoSchedule")
        kubernetes.add_node_selector(task, "disk", "ssd")
        kubernetes.add_node_affinity(
            task, match_expressions=[{"key": "disk", "operator": "In", "values": ["ssd"]}]
        )
        kubernetes.set_image_pull_policy(task, "Always")
        kubernetes.use_field_path_as_env(task, "POD", "metadata.name")
        kubernetes.set_security_context(task, run_as_user=1000)
        return task

    @dsl.pipeline
    def pipeline(labels: dict = {"disk": "ssd"}):
        annotated(look(name="POD"))
        other = look(name="POD").after()
        kubernetes.add_node_selector_json(other, labels)
        kubernetes.add_toleration_json(other, labels)

    run = run_with(pipeline, json_format.MessageToDict(pipeline.platform_spec))

    assert run.state is RunState.SUCCEEDED
    (said,) = run.notes
    told = said.removeprefix("ignored by local runs: ").split("; ")
    assert sorted(told) == [
        "field path as env (look)",
        "image pull policy (look)",
        "node affinity (look)",
        "node selector (look, look-2)",
        "pod metadata (look)",
        "security context (look)",
        "tolerations (look, look-2)",
    ]


def test_a_step_that_takes_longer_than_it_may_is_ended(run_with):
    @component
    def linger():
        import time

        time.sleep(60)

    @dsl.pipeline
    def pipeline():
        linger()

    run = run_with(pipeline, platform(linger={"activeDeadlineSeconds": "1"}))

    assert "linger failed: timed out after 1 s" in run.error
    assert run.seconds < 5


def test_a_task_that_mounts_a_volume_is_not_cached(tmp_path):
    if not possible():
        pytest.skip("the kernel lets no process mount")
    backend = LocalRunEngine(tmp_path / "home")
    mounted = platform(look={"pvcMount": [{"constant": "v", "mountPath": str(tmp_path / "v")}]})
    told = Submission(**{**vars(submission(looking, tmp_path, cache=True)), "platform": mounted})

    for _ in range(2):
        run = wait(backend, backend.submit(told))
        assert (run.state, task(run, "look").cached) == (RunState.SUCCEEDED, False)
