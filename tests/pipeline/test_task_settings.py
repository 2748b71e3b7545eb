"""What a component's options ask of Kubernetes: in the program, in the compiled pipeline, and in a run here."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from kfnb.resources.components import api
from kfnb.resources.components.view.component import draw_component
from kfnb.resources.runs.local.mounts import possible
from kfnb.resources.runs.view.run import draw_run
from tests.conftest import Shell

ALL = (
    "--env MODE=fast --secret db:password=DB_PASSWORD --secret db:/etc/db --config-map app:level=LEVEL"
    " --config-map app:/etc/app --pvc data:/data --node-selector disk=ssd --toleration dedicated=ml:NoSchedule"
    " --toleration spot:NoExecute --image-pull-secret mine --image-pull-secret yours --timeout 10m"
    " --gpu 1 --accelerator amd.com/gpu --cpu 2 --memory 4G --retries 1"
)


@pytest.fixture
def asking(shell: Shell) -> Shell:
    shell.run(f"%%kf_component train {ALL}\nx = 1")
    shell.run("%%kf_component report\ny = x")
    shell.run("%kf_pipeline p train report")
    return shell


def executor(name: str, pipeline: str = "p") -> dict[str, Any]:
    platform = api.spec_of(pipeline).platform
    assert platform is not None
    executors: dict[str, dict[str, Any]] = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    return executors[f"exec-{name}"]


def test_the_program_says_it_as_a_user_of_kfps_sdk_would(asking: Shell, tmp_path: Path) -> None:
    asking.run("%kf_compile p --python p.py")
    program = (tmp_path / "p.py").read_text()
    assert "from kfp import compiler, dsl, kubernetes\n" in program
    assert program.split("    train_task = train()\n")[1].split("    report_task")[0] == (
        "    train_task.set_cpu_limit('2').set_memory_limit('4G').set_accelerator_type('amd.com/gpu')"
        ".set_accelerator_limit(1).set_retry(1, backoff_duration='1s').set_env_variable('MODE', 'fast')\n"
        "    kubernetes.use_secret_as_env(train_task, secret_name='db',"
        " secret_key_to_env={'password': 'DB_PASSWORD'})\n"
        "    kubernetes.use_config_map_as_env(train_task, config_map_name='app',"
        " config_map_key_to_env={'level': 'LEVEL'})\n"
        "    kubernetes.use_secret_as_volume(train_task, secret_name='db', mount_path='/etc/db')\n"
        "    kubernetes.use_config_map_as_volume(train_task, config_map_name='app', mount_path='/etc/app')\n"
        "    kubernetes.mount_pvc(train_task, pvc_name='data', mount_path='/data')\n"
        "    kubernetes.add_node_selector(train_task, label_key='disk', label_value='ssd')\n"
        "    kubernetes.add_toleration(train_task, key='dedicated', operator='Equal', value='ml',"
        " effect='NoSchedule')\n"
        "    kubernetes.add_toleration(train_task, key='spot', operator='Exists', effect='NoExecute')\n"
        "    kubernetes.set_image_pull_secrets(train_task, ['mine', 'yours'])\n"
        "    kubernetes.set_timeout(train_task, 600)\n"
    )


def test_the_program_compiles_to_the_same_without_kfnb(asking: Shell, tmp_path: Path) -> None:
    asking.run("%kf_compile p --to p.yaml --python p.py")
    ours = list(yaml.safe_load_all((tmp_path / "p.yaml").read_text()))
    (tmp_path / "p.yaml").unlink()
    check = "import runpy, sys; sys.modules['kfnb'] = None; runpy.run_path('p.py', run_name='__main__')"
    subprocess.run([sys.executable, "-W", "ignore", "-c", check], cwd=tmp_path, check=True)
    assert list(yaml.safe_load_all((tmp_path / "p.yaml").read_text())) == ours
    assert len(ours) == 2


def test_kfp_kubernetes_is_imported_only_where_a_step_asks_for_something(shell: Shell) -> None:
    shell.run("%%kf_component plain --cpu 1 --env A=kubernetes\nx = 1  # kubernetes")
    shell.run("%kf_pipeline p plain")
    compiled = api.spec_of("p")
    assert "import compiler, dsl\n" in compiled.program
    assert compiled.platform is None


def test_the_compiled_pipeline_asks_kubernetes(asking: Shell) -> None:
    asked = executor("train")
    assert asked["secretAsEnv"][0]["keyToEnv"] == [{"secretKey": "password", "envVar": "DB_PASSWORD"}]
    assert asked["configMapAsEnv"][0]["keyToEnv"] == [{"configMapKey": "level", "envVar": "LEVEL"}]
    assert asked["secretAsVolume"][0]["mountPath"] == "/etc/db"
    assert asked["configMapAsVolume"][0]["mountPath"] == "/etc/app"
    assert asked["pvcMount"][0]["mountPath"] == "/data"
    assert asked["nodeSelector"]["labels"] == {"disk": "ssd"}
    assert asked["tolerations"] == [
        {"key": "dedicated", "operator": "Equal", "value": "ml", "effect": "NoSchedule"},
        {"key": "spot", "operator": "Exists", "effect": "NoExecute"},
    ]
    assert [one["secretName"] for one in asked["imagePullSecret"]] == ["mine", "yours"]
    assert int(asked["activeDeadlineSeconds"]) == 600
    container = api.spec_of("p").spec["deploymentSpec"]["executors"]["exec-train"]["container"]
    assert container["env"] == [{"name": "MODE", "value": "fast"}]
    assert container["resources"]["accelerator"]["resourceType"] == "amd.com/gpu"


def test_a_component_that_is_called_twice_asks_twice(asking: Shell) -> None:
    asking.run("%%kf_pipeline twice\nfirst = train()\nwith dsl.ParallelFor([1, 2]):\n    train()")
    assert executor("train", "twice")["pvcMount"][0]["mountPath"] == "/data"


def test_a_pipelines_own_body_may_ask_kubernetes_too(shell: Shell) -> None:
    shell.run("%%kf_component train\nx = 1")
    shell.run("%%kf_pipeline p\ntask = train()\nkubernetes.set_timeout(task, 60)")
    assert int(executor("train")["activeDeadlineSeconds"]) == 60


@pytest.mark.skipif(not possible(), reason="the kernel lets no process mount")
def test_a_run_here_has_the_variables_the_secrets_and_the_volume(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "held").mkdir()
    (tmp_path / "held" / "db.env").write_text("password=canary\n")
    shell.run(f"%kf_config secrets={tmp_path / 'held'}")
    shell.run(
        "%%kf_component write --env MODE=fast --secret db:password=DB_PASSWORD --pvc data:/data\n"
        "import os\nfrom pathlib import Path\n"
        "folder = Path('/data') if Path('/data').is_dir() else Path()\n"
        "(folder / 'seen').write_text(os.environ['MODE'])\n"
        "length = len(os.environ['DB_PASSWORD'])"
    )
    shell.run(
        "%%kf_component look --pvc data:/data --secret db:/etc/db --node-selector disk=ssd --output seen --output key\n"
        "folder = Path('/data') if Path('/data').is_dir() else Path()\n"
        "seen = f\"{(folder / 'seen').read_text()} {length}\"\n"
        "file = Path('/etc/db/password')\nkey = file.read_text() if file.is_file() else ''"
    )
    shell.run("%kf_pipeline p write look")
    run = shell.submit("p")
    assert run.outputs["look"] == {"seen": "fast 6", "key": "canary"}
    assert "node selector" in " ".join(run.snapshot().notes)
    assert "MODE" not in os.environ
    assert "DB_PASSWORD" not in os.environ


def test_a_cell_has_its_variables_while_it_runs_and_no_longer(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODE", "slow")
    (tmp_path / "held.yaml").write_text("db:\n  password: canary\n")
    shell.run("%kf_config secrets=held.yaml\nimport os")
    options = "--env MODE=fast --env OTHER=1 --secret db:password=DB_PASSWORD"
    shell.run(f"%%kf_component one {options}\nseen = os.environ['MODE'] + os.environ['DB_PASSWORD']")
    assert shell["seen"] == "fastcanary"
    assert shell.component("one").notes == ()
    with pytest.raises(ZeroDivisionError):
        shell.run(f"%%kf_component two {options}\n1 / 0")
    shell.fails(f"%%kf_component two {options} --output nothing\nmade = 1")
    assert os.environ["MODE"] == "slow"
    assert not {"OTHER", "DB_PASSWORD"} & set(os.environ)


def test_a_variable_that_only_a_run_has_is_told(shell: Shell) -> None:
    shell.run(
        "%%kf_component one --config-map app:level=LEVEL\nimport os\nlevel = os.environ.get('LEVEL', '')"
    )
    (note,) = shell.component("one").notes
    assert note.startswith(
        "LEVEL had no value here: a run takes it from the config map app; set it in the notebook"
    )


def test_what_a_component_asks_for_is_shown(asking: Shell) -> None:
    view = asking.run("%kf_show train")
    shown = {one.what: one.value for one in view.pod}
    assert shown["memory"] == "4G"
    assert shown["amd.com/gpu"] == "1"
    assert shown["variable DB_PASSWORD"] == "secret db, key password"
    assert shown["folder /data"] == "volume claim data"
    assert shown["toleration spot"] == "any value, NoExecute"
    assert shown["timeout"] == "600 s"
    drawn = draw_component(view)
    assert "volume claim data" in drawn["text/html"]
    assert "secret db, key password" in drawn["text/plain"]


def test_a_secret_that_a_step_reads_is_kept_nowhere(shell: Shell, tmp_path: Path) -> None:
    canary = "canary-5d2e"
    (tmp_path / "held").mkdir()
    (tmp_path / "held" / "db.env").write_text(f"password={canary}\n")
    shell.run(f"%kf_config secrets={tmp_path / 'held'}")
    shell.run(
        "%%kf_component one --secret db:password=DB_PASSWORD --output length\n"
        "import os\nlength = len(os.environ['DB_PASSWORD'])"
    )
    shell.run("%kf_pipeline p one")
    shell.run("%kf_compile p --to p.yaml --python p.py")
    run = shell.submit("p")
    assert run.result == {"length": len(canary)}
    held: dict[str, bytes] = {}
    for file in tmp_path.rglob("*"):
        with suppress(FileNotFoundError):  # SQLite's own, which go when the run's process does
            if file.is_file() and file.parent.name != "held":
                held[file.name] = held.get(file.name, b"") + file.read_bytes()
    assert {"events.db", "run.json", "p.yaml", "p.py"} <= held.keys()
    assert [name for name, content in held.items() if canary.encode() in content] == []
    view = shell.run("%kf_show one")
    assert canary not in str((draw_component(view), draw_run(run.snapshot()), repr(shell.component("one"))))
