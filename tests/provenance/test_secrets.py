"""No secret is in a manifest, wherever it was: a canary token is put in forty places."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import kfnb
from kfnb.commands.display import as_json, bundle
from kfnb.entities.manifest import Layer, LayerName
from kfnb.resources.provenance.secrets import without_secrets
from tests.conftest import Shell

CANARY = "ghp_canaryCANARYcanary0123456789"

VARIABLES = [
    *("GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "HF_TOKEN", "WANDB_API_KEY", "MY_PASSWORD", "DB_CREDENTIALS"),
    *("HTTPS_PROXY", "PIP_INDEX_URL", "UV_INDEX_URL", "DATABASE_URL", "SOME_NAME", "X", "KUBECONFIG_DATA"),
    *("OMP_PLACES", "XLA_FLAGS", "PYTORCH_CUDA_ALLOC_CONF", "NVIDIA_VISIBLE_DEVICES", "KMP_AFFINITY"),
    *("CUBLAS_WORKSPACE_CONFIG", "JAX_PLATFORMS", "OPENAI_API_KEY", "MLFLOW_TRACKING_PASSWORD", "NPM_TOKEN"),
]
FACTS = {
    "arguments": {
        "token": CANARY,
        "url": f"https://user:{CANARY}@host/x",
        "signed": f"https://bucket/x?X-Amz-Signature={CANARY}",
        "nested": {"api_key": CANARY, "list": [CANARY, {"password": CANARY}]},
        "header": f"Authorization: Bearer {CANARY}",
        "config": f"password={CANARY}",
        "plain": CANARY,
    },
    "outputs": {"train.token": CANARY, "train.text": f"the token is {CANARY}"},
    "notebook": f"work-{CANARY}.ipynb",
    "changed": [f"{CANARY}.txt"],
    "repository": f"https://x-access-token:{CANARY}@github.com/a/b",
    "user": CANARY,
    "image": f"user:{CANARY}@registry/image",
    "inputs": {"train.x": {"uri": f"s3://key:{CANARY}@bucket/x"}},
    "store": f"s3://bucket?secret={CANARY}",
    "environment": {"OMP_PLACES": CANARY},
}


def test_a_canary_in_forty_places_is_in_no_manifest(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KFNB_BACKEND", "local")
    for name in VARIABLES:
        monkeypatch.setenv(name, CANARY if not name.endswith("URL") else f"https://u:{CANARY}@host/simple")
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / f"{CANARY}.ipynb"))
    (tmp_path / f"{CANARY}.ipynb").write_text(json.dumps({"cells": [{"source": CANARY, "metadata": {}}]}))
    monkeypatch.setattr("sys.argv", ["python", f"--token={CANARY}"])
    site = tmp_path / "site" / "toy-1.0.dist-info"
    site.mkdir(parents=True)
    (site / "direct_url.json").write_text(json.dumps({"url": f"https://{CANARY}:x@host/r.git#{CANARY}"}))
    monkeypatch.syspath_prepend(str(site.parent))
    shell.run("%%kf_component say --param password:str=''\nsaid = len(password)")
    shell.run("%kf_pipeline talking say")
    run = kfnb.submit("talking", {"password": CANARY}).wait(120)
    for manifest in (run.manifest, kfnb.manifest()):
        assert CANARY not in as_json(manifest)
        assert CANARY not in "".join(bundle(manifest).values())
        assert CANARY not in repr(manifest)
    home = tmp_path / "kfnb-home"
    written = [
        *home.glob("runs/*/origin.json"),
        *home.glob("runs/*/environments/*"),
        *home.glob("packages/*"),
    ]
    assert len(written) >= 4
    assert not [file for file in written if CANARY in file.read_text()]


def test_whatever_a_fact_is_its_secrets_are_left_out() -> None:
    for name in LayerName:
        assert CANARY not in json.dumps(dict(without_secrets(Layer(name, FACTS)).facts))


def test_what_is_no_secret_stays() -> None:
    facts = {
        "arguments": {"C": 0.5, "tokens": 512, "key_column": "id", "path": "/data/x.csv"},
        "code": {"train": "a" * 64},
        "packages": {"tokenizers": {"version": "0.19", "digest": "b" * 64}},
    }
    kept = without_secrets(Layer(LayerName.MODEL, facts)).facts
    assert kept["arguments"]["C"] == 0.5
    assert kept["arguments"]["path"] == "/data/x.csv"
    assert kept["code"] == facts["code"]
    assert kept["packages"] == facts["packages"]
