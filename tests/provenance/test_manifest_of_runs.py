"""The manifests of runs, of what comes of them, and of this kernel."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

import kfnb
from kfnb.cli import main
from kfnb.commands.display import bundle
from kfnb.entities.manifest_json import read_manifest
from kfnb.errors import NotFound, UsageError
from tests.conftest import Shell

NOTEBOOK = (
    "%%kf_component load --param rows:int=3\nnumbers = list(range(rows))",
    "%%kf_component total --output total\ntotal = sum(numbers)\nkf.log_metrics(total=float(total))",
    "%kf_pipeline adding load total",
)


@pytest.fixture
def notebook(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setenv("KFNB_BACKEND", "local")
    for cell in NOTEBOOK:
        shell.run(cell)
    return shell


def test_a_local_run_has_a_manifest_of_ten_layers(notebook: Shell) -> None:
    run = notebook.submit("adding", rows=4)
    manifest = run.manifest
    assert (manifest.ref, manifest.kind, manifest.backend, manifest.notes) == (run.id, "run", "local", ())
    model = manifest["model"].facts
    assert model["arguments"] == {"rows": 4}
    assert model["metrics"] == {"total.total": 6.0}
    assert set(model["code"]) == {"load", "total"}
    assert [name for name, _ in manifest["ux"].facts["cells"]] == ["load", "total"]
    assert manifest["tooling"].facts["kfnb"] == kfnb.__version__
    assert {one.name for one in manifest.packages} >= {"kfp", "pytest"}
    assert all(layer.recorded for layer in manifest)
    assert [one.tasks for one in manifest.environments] == [("load", "total")]


def test_a_cell_that_is_only_run_again_has_the_same_code(notebook: Shell) -> None:
    first = notebook.submit("adding").manifest["model"].facts
    notebook.run(NOTEBOOK[1])
    second = notebook.submit("adding").manifest["model"].facts
    assert (first["code"], first["spec"]) == (second["code"], second["spec"])
    notebook.run(NOTEBOOK[1] + "  # changed")
    assert notebook.submit("adding").manifest["model"].facts["code"] != first["code"]


def test_this_kernel_has_the_code_that_its_runs_have(notebook: Shell) -> None:
    made = notebook.submit("adding").manifest["model"].facts["code"]
    here = kfnb.manifest()
    assert (here.kind, here.ref, kfnb.manifest("here").kind) == ("kernel", "here", "kernel")
    assert here["model"].facts["code"] == made


def test_a_task_from_the_cache_is_noted(notebook: Shell) -> None:
    notebook.submit("adding")
    again = notebook.submit("adding").manifest
    assert again.notes == ("from the cache, and run on what an earlier run had: load, total",)
    assert again.environments == ()


def test_a_failed_step_has_recorded_what_it_ran_on(notebook: Shell) -> None:
    notebook.run("%%kf_component divide --param by:int=1\nquotient = 1 / by")
    notebook.run("%kf_pipeline dividing divide")
    run = kfnb.submit("dividing", {"by": 0})
    with pytest.raises(kfnb.RunFailed):
        run.wait(120)
    assert [one.tasks for one in run.manifest.environments] == [("divide",)]


def test_a_stage_labels_runs_and_names_the_newest(notebook: Shell) -> None:
    notebook.run("%kf_config stage=dev")
    dev = notebook.submit("adding")
    notebook.run("%kf_config stage=prod")
    prod = notebook.submit("adding")
    assert (dev.manifest.stage, prod.manifest.stage) == ("dev", "prod")
    assert kfnb.manifest("dev").ref == dev.id
    assert kfnb.manifest("prod").ref == prod.id
    with pytest.raises(NotFound, match="no run has the stage test"):
        kfnb.manifest("test")
    assert "stage must be one of" in notebook.fails("%kf_config stage=beta")


def test_the_repository_is_recorded_with_the_files_that_are_not_committed(notebook: Shell) -> None:
    def git(*words: str) -> str:
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q")
    Path("kept.py").write_text("a = 1\n")
    git("add", "kept.py")
    git("commit", "-qm", "first")
    git("remote", "add", "origin", "https://someone:hunter2secret@host/team/repo.git")
    Path("kept.py").write_text("a = 2\n")
    facts = kfnb.manifest()["tooling"].facts
    assert facts["commit"] == git("rev-parse", "HEAD")
    assert "kept.py" in facts["changed"]
    assert facts["repository"] == "https://host/team/repo.git"


def test_the_magic_and_the_verb_show_it(notebook: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    run = notebook.submit("adding")
    notebook.run(f"%kf_manifest {run.id[:13]} -o shown")
    shown = bundle(notebook["shown"])
    for layer in (
        "Model",
        "UX",
        "Tooling",
        "Framework",
        "Storage",
        "Runtime",
        "Drivers",
        "OS",
        "Accelerator",
        "Hardware",
    ):
        assert f"\n{layer}: " in shown["text/plain"]
        assert f"<strong>{layer}: " in shown["text/html"]
    assert shown["text/html"].count("<details") >= 10
    capsys.readouterr()
    assert main(["manifest", run.id, "--json"]) == 0
    assert read_manifest(json.loads(capsys.readouterr().out)) == run.manifest
    notebook.run("shown2 = 1")
    notebook.ip.user_ns["run"] = run
    notebook.run("%kf_manifest run -o named")
    assert notebook["named"].ref == run.id


def test_what_has_none_is_refused_in_words(notebook: Shell) -> None:
    with pytest.raises(NotFound, match="unknown reference nothing"):
        kfnb.manifest("nothing")
    with pytest.raises(UsageError, match="int has no manifest"):
        kfnb.manifest(3)


def test_a_run_of_an_older_kfnb_has_what_is_known(notebook: Shell) -> None:
    run = notebook.submit("adding")
    folder = next((Path("kfnb-home") / "runs").glob("*"))
    (folder / "origin.json").unlink()
    for file in folder.glob("tasks/*/layers"):
        file.unlink()
    manifest = run.manifest
    assert manifest["model"].facts["pipeline"] == "adding"
    assert not manifest["hardware"].recorded
    assert manifest.notes == (
        "what the notebook was is not recorded",
        "not recorded, as the process was killed, is a container or ran none: load, total",
    )


def test_a_damaged_record_takes_nothing_else_with_it(notebook: Shell) -> None:
    run = notebook.submit("adding")
    for file in Path("kfnb-home").glob("runs/*/environments/*"):
        file.write_text('{"os": {"facts": {"kernel": "Linux"}}, "hardware": 5')
    assert any(note.startswith("damaged") for note in run.manifest.notes)
    for file in Path("kfnb-home").glob("packages/*.json"):
        file.write_text("x")
    assert run.manifest["model"].recorded


def test_a_version_of_a_model_has_the_manifest_of_the_task_that_made_it(notebook: Shell) -> None:
    notebook.run(
        "%%kf_component fit --param C:float=1.0\nfrom sklearn.linear_model import Ridge\n"
        "kf.save(Ridge(alpha=C).fit([[0.0], [1.0]], [0.0, 1.0]), 'toy', error=0.5)"
    )
    notebook.run("%kf_pipeline fitting fit")
    run = notebook.submit("fitting")
    manifest = kfnb.manifest("toy")
    assert (manifest.ref, manifest.kind) == ("toy@1", "model")
    assert manifest["model"].facts["metrics"] == {"error": 0.5}
    assert manifest["model"].facts["digest"] == kfnb.model("toy@1").digest
    assert manifest["hardware"] == run.manifest["hardware"]
    run.delete()
    left = kfnb.manifest("toy@1")
    assert "scikit-learn" in {one.name for one in left.packages}
    assert left.notes == ("only what the registry has is known: the run that made it is not there",)


def test_a_study_of_a_cell_has_recorded_what_its_trials_ran_on(notebook: Shell) -> None:
    notebook.run("%%kf_tune bowl --trials 2 --objective loss --minimize --space 'x=float(0,1)'\nloss = x * x")
    kfnb.study("bowl").wait(120)
    manifest = kfnb.manifest("study:bowl")
    assert (manifest.ref, manifest.kind) == ("bowl", "study")
    assert set(manifest["model"].facts["parameters"]) == {"x"}
    assert manifest["hardware"].facts["cpu"]
    assert [one.tasks for one in manifest.environments] == [("trial 0", "trial 1")]


def test_a_training_has_one_record_of_its_processes(notebook: Shell) -> None:
    notebook.run("%%kf_train fit --nodes 2\nrank = kf.rank")
    run = next(iter(kfnb.runs(limit=1)))
    manifest = kfnb.manifest(run.id)
    assert (manifest.kind, manifest.notes) == ("training", ())
    assert len(manifest.environments) == 1
